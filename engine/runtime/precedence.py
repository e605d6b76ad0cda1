"""The media loop goes first: on this machine before other processes, and in its own before the other threads."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import Final

_PRIORITY: Final = -10  # as the SIP process: what either does is little, and when it is late everybody hears it
_SWITCH: Final = 0.000_5  # seconds a thread may keep the interpreter while the loop waits for it; Python's own 5 ms are a quarter
# of the time between two frames, and the journal's thread takes them with every turn


def take_precedence() -> None:
    """For the process that carries calls, from its main thread and before it starts others: they inherit it.

    The priority takes CAP_SYS_NICE; without it the system's own fairness has to do. Model workers go back behind everybody.
    """
    sys.setswitchinterval(_SWITCH)
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, _PRIORITY)
