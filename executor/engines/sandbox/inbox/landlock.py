"""Landlock: a process gives up files, network and signals for good, where no namespace can be had."""

from __future__ import annotations

import ctypes
import os
import stat

from executor.engines.sandbox.inbox.kernel import Failure

TYPE_CHECKING = False  # typing and collections would double the time a box takes to start
if TYPE_CHECKING:
    from collections.abc import Iterable

# The first version that keeps signals and abstract sockets in (Linux 6.12).
NEEDED_ABI = 6
# These numbers are the same on every processor.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION, _PATH_BENEATH = 1, 1
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR, _TRUNCATE = 1, 2, 4, 8, 1 << 14
_ALL_FILE_RIGHTS = (1 << 16) - 1  # of version 5 and later
_BIND_AND_CONNECT_TCP = 3
_ABSTRACT_SOCKETS_AND_SIGNALS = 3


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scopes", ctypes.c_uint64))


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("rights", ctypes.c_uint64), ("descriptor", ctypes.c_int32))


def abi() -> int:
    """The version of Landlock that this kernel offers; 0 where there is none."""
    return max(0, _syscall(_CREATE_RULESET, None, 0, _VERSION))


def restrict(*, executable: Iterable[str], readable: Iterable[str], writable: Iterable[str]) -> None:
    """Leave this process, and all it becomes, these paths only, no TCP, and signals to itself alone.

    What is executable may be read, and what is writable too. A path that is not there is left out. The caller has
    given up new privileges before.

    Raises:
        Failure: the kernel is too old, or refuses.
    """
    if abi() < NEEDED_ABI:
        raise Failure(f"Landlock: the kernel offers version {abi()}, and {NEEDED_ABI} is needed (Linux 6.12)")
    handled = _Ruleset(_ALL_FILE_RIGHTS, _BIND_AND_CONNECT_TCP, _ABSTRACT_SOCKETS_AND_SIGNALS)
    ruleset = _checked(_syscall(_CREATE_RULESET, ctypes.byref(handled), ctypes.sizeof(handled), 0))
    try:
        for paths, rights in (
            (executable, _EXECUTE | _READ_FILE | _READ_DIR),
            (readable, _READ_FILE | _READ_DIR),
            (writable, _READ_FILE | _WRITE_FILE | _TRUNCATE),
        ):
            for path in paths:
                _allow(ruleset, path, rights)
        _checked(_syscall(_RESTRICT_SELF, ruleset, 0))
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            rights &= ~_READ_DIR
        beneath = _Beneath(rights, descriptor)
        _checked(_syscall(_ADD_RULE, ruleset, _PATH_BENEATH, ctypes.byref(beneath), 0))
    finally:
        os.close(descriptor)


def _syscall(number: int, *arguments: object) -> int:
    return int(ctypes.CDLL(None, use_errno=True).syscall(ctypes.c_long(number), *arguments))


def _checked(result: int) -> int:
    if result < 0:
        raise Failure(f"Landlock: {os.strerror(ctypes.get_errno())}")
    return result
