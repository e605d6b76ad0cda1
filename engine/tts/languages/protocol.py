"""What a language must be able to say. Values come parsed and checked; words go out, without digits and signs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Protocol

from engine.tts.values import Money


class SpokenLanguage(Protocol):
    """The wording of one language."""

    @property
    def region(self) -> str:
        """ISO 3166 country whose numbering plan a telephone number without a country code is read by."""

    @property
    def space(self) -> str:
        """What stands between words."""

    @property
    def pause(self) -> str:
        """What makes a voice rest between two groups of digits."""

    def number(self, value: Decimal) -> str:
        """A cardinal, negative and with a fraction if need be."""

    def ordinal(self, value: int) -> str:
        """A place in a row, counted from 1."""

    def money(self, amount: Money) -> str:
        """A sum with its currency; the smaller unit is left out where it is zero."""

    def date(self, day: date) -> str:
        """A day as it stands in a sentence that says when something happens."""

    def time(self, moment: time) -> str:
        """A time of day; seconds are not said."""

    def moment(self, at: datetime) -> str:
        """A day with a time of day."""

    def name(self, parts: Sequence[str]) -> str:
        """A person's name; short forms of address are said in full."""

    def digits(self, group: str) -> str:
        """One group of digits and Latin letters, one by one."""

    def phone(self, groups: Sequence[str]) -> str:
        """A telephone number in the groups of its own country; the first may begin with ``+``."""
