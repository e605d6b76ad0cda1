"""A fenced process can compute, and nothing else."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from engine.runtime.batch.fence import _CALLS

FENCED = """
import os, signal, socket, sys, threading
from engine.core.units import Seconds
from engine.runtime.batch.fence import Allowance, shut_in

shut_in(Allowance(Seconds(1.0), 64 << 20, 1000, filter_calls={filtered}), {descriptors})
try:
    {act}
except BaseException as error:
    os.write(1, type(error).__name__.encode())
    os._exit(3)
os._exit(0)
"""
ACTS = {
    "open a file": "open('/etc/hostname')",
    "open a file to write": "os.open('/tmp/callwright-fence', os.O_CREAT | os.O_WRONLY)",
    "list a folder": "os.listdir('/')",
    "delete a file": "os.unlink('/tmp/callwright-fence')",
    "make a socket": "socket.socket()",
    "make a pair of sockets": "socket.socketpair()",
    "fork": "os.fork()",
    "start a program": "os.execv('/bin/true', ['true'])",
    "signal its parent": "os.kill(os.getppid(), 0)",
    "look at other processes": "os.getpgid(1)",
    "start a thread": "threading.Thread(target=print).start()",
    "raise its limits": "__import__('resource').setrlimit(0, (1, 1))",
}


def fenced(act: str, filtered: bool = True, descriptors: int = 64) -> subprocess.CompletedProcess[bytes]:
    script = FENCED.format(act=act, filtered=filtered, descriptors=descriptors)
    return subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)


@pytest.mark.parametrize("act", ACTS)
def test_it_can_not(act: str) -> None:
    run = fenced(ACTS[act])

    assert run.returncode == 3, run.stderr
    assert run.stdout in {b"PermissionError", b"RuntimeError", b"ValueError"}


def test_it_can_compute_and_write_to_what_it_holds() -> None:
    run = fenced("os.write(1, str(sum(range(10))).encode())")

    assert (run.returncode, run.stdout) == (0, b"45")


@pytest.mark.parametrize("filtered", [True, False])
def test_its_memory_and_its_time_end(filtered: bool) -> None:
    assert fenced("bytearray(128 << 20)", filtered).stdout == b"MemoryError"
    assert fenced("while True: pass", filtered).returncode in {-27, -24}  # SIGPROF, SIGXCPU


def test_without_the_filter_it_still_gets_no_descriptors() -> None:
    assert fenced("os.dup(1)", filtered=False, descriptors=3).stdout == b"OSError"


def test_root_becomes_nobody_where_it_may() -> None:
    nobody = (
        subprocess.run([sys.executable, "-c", "import os; os.setuid(65534)"], check=False, capture_output=True).returncode == 0
    )
    expected = 65_534 if nobody else os.geteuid()

    assert int(fenced("os.write(1, b'%d' % os.getuid())", filtered=False).stdout) == expected


@pytest.mark.skipif(not Path("/usr/include/asm-generic/unistd.h").exists(), reason="the kernel's headers are not here")
def test_the_numbers_of_the_calls_are_the_kernels() -> None:
    arm = _numbers(Path("/usr/include/asm-generic/unistd.h"))

    assert {name: numbers[1] for name, numbers in _CALLS.items() if name != "newfstatat"}.items() <= arm.items()
    if platform.machine() == "x86_64":
        intel = _numbers(Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"))
        assert {name: numbers[0] for name, numbers in _CALLS.items()}.items() <= intel.items()


def _numbers(header: Path) -> dict[str, int]:
    lines = (line.split() for line in header.read_text().splitlines())
    defined = [line for line in lines if len(line) == 3 and line[0] == "#define" and line[2].isdigit()]
    return {name.removeprefix("__NR3264_").removeprefix("__NR_"): int(number) for _, name, number in defined}
