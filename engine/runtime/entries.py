"""The keys of one call: whose each is, and its secret digits until they are used.

Every key that a caller presses is one of these, the first that applies:

1. *the entry's*, while one is open;
2. *ahead*, while a secret entry may be the next thing to be keyed (:mod:`engine.dialogue.key_meaning`): it waits in a page that
   is zeroed, goes into the entry when that opens, and is zeroed where the conversation goes elsewhere. Nobody is told;
3. *the rest of a run*, less than ``PAUSE`` after an entry has ended by a key, after a key of this kind or the next, or after
   ``MOST_CHOICES`` choices without such a pause: a digit too many, a habitual ``#``, a number keyed where none is asked for. It
   is let fall, and nobody is told;
4. *meaningless* here: the dialogue and the journal learn that a key was pressed, not which;
5. *a choice*: told, and journalled as what it is.

So no digit of a secret is journalled as a menu key unless each before it, and itself, is a choice of the question that was asked
at that moment, and never more than ``MOST_CHOICES`` of them.

What is heard while a secret entry is open, and from ``LOOK_BACK`` before the first key of the kinds 2 to 4 until ``PAUSE`` after
the last, is masked on the recording in one piece: no tone, no number of tones, no rhythm.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Protocol, TypeAlias

from engine.core.secrets import SecretDigits
from engine.core.units import Seconds
from engine.dialogue.actions import CollectKeys
from engine.dialogue.events import KeyPressed, KeysCollected, SecretCollected
from engine.dialogue.graph import SlotName
from engine.dialogue.key_meaning import UNTOLD
from engine.runtime.keypad import Keypad
from engine.runtime.tape import Tape

PAUSE: Final = Seconds(1.0)
MOST_CHOICES: Final = 3
LOOK_BACK: Final = Seconds(2.0)  # a tone is reported when it is let go, and a message may come behind it

Entered: TypeAlias = KeysCollected | SecretCollected


class KeyMeaning(Protocol):
    """What a key would mean now; the dialogue."""

    @property
    def secret_ahead(self) -> bool:
        """Whether the next thing to be keyed may be a secret."""

    def key_counts(self, key: str) -> bool:
        """Whether it means something outside an entry."""


class Entries:
    """One call's keypad."""

    def __init__(self, tape: Tape, meaning: KeyMeaning) -> None:
        self._tape = tape
        self._meaning = meaning
        self._keypad: Keypad | None = None
        self._secrets: dict[SlotName, SecretDigits] = {}
        self._ahead = SecretDigits()
        self._run_until = Seconds(0.0)  # a key before this is the rest of a run
        self._masked_since: Seconds | None = None
        self._masked_until = Seconds(0.0)
        self._last_choice = Seconds(-PAUSE)
        self._choices = 0  # in a row, without a pause

    @property
    def open(self) -> bool:
        """Whether keys go into an entry, and are no menu choice."""
        return self._keypad is not None

    @property
    def idle(self) -> bool:
        """Whether :meth:`tick` would do nothing."""
        return self._keypad is None and self._masked_since is None and not len(self._ahead)

    @property
    def typed_ahead(self) -> bool:
        """Whether an entry is open for which keys have waited; :meth:`tick` puts them in."""
        return self._keypad is not None and self._keypad.entry.secret and len(self._ahead) > 0

    def begin(self, entry: CollectKeys, now: Seconds, *, prompting: bool) -> None:
        """Take keys into an entry; one that was open is dropped. ``prompting``: its prompt is still being said."""
        self.stop(now)
        self._keypad = Keypad(entry, now, prompting=prompting)
        if entry.secret:
            self._mask(now, now)

    def stop(self, now: Seconds) -> None:
        """Take no more keys into it; its digits are zeroed."""
        if self._keypad is not None:
            self._keypad.close()
            self._shut(now)

    def prompt_ended(self, now: Seconds) -> None:
        """The time for the first key begins now."""
        if self._keypad is not None:
            self._keypad.prompt_ended(now)

    def press(self, code: int, now: Seconds) -> Entered | KeyPressed | None:
        """Take a key (ASCII); what the dialogue is to be told of it."""
        if self._keypad is not None:
            return self._press_in(self._keypad, code, now)
        if self._meaning.secret_ahead:
            self._keep_ahead(code, now)
            return None
        if now < self._run_until:
            return self._let_fall(now, told=None)
        if not self._meaning.key_counts(chr(code)):
            return self._let_fall(now, told=KeyPressed(UNTOLD))
        self._choices = self._choices + 1 if now - self._last_choice < PAUSE else 1
        self._last_choice = now
        return KeyPressed(chr(code)) if self._choices <= MOST_CHOICES else self._let_fall(now, told=None)

    def tick(self, now: Seconds, *, voice: bool = False) -> Entered | None:
        """Go on by a frame, with a voice in it or none: an entry may end, keys may have their turn, a mask may be over."""
        if len(self._ahead) and not (self.open or self._meaning.secret_ahead):
            self._ahead.close()
        if self._masked_since is not None and now >= self._masked_until and not self._secret_open:
            self._masked_since = None
            self._tape.secret(False)
        if self._keypad is None:
            return None
        entered = self._put_in(self._keypad, now) if self.typed_ahead else None
        return entered or self._kept(self._keypad.tick(now, voice=voice), now)

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
        if self._keypad is not None:
            self._keypad.close()
            self._keypad = None
        self._ahead.close()
        self.forget(tuple(self._secrets))
        if self._masked_since is not None:
            self._tape.secret(False)

    @property
    def _secret_open(self) -> bool:
        return self._keypad is not None and self._keypad.entry.secret

    def _press_in(self, keypad: Keypad, code: int, now: Seconds) -> Entered | None:
        if keypad.entry.secret and keypad.empty:
            self._look_back(now)  # its tone may have begun before the entry
        entered = self._kept(keypad.press(code, now), now)
        if entered is not None:
            self._run_until = Seconds(now + PAUSE)
        return entered

    def _put_in(self, keypad: Keypad, now: Seconds) -> Entered | None:
        """Press the keys that have waited; a finish key at their head ended what was before."""
        try:
            for code in self._ahead.reveal():
                if keypad.empty and code == ord(keypad.entry.finish_key):
                    continue
                if (entered := self._press_in(keypad, code, now)) is not None:
                    return entered
        finally:
            self._ahead.close()
        return None

    def _keep_ahead(self, code: int, now: Seconds) -> None:
        if not self._ahead.full:
            self._ahead.push(code)
        self._mask_key(now)

    def _let_fall(self, now: Seconds, told: KeyPressed | None) -> KeyPressed | None:
        self._run_until = Seconds(now + PAUSE)
        self._mask_key(now)
        return told

    def _mask_key(self, now: Seconds) -> None:
        if self._masked_since is None:
            self._look_back(now)
        self._mask(now, Seconds(now + PAUSE))

    def _look_back(self, now: Seconds) -> None:
        self._tape.mask(Seconds(max(0.0, now - LOOK_BACK)), now)

    def _mask(self, now: Seconds, until: Seconds) -> None:
        """Mask the tape from now on, and in one piece with what was masked a moment ago."""
        self._masked_until = Seconds(max(self._masked_until, until))
        if self._masked_since is None:
            self._masked_since = now
            self._tape.secret(True)

    def _kept(self, entered: Entered | None, now: Seconds) -> Entered | None:
        if entered is not None and self._keypad is not None:
            keypad = self._keypad
            if isinstance(entered, SecretCollected):
                self.forget([keypad.entry.slot])
                self._secrets[keypad.entry.slot] = keypad.take()
            self._shut(now)
        return entered

    def _shut(self, now: Seconds) -> None:
        self._keypad = None
        self._masked_until = Seconds(max(self._masked_until, now))
