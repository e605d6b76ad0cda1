from __future__ import annotations

import pytest

from engine.core.audio import AudioFrame
from engine.core.units import Seconds
from engine.dialogue.actions import CollectKeys
from engine.dialogue.events import KeysCollected, SecretCollected
from engine.dialogue.graph import SlotName
from engine.runtime.entries import Entered, Entries

CARD = SlotName("card")


class Tape:
    """Remembers when it was masked."""

    def __init__(self) -> None:
        self.masked: list[bool] = []

    def caller(self, frame: AudioFrame) -> None: ...

    def engine(self, frame: AudioFrame) -> None: ...

    def secret(self, on: bool) -> None:
        self.masked.append(on)

    def close(self) -> None: ...


@pytest.fixture
def tape() -> Tape:
    return Tape()


@pytest.fixture
def entries(tape: Tape) -> Entries:
    return Entries(tape)


def entry(*, secret: bool = True, length: tuple[int, int] = (4, 4)) -> CollectKeys:
    return CollectKeys(
        slot=CARD, secret=secret, length=length, finish_key="#", luhn=False, first_key=Seconds(5.0), between_keys=Seconds(2.0)
    )


def press(entries: Entries, keys: bytes) -> list[Entered]:
    return [entered for key in keys if (entered := entries.press(key, Seconds(1.0))) is not None]


def test_the_tape_is_masked_for_as_long_as_a_secret_entry_is_open(entries: Entries, tape: Tape) -> None:
    entries.begin(entry(), Seconds(0.0), prompting=False)
    assert tape.masked == [True]

    press(entries, b"1234")
    assert tape.masked == [True, False]
    assert not entries.open


def test_an_open_entry_is_not_masked_and_gives_its_keys(entries: Entries, tape: Tape) -> None:
    entries.begin(entry(secret=False), Seconds(0.0), prompting=False)

    assert press(entries, b"12#") == [KeysCollected("12")]
    assert tape.masked == []


def test_a_secret_entry_gives_its_length_and_keeps_its_digits_for_one_request(entries: Entries) -> None:
    entries.begin(entry(), Seconds(0.0), prompting=False)
    assert press(entries, b"1234") == [SecretCollected(4, valid=True)]

    kept = entries.secrets([CARD])[CARD]
    view = kept.reveal()
    assert bytes(view) == b"1234"
    entries.forget([CARD])
    assert bytes(view) == bytes(4)
    assert entries.secrets([CARD]) == {}


def test_keying_a_secret_again_zeroes_the_first(entries: Entries) -> None:
    entries.begin(entry(), Seconds(0.0), prompting=False)
    press(entries, b"1234")
    first = entries.secrets([CARD])[CARD].reveal()
    entries.begin(entry(), Seconds(3.0), prompting=False)
    press(entries, b"9876")

    assert bytes(first) == bytes(4)
    assert bytes(entries.secrets([CARD])[CARD].reveal()) == b"9876"


def test_an_entry_that_is_dropped_for_another_unmasks_and_masks_again(entries: Entries, tape: Tape) -> None:
    entries.begin(entry(), Seconds(0.0), prompting=False)
    press(entries, b"12")
    entries.begin(entry(), Seconds(1.0), prompting=False)

    assert tape.masked == [True, False, True]
    assert press(entries, b"34") == []


def test_the_end_of_the_call_zeroes_everything(entries: Entries, tape: Tape) -> None:
    entries.begin(entry(), Seconds(0.0), prompting=False)
    press(entries, b"1234")
    kept = entries.secrets([CARD])[CARD].reveal()
    entries.begin(entry(), Seconds(2.0), prompting=False)
    entries.close()

    assert bytes(kept) == bytes(4)
    assert tape.masked[-1] is False
    assert not entries.open


def test_keys_without_an_entry_are_nobodys(entries: Entries) -> None:
    assert press(entries, b"1#") == []
    assert entries.tick(Seconds(100.0)) is None
