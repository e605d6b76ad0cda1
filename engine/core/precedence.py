"""The media loop goes first: on this machine before other processes, and in its own before the other threads."""

from __future__ import annotations

import contextlib
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Final

_PRIORITY: Final = -10  # what is done here is little, and when it is late everybody hears it
_SWITCH: Final = 0.000_5  # seconds a thread may keep the interpreter while the loop waits for it; Python's own 5 ms are a quarter
# of the time between two frames, and the journal's thread takes them with every turn
_BEAT: Final = 2  # of the real-time priorities 1 to 99: above the loop's, for it does least and is heard first
_LOOP: Final = 1


def take_precedence() -> None:
    """For a process that carries calls, from its main thread and before it starts others: they inherit it.

    The priority takes CAP_SYS_NICE or RLIMIT_NICE; without it the system's own fairness has to do. Model workers go back behind
    everybody.
    """
    sys.setswitchinterval(_SWITCH)
    _before_others()


def helpers() -> ThreadPoolExecutor:
    """Threads for what must not hold the loop. They too go before other processes: one that is put aside while it has the
    interpreter holds the loop all the same."""
    return ThreadPoolExecutor(thread_name_prefix="helper", initializer=_before_others)


def keep_time(*, beat: bool = False) -> bool:
    """For the thread that handles sound every 20 ms, once it has loaded what it needs: real time, as PBXs take it.

    A fair scheduler makes who wakes up wait for who computes, whatever its niceness: 20 to 100 ms on two cores that recognise.
    It takes CAP_SYS_NICE or RLIMIT_RTPRIO; without it niceness has to do. The kernel leaves a twentieth of each second to others
    whatever we do. Threads and processes that this thread starts later are ordinary ones (:func:`helpers`), but for ``beat``:
    for a process that only moves frames, with all its threads. Whether it may.
    """
    _before_others()
    if sys.platform != "linux":
        return False
    policy, priority = (os.SCHED_RR, _BEAT) if beat else (os.SCHED_RR | os.SCHED_RESET_ON_FORK, _LOOP)
    try:
        os.sched_setscheduler(0, policy, os.sched_param(priority))
    except PermissionError:
        return False
    return True


def may_keep_time() -> bool:
    """Whether a process of ours may carry sound in real time here; tried in a thread that ends at once."""
    with ThreadPoolExecutor(1) as trial:
        return trial.submit(keep_time, beat=True).result()


def _before_others() -> None:
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, _PRIORITY)  # of this thread, in Linux, and those it starts
