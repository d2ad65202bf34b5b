"""The machine a benchmark ran on, and keeping it to some of its cores."""

import os
import platform
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from executor.engines.sandbox.host import find_program

_PROGRAMS = ("python3", "g++", "node", "java", "bwrap")


@contextmanager
def pinned(cores: int | None) -> Iterator[int]:
    """Keep this process, and all it starts meanwhile, to so many cores; None keeps those it has. Gives their number.

    Raises:
        ValueError: it has not that many.
    """
    usable = os.sched_getaffinity(0)
    if cores is not None and cores > len(usable):
        raise ValueError(f"there are not {cores} cores to use, but {len(usable)}")
    # From the end: the first core serves most interrupts.
    os.sched_setaffinity(0, usable if cores is None else sorted(usable)[-cores:])
    try:
        yield cores or len(usable)
    finally:
        os.sched_setaffinity(0, usable)


def machine_facts() -> dict[str, Any]:
    """What figures depend on: cores, kernel, and the version of each program by its absolute path."""
    return {
        "cores": os.cpu_count(),
        "cores_used": sorted(os.sched_getaffinity(0)),
        "kernel": platform.release(),
        "architecture": platform.machine(),
        "programs": {path: _version(path) for name in _PROGRAMS if (path := find_program(name))},
    }


def _version(path: str) -> str:
    done = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=30, check=False)
    return (done.stdout or done.stderr).partition("\n")[0].strip()
