"""The keypad entries of one call, and its secret digits until they are used.

While a secret entry is open the ear is shut and the tape is masked; both are the caller's to open again. Keys that come just
after a secret entry has ended by itself belong to it (a ``#`` out of habit, a digit too many), and are let fall.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from engine.core.secrets import SecretDigits
from engine.core.units import Seconds
from engine.dialogue.actions import CollectKeys
from engine.dialogue.events import KeysCollected, SecretCollected
from engine.dialogue.graph import SlotName
from engine.runtime.keypad import Keypad
from engine.runtime.tape import Tape

_STRAYS = Seconds(1.0)

Entered: TypeAlias = KeysCollected | SecretCollected


class Entries:
    """One call's keypad."""

    def __init__(self, tape: Tape) -> None:
        self._tape = tape
        self._keypad: Keypad | None = None
        self._secrets: dict[SlotName, SecretDigits] = {}
        self._deaf_until = Seconds(0.0)

    @property
    def open(self) -> bool:
        """Whether keys go into an entry, and are no menu choice."""
        return self._keypad is not None

    def begin(self, entry: CollectKeys, now: Seconds, *, prompting: bool) -> None:
        """Take keys into an entry; one that was open is dropped. ``prompting``: its prompt is still being said."""
        self.stop()
        self._keypad = Keypad(entry, now, prompting=prompting)
        if entry.secret:
            self._tape.secret(True)

    def stop(self) -> None:
        """Take no more keys into it; its digits are zeroed."""
        if self._keypad is not None:
            self._keypad.close()
            self._shut(self._keypad)

    def prompt_ended(self, now: Seconds) -> None:
        """The time for the first key begins now."""
        if self._keypad is not None:
            self._keypad.prompt_ended(now)

    def stray(self, now: Seconds) -> bool:
        """Whether a key pressed now is the rest of a secret entry."""
        return not self.open and now < self._deaf_until

    def press(self, code: int, now: Seconds) -> Entered | None:
        """Take a key (ASCII); the event, if the entry has ended with it."""
        if self._keypad is None:
            return None
        entered = self._kept(self._keypad.press(code, now))
        if isinstance(entered, SecretCollected):
            self._deaf_until = Seconds(now + _STRAYS)
        return entered

    def tick(self, now: Seconds) -> Entered | None:
        """End the entry if its time has passed."""
        return self._kept(self._keypad.tick(now)) if self._keypad is not None else None

    def secrets(self, slots: Iterable[SlotName]) -> Mapping[SlotName, SecretDigits]:
        """The secret digits of these slots, as far as they were keyed; still ours to zero."""
        return {slot: self._secrets[slot] for slot in slots if slot in self._secrets}

    def forget(self, slots: Iterable[SlotName]) -> None:
        """Zero the secret digits of these slots."""
        for slot in slots:
            if (digits := self._secrets.pop(slot, None)) is not None:
                digits.close()

    def close(self) -> None:
        """Zero everything."""
        self.stop()
        self.forget(tuple(self._secrets))

    def _kept(self, entered: Entered | None) -> Entered | None:
        if entered is not None and self._keypad is not None:
            keypad = self._keypad
            if isinstance(entered, SecretCollected):
                self.forget([keypad.entry.slot])
                self._secrets[keypad.entry.slot] = keypad.take()
            self._shut(keypad)
        return entered

    def _shut(self, keypad: Keypad) -> None:
        self._keypad = None
        if keypad.entry.secret:
            self._tape.secret(False)
