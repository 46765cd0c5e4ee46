"""The system calls that a notebook may not make, as a filter of libseccomp's. What is not listed is allowed."""

import errno
import functools
import socket

import pyseccomp
from pyseccomp import ERRNO, MASKED_EQ, NE, Arg

_NAMES = {
    "other file systems and namespaces": (
        "mount umount2 pivot_root chroot move_mount open_tree fsopen fsconfig fsmount fspick mount_setattr unshare "
        "setns name_to_handle_at open_by_handle_at quotactl quotactl_fd fanotify_init"
    ),
    "other processes": "ptrace process_vm_readv process_vm_writev process_madvise pidfd_getfd kcmp",
    "memory that no limit counts": (
        "memfd_create memfd_secret shmget shmat shmctl shmdt msgget msgsnd msgrcv msgctl semget semop semtimedop "
        "semctl mq_open mq_unlink mq_timedsend mq_timedreceive mq_notify mq_getsetattr"
    ),
    "parts of the kernel that need no visitors": (
        "bpf perf_event_open userfaultfd keyctl add_key request_key io_uring_setup io_uring_enter io_uring_register "
        "lookup_dcookie syslog acct vhangup"
    ),
    "the machine itself": (
        "kexec_load kexec_file_load init_module finit_module delete_module swapon swapoff reboot settimeofday "
        "clock_settime clock_adjtime adjtimex sethostname setdomainname iopl ioperm"
    ),
}
_NEW_NAMESPACE_FLAGS = (
    *(0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000),  # CLONE_NEWNS and following
    0x00000080,  # CLONE_NEWTIME
)
_WEAKER_PERSONALITIES = (0x0040000, 0x0400000)  # ADDR_NO_RANDOMIZE, READ_IMPLIES_EXEC
_TYPING_FOR_OTHERS = (0x5412, 0x541C)  # TIOCSTI, TIOCLINUX
_PR_SET_DUMPABLE = 4
_LOW_HALF = 0xFFFFFFFF  # where the kernel reads an int, the other half is the caller's to fill


@functools.cache
def call_filter() -> pyseccomp.SyscallFilter:
    """Built once, before the fork; `load` puts it on for the process that calls it and all that it starts."""
    refused = ERRNO(errno.EPERM)
    calls = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
    for names in _NAMES.values():
        for name in names.split():
            calls.add_rule(refused, name)
    for flag in _NEW_NAMESPACE_FLAGS:
        calls.add_rule(refused, "clone", Arg(0, MASKED_EQ, flag, flag))
    # Its flags lie in memory, where no filter looks. The C library then uses `clone`.
    calls.add_rule(ERRNO(errno.ENOSYS), "clone3")
    for name in ("socket", "socketpair"):
        calls.add_rule(refused, name, Arg(0, NE, socket.AF_UNIX))
    for persona in _WEAKER_PERSONALITIES:
        calls.add_rule(refused, "personality", Arg(0, MASKED_EQ, persona, persona))
    for request in _TYPING_FOR_OTHERS:
        calls.add_rule(refused, "ioctl", Arg(1, MASKED_EQ, _LOW_HALF, request))
    # It would hide how much memory a process uses.
    calls.add_rule(refused, "prctl", Arg(0, MASKED_EQ, _LOW_HALF, _PR_SET_DUMPABLE))
    return calls
