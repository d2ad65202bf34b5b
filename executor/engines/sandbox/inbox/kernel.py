"""System calls that the standard library lacks, through ctypes. Loaded in the box only."""

from __future__ import annotations

import ctypes
import os

CLONE_NUMBERS = {"x86_64": 56, "aarch64": 220}
CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWPID = 0x00020000, 0x08000000, 0x20000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT, MS_BIND = 1, 2, 4, 8, 32, 4096
MS_REC_PRIVATE = 16384 | 1 << 18
_SIGCHLD = 17
_PR_SET_DUMPABLE, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT = 4, 22, 38, 47
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_PR_CAP_AMBIENT_CLEAR_ALL, _SECCOMP_MODE_FILTER, _CAPABILITY_VERSION_3 = 4, 2, 0x20080522


class Failure(Exception):
    """The box does not do what it must; the engine reports it, and no program is blamed."""


class _Filter(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_char_p))


class Kernel:
    """Each method is one call.

    Raises:
        Failure: the kernel refused.
    """

    def __init__(self) -> None:
        self._libc = ctypes.PyDLL(None, use_errno=True)
        self._clone_number = CLONE_NUMBERS[os.uname().machine]

    def clone(self, flags: int) -> int:
        """Fork into new namespaces; 0 in the child."""
        return self._checked("clone", self._libc.syscall(self._clone_number, flags | _SIGCHLD, 0, 0, 0, 0))

    def unshare(self, flags: int) -> None:
        self._checked("unshare", self._libc.unshare(flags))

    def mount(self, source: str, target: str, kind: str, flags: int, options: str = "") -> None:
        words = (source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), options.encode())
        self._checked(f"mount {target}", self._libc.mount(*words))

    def set_dumpable(self, value: bool) -> None:
        self._prctl(_PR_SET_DUMPABLE, int(value))

    def set_death_signal(self, signal: int) -> None:
        """The signal that this process gets when its parent ends."""
        self._prctl(_PR_SET_PDEATHSIG, signal)

    def adopt_orphans(self) -> None:
        """Become the parent of descendants that lose theirs."""
        self._prctl(_PR_SET_CHILD_SUBREAPER, 1)

    def drop_capabilities(self) -> None:
        self._prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
        header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
        self._checked("capset", self._libc.capset(header, (ctypes.c_uint32 * 6)()))

    def set_no_new_privileges(self) -> None:
        self._prctl(_PR_SET_NO_NEW_PRIVS, 1)

    def install_filter(self, code: bytes) -> None:
        code_filter = _Filter(len(code) // 8, code)
        self._checked("seccomp", self._libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(code_filter)))

    def _prctl(self, option: int, value: int) -> None:
        self._checked(f"prctl {option}", self._libc.prctl(option, value, 0, 0, 0))

    def _checked(self, what: str, result: int) -> int:
        if result < 0:
            raise Failure(f"{what}: {os.strerror(ctypes.get_errno())}")
        return result
