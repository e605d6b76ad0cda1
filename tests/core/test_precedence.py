"""The media loop goes first, and what it starts does not inherit that."""

from __future__ import annotations

import os
import subprocess
import sys

_LOOP = "import os, sys; from engine.core.precedence import take_precedence; take_precedence(); "
_WORKER = "from engine.runtime import worker; import socket, tempfile; ours, theirs = socket.socketpair(); ours.close(); "


def _said(program: str, *arguments: str) -> str:
    return subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True).stdout


def test_no_thread_keeps_the_interpreter_from_the_loop_for_long() -> None:
    assert float(_said(_LOOP + "print(sys.getswitchinterval())")) <= 0.001


def test_the_loop_keeps_time_and_nothing_that_it_starts_does() -> None:
    kept, thread, child = _said(
        "import os, subprocess, sys, threading; from engine.core.precedence import helpers, keep_time; keep_time(); "
        "print(os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK); "
        "print(helpers().submit(lambda: os.sched_getscheduler(0)).result()); "
        "sys.stdout.flush(); subprocess.run([sys.executable, '-c', 'import os; print(os.sched_getscheduler(0))'])"
    ).split()

    assert int(kept) in {os.SCHED_RR, os.SCHED_OTHER}, "without the right to it it goes on as it was"
    assert int(thread) == int(child) == os.SCHED_OTHER


def test_without_the_right_to_real_time_the_loop_goes_on() -> None:
    barred = "import resource; resource.setrlimit(resource.RLIMIT_RTPRIO, (0, 0)); os.setuid(65534); "

    assert _said(_LOOP + barred + "from engine.core.precedence import keep_time; keep_time(); print('on')").split() == ["on"]


def test_the_loop_is_no_lower_than_it_was_and_its_worker_lower_than_others() -> None:
    loop, worker = map(
        int,
        _said(
            _LOOP
            + "print(os.getpriority(os.PRIO_PROCESS, 0)); "
            + _WORKER
            + "empty = tempfile.TemporaryFile(); empty.write(b'N.'); empty.flush(); "  # a pickled None: nothing to load
            + "sys.argv[1:] = [str(theirs.detach()), str(empty.fileno())]; "
            + "worker.run = lambda pipe, load: print(os.getpriority(os.PRIO_PROCESS, 0)); worker.main()"
        ).split(),
    )

    assert loop <= os.getpriority(os.PRIO_PROCESS, 0)
    assert worker > 0
