"""What a slot finder returns."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Found:
    """A value and where it was said."""

    value: str
    """In the normal form of its slot type; see ``Interpretation.slots``."""

    start: int
    """Where it begins in the text, in characters."""

    end: int
