"""Compiled programs kept for the next time: the same source, compiled by the same compiler with the same flags."""

import hashlib
import os
import threading
from collections import OrderedDict
from dataclasses import dataclass

from executor.engines.base import CompileResult
from executor.engines.sandbox.box import BoxFile, BoxPlan

LIMIT_BYTES = 128 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledProgram:
    """A compilation that succeeded, and the files it left."""

    compilation: CompileResult
    files: tuple[BoxFile, ...]

    def size_bytes(self) -> int:
        """What it takes to keep it."""
        return sum(len(file.content) for file in self.files)


class CompiledPrograms:
    """The compiled programs used last, bounded in bytes. Safe to share between threads."""

    def __init__(self, limit_bytes: int = LIMIT_BYTES) -> None:
        self._limit_bytes = limit_bytes
        self._lock = threading.Lock()
        self._programs: OrderedDict[str, CompiledProgram] = OrderedDict()
        self._used_bytes = 0

    def get(self, key: str) -> CompiledProgram | None:
        """The program kept under `key`, which then counts as used now."""
        with self._lock:
            program = self._programs.get(key)
            if program is not None:
                self._programs.move_to_end(key)
            return program

    def put(self, key: str, program: CompiledProgram) -> None:
        """Keep a program; those unused for the longest time give way to it."""
        size_bytes = program.size_bytes()
        if size_bytes > self._limit_bytes:
            return
        with self._lock:
            before = self._programs.pop(key, None)
            self._used_bytes += size_bytes - (before.size_bytes() if before else 0)
            self._programs[key] = program
            while self._used_bytes > self._limit_bytes:
                _, oldest = self._programs.popitem(last=False)
                self._used_bytes -= oldest.size_bytes()


def compilation_key(plan: BoxPlan) -> str:
    """What a compilation depends on, as a digest: the files, the command, its environment, and which compiler it is."""
    compiler = os.stat(plan.argv[0])
    digest = hashlib.sha256(repr((compiler.st_ino, compiler.st_size, compiler.st_mtime_ns)).encode())
    digest.update(repr((list(plan.argv), sorted(plan.environment.items()))).encode())
    for file in plan.files:
        digest.update(repr((file.name, len(file.content))).encode())
        digest.update(file.content)
    return digest.hexdigest()
