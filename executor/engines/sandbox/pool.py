"""Boxes kept between submissions: each serves one at a time, and not for ever."""

import os
import threading
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

from executor.engines.base import EngineError, Toolchain
from executor.engines.sandbox import plans
from executor.engines.sandbox.box import Box
from executor.engines.sandbox.host import Host, zygote_code

# Whatever a submission might have left in a box that no test of ours knows of, it does not last.
USES_LIMIT = 500
_IDLE_LIMIT = 2 * (os.cpu_count() or 1)


class BoxPool:
    """Hands out boxes that nobody uses now. Safe to share between threads; a forked process starts with none.

    Boxes differ by the interpreter that is warm in them, or have none. Only a box with the native runner can take
    another program after its first.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._forget()

    def _forget(self) -> None:
        self._pid = os.getpid()
        self._idle: defaultdict[str, list[Box]] = defaultdict(list)
        # A box ends with the thread that started it (the kernel's parent-death signal), so one that outlives its
        # submission is started by a thread that outlives them all.
        self._starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="boxes")

    def take(self, host: Host, warm_for: Toolchain | None) -> Box:
        """A box that waits, or a new one; with a warm interpreter of this toolchain, or with none.

        Raises:
            EngineUnavailable, OSError: none can be started.
        """
        with self._lock:
            if self._pid != os.getpid():
                self._forget()
            waiting = self._idle[_kind(warm_for)]
            while waiting:
                box = waiting.pop()
                if box.is_alive():
                    return box
                box.close()
            starter = self._starter
        return starter.submit(start_box, host, warm_for).result()

    def give_back(self, box: Box, warm_for: Toolchain | None) -> None:
        """Keep a box for the next submission, where it is well and not used up."""
        try:
            box.unload()
            with self._lock:
                waiting = self._idle[_kind(warm_for)]
                if box.loads < USES_LIMIT and len(waiting) < _IDLE_LIMIT and self._pid == os.getpid():
                    waiting.append(box)
                    return
        except EngineError:
            pass  # it has ended since; what it measured stands
        box.close()

    def close(self) -> None:
        """End the boxes that wait."""
        with self._lock:
            boxes = [box for waiting in self._idle.values() for box in waiting]
            self._idle.clear()
            is_ours = self._pid == os.getpid()
        for box in boxes if is_ours else ():
            box.close()


def start_box(host: Host, warm_for: Toolchain | None) -> Box:
    """A new box, with the toolchain's interpreter warm in it where one is named.

    Raises:
        EngineUnavailable, OSError: it cannot be started.
    """
    box = Box(host)
    try:
        if warm_for is not None:
            argv = plans.zygote_argv(warm_for)
            box.start_zygote(argv, plans.zygote_environment(warm_for), zygote_code(argv[0]))
    except BaseException:
        box.close()
        raise
    return box


def _kind(warm_for: Toolchain | None) -> str:
    return "" if warm_for is None else warm_for.language
