"""A process that shuts itself can be neither dumped nor read; its digits' pages are locked, and empty in its children."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import BinaryIO

import pytest

from engine.core.secrets import SecretDigits

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="prctl and /proc are Linux's")

SHUT = """
import os, sys, time
from engine.core.hardened import dumpable, harden
before = dumpable()
harden()
print(before, dumpable(), flush=True)
sys.stdin.readline()
os.abort()
"""


def test_a_shut_process_is_roots_to_read_and_leaves_no_dump(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SHUT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=tmp_path, env=_here()
    ) as process:
        assert process.stdout is not None
        said = process.stdout.readline().split()
        limits = Path(f"/proc/{process.pid}/limits").read_text(encoding="ascii")
        owner = Path(f"/proc/{process.pid}/mem").stat().st_uid
        process.communicate("go\n")
    core = next(line for line in limits.splitlines() if line.startswith("Max core file size"))

    assert said == ["True", "False"]
    assert owner == 0
    assert core.split()[4] == "0"
    assert process.returncode < 0
    assert list(tmp_path.iterdir()) == []


def _here() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def test_a_page_of_digits_is_locked_in_no_dump_and_zeroed_when_closed() -> None:
    with SecretDigits() as digits:
        for key in b"4539578763621486":
            digits.push(key)
        view = digits.reveal()
        page = _mapping_of(view)

    assert page["Locked"] == page["Size"]
    assert {"dd", "wf"} <= set(page["VmFlags"].split())  # no dump, wiped on fork
    assert bytes(view) == bytes(16)


def test_a_child_is_born_without_the_digits() -> None:
    with SecretDigits() as digits:
        digits.push(ord("7"))
        view = digits.reveal()
        child = os.fork()
        if child == 0:
            os._exit(view[0])
        _, status = os.waitpid(child, 0)

        assert os.waitstatus_to_exitcode(status) == 0
        assert view[0] == ord("7")


def _mapping_of(view: memoryview) -> dict[str, str]:
    """What the kernel says of the page that begins with these bytes."""
    wanted, found, inside = bytes(view), {}, False
    lines = Path("/proc/self/smaps").read_text(encoding="ascii", errors="replace").splitlines()
    with Path("/proc/self/mem").open("rb") as memory:
        for line in lines:
            head, _, rest = line.partition(" ")
            if not head.endswith(":"):
                if inside:
                    break
                start, _, end = head.partition("-")
                inside = int(end, 16) - int(start, 16) == 4096 and _begins(memory, int(start, 16), wanted)
            elif inside:
                found[head[:-1]] = rest.strip()
    return found


def _begins(memory: BinaryIO, at: int, wanted: bytes) -> bool:
    try:
        memory.seek(at)
        return memory.read(len(wanted)) == wanted
    except (OSError, OverflowError):
        return False
