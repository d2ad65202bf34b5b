"""The secret key of a machine that was given none."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from config.environment import SECRET_KEY_MIN, ConfigurationError


def generated_secret_key(data_dir: Path) -> str:
    """A random key kept beside the embedded database: a machine without settings is safe, and its users stay signed in.

    Processes that start together agree on one key: each writes a file of its own and tries to link it into place,
    which only the first can; so no process ever reads a key that another is still writing.

    Raises:
        ConfigurationError: the file cannot be kept there, or is damaged.
    """
    path = data_dir / "secret_key"
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _put_new_key(path)
        key = path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise ConfigurationError(
            f"the secret key cannot be kept in {path} ({why}): "
            "set SECRET_KEY, or ASSAY_DATA_DIR to a directory that can be written."
        ) from error
    if len(key) < SECRET_KEY_MIN:
        raise ConfigurationError(f"the secret key in {path} is damaged: delete the file to get a new one.")
    return key


def _put_new_key(path: Path) -> None:
    own = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(own, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(50))
            file.flush()
            os.fsync(file.fileno())
        # Where another process was first, its key is everybody's.
        with suppress(FileExistsError):
            os.link(own, path)
    finally:
        own.unlink(missing_ok=True)
