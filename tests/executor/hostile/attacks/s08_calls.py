# id: S-08
# title: asks the kernel for every way out, through ctypes
# stage: run
# verdicts: accepted
# canaries: C2 escaped C8
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
zeros = ctypes.create_string_buffer(256)
parent = os.getppid() or 1  # who has none that it may see goes for the first process
calls = {
    "chroot": lambda: libc.chroot(b"/proc/1/root"),
    "mount": lambda: libc.mount(b"none", b"/tmp", b"tmpfs", 0, None),
    "unshare": lambda: libc.unshare(0x10000000),
    "setns": lambda: libc.setns(0, 0),
    "ptrace": lambda: libc.ptrace(0x4206, parent, 0, 0),
    "ptrace itself": lambda: libc.ptrace(0, 0, 0, 0),
    "process_vm_readv": lambda: libc.process_vm_readv(parent, zeros, 0, zeros, 0, 0),
    "personality": lambda: libc.personality(0x0040000),
    "prlimit": lambda: libc.prlimit(parent, 0, zeros, None),
    "kill the parent": lambda: libc.kill(parent, 9),
    "setpriority": lambda: libc.setpriority(0, parent, 19),
    "memfd_create": lambda: libc.memfd_create(b"x", 0),
    "socket": lambda: libc.socket(2, 1, 0),
    "keyctl": lambda: libc.syscall(250 if os.uname().machine == "x86_64" else 219, 1, None),
}
for name, call in calls.items():
    result = call()
    if result >= 0 and name != "kill the parent":  # a signal to process 1 of its namespace is lost, and says nothing
        print("ESCAPED", name)
for path in (
    "/proc/1/mem",
    "/proc/self/mem",
    f"/proc/{parent}/mem",
    "/dev/mem",
    "/dev/kmem",
    "/dev/kvm",
    "/dev/fuse",
):
    try:
        os.open(path, os.O_RDWR)
        print("ESCAPED", path)
    except OSError:
        pass
print(42)
