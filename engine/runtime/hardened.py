"""Whether digits in memory are out of everybody's reach: what ``callwright doctor`` looks at.

That our processes are shut is their own doing (:mod:`engine.core.hardened`); how much memory may be locked, and whether there is
a swap at all, is the machine's.
"""

from __future__ import annotations

import resource
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engine.core.hardened import dumpable

_SECRETS_AT_ONCE: Final = 256  # pages: two secret entries of a hundred calls, and room


@dataclass(frozen=True, slots=True)
class Hardness:
    """What protects this process's memory."""

    dumpable: bool
    """Whether another process of the same user may read it, and a crash may write it down."""

    core_bytes: int
    """The largest core dump; -1: no limit."""

    locked_bytes: int
    """Memory that may be kept out of the swap; -1: no limit."""

    swap: bool
    """Whether the machine has any."""

    @property
    def closed(self) -> bool:
        """Whether nobody but root can read it."""
        return not self.dumpable and self.core_bytes == 0

    @property
    def swapped_never(self) -> bool:
        """Whether the digits of a busy engine can't come to lie in a swap."""
        enough = self.locked_bytes < 0 or self.locked_bytes >= _SECRETS_AT_ONCE * resource.getpagesize()
        return enough or not self.swap


def hardness() -> Hardness:
    """Look at this process, its limits and the machine."""
    core, _ = resource.getrlimit(resource.RLIMIT_CORE)
    locked, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    return Hardness(dumpable(), core, locked, _has_swap())


def _has_swap() -> bool:
    try:
        return len(Path("/proc/swaps").read_text(encoding="ascii").splitlines()) > 1
    except OSError:  # no Linux: take the worse
        return True
