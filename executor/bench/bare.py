"""Running a program the plain way: one process after the other, stdin from a file, stdout to a file."""

import os
from pathlib import Path

from executor.bench import programs
from executor.bench.programs import BenchProgram

# Nothing of our own environment, which could slow an interpreter's start.
_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": "/"}


class BareFailed(Exception):
    """A bare process failed; the message holds its last words."""


class BareProgram:
    """A program and its inputs in a directory of their own."""

    def __init__(self, program: BenchProgram, directory: Path, *, tests: int) -> None:
        self._program, self._directory, self._tests = program, directory, tests
        for number, text in enumerate(programs.inputs(tests)):
            (directory / f"input{number}").write_bytes(text)
        self.write(program.source)

    def write(self, source: str) -> None:
        """Put another source in the program's place."""
        (self._directory / self._program.main_name).write_text(source)

    def compile(self) -> float:
        """Compile it, where the language needs that; the CPU seconds this took.

        Raises:
            BareFailed: the compiler failed.
        """
        if not self._program.compile_words:
            return 0.0
        return self._spawn(self._argv(self._program.compile_words), "/dev/null", "messages")

    def run(self) -> float:
        """Run it once for each test; the CPU seconds of all runs.

        Raises:
            BareFailed: it ended with another status than 0.
        """
        argv, cpu_s = self._argv(self._program.run_words), 0.0
        for number in range(self._tests):
            cpu_s += self._spawn(argv, f"{self._directory}/input{number}", f"output{number}")
        return cpu_s

    def outputs(self) -> list[bytes]:
        """What the last run of each test printed."""
        return [(self._directory / f"output{number}").read_bytes() for number in range(self._tests)]

    def _argv(self, words: tuple[str, ...]) -> list[str]:
        return programs.argv(words, str(self._directory))

    def _spawn(self, argv: list[str], stdin: str, stdout: str) -> float:
        # The leanest start there is; what subprocess.run costs on top would flatter the sandbox.
        writing = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        errors = f"{self._directory}/errors"
        pid = os.posix_spawn(
            argv[0],
            argv,
            _ENVIRONMENT,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, stdin, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, f"{self._directory}/{stdout}", writing, 0o600),
                (os.POSIX_SPAWN_OPEN, 2, errors, writing, 0o600),
            ],
        )
        _, status, usage = os.wait4(pid, 0)
        if status != 0:
            words = Path(errors).read_text(errors="replace").strip()[-300:]
            raise BareFailed(f"{argv[0]} ended with {os.waitstatus_to_exitcode(status)}: {words}")
        return usage.ru_utime + usage.ru_stime
