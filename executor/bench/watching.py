"""Running a server below a process that inherits its orphans, so that none of them is lost from sight."""

import ctypes
import multiprocessing
import os
import signal
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def run_watched(server: Callable[[int], None]) -> int:
    """Call `server` in a child process, with our own process id; its exit status, or minus the signal that ended it.

    Processes that lose their parent meanwhile become children of ours, not of process 1, and are reaped as it would
    reap them. What `server` finds below the given id is therefore all that it and its descendants have ever started.
    We must have no other children.

    Raises:
        OSError: this kernel refuses that.
    """
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    process = multiprocessing.get_context("fork").Process(target=_serve, args=(server, os.getpid()))
    process.start()
    try:
        while True:
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
            if ended is None or ended.si_pid == process.pid:
                break
            os.waitpid(ended.si_pid, 0)
    finally:
        process.join()
        _prctl(_PR_SET_CHILD_SUBREAPER, 0)
    assert process.exitcode is not None
    return process.exitcode


def _serve(server: Callable[[int], None], parent: int) -> None:
    _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)  # whoever ends the watching process means us too
    server(parent)


def _prctl(option: int, value: int) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl was refused")
