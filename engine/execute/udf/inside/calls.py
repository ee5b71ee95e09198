"""The system calls that user code may make: a filter for the kernel (seccomp), written as its bytes."""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from dataclasses import dataclass

ALLOWED: dict[str, tuple[int | None, int | None]] = {
    "access": (21, None), "arch_prctl": (158, None), "brk": (12, 214), "chdir": (80, 49),
    "clock_getres": (229, 114), "clock_gettime": (228, 113), "clock_nanosleep": (230, 115),
    "close": (3, 57), "close_range": (436, 436), "copy_file_range": (326, 285), "dup": (32, 23),
    "dup2": (33, None), "dup3": (292, 24), "epoll_create1": (291, 20), "epoll_ctl": (233, 21),
    "epoll_pwait": (281, 22), "epoll_wait": (232, None), "eventfd2": (290, 19), "exit": (60, 93),
    "exit_group": (231, 94), "faccessat": (269, 48), "faccessat2": (439, 439), "fadvise64": (221, 223),
    "fcntl": (72, 25), "fdatasync": (75, 83), "flock": (73, 32), "fstat": (5, 80), "fstatfs": (138, 44),
    "fsync": (74, 82), "ftruncate": (77, 46), "futex": (202, 98), "get_robust_list": (274, 100),
    "getcpu": (309, 168), "getcwd": (79, 17), "getdents64": (217, 61), "getegid": (108, 177),
    "geteuid": (107, 175), "getgid": (104, 176), "getgroups": (115, 158), "getpgrp": (111, None),
    "getpid": (39, 172), "getppid": (110, 173), "getrandom": (318, 278), "getresgid": (120, 150),
    "getresuid": (118, 148), "getrlimit": (97, 163), "getrusage": (98, 165), "gettid": (186, 178),
    "gettimeofday": (96, 169), "getuid": (102, 174), "lseek": (8, 62), "lstat": (6, None),
    "madvise": (28, 233), "membarrier": (324, 283), "mincore": (27, 232), "mkdir": (83, None),
    "mkdirat": (258, 34), "mmap": (9, 222), "mprotect": (10, 226), "mremap": (25, 216), "msync": (26, 227),
    "munmap": (11, 215), "nanosleep": (35, 101), "newfstatat": (262, 79), "open": (2, None),
    "openat": (257, 56), "pipe": (22, None), "pipe2": (293, 59), "poll": (7, None), "ppoll": (271, 73),
    "pread64": (17, 67), "preadv": (295, 69), "prlimit64": (302, 261), "pselect6": (270, 72),
    "pwrite64": (18, 68), "pwritev": (296, 70), "read": (0, 63), "readlink": (89, None),
    "readlinkat": (267, 78), "readv": (19, 65), "rename": (82, None), "renameat": (264, 38),
    "renameat2": (316, 276), "restart_syscall": (219, 128), "rmdir": (84, None), "rseq": (334, 293),
    "rt_sigaction": (13, 134), "rt_sigpending": (127, 136), "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139), "rt_sigtimedwait": (128, 137), "sched_get_priority_max": (146, 125),
    "sched_get_priority_min": (147, 126), "sched_getaffinity": (204, 123), "sched_getparam": (143, 121),
    "sched_getscheduler": (145, 120), "sched_setaffinity": (203, 122), "sched_yield": (24, 124),
    "select": (23, None), "sendfile": (40, 71), "set_robust_list": (273, 99), "set_tid_address": (218, 96),
    "sigaltstack": (131, 132), "stat": (4, None), "statfs": (137, 43), "statx": (332, 291),
    "sysinfo": (99, 179), "tgkill": (234, 131), "time": (201, None), "times": (100, 153),
    "truncate": (76, 45), "umask": (95, 166), "uname": (63, 160), "unlink": (87, None),
    "unlinkat": (263, 35), "utimensat": (280, 88), "write": (1, 64), "writev": (20, 66),
}  # fmt: skip
"""Calls that read, write, map memory, wait or tell the time: their numbers on x86_64 and on aarch64.

Not among them: sockets, new processes, programs, mounts, namespaces, tracing, signals to others, shared memory.
"""
FROM_HERE_UNKNOWN = 450
"""Newer calls are answered with "no such call", for which the C library has other ways."""


@dataclass(frozen=True)
class Machine:
    """A processor, as the kernel's filters see it."""

    audit: int
    """Its number in the audit interface."""
    column: int
    """Its column in `ALLOWED`."""
    clone: int
    """Number of `clone`: allowed for threads only."""
    clone3: int
    """Number of `clone3`: its flags are out of a filter's reach, so the C library is sent back to `clone`."""
    ioctl: int
    """Number of `ioctl`: there is no device, so that the answer is always "not a typewriter"."""


MACHINES = {
    "x86_64": Machine(0xC000003E, 0, 56, 435, 16),
    "aarch64": Machine(0xC00000B7, 1, 220, 435, 29),
}

LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16
ALLOW, KILL, REFUSE = 0x7FFF0000, 0x80000000, 0x00050000
CLONE_THREAD = 0x00010000
X32 = 0x40000000
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2


def step(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
    """One instruction of a filter: `yes` and `no` count the instructions that are skipped."""
    return struct.pack("<HBBI", code, yes, no, value)


def answer(code: int, value: int) -> list[bytes]:
    """If the number of the call is this one, give this answer."""
    return [step(EQUAL, code, 0, 1), step(RETURN, value)]


def program(machine: Machine) -> bytes:
    """The filter for a machine."""
    allowed = sorted(n for pair in ALLOWED.values() if (n := pair[machine.column]) is not None)
    steps = [
        step(LOAD, ARCHITECTURE),
        step(EQUAL, machine.audit, 1, 0),
        step(RETURN, KILL),
        step(LOAD, NUMBER),
    ]
    steps += [step(AT_LEAST, X32, 0, 1), step(RETURN, REFUSE | errno.EPERM)]
    for number in allowed:
        steps += answer(number, ALLOW)
    steps += answer(machine.clone3, REFUSE | errno.ENOSYS)
    steps += answer(machine.ioctl, REFUSE | errno.ENOTTY)
    steps += [step(AT_LEAST, FROM_HERE_UNKNOWN, 0, 1), step(RETURN, REFUSE | errno.ENOSYS)]
    steps += [step(EQUAL, machine.clone, 1, 0), step(RETURN, REFUSE | errno.EPERM)]
    steps += [step(LOAD, FIRST_ARGUMENT), step(ANY_BIT, CLONE_THREAD, 0, 1)]
    steps += [step(RETURN, ALLOW), step(RETURN, REFUSE | errno.EPERM)]
    return b"".join(steps)


class Filter(ctypes.Structure):
    """A filter as the kernel takes it."""

    _fields_ = [("length", ctypes.c_ushort), ("steps", ctypes.c_char_p)]


def restrict() -> None:
    """Let this process make the allowed calls only, from now on and for ever."""
    raw = program(MACHINES[os.uname().machine])
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    prctl.argtypes = [ctypes.c_int] + [ctypes.c_ulong] * 4
    table = Filter(len(raw) // 8, raw)
    for option, *rest in (
        (PR_SET_NO_NEW_PRIVS, 1, 0),
        (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.addressof(table)),
    ):
        if prctl(option, *rest, 0, 0) != 0:
            number = ctypes.get_errno()
            raise OSError(number, f"the kernel takes no filter of system calls: {os.strerror(number)}")
