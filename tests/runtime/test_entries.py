"""Whose a key is, what is told of it, and when the tape is masked."""

from __future__ import annotations

import pytest

from engine.core.audio import AudioFrame
from engine.core.units import Seconds
from engine.dialogue.actions import CollectKeys
from engine.dialogue.events import KeyPressed, KeysCollected, SecretCollected
from engine.dialogue.graph import SlotName
from engine.dialogue.key_meaning import UNTOLD
from engine.runtime.entries import PAUSE, Entered, Entries

CARD = SlotName("card")


class Tape:
    """Remembers when it was masked."""

    def __init__(self) -> None:
        self.masked: list[bool] = []
        self.spans: list[tuple[float, float]] = []

    def caller(self, frame: AudioFrame) -> None: ...

    def engine(self, frame: AudioFrame) -> None: ...

    def secret(self, on: bool) -> None:
        self.masked.append(on)

    def mask(self, start: Seconds, end: Seconds) -> None:
        self.spans.append((start, end))

    def close(self) -> None: ...


class Meaning:
    """A question whose choices are these keys."""

    def __init__(self) -> None:
        self.choices = ""
        self.secret_ahead = False

    def key_counts(self, key: str) -> bool:
        return key in self.choices


@pytest.fixture
def tape() -> Tape:
    return Tape()


@pytest.fixture
def meaning() -> Meaning:
    return Meaning()


@pytest.fixture
def entries(tape: Tape, meaning: Meaning) -> Entries:
    return Entries(tape, meaning)


def entry(*, secret: bool = True, length: tuple[int, int] = (4, 4)) -> CollectKeys:
    return CollectKeys(
        slot=CARD, secret=secret, length=length, finish_key="#", luhn=False, first_key=Seconds(5.0), between_keys=Seconds(2.0)
    )


def press(entries: Entries, keys: bytes, at: float = 1.0, every: float = 0.1) -> list[Entered | KeyPressed]:
    told = (entries.press(key, Seconds(at + every * place)) for place, key in enumerate(keys))
    return [one for one in told if one is not None]


def tick(entries: Entries, start: float, end: float, *, voice: bool = False) -> list[Entered]:
    frames = range(round(start * 50), round(end * 50))
    return [one for frame in frames if (one := entries.tick(Seconds(frame / 50), voice=voice)) is not None]


def test_the_tape_is_masked_for_as_long_as_a_secret_entry_is_open(entries: Entries, tape: Tape) -> None:
    entries.begin(entry(), Seconds(0.0), prompting=False)
    assert tape.masked == [True]

    press(entries, b"1234")
    tick(entries, 1.3, 1.4)
    assert tape.masked == [True, False]
    assert not entries.open


def test_an_open_entry_is_not_masked_and_gives_its_keys(entries: Entries, tape: Tape) -> None:
    entries.begin(entry(secret=False), Seconds(0.0), prompting=False)

    assert press(entries, b"12#") == [KeysCollected("12")]
    assert not tape.masked
    assert not tape.spans


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


def test_an_entry_that_is_dropped_for_another_stays_masked_in_one_piece(entries: Entries, tape: Tape) -> None:
    entries.begin(entry(), Seconds(0.0), prompting=False)
    press(entries, b"12")
    entries.begin(entry(), Seconds(1.5), prompting=False)

    assert tape.masked == [True]
    assert press(entries, b"34", at=1.6) == []


def test_the_end_of_the_call_zeroes_everything(entries: Entries, tape: Tape, meaning: Meaning) -> None:
    entries.begin(entry(), Seconds(0.0), prompting=False)
    press(entries, b"1234")
    kept = entries.secrets([CARD])[CARD].reveal()
    meaning.secret_ahead = True
    press(entries, b"56", at=2.0)
    ahead = entries._ahead.reveal()
    entries.begin(entry(), Seconds(2.5), prompting=False)
    entries.close()

    assert bytes(kept) == bytes(4)
    assert bytes(ahead) == bytes(2)
    assert tape.masked[-1] is False
    assert not entries.open


def test_keys_that_come_ahead_of_a_secret_entry_are_told_to_nobody_and_go_into_it(
    entries: Entries, tape: Tape, meaning: Meaning
) -> None:
    meaning.secret_ahead, meaning.choices = True, "0123456789"
    assert press(entries, b"123", at=3.0) == []
    assert (tape.masked, tape.spans) == ([True], [(1.0, 3.0)])

    tick(entries, 3.3, 3.6)
    entries.begin(entry(), Seconds(3.6), prompting=True)
    assert entries.typed_ahead
    assert tick(entries, 3.6, 3.7) == []
    assert press(entries, b"4", at=3.7) == [SecretCollected(4, valid=True)]
    tick(entries, 3.8, 6.0)
    assert bytes(entries.secrets([CARD])[CARD].reveal()) == b"1234"
    assert tape.masked == [True, False]


def test_a_whole_number_that_came_ahead_ends_the_entry_at_once_and_a_finish_key_before_it_does_not(
    entries: Entries, meaning: Meaning
) -> None:
    meaning.secret_ahead = True
    press(entries, b"#123477")
    entries.begin(entry(), Seconds(2.0), prompting=False)

    assert tick(entries, 2.0, 2.1) == [SecretCollected(4, valid=True)]
    assert bytes(entries.secrets([CARD])[CARD].reveal()) == b"1234"
    assert not entries.typed_ahead


def test_keys_that_came_ahead_are_zeroed_where_something_else_is_asked(entries: Entries, meaning: Meaning) -> None:
    meaning.secret_ahead = True
    press(entries, b"12")
    view = entries._ahead.reveal()
    meaning.secret_ahead = False
    tick(entries, 1.2, 1.3)

    assert bytes(view) == bytes(2)
    entries.begin(entry(), Seconds(5.0), prompting=False)
    assert not entries.typed_ahead


def test_more_keys_ahead_than_any_entry_takes_are_let_fall(entries: Entries, meaning: Meaning) -> None:
    meaning.secret_ahead = True

    assert press(entries, b"7" * 100, every=0.02) == []


def test_a_number_keyed_where_none_is_asked_for_is_told_as_one_unknown_key(
    entries: Entries, tape: Tape, meaning: Meaning
) -> None:
    meaning.choices = "1230"
    told = press(entries, b"4539578763621486", at=5.0)
    tick(entries, 6.6, 8.0)

    assert told == [KeyPressed(UNTOLD)]
    assert tape.masked == [True, False]
    assert tape.spans[0] == (3.0, 5.0)


def test_after_a_pause_the_next_key_counts_again(entries: Entries, meaning: Meaning) -> None:
    meaning.choices = "2"

    assert press(entries, b"72", every=PAUSE) == [KeyPressed(UNTOLD), KeyPressed("2")]
    assert press(entries, b"72", at=5.0, every=PAUSE - 0.01) == [KeyPressed(UNTOLD)]


def test_no_more_than_three_choices_in_a_row_are_told(entries: Entries, tape: Tape, meaning: Meaning) -> None:
    meaning.choices = "123456789"
    told = press(entries, b"258112345")
    slowly = press(entries, b"2581", at=10.0, every=PAUSE)

    assert told == [KeyPressed("2"), KeyPressed("5"), KeyPressed("8")]
    assert slowly == [KeyPressed("2"), KeyPressed("5"), KeyPressed("8"), KeyPressed("1")]
    assert tape.masked[0] is True


@pytest.mark.parametrize("secret", [True, False])
def test_the_rest_of_a_run_behind_an_entry_is_nobodys(entries: Entries, tape: Tape, meaning: Meaning, secret: bool) -> None:
    meaning.choices = "12#"
    entries.begin(entry(secret=secret), Seconds(0.0), prompting=False)
    told = press(entries, b"48212580#", at=5.0)

    assert len(told) == 1
    assert tape.masked[-1] is True
    assert press(entries, b"1", at=7.0) == [KeyPressed("1")]


def test_who_talks_instead_of_keying_is_noticed_when_the_voice_is_over(entries: Entries) -> None:
    entries.begin(entry(), Seconds(0.0), prompting=False)
    tick(entries, 0.0, 0.5)
    talking = tick(entries, 0.5, 2.0, voice=True)
    silent = tick(entries, 2.0, 3.3)

    assert (talking, silent) == ([], [SecretCollected(0, valid=False, spoken=True)])


def test_who_talks_without_end_is_noticed_when_the_time_is_over(entries: Entries) -> None:
    entries.begin(entry(), Seconds(0.0), prompting=False)

    assert tick(entries, 0.0, 5.1, voice=True) == [SecretCollected(0, valid=False, spoken=True)]


@pytest.mark.parametrize(("keys", "secret", "voice"), [(b"1", True, 3.0), (b"", False, 3.0), (b"", True, 0.8)])
def test_a_voice_beside_keys_or_in_an_open_entry_or_a_cough_changes_nothing(
    entries: Entries, keys: bytes, secret: bool, voice: float
) -> None:
    entries.begin(entry(secret=secret), Seconds(0.0), prompting=False)
    press(entries, keys, at=0.0)
    tick(entries, 0.0, voice, voice=True)
    ended = tick(entries, voice, 5.1)

    assert SecretCollected(0, valid=False, spoken=True) not in ended


def test_what_is_said_over_the_prompt_is_no_number(entries: Entries) -> None:
    entries.begin(entry(), Seconds(0.0), prompting=True)
    tick(entries, 0.0, 3.0, voice=True)
    entries.prompt_ended(Seconds(3.0))

    assert tick(entries, 3.0, 7.9) == []
