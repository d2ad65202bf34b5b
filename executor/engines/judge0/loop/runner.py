"""Runs the tests of one submission inside one Judge0 job, a child process each, and prints a frame for each.

stdin: a line of JSON, the order; then the tests' inputs, end to end.
stdout: lines of `NONCE INDEX LENGTH BASE64`. The base64 holds a zlib stream, and that a line of JSON with the kernel's
figures, then stdout and stderr. The last frame, numbered after the tests, says how many were begun and why no more.
What cannot be measured or cleaned up gets no frame: the engine runs it again in a job of its own.

In Judge0's box this process and the student's program have the same uid. What keeps them apart:
- This process is not dumpable, so that the other can neither trace it, read its memory nor open its descriptors. The
  nonce and the inputs of the other tests are nowhere else: never in a file with a name, an argument or a variable.
- A test gets descriptors of its own and inherits nothing else; orphans become children of this process, and the next
  test begins only when the kernel says that no child is left and every file is gone.
What a hostile program can do all the same: end or halt this process (the frames to come are missing, and their tests
run alone), recognize by what cannot be cleaned, such as a keyring, that it has run before, and hide CPU time of
children it disowned (the engine holds the sum against what Judge0 measured of the job). A hole in the kernel or in
this file would show it the inputs of the other tests of its own submission, and let it forge its own figures and
outputs. Expected outputs and other students' programs are not here to be had. Exams use a job for each test.
"""

import base64
import json
import os
import resource
import signal
import time
import zlib

from executor.engines.judge0.loop import files, tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, BinaryIO

FIRST_LOOK_S, LONGEST_PAUSE_S, SHORTEST_PAUSE_S = 0.02, 0.05, 0.004
END_FRAME_BYTES = 2048
REASON_CHARACTERS = 200


class Order:
    """What the engine wants: the program's command and variables, its limits, and what the job as a whole may use."""

    def __init__(self, fields: "dict[str, Any]") -> None:
        self.nonce = str(fields["nonce"])
        self.lengths = [int(length) for length in fields["lengths"]]
        self.argv = [str(word) for word in fields["argv"]]
        self.environment = {str(name): str(value) for name, value in fields["environment"].items()}
        self.time_limit_ms, self.wall_limit_ms = int(fields["time_limit_ms"]), int(fields["wall_limit_ms"])
        self.cpu_budget_ms, self.wall_budget_ms = int(fields["cpu_budget_ms"]), int(fields["wall_budget_ms"])
        self.file_size_bytes, self.answer_bytes = int(fields["file_size_bytes"]), int(fields["answer_bytes"])
        self.address_bytes = int(fields["address_bytes"])


class Answer:
    """The job's stdout, which ends where the job's limit on file sizes does."""

    def __init__(self, descriptor: int, nonce: str, limit_bytes: int) -> None:
        self._descriptor, self._nonce = descriptor, nonce.encode("ascii")
        self._left = limit_bytes - END_FRAME_BYTES

    def put(self, index: int, content: bytes, is_last: bool = False) -> None:
        """Print a frame, or nothing where it has no room."""
        packed = base64.b64encode(zlib.compress(content, 1))
        frame = b"%b %d %d %b\n" % (self._nonce, index, len(content), packed)
        if len(frame) > self._left + is_last * END_FRAME_BYTES:
            return
        self._left -= len(frame)
        while frame:
            frame = frame[os.write(self._descriptor, frame) :]

    def end(self, index: int, begun: int, reason: str) -> None:
        """Print the last frame."""
        content = json.dumps({"begun": begun, "reason": reason[:REASON_CHARACTERS]})
        self.put(index, content.encode("ascii"), is_last=True)


class Loop:
    """Runs the tests one after the other, as long as the next can have all that it may use."""

    def __init__(self, order: Order, source: "BinaryIO", answer: Answer) -> None:
        self._order, self._source, self._answer = order, source, answer
        self._started = time.monotonic()
        self._home = os.getcwd()
        self.begun = 0
        self._program = files.program_files()
        self._ipc = files.ipc_objects()

    def run(self) -> str:
        """Run what can be run; why it ended."""
        for index, length in enumerate(self._order.lengths):
            content = self._source.read(length)
            if len(content) != length:
                raise tree.Stop("an input that was cut")
            if index and not self._has_room():
                return "budget"
            files.furnish(self._home, self._program)
            if files.ipc_objects() != self._ipc:
                raise tree.Stop("System V objects that a test left")
            self.begun += 1
            self._run_test(index, content)
        return "done"

    def _has_room(self) -> bool:
        order, children = self._order, resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu_s = time.process_time() + children.ru_utime + children.ru_stime
        wall_s = time.monotonic() - self._started
        return (
            cpu_s * 1000 + order.time_limit_ms <= order.cpu_budget_ms
            and wall_s * 1000 + order.wall_limit_ms <= order.wall_budget_ms
        )

    def _run_test(self, index: int, content: bytes) -> None:
        pairs = [files.nameless(content), files.nameless(), files.nameless()]
        try:
            started = time.monotonic()
            test = tree.Tree(self._start([theirs for _, theirs in pairs]))
            reason = watch(test, started + self._order.wall_limit_ms / 1000, self._order.time_limit_ms * 1000)
            wall_us = int((time.monotonic() - started) * 1e6)
            test.end()
            outputs = [files.content_of(ours, self._order.file_size_bytes) for ours, _ in pairs[1:]]
        finally:
            for pair in pairs:
                for descriptor in pair:
                    os.close(descriptor)
        if test.status is None:
            raise tree.Stop("a test without an end")
        figures = {
            "reason": reason,
            "exit_code": os.WEXITSTATUS(test.status) if os.WIFEXITED(test.status) else None,
            "signal": os.WTERMSIG(test.status) if os.WIFSIGNALED(test.status) else None,
            "time_us": test.cpu_us(),
            "wall_us": wall_us,
            "memory_kib": test.memory_kib,
            "lengths": [len(output) for output in outputs],
        }
        self._answer.put(index, json.dumps(figures).encode("ascii") + b"\n" + b"".join(outputs))

    def _start(self, descriptors: "list[int]") -> int:
        told, tell = os.pipe()
        pid = os.fork()
        if pid == 0:
            become(self._order, self._home, descriptors, tell)
        os.close(tell)
        fault = os.read(told, REASON_CHARACTERS)  # nothing, once the program has taken over
        os.close(told)
        if fault:
            raise tree.Stop("a program that cannot be started: " + fault.decode("ascii", "replace"))
        tree.offer_to_oom_killer(pid)
        return pid


def watch(test: tree.Tree, wall_end: float, limit_us: int) -> str:
    """Wait for the end of a test; the reason why it has to be ended here, empty where it has ended by itself."""
    pause_s = FIRST_LOOK_S
    while True:
        signal.sigtimedwait([signal.SIGCHLD], max(0, min(pause_s, wall_end - time.monotonic())))
        test.reap()
        if test.status is not None:
            return ""
        if time.monotonic() >= wall_end:
            return "wall"
        test.look()
        left_us = limit_us - test.cpu_us()
        if left_us < 0:
            return "cpu"
        # Two threads can use up what is left in half the time.
        pause_s = min(LONGEST_PAUSE_S, max(SHORTEST_PAUSE_S, left_us / 2e6))


def become(order: Order, home: str, descriptors: "list[int]", tell: int) -> None:
    """Turn the forked child into the program, with its limits and descriptors only. Does not return."""
    try:
        os.setsid()  # a group of its own: kill(0) reaches nobody else
        for target, source in enumerate(descriptors):
            os.dup2(source, target)
        os.chdir(files.PROGRAM)
        environment = dict(os.environ, OLDPWD=home, PWD=home + "/" + files.PROGRAM)
        environment.update(order.environment)
        for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them, and so would the program
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        limit(resource.RLIMIT_FSIZE, order.file_size_bytes)
        limit(resource.RLIMIT_CPU, order.time_limit_ms // 1000 + 2)  # for when this process has been halted
        limit(resource.RLIMIT_CORE, 0)
        if resource.getrlimit(resource.RLIMIT_AS)[1] != resource.RLIM_INFINITY:
            limit(resource.RLIMIT_AS, order.address_bytes)  # this Judge0 limits processes and not the box
        os.execve(order.argv[0], order.argv, environment)  # noqa: S606  no shell is the point
    except BaseException as error:  # noqa: BLE001  nothing may unwind into the loop
        os.write(tell, (type(error).__name__ + ": " + str(error)).encode("ascii", "replace")[:REASON_CHARACTERS])
    os._exit(127)


def limit(kind: int, value: int) -> None:
    """Set a limit for good, never above the job's own."""
    hard = resource.getrlimit(kind)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (value, value))


def main() -> None:
    """Carry out the order on stdin."""
    for descriptor in range(3, 1024):
        try:
            os.set_inheritable(descriptor, False)
        except OSError:
            continue
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # ignored, children would be gone before they are measured
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
    source, output = os.fdopen(os.dup(0), "rb"), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    order = Order(json.loads(source.readline().decode("ascii")))
    answer, begun = Answer(output, order.nonce, order.answer_bytes), 0
    try:
        tree.protect()
        loop = Loop(order, source, answer)
        try:
            reason = loop.run()
        finally:
            begun = loop.begun
    except tree.Stop as stop:
        reason = str(stop)
    except (OSError, MemoryError, RecursionError) as error:
        reason = type(error).__name__ + ": " + str(error)
    answer.end(len(order.lengths), begun, reason)
