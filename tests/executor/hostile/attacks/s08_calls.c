// id: S-08
// title: asks the kernel for every way out
// stage: run
// verdicts: accepted
// canaries: C2 escaped C8
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static char zeros[256];

#define TRY(what, call) do { if ((long)(call) >= 0) puts("ESCAPED " what); } while (0)

int main(void) {
    setvbuf(stdout, 0, _IONBF, 0);
    struct iovec mine = {zeros, 16}, theirs = {(void *)0x400000, 16};
    struct clone_args arguments = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
    TRY("chroot to process 1", chroot("/proc/1/root"));
    TRY("chroot", chroot("/tmp"));
    TRY("pivot_root", syscall(SYS_pivot_root, "/tmp", "/tmp"));
    TRY("mount", mount("none", "/tmp", "tmpfs", 0, 0));
    TRY("remount", mount("none", "/", 0, MS_REMOUNT | MS_BIND, 0));
    TRY("bind", mount("/", "/tmp", 0, MS_BIND, 0));
    TRY("umount", umount2("/proc", MNT_DETACH));
    TRY("open_tree", syscall(428, AT_FDCWD, "/", 1));
    TRY("fsopen", syscall(430, "tmpfs", 0));
    TRY("unshare user", unshare(CLONE_NEWUSER));
    TRY("unshare mount", unshare(CLONE_NEWNS));
    TRY("unshare files", unshare(CLONE_NEWPID));
    TRY("clone3", syscall(SYS_clone3, &arguments, sizeof arguments));
    TRY("setns", setns(open("/proc/1/ns/mnt", O_RDONLY), 0));
    TRY("ptrace", ptrace(PTRACE_SEIZE, 1, 0, 0));
    TRY("ptrace itself", ptrace(PTRACE_TRACEME, 0, 0, 0));
    TRY("process_vm_readv", process_vm_readv(1, &mine, 1, &theirs, 1, 0));
    TRY("process_vm_writev", process_vm_writev(1, &mine, 1, &theirs, 1, 0));
    TRY("pidfd_open", syscall(SYS_pidfd_open, 1, 0));
    TRY("kcmp", syscall(SYS_kcmp, 1, getpid(), 0, 0, 0));
    TRY("memory of process 1", open("/proc/1/mem", O_RDWR));
    TRY("own memory", open("/proc/self/mem", O_RDWR));
    TRY("open_by_handle_at", syscall(SYS_open_by_handle_at, 1, zeros, O_RDONLY));
    TRY("name_to_handle_at", syscall(SYS_name_to_handle_at, AT_FDCWD, "/", zeros, zeros, 0));
    TRY("kexec_load", syscall(SYS_kexec_load, 0, 0, 0, 0));
    TRY("bpf", syscall(SYS_bpf, 5, zeros, sizeof zeros));
    TRY("perf_event_open", syscall(SYS_perf_event_open, zeros, 0, -1, -1, 0));
    TRY("userfaultfd", syscall(SYS_userfaultfd, 1));
    TRY("init_module", syscall(SYS_init_module, zeros, 1, ""));
    TRY("delete_module", syscall(SYS_delete_module, "loop", 0));
    TRY("io_uring_setup", syscall(SYS_io_uring_setup, 4, zeros));
    TRY("seccomp", syscall(SYS_seccomp, 1, 8, zeros));
    TRY("capset", syscall(SYS_capset, zeros, zeros));
    TRY("setuid", setuid(0));
    TRY("setgid", setgid(0));
    TRY("dumpable", prctl(PR_SET_DUMPABLE, 1));
    TRY("quotactl", syscall(SYS_quotactl, 0, "/dev/vda", 0, 0));
    TRY("acct", syscall(SYS_acct, "/tmp/acct"));
    TRY("swapon", syscall(SYS_swapon, "/tmp/swap", 0));
    TRY("landlock", syscall(444, zeros, 8, 0));
    puts("42");
}
