# id: Z-12
# title: what a process hands down to its children: signals, limits, directory, timers, hooks of the interpreter
# stage: run
# verdicts: accepted
# canaries: C4 C8 escaped
# time_limit_ms: 5000
# wall_limit_ms: 11000
import ctypes
import faulthandler
import os
import resource
import signal
import sys

given = sys.stdin.read()
mask = os.umask(0)
signs = {
    "umask": mask == 0o777,
    "directory": os.getcwd() != "/box",
    "handler": signal.getsignal(signal.SIGUSR1) != signal.SIG_DFL,
    "ignored": signal.getsignal(signal.SIGCHLD) == signal.SIG_IGN,
    "mask": bool(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
    "timer": signal.getitimer(signal.ITIMER_REAL)[0] > 0,
    "priority": os.getpriority(os.PRIO_PROCESS, 0) > 10,
    "files": resource.getrlimit(resource.RLIMIT_NOFILE)[0] < 20,
    "stack": resource.getrlimit(resource.RLIMIT_STACK)[0] < 1 << 20,
    "faults": faulthandler.is_enabled(),
    "audit": "left_behind" in vars(sys),
}
left = [name for name, sign in signs.items() if sign]
print(f"ESCAPED left by an earlier run: {left}" if left else 42, flush=True)

os.umask(0o777)
os.chdir("/tmp")
signal.signal(signal.SIGUSR1, lambda *_: None)
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGINT])
signal.setitimer(signal.ITIMER_REAL, 30)
for act in (
    lambda: os.nice(15),
    lambda: os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}),
    lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (10, 10)),
    lambda: resource.setrlimit(resource.RLIMIT_STACK, (1 << 16, 1 << 16)),
    lambda: resource.setrlimit(resource.RLIMIT_CPU, (1, 1)),
    lambda: ctypes.CDLL(None).prctl(15, b"left-behind", 0, 0, 0),
    lambda: ctypes.CDLL(None).prctl(4, 0, 0, 0, 0),
    os.setsid,
):
    try:
        act()
    except OSError:
        continue
faulthandler.enable()
faulthandler.dump_traceback_later(20, exit=True)
sys.left_behind = True
sys.addaudithook(lambda event, arguments: os._exit(9) if event == "os.fork" else None)
