"""Codes, account numbers, the last four digits: what was read out digit by digit."""

from __future__ import annotations

from engine.core.units import Language
from engine.nlu.numbers import digit_runs
from engine.nlu.slots.found import Found


def find_digits(text: str, language: Language) -> Found | None:
    """Find the longest run of digits; of equally long ones the last, which corrects the first."""
    runs = digit_runs(text, language)
    if not runs:
        return None
    longest = max(runs, key=lambda run: (len(run.digits), run.start))
    return Found(longest.digits, longest.start, longest.end)
