"""The sandbox's kit: what is made once at set-up so that judging is fast, and what of it can be used now.

A kit is a directory that boxes show read-only. Each part is a directory of its own with a fresh name; the index says
which one holds, how it was made, and the files of this machine that went into it. A part whose recipe or files are no
longer the same is not used: it waits for the next build. A kit that is missing costs speed, never a verdict.
"""

import fcntl
import json
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from executor.engines.base import Toolchain
from executor.engines.sandbox.recipes import PartMissing, Recipe, recipe_of

BOX_PATH = "/kit"  # where boxes see it
_INDEX, _LOCK = "index.json", "lock"
_NOT_BUILT = "it has not been made: manage.py sandbox_setup"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A part as the index has it. `missing` says why there is none; else `directory` holds it.

    `inputs` are the files of this machine that went into it, each with its size in bytes and its time in nanoseconds.
    """

    digest: str
    directory: str = ""
    inputs: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    missing: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartState:
    """A part after a build. `detail` is empty or says why it is missing; `size_bytes` is 0 then."""

    part: str
    is_there: bool
    is_new: bool
    size_bytes: int
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Kit:
    """The parts that can be used, by their names. `seen_at` is where programs in boxes see `directory`."""

    directory: Path | None = None
    entries: Mapping[str, Entry] = field(default_factory=dict)
    absent: str = _NOT_BUILT  # why there is no part at all
    seen_at: str = BOX_PATH

    @classmethod
    def found(cls, directory: Path | None, *, reader_uid: int | None = None) -> "Kit":
        """What of the kit in this directory is fit for use; never raises.

        `reader_uid` is who must be able to read it where that is not us: a user without groups.
        """
        if directory is None:
            return cls(absent="no directory is set for it")
        directory = directory.resolve()
        try:
            entries = _read_index(directory)
        except (OSError, ValueError):
            return cls()
        if not _can_read(directory, reader_uid):
            return cls(absent=f"the user of the boxes cannot enter {directory}")
        return cls(directory=directory, entries=entries, absent="" if entries else _NOT_BUILT)

    @property
    def shown(self) -> tuple[tuple[str, str], ...]:
        """The directories that boxes show read-only for the kit's sake: where it is here, and where there."""
        return () if self.directory is None else ((str(self.directory), self.seen_at),)

    def missing(self, recipe: Recipe) -> str | None:
        """None where the part can be used; otherwise a sentence on why not."""
        entry = self.entries.get(recipe.part)
        if self.directory is None or entry is None:
            return self.absent or _NOT_BUILT
        return _fault(self.directory, entry, recipe)

    def path_of(self, recipe: Recipe) -> str | None:
        """Where boxes see the directory of a part; None where it is missing or outdated."""
        if self.missing(recipe) is not None:
            return None
        return f"{self.seen_at}/{self.entries[recipe.part].directory}"

    def compile_words(self, toolchain: Toolchain) -> tuple[str, ...]:
        """The words that make this toolchain's compiler use the kit; none where it cannot."""
        return self._words(toolchain, () if toolchain.kit is None else toolchain.kit.compile_words)

    def run_words(self, toolchain: Toolchain) -> tuple[str, ...]:
        """The words that make this toolchain's runtime use the kit; none where it cannot."""
        return self._words(toolchain, () if toolchain.kit is None else toolchain.kit.run_words)

    def _words(self, toolchain: Toolchain, words: Sequence[str]) -> tuple[str, ...]:
        if not words or self.directory is None:
            return ()
        recipe = recipe_of(toolchain)
        path = None if recipe is None else self.path_of(recipe)
        return () if path is None else tuple(word.replace("{kit}", path) for word in words)


NO_KIT = Kit()


def build(directory: Path, recipes: Sequence[Recipe], on_progress: Callable[[str], None]) -> list[PartState]:
    """Make what is missing or outdated, and take away what nobody needs any more.

    Builds at the same time wait for each other. A part is in the index once it is whole, so that neither a reader nor
    a build after one that was killed ever sees half of it.

    Raises:
        OSError: the directory cannot be written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    directory = directory.resolve()
    with _locked(directory):
        directory.chmod(0o755)
        try:
            entries = _read_index(directory)
        except (OSError, ValueError):
            entries = {}
        states = []
        for recipe in recipes:
            known = entries.get(recipe.part)
            is_new = known is None or _fault(directory, known, recipe) is not None
            if is_new:
                on_progress(f"making {recipe.part}: {recipe.purpose}")
                entries[recipe.part] = _made(directory, recipe)
                _write_index(directory, entries)
            states.append(_state(directory, recipe, entries[recipe.part], is_new=is_new))
        wanted = {recipe.part for recipe in recipes}
        entries = {part: entry for part, entry in entries.items() if part in wanted}
        _write_index(directory, entries)
        _tidy(directory, {entry.directory for entry in entries.values()})
    return states


def _made(directory: Path, recipe: Recipe) -> Entry:
    target = directory / f"{recipe.part}-{secrets.token_hex(6)}"
    target.mkdir()
    try:
        # The scratch directory lies beside it: in memory it could be too large.
        with tempfile.TemporaryDirectory(dir=directory, prefix="scratch-") as scratch:
            files = recipe.make(target, Path(scratch))
        inputs = {path: _identity(path) for path in sorted(set(files))}
    except PartMissing as error:
        shutil.rmtree(target)
        return Entry(digest=recipe.digest, missing=str(error))
    for path in (target, *target.rglob("*")):
        if path.is_dir():
            path.chmod(0o755)
        else:
            path.chmod(0o555 if path.stat().st_mode & stat.S_IXUSR else 0o444)
    return Entry(digest=recipe.digest, directory=target.name, inputs=inputs)


def _state(directory: Path, recipe: Recipe, entry: Entry, *, is_new: bool) -> PartState:
    if entry.missing:
        return PartState(part=recipe.part, is_there=False, is_new=False, size_bytes=0, detail=entry.missing)
    size = sum(path.stat().st_size for path in (directory / entry.directory).rglob("*") if path.is_file())
    return PartState(part=recipe.part, is_there=True, is_new=is_new, size_bytes=size, detail="")


def _fault(directory: Path, entry: Entry, recipe: Recipe) -> str | None:
    if entry.missing:
        return entry.missing
    if entry.digest != recipe.digest:
        return "it was made another way: manage.py sandbox_setup"
    if not (directory / entry.directory).is_dir():
        return _NOT_BUILT
    for path, identity in entry.inputs.items():
        try:
            is_same = _identity(path) == identity
        except OSError:
            is_same = False
        if not is_same:
            return f"{path} has changed since: manage.py sandbox_setup"
    return None


def _identity(path: str) -> tuple[int, int]:
    info = os.stat(path)
    return info.st_size, info.st_mtime_ns


def _can_read(directory: Path, reader_uid: int | None) -> bool:
    if reader_uid is None:
        return os.access(directory, os.R_OK | os.X_OK)
    for path in (directory, *directory.parents):
        info = path.stat()
        if not info.st_mode & (stat.S_IXUSR if info.st_uid == reader_uid else stat.S_IXOTH):
            return False
    return True


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    with open(directory / _LOCK, "a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _read_index(directory: Path) -> dict[str, Entry]:
    """The parts by name.

    Raises:
        OSError, ValueError: there is no index that can be read.
    """
    parts = json.loads((directory / _INDEX).read_text())
    try:
        return {
            name: Entry(
                digest=str(part["digest"]),
                directory=str(part["directory"]),
                inputs={path: (int(size), int(time)) for path, (size, time) in part["inputs"].items()},
                missing=str(part["missing"]),
            )
            for name, part in parts.items()
        }
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError("not an index") from error


def _write_index(directory: Path, entries: Mapping[str, Entry]) -> None:
    parts = {
        name: {
            "digest": entry.digest,
            "directory": entry.directory,
            "inputs": dict(entry.inputs),
            "missing": entry.missing,
        }
        for name, entry in entries.items()
    }
    new = directory / f"{_INDEX}.new"
    new.write_text(json.dumps(parts))
    new.chmod(0o644)
    new.replace(directory / _INDEX)


def _tidy(directory: Path, wanted: set[str]) -> None:
    """Remove parts that are out of the index: outdated ones, and what a killed build left."""
    for path in directory.iterdir():
        if path.is_dir() and path.name not in wanted:
            shutil.rmtree(path)
