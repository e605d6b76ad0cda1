"""What a process that decodes a stranger's file may still do: compute, read its file, write its sound, end. Nothing else.

Three layers, each of use without the others:

* limits of the system: memory, computing time, descriptors, sizes of files; no core dumps, which would hold the call;
* no way to gain rights (``PR_SET_NO_NEW_PRIVS``); root becomes nobody;
* a filter of system calls (seccomp, Linux on x86-64 and arm64): no files, no sockets, no processes, no signals to others.

Everything is set by the process itself before it touches the file, and can't be taken back.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import signal
import struct
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from engine.core.units import Seconds

_NOBODY = 65_534
_PR_SET_DUMPABLE, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 4, 22, 38  # linux/prctl.h
_FILTER = 2  # SECCOMP_MODE_FILTER
_ALLOW, _KILL, _REFUSE = 0x7FFF_0000, 0x8000_0000, 0x0005_0000 | 1  # linux/seccomp.h; refused with EPERM
_LOAD, _EQUALS, _RETURN = 0x20, 0x15, 0x06  # linux/bpf_common.h: LD|W|ABS, JMP|JEQ|K, RET|K
_NUMBER_AT, _ARCHITECTURE_AT = 0, 4  # in struct seccomp_data

_AUDIT_ARCH = {"x86_64": 0xC000_003E, "aarch64": 0xC000_00B7}  # linux/audit.h
_CALLS: Mapping[str, tuple[int, int]] = {  # numbers on x86-64 and on arm64: asm/unistd_64.h, asm-generic/unistd.h
    "read": (0, 63),
    "write": (1, 64),
    "close": (3, 57),
    "fstat": (5, 80),
    "lseek": (8, 62),
    "mmap": (9, 222),
    "mprotect": (10, 226),
    "munmap": (11, 215),
    "brk": (12, 214),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "pread64": (17, 67),
    "pwrite64": (18, 68),
    "sched_yield": (24, 124),
    "mremap": (25, 216),
    "madvise": (28, 233),
    "getpid": (39, 172),
    "exit": (60, 93),
    "getrusage": (98, 165),
    "sigaltstack": (131, 132),
    "gettid": (186, 178),
    "futex": (202, 98),
    "restart_syscall": (219, 128),
    "clock_gettime": (228, 113),
    "exit_group": (231, 94),
    "newfstatat": (262, 79),
    "getrandom": (318, 278),
}


@dataclass(frozen=True, slots=True)
class Allowance:
    """What decoding one file may cost."""

    compute: Seconds
    """Of processor time."""

    memory_bytes: int
    """Beyond what the process has at its start."""

    written_bytes: int
    """Of sound."""

    filter_calls: bool = True
    """Whether system calls are filtered."""


def shut_in(allowance: Allowance, descriptors: int) -> None:
    """Fence this process in; ``descriptors`` is one more than the highest it holds.

    Raises:
        OSError: the system knows no filter of system calls, and one was asked for.
    """
    _limit(allowance, descriptors)
    _give_up_rights()
    if allowance.filter_calls:
        _filter_calls()


def _limit(allowance: Allowance, descriptors: int) -> None:
    whole_seconds = int(allowance.compute) + 2  # in case the timer fails
    limits = {
        resource.RLIMIT_AS: _size() + allowance.memory_bytes,
        resource.RLIMIT_FSIZE: allowance.written_bytes,
        resource.RLIMIT_NOFILE: descriptors,
        resource.RLIMIT_CPU: whole_seconds,
        resource.RLIMIT_CORE: 0,
    }
    for limit, value in limits.items():
        resource.setrlimit(limit, (value, value))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # an error says more than a death
    signal.setitimer(signal.ITIMER_PROF, allowance.compute)  # ends it by SIGPROF


def _size() -> int:
    """Of this process's address space now, in bytes."""
    return int(Path("/proc/self/statm").read_bytes().split()[0]) * os.sysconf("SC_PAGE_SIZE")


def _give_up_rights() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if os.geteuid() == 0:
        with suppress(OSError):  # a namespace that knows nobody
            os.setgroups([])
            os.setgid(_NOBODY)
            os.setuid(_NOBODY)
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def _filter_calls() -> None:
    machine = platform.machine()
    if machine not in _AUDIT_ARCH:
        raise OSError(f"expected x86_64 or aarch64, found {machine}: no filter of system calls is known")
    place = list(_AUDIT_ARCH).index(machine)
    program = _program(_AUDIT_ARCH[machine], [numbers[place] for numbers in _CALLS.values()])
    octets = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("@HP", len(program) // 8, ctypes.addressof(octets))  # struct sock_fprog
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_SECCOMP, _FILTER, ctypes.create_string_buffer(header, len(header)), 0, 0):
        raise OSError(ctypes.get_errno(), "the system accepts no filter of system calls")


def _program(architecture: int, allowed: list[int]) -> bytes:
    """In classic BPF: die on another architecture's calls, allow these numbers, refuse the others."""
    steps = [
        (_LOAD, 0, 0, _ARCHITECTURE_AT),
        (_EQUALS, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER_AT),
        *((_EQUALS, len(allowed) - place, 0, number) for place, number in enumerate(allowed)),
        (_RETURN, 0, 0, _REFUSE),
        (_RETURN, 0, 0, _ALLOW),
    ]
    return b"".join(struct.pack("=HBBI", *step) for step in steps)
