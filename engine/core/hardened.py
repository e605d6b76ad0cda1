"""Shuts the process it is called in: no core dump, no debugger, no other process of the same user that reads its memory.

Each process says so for itself when it begins, because a new program is dumpable again (execve(2)). What remains is root
(CAP_SYS_PTRACE), and the swap: see :mod:`engine.core.secrets`.
"""

from __future__ import annotations

import ctypes
import resource
import sys
from typing import Final

from engine.core.errors import ConfigError

_GET_DUMPABLE: Final = 3  # linux/prctl.h
_SET_DUMPABLE: Final = 4


def harden() -> None:
    """Shut this process; on systems other than Linux only against core dumps.

    Raises:
        ConfigError: the system refuses.
    """
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, most))
    if sys.platform == "linux" and _prctl(_SET_DUMPABLE) != 0:
        raise ConfigError("expected the system to shut this process against dumps (prctl), found that it refuses")


def dumpable() -> bool:
    """Whether another process of the same user may read this one's memory, and a crash may write it down."""
    return sys.platform != "linux" or _prctl(_GET_DUMPABLE) != 0


def _prctl(option: int) -> int:
    return int(ctypes.CDLL(None).prctl(option, 0, 0, 0, 0))
