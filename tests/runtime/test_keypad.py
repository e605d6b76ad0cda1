from __future__ import annotations

import pytest

from engine.core.errors import PrivacyError
from engine.core.units import Seconds
from engine.dialogue.actions import CollectKeys
from engine.dialogue.events import KeysCollected, SecretCollected
from engine.dialogue.graph import SlotName
from engine.runtime.keypad import Keypad


def keypad(*, secret: bool, length: tuple[int, int] = (4, 6), luhn: bool = False) -> Keypad:
    return Keypad(CollectKeys(SlotName("pin"), secret, length, "#", Seconds(5), Seconds(2), luhn), Seconds(0))


def press(pad: Keypad, keys: bytes) -> KeysCollected | SecretCollected | None:
    event = None
    for place, key in enumerate(keys):
        event = pad.press(key, Seconds(place * 0.1))
    return event


def test_the_longest_entry_ends_by_itself() -> None:
    assert press(keypad(secret=False), b"12345") is None
    assert press(keypad(secret=False), b"123456") == KeysCollected("123456")


def test_the_finish_key_ends_an_entry_and_is_not_part_of_it() -> None:
    assert press(keypad(secret=False), b"1234#") == KeysCollected("1234")


def test_a_secret_entry_tells_its_length_and_no_more() -> None:
    pad = keypad(secret=True)

    assert press(pad, b"1234#") == SecretCollected(4, valid=True)
    with pad.take() as digits:
        assert bytes(digits.reveal()) == b"1234"


@pytest.mark.parametrize(("keys", "valid"), [(b"123#", False), (b"79927398713#", True), (b"79927398710#", False)])
def test_a_secret_entry_that_does_not_fit_says_so(keys: bytes, valid: bool) -> None:
    assert press(keypad(secret=True, length=(11, 16), luhn=True), keys) == SecretCollected(len(keys) - 1, valid=valid)


def test_time_ends_an_entry_and_each_key_gives_more_of_it() -> None:
    pad = keypad(secret=False)
    assert pad.tick(Seconds(4.9)) is None
    pad.press(ord("1"), Seconds(4.9))

    assert pad.tick(Seconds(6.8)) is None
    assert pad.tick(Seconds(6.9)) == KeysCollected("1")


def test_the_first_key_has_its_time_from_the_end_of_the_prompt() -> None:
    pad = Keypad(keypad(secret=False).entry, Seconds(0), prompting=True)

    assert pad.tick(Seconds(60.0)) is None
    pad.prompt_ended(Seconds(60.0))
    assert pad.tick(Seconds(64.9)) is None
    assert pad.tick(Seconds(65.0)) == KeysCollected("")


def test_digits_that_were_closed_are_zero_in_memory() -> None:
    pad = keypad(secret=True)
    press(pad, b"1234")
    view = pad._digits.reveal()
    pad.close()

    assert bytes(view) == bytes(4)


def test_a_byte_that_is_no_key_is_refused_without_being_shown() -> None:
    with pytest.raises(PrivacyError) as refusal:
        keypad(secret=True).press(ord("z"), Seconds(0))

    assert "z" not in str(refusal.value).replace("sixteen", "")
