"""Units that live in the type, so that a number can't be read in the wrong one."""

from __future__ import annotations

import math
from typing import NewType

Seconds = NewType("Seconds", float)
"""A time on the call's own timeline (0.0 = the leg was opened), or a length of time."""

SampleIndex = NewType("SampleIndex", int)
"""How many samples came before this one on its leg. Inside an utterance the sample count is the clock."""

Confidence = NewType("Confidence", float)
"""A calibrated probability of being right, 0.0 to 1.0. Unknown is ``None``, never 0.0. Make one with :func:`confidence`."""

Language = NewType("Language", str)
"""A BCP 47 primary language tag in lower case: ``en``, ``ru``, ``zh``."""


def confidence(value: float) -> Confidence:
    """Check that ``value`` is a probability and say so in its type.

    Raises:
        ValueError: ``value`` is not a finite number in [0, 1].
    """
    if not math.isfinite(value) or not 0.0 <= value <= 1.0:
        raise ValueError(f"a confidence is a number from 0 to 1, got {value!r}")
    return Confidence(float(value))
