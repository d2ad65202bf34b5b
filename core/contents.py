"""Files kept by the hash of their content below `MEDIA_ROOT`: each content once, whole or not at all.

Rows elsewhere refer to them by hash. Who writes a file and the row for it, or removes a file that no row refers to,
does both under `contents_locked`: else a file could go between the two.
"""

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings


def content_path(sha256: str) -> Path:
    """Where a content is, or would be; `sha256` is its hash in hexadecimal."""
    return Path(settings.MEDIA_ROOT) / "contents" / sha256[:2] / sha256


def content_write(data: bytes) -> str:
    """Keep a content and return its hash; once this returns, it outlives a power cut."""
    sha256 = hashlib.sha256(data).hexdigest()
    path = content_path(sha256)
    if path.exists():
        return sha256
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(prefix=".new-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    _sync_directory(path.parent)
    return sha256


def content_remove(sha256: str) -> None:
    """Forget a content; one that is not there is forgotten already."""
    content_path(sha256).unlink(missing_ok=True)


@contextmanager
def contents_locked() -> Iterator[None]:
    """Keep out all others who add or remove files, in this process and others that share the directory."""
    directory = Path(settings.MEDIA_ROOT)
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / ".lock").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _sync_directory(directory: Path) -> None:
    """A new name in a directory is only there for sure once the directory is written, too."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
