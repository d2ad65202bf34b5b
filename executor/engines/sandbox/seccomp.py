"""The system-call filters put on student programs, compiled outside the box to the bytes the runner installs.

Two kinds: an allow-list for native code and Python, a deny-list for virtual machines and compilers, whose set of calls
changes with each release (an allow-list broke node 20). What both refuse: reaching other processes, new namespaces,
mounts, sockets, kernel interfaces nobody needs for homework, and memory that the limits do not count.
"""

import contextlib
import errno
import os
from collections.abc import Iterable
from functools import cache
from types import ModuleType

from executor.engines.base import EngineUnavailable

_CLONE_NAMESPACES = (0x00000080, 0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000)
_MAP_SHARED = 0x01
_MAP_ANONYMOUS = 0x20
_AF_UNIX = 1
_CLONE_THREAD = 0x00010000
_PR_SET_PDEATHSIG = 1
_SOCKET_TYPE_MASK, _SOCK_DGRAM, _SOCK_RAW = 0xF, 2, 3
# F_SETLK, F_SETLKW, F_SETOWN, F_OFD_SETLK, F_OFD_SETLKW, F_SETLEASE, F_NOTIFY.
_SHARED_FCNTLS = (6, 7, 8, 37, 38, 1024, 1026)
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C
# TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX: what isatty() and the standard libraries ask.
_HARMLESS_IOCTLS = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
# F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC, F_GETPIPE_SZ.
_HARMLESS_FCNTLS = (0, 1, 2, 3, 4, 1030, 1032)
# Locks, leases and watches of files that two runs can read would carry bits between them: F_GETLK, F_OFD_GETLK,
# F_SETLEASE, F_GETLEASE, F_NOTIFY.
_TELLING_FCNTLS = (5, 36, 1024, 1025, 1026)
# F_SETLK, F_SETLKW, F_OFD_SETLK, F_OFD_SETLKW: for native code and Python they succeed and do nothing, since a
# run has its own files to itself, and a database in one of them wants to lock it.
_LOCKING_FCNTLS = (6, 7, 37, 38)
# PR_SET_PDEATHSIG, PR_GET_DUMPABLE, PR_SET_NAME, PR_GET_NAME, PR_CAPBSET_READ, PR_GET_NO_NEW_PRIVS, PR_SET_VMA.
_HARMLESS_PRCTLS = (1, 3, 15, 16, 23, 39, 0x53564D41)

_ALLOWED = """
read write readv writev pread64 pwrite64 preadv pwritev preadv2 pwritev2 open openat openat2 close close_range creat
stat fstat lstat newfstatat statx statfs fstatfs access faccessat faccessat2 poll ppoll select pselect6 lseek
epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 eventfd eventfd2 signalfd signalfd4
mprotect munmap brk mremap msync mincore madvise mlock mlock2 munlock
rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigtimedwait rt_sigsuspend rt_sigqueueinfo rt_tgsigqueueinfo
sigaltstack pause kill tkill tgkill alarm getitimer setitimer
pipe pipe2 dup dup2 dup3 sendfile copy_file_range splice tee
getpid getppid gettid getuid geteuid getgid getegid getresuid getresgid getgroups getpgid getpgrp getsid setpgid setsid
fork vfork execve exit exit_group wait4 waitid set_tid_address set_robust_list rseq restart_syscall arch_prctl
futex futex_waitv membarrier sched_yield sched_getaffinity sched_getparam sched_getscheduler getpriority getcpu
sched_get_priority_max sched_get_priority_min sched_rr_get_interval
nanosleep clock_nanosleep clock_gettime clock_getres gettimeofday time times
timer_create timer_settime timer_gettime timer_getoverrun timer_delete timerfd_create timerfd_settime timerfd_gettime
fsync fdatasync truncate ftruncate fallocate fadvise64 readahead getdents getdents64 getcwd chdir fchdir
rename renameat renameat2 mkdir mkdirat rmdir link linkat unlink unlinkat symlink symlinkat readlink readlinkat
mknod mknodat chmod fchmod fchmodat fchmodat2 umask utime utimes utimensat futimesat
getxattr lgetxattr fgetxattr listxattr llistxattr flistxattr
uname getrlimit setrlimit getrusage getrandom capget
sendto recvfrom sendmsg recvmsg shutdown getsockopt setsockopt getsockname getpeername
"""

# Calls since Linux 5.1 have one number on every processor. A virtual machine gets these of them; all others, also those
# that this libseccomp and this page do not know yet, do not exist for it: close_range, openat2, faccessat2,
# epoll_pwait2, futex_waitv, fchmodat2, and the futex trio.
_FIRST_NEW_CALL, _END_OF_NEW_CALLS = 424, 600
_ALLOWED_NEW_CALLS = frozenset({436, 437, 439, 441, 449, 452, 454, 455, 456})

_DENIED = """
socket bind connect listen accept accept4 sendmmsg recvmmsg
ptrace process_vm_readv process_vm_writev kcmp
get_robust_list move_pages migrate_pages setpriority ioprio_set ioprio_get
sched_setparam sched_setscheduler sched_setattr
unshare setns mount umount umount2 pivot_root chroot
bpf perf_event_open userfaultfd seccomp
memfd_create shmget shmat shmctl shmdt msgget msgsnd msgrcv msgctl semget semop semctl semtimedop
mq_open mq_unlink mq_timedsend mq_timedreceive mq_notify mq_getsetattr
add_key request_key keyctl flock name_to_handle_at open_by_handle_at inotify_init inotify_init1 inotify_add_watch
inotify_rm_watch fanotify_init fanotify_mark lookup_dcookie
kexec_load kexec_file_load init_module finit_module delete_module create_module query_module get_kernel_syms reboot
swapon swapoff syslog acct quotactl settimeofday stime clock_settime clock_adjtime adjtimex
sethostname setdomainname iopl ioperm modify_ldt vm86 vm86old nfsservctl vhangup uselib ustat sysfs _sysctl
setuid setgid setreuid setregid setresuid setresgid setgroups setfsuid setfsgid capset
chown fchown lchown fchownat setxattr lsetxattr fsetxattr removexattr lremovexattr fremovexattr
io_setup io_submit io_getevents io_pgetevents io_cancel io_destroy vmsplice remap_file_pages sync syncfs sync_file_range

"""


# What Landlock lets through: attributes of files, which a program of the same user could set. Nor new processes, which
# no namespace would end with the program.
_DENIED_TO_A_LONE_PROCESS = """
fork vfork chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat
utime utimes utimensat futimesat setxattr lsetxattr fsetxattr removexattr lremovexattr fremovexattr
socket bind connect listen accept accept4
"""


def _library() -> ModuleType:
    try:
        import pyseccomp
    except (ImportError, OSError, RuntimeError) as error:  # the package raises RuntimeError without the C library
        raise EngineUnavailable("libseccomp is missing: apt-get install libseccomp2") from error
    module: ModuleType = pyseccomp
    return module


@cache
def allow_list() -> bytes:
    """The filter for native code and Python: what is not named is refused with EPERM.

    Raises:
        EngineUnavailable: libseccomp is not installed.
    """
    lib = _library()
    rules = lib.SyscallFilter(lib.ERRNO(errno.EPERM))
    _add_all(rules, lib.ALLOW, _ALLOWED.split())
    # Shared anonymous memory escapes RLIMIT_DATA: a mapping may be shared or anonymous, not both.
    rules.add_rule(lib.ALLOW, "mmap", lib.Arg(3, lib.MASKED_EQ, _MAP_SHARED, 0))
    rules.add_rule(lib.ALLOW, "mmap", lib.Arg(3, lib.MASKED_EQ, _MAP_ANONYMOUS, 0))
    # clone3 hides its flags in memory where a filter cannot look; libc falls back to clone on ENOSYS only.
    rules.add_rule(lib.ERRNO(errno.ENOSYS), "clone3")
    rules.add_rule(lib.ALLOW, "clone", lib.Arg(0, lib.MASKED_EQ, sum(_CLONE_NAMESPACES), 0))
    rules.add_rule(lib.ALLOW, "socketpair", lib.Arg(0, lib.EQ, _AF_UNIX))  # asyncio wakes itself with one
    # Only its own limits and processors: the runner's processes have the same uid.
    rules.add_rule(lib.ALLOW, "prlimit64", lib.Arg(0, lib.EQ, 0))
    rules.add_rule(lib.ALLOW, "sched_setaffinity", lib.Arg(0, lib.EQ, 0))
    for request in _HARMLESS_IOCTLS:
        rules.add_rule(lib.ALLOW, "ioctl", lib.Arg(1, lib.MASKED_EQ, 0xFFFFFFFF, request))
    for command in _HARMLESS_FCNTLS:
        rules.add_rule(lib.ALLOW, "fcntl", lib.Arg(1, lib.MASKED_EQ, 0xFFFFFFFF, command))
    for command in _LOCKING_FCNTLS:
        rules.add_rule(lib.ERRNO(0), "fcntl", lib.Arg(1, lib.MASKED_EQ, 0xFFFFFFFF, command))
    for option in _HARMLESS_PRCTLS:
        rules.add_rule(lib.ALLOW, "prctl", lib.Arg(0, lib.MASKED_EQ, 0xFFFFFFFF, option))
    return _compiled(lib, rules)


@cache
def deny_list() -> bytes:
    """The filter for virtual machines and compilers: what is named is refused with EPERM.

    Raises:
        EngineUnavailable: libseccomp is not installed.
    """
    lib = _library()
    rules = lib.SyscallFilter(lib.ALLOW)
    refused = lib.ERRNO(errno.EPERM)
    _add_all(rules, refused, _DENIED.split())
    for number in range(_FIRST_NEW_CALL, _END_OF_NEW_CALLS):
        if number not in _ALLOWED_NEW_CALLS:
            rules.add_rule(lib.ERRNO(errno.ENOSYS), number)
    shared_anonymous = _MAP_SHARED | _MAP_ANONYMOUS
    rules.add_rule(refused, "mmap", lib.Arg(3, lib.MASKED_EQ, shared_anonymous, shared_anonymous))
    for flag in _CLONE_NAMESPACES:
        rules.add_rule(refused, "clone", lib.Arg(0, lib.MASKED_EQ, flag, flag))
    rules.add_rule(refused, "socketpair", lib.Arg(0, lib.NE, _AF_UNIX))
    rules.add_rule(refused, "prlimit64", lib.Arg(0, lib.NE, 0))
    for command in (*_TELLING_FCNTLS, *_LOCKING_FCNTLS):
        rules.add_rule(refused, "fcntl", lib.Arg(1, lib.MASKED_EQ, 0xFFFFFFFF, command))
    for request in (_TIOCSTI, _TIOCLINUX):
        rules.add_rule(refused, "ioctl", lib.Arg(1, lib.MASKED_EQ, 0xFFFFFFFF, request))
    return _compiled(lib, rules)


@cache
def lone_process() -> bytes:
    """The filter that comes before one of the others where a program has no namespaces: it stays one process.

    Raises:
        EngineUnavailable: libseccomp is not installed.
    """
    lib = _library()
    rules = lib.SyscallFilter(lib.ALLOW)
    refused = lib.ERRNO(errno.EPERM)
    _add_all(rules, refused, _DENIED_TO_A_LONE_PROCESS.split())
    rules.add_rule(lib.ERRNO(errno.ENOSYS), "clone3")
    rules.add_rule(refused, "clone", lib.Arg(0, lib.MASKED_EQ, _CLONE_THREAD, 0))
    # It must not outlive its runner.
    rules.add_rule(refused, "prctl", lib.Arg(0, lib.MASKED_EQ, 0xFFFFFFFF, _PR_SET_PDEATHSIG))
    # A pair of datagram sockets can send to the name of any other, such as the system log's.
    for kind in (_SOCK_DGRAM, _SOCK_RAW):
        rules.add_rule(refused, "socketpair", lib.Arg(1, lib.MASKED_EQ, _SOCKET_TYPE_MASK, kind))
    # Who can write nothing has nothing to lock, but could tell others something by locks on files of the machine.
    for command in _SHARED_FCNTLS:
        rules.add_rule(refused, "fcntl", lib.Arg(1, lib.MASKED_EQ, 0xFFFFFFFF, command))
    return _compiled(lib, rules)


def _add_all(rules: object, action: object, names: Iterable[str]) -> None:
    for name in names:
        try:
            rules.add_rule(action, name)  # type: ignore[attr-defined]
        except (RuntimeError, OSError):
            continue  # a call that this libseccomp or this processor does not know


def _compiled(lib: ModuleType, rules: object) -> bytes:
    with contextlib.suppress(OSError, RuntimeError):  # libseccomp before 2.5 knows no binary tree
        rules.set_attr(lib.Attr.CTL_OPTIMIZE, 2)  # type: ignore[attr-defined]
    descriptor = os.memfd_create("seccomp", os.MFD_CLOEXEC)
    with open(descriptor, "w+b") as file:
        rules.export_bpf(file)  # type: ignore[attr-defined]
        file.seek(0)
        return file.read()
