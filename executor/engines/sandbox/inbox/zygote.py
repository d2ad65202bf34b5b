"""The zygote: an interpreter with the usual modules loaded, from which Python programs are forked instead of started.

Three generations, each knowing only what it must: the zygote is made ahead, and never reads a source or an input; its
template, one for a submission, compiles that submission's source; the template's children, one for a run, become the
program. Orders come from the runner on sockets:
  to the zygote    `fork` with a channel for the template, `end`
  to the template  what to run, and how it is confined; then `run` with a run's namespaces and channel, or the id of a
                   program that has ended
Confining is done by native/program.c, which the box has as a library. The program gets no descriptor of ours, and below
its own frames stands nothing but this module, which knows no secret.

What a process touches after a fork is copied for it, a page at a time, so whatever can be made before the fork is.
"""

from __future__ import annotations

import _socket
import atexit
import contextlib
import ctypes
import gc
import os
import resource
import signal
import sys
import warnings
import weakref
from importlib.machinery import SourceFileLoader
from itertools import islice

from executor.engines.sandbox.inbox.framing import receive_descriptors, unpack

TYPE_CHECKING = False  # typing and collections would double the time the box takes to start
if TYPE_CHECKING:
    from types import CodeType

# What programs of courses and contests import; each costs every fork some pages, so the rest is imported by need.
PRELOADED = (
    "abc",
    "array",
    "bisect",
    "cmath",
    "collections",
    "contextlib",
    "copy",
    "dataclasses",
    "datetime",
    "decimal",
    "enum",
    "fractions",
    "functools",
    "heapq",
    "io",
    "itertools",
    "json",
    "math",
    "numbers",
    "operator",
    "random",
    "re",
    "statistics",
    "string",
    "struct",
    "time",
    "types",
    "typing",
)
WORK = "/box"
_MESSAGE_LIMIT_BYTES = 120_000
_EXIT_FLUSH_FAILED = 120  # as the interpreter's own exit status
# What compiling a source may use; one that needs more is compiled by each of its programs, within their limits.
_COMPILE_CPU_S = 2
_COMPILE_ADDRESS_BYTES = 1024**3

_preloaded_count = 0
_depth: ctypes.Array[ctypes.c_int] | None = None


def main() -> None:
    """Serve the runner; the arguments are its channel and the library. In a program: run it, and do not return."""
    global _preloaded_count
    library = ctypes.PyDLL(sys.argv[2])
    channel = _socket.socket(fileno=int(sys.argv[1]))
    for name in PRELOADED:
        __import__(name)
    _preloaded_count = len(sys.modules)
    library.hide_memory()
    _find_depth()
    gc.collect()
    gc.freeze()  # what is loaded now is never looked at again, nor copied by a collection
    code = _serve_template(library, _serve(channel))
    del channel, library
    _run(code)


def _serve(channel: _socket.socket) -> _socket.socket:
    """Fork a template by order. Returns in the template, with its channel."""
    channel.send(b"%d" % os.getpid())
    template = 0
    while True:
        order, descriptors = receive_descriptors(channel, _MESSAGE_LIMIT_BYTES)
        if order == b"fork":
            template = os.fork()
            if template == 0:
                channel.close()
                return _socket.socket(fileno=descriptors[0])
            os.close(descriptors[0])
            channel.send(b"%d" % template)
        elif order == b"end":
            os.kill(template, signal.SIGKILL)
            os.waitpid(template, 0)
            channel.send(b"ended")
        else:
            os._exit(0)


def _serve_template(library: ctypes.PyDLL, channel: _socket.socket) -> CodeType | None:
    """Compile the source and fork a program by order. Returns in the program, confined and with its standard files."""
    should_compile, path, confinement = unpack(channel.recv(_MESSAGE_LIMIT_BYTES))
    library.take_confinement(confinement)
    code = _compiled(path.decode()) if should_compile == b"1" else None
    gc.freeze()
    _make_main(path.decode())
    channel.send(b"ready")
    while True:
        order, descriptors = receive_descriptors(channel, _MESSAGE_LIMIT_BYTES)
        if order == b"run":
            run_namespaces, program_channel = descriptors
            if library.enter_pid_namespace(run_namespaces) < 0:
                os._exit(1)
            program = os.fork()
            if program == 0:
                library.become_program(run_namespaces, program_channel, False)
                channel.detach()  # it is closed, like all others
                return code
            os.close(run_namespaces)
            os.close(program_channel)
            channel.send(b"%d" % program)
        elif order:
            _, status, usage = os.wait4(int(order), 0)
            cpu_us = int((usage.ru_utime + usage.ru_stime) * 1e6)
            channel.send(b"%d %d %d" % (status, cpu_us, usage.ru_maxrss))
        else:
            os._exit(0)


def _compiled(path: str) -> CodeType | None:
    """The source's code; None where it has an error or a warning, which the program, then started, prints itself."""
    before = {kind: resource.getrlimit(kind) for kind in (resource.RLIMIT_CPU, resource.RLIMIT_AS)}
    for kind, limit in ((resource.RLIMIT_CPU, _COMPILE_CPU_S), (resource.RLIMIT_AS, _COMPILE_ADDRESS_BYTES)):
        resource.setrlimit(kind, (limit, before[kind][1]))
    try:
        with open(f"/program/{os.path.basename(path)}", "rb") as file, warnings.catch_warnings():
            warnings.simplefilter("error")
            return compile(file.read(), path, "exec", dont_inherit=True)
    except BaseException:  # noqa: BLE001  whatever it is, the program will meet it again
        return None
    finally:
        for kind, limits in before.items():
            resource.setrlimit(kind, limits)


def _make_main(path: str) -> None:
    """Put a new `__main__` in place, as the interpreter makes it for a file."""
    sys.argv = [os.path.basename(path)]
    sys.orig_argv = [*sys.orig_argv[:-3], *sys.argv]
    sys.path[0] = WORK
    module = type(sys)("__main__")
    module.__dict__.update(
        __annotations__={},
        __builtins__=sys.modules["builtins"],
        __file__=path,
        __cached__=None,
        __loader__=SourceFileLoader("__main__", path),
    )
    sys.modules["__main__"] = module


def _run(code: CodeType | None) -> None:
    """Be the interpreter of the program, from its start to its exit. Does not return."""
    if code is None:
        os.execv(sys.executable, sys.orig_argv)  # noqa: S606  no shell is the point
    failure: BaseException | None = None
    _hide_frames()
    try:
        exec(code, sys.modules["__main__"].__dict__)  # noqa: S102  the program is what this process is for
    except BaseException as error:  # noqa: BLE001  the interpreter's own last resort
        failure = error
    # Outside of the handler, as in the interpreter: what a hook raises has no context.
    status = 0 if failure is None else _status_of(failure)
    del code, failure
    _end_threads()
    status = _flush(status)
    _tear_down()
    with contextlib.suppress(Exception):
        sys.stdout.flush()
    if status == -signal.SIGINT:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    os._exit(status & 0xFF)


def _find_depth() -> None:
    """Find where this interpreter counts how deep it may still go: two neighbors, what is left and the limit."""
    global _depth
    get_state = ctypes.pythonapi.PyThreadState_Get
    get_state.restype = ctypes.c_void_p
    numbers = (ctypes.c_int * 32).from_address(get_state())

    def left(at: int) -> int:
        return numbers[at]

    for at in range(31):
        if numbers[at + 1] == sys.getrecursionlimit() and numbers[at] - left(at) == 1:
            _depth = (ctypes.c_int * 1).from_address(ctypes.addressof(numbers) + at * ctypes.sizeof(ctypes.c_int))
            return


def _hide_frames() -> None:
    """Let the program go as deep as if our frames were not below it."""
    if _depth is not None:
        # As seen from here: this frame will be gone, and the call of exec comes between.
        _depth[0] = sys.getrecursionlimit()


def _status_of(failure: BaseException) -> int:
    """The exit status of a program that ended by an exception, which is printed unless it is a wish to exit."""
    return _exit_status(failure) if isinstance(failure, SystemExit) else _report(failure)


def _exit_status(error: SystemExit) -> int:
    if error.code is None:
        return 0
    if isinstance(error.code, int):
        return error.code
    try:
        sys.stderr.write(f"{error.code}\n")
    except BaseException:  # noqa: BLE001  an object whose text cannot be had; the status says enough
        return 1
    return 1


def _report(error: BaseException) -> int:
    """Print what ended the program as the interpreter would, without our own frame."""
    kind, traceback = type(error), error.__traceback__
    while traceback is not None and traceback.tb_frame.f_code.co_filename == __name__:
        traceback = traceback.tb_next
    error.__traceback__ = traceback
    sys.last_type, sys.last_value, sys.last_traceback = kind, error, traceback
    try:
        sys.excepthook(kind, error, traceback)
    except SystemExit as exit_error:
        return _exit_status(exit_error)
    except BaseException as hook_error:  # noqa: BLE001  so does the interpreter
        in_hook = hook_error.__traceback__.tb_next if hook_error.__traceback__ else None
        sys.stderr.write("Error in sys.excepthook:\n")
        sys.__excepthook__(type(hook_error), hook_error.with_traceback(in_hook), in_hook)
        sys.stderr.write("\nOriginal exception was:\n")
        sys.__excepthook__(kind, error, traceback)
    return -signal.SIGINT if kind is KeyboardInterrupt else 1


def _end_threads() -> None:
    """Wait for the program's threads, then call what it registered for its exit."""
    threading = sys.modules.get("threading")
    try:
        if threading is not None:
            threading._shutdown()
    except BaseException as error:  # noqa: BLE001  printed, and the exit goes on
        _report(error)
    atexit._run_exitfuncs()


def _flush(status: int) -> int:
    for name in ("stdout", "stderr"):
        file = getattr(sys, name, None)
        try:
            if file is not None and not file.closed:
                file.flush()
        except BaseException as error:  # noqa: BLE001  a file of the program's making may do anything
            if name == "stdout":
                sys.stderr.write(f"Exception ignored in: {file!r}\n")
                in_file = error.__traceback__.tb_next if error.__traceback__ else None
                sys.__excepthook__(type(error), error.with_traceback(in_file), in_file)
                status = _EXIT_FLUSH_FAILED
    return status


def _tear_down() -> None:
    """Let go of the program's objects, so that those with something to say at their end say it."""
    threading = sys.modules.get("threading")
    if threading is not None and threading.active_count() > 1:
        return  # daemons go on using them until the process is gone
    for name in ("last_type", "last_value", "last_traceback"):
        sys.__dict__.pop(name, None)
    for name in ("stdin", "stdout", "stderr"):
        setattr(sys, name, getattr(sys, f"__{name}__"))
    # Only what came last is looked at: a look at each module of the zygote would copy the pages they all lie on.
    own = ["__main__", *islice(reversed(sys.modules), max(0, len(sys.modules) - _preloaded_count))]
    watched = [weakref.ref(sys.modules.pop(name)) for name in own if type(sys.modules.get(name)) is type(sys)]
    gc.collect()
    for reference in reversed(watched):
        left = reference()
        if left is not None:
            names = left.__dict__
            for is_private in (True, False):
                for name in list(names):
                    if name != "__builtins__" and (name[:1] == "_" != name[1:2]) is is_private:
                        names[name] = None
    gc.collect()
