"""Takes an entry from the keypad: a pure machine, and the only place where secret digits exist before the bank's host.

Rules: open digits become a string at the end of the entry; secret ones stay in a :class:`~engine.core.secrets.SecretDigits` that
the driver takes out for one request and zeroes. Nothing that happens here says how a secret entry went but its length and whether
it fits. A caller who talks instead of keying a secret is not listened to; only that there was a voice is noticed, so that the
dialogue can ask for the keys.
"""

from __future__ import annotations

import math
from typing import Final

from engine.core.audio import FRAME
from engine.core.secrets import SecretDigits
from engine.core.units import Seconds
from engine.dialogue.actions import CollectKeys
from engine.dialogue.events import KeysCollected, SecretCollected

_TALK: Final = Seconds(1.0)  # of voice: a PIN takes longer, a cough does not
_TALKED: Final = Seconds(1.2)  # without voice behind it; within a number nobody pauses longer


class Keypad:
    """One entry. Feed it keys and the time; it says when the entry has ended."""

    def __init__(self, entry: CollectKeys, now: Seconds, *, prompting: bool = False) -> None:
        """``prompting``: something is being said, and the time for the first key has not begun."""
        self.entry = entry
        self._digits = SecretDigits()
        self._voice = Seconds(0.0)  # how much of it there was since the prompt
        self._voice_at = now
        self.deadline = Seconds(math.inf if prompting else now + entry.first_key)
        """When the entry ends by itself."""

    @property
    def empty(self) -> bool:
        """Whether no key has come yet."""
        return not len(self._digits)

    def prompt_ended(self, now: Seconds) -> None:
        """The time for the first key counts from here."""
        if self.empty:
            self.deadline = Seconds(now + self.entry.first_key)

    def press(self, key: int, now: Seconds) -> KeysCollected | SecretCollected | None:
        """Take one key (ASCII); the event, if the entry has ended with it."""
        if key == ord(self.entry.finish_key):
            return self._ended()
        self._digits.push(key)
        self.deadline = Seconds(now + self.entry.between_keys)
        return self._ended() if len(self._digits) == self.entry.length[1] else None

    def tick(self, now: Seconds, *, voice: bool = False) -> KeysCollected | SecretCollected | None:
        """Go on by a frame, in which there was a voice or none; the event, if the entry has ended with it."""
        if voice and self.deadline < math.inf:
            self._voice, self._voice_at = Seconds(self._voice + FRAME), now
        if self._talked and (now >= self.deadline or now - self._voice_at >= _TALKED):
            return SecretCollected(0, valid=False, spoken=True)
        return self._ended() if now >= self.deadline else None

    def take(self) -> SecretDigits:
        """Hand over the secret digits; whoever takes them closes them."""
        digits, self._digits = self._digits, SecretDigits(1)
        return digits

    def close(self) -> None:
        """Zero what is left."""
        self._digits.close()

    @property
    def _talked(self) -> bool:
        return self.entry.secret and self.empty and self._voice >= _TALK

    def _ended(self) -> KeysCollected | SecretCollected:
        if self.entry.secret:
            return SecretCollected(len(self._digits), self._fits())
        value = bytes(self._digits.reveal()).decode("ascii")
        self._digits.close()
        return KeysCollected(value)

    def _fits(self) -> bool:
        fewest, most = self.entry.length
        return fewest <= len(self._digits) <= most and (not self.entry.luhn or self._digits.passes_luhn())
