"""Takes an entry from the keypad: a pure machine, and the only place where secret digits exist before the bank's host.

Rules: open digits become a string at the end of the entry; secret ones stay in a :class:`~engine.core.secrets.SecretDigits` that
the driver takes out for one request and zeroes. Nothing that happens here says how a secret entry went but its length and whether
it fits.
"""

from __future__ import annotations

import math

from engine.core.secrets import SecretDigits
from engine.core.units import Seconds
from engine.dialogue.actions import CollectKeys
from engine.dialogue.events import KeysCollected, SecretCollected


class Keypad:
    """One entry. Feed it keys and the time; it says when the entry has ended."""

    def __init__(self, entry: CollectKeys, now: Seconds, *, prompting: bool = False) -> None:
        """``prompting``: something is being said, and the time for the first key has not begun."""
        self.entry = entry
        self._digits = SecretDigits()
        self.deadline = Seconds(math.inf if prompting else now + entry.first_key)
        """When the entry ends by itself."""

    def prompt_ended(self, now: Seconds) -> None:
        """The time for the first key counts from here."""
        if not len(self._digits):
            self.deadline = Seconds(now + self.entry.first_key)

    def press(self, key: int, now: Seconds) -> KeysCollected | SecretCollected | None:
        """Take one key (ASCII); the event, if the entry has ended with it."""
        if key == ord(self.entry.finish_key):
            return self._ended()
        self._digits.push(key)
        self.deadline = Seconds(now + self.entry.between_keys)
        return self._ended() if len(self._digits) == self.entry.length[1] else None

    def tick(self, now: Seconds) -> KeysCollected | SecretCollected | None:
        """End the entry if its time has passed."""
        return self._ended() if now >= self.deadline else None

    def take(self) -> SecretDigits:
        """Hand over the secret digits; whoever takes them closes them."""
        digits, self._digits = self._digits, SecretDigits(1)
        return digits

    def close(self) -> None:
        """Zero what is left."""
        self._digits.close()

    def _ended(self) -> KeysCollected | SecretCollected:
        if self.entry.secret:
            return SecretCollected(len(self._digits), self._fits())
        value = bytes(self._digits.reveal()).decode("ascii")
        self._digits.close()
        return KeysCollected(value)

    def _fits(self) -> bool:
        fewest, most = self.entry.length
        return fewest <= len(self._digits) <= most and (not self.entry.luhn or self._digits.passes_luhn())
