"""A recording with a spoken secret and with keys in it: nothing of either is left, and the rest is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.audio.files import read
from engine.audio.keytones import make_key_tones
from engine.audio.recording import Recording
from engine.core.audio import TELEPHONY, AudioFrame
from engine.core.call import Speaker
from engine.core.speech import CHINESE, ENGLISH, RUSSIAN, Transcript, Word
from engine.core.units import Language, Seconds, confidence
from engine.privacy import MASK, Kind, Turn, find_spans
from engine.privacy.masked_time import MaskedTime
from engine.qa.spans import Span
from engine.qa.timeline import CallEvent, EventKind
from engine.runtime.batch.masking import key_spans, mask, mask_turns
from engine.runtime.transcribe import SpokenTurn
from engine.testing.spoken_numbers import Manners, dialogue, styles

NOISY = Manners(filler=0.2, correction=0.1, other_turn=0.3, read_back=0.2, error=0.1)
_BOTH = (Speaker.CALLER, Speaker.AGENT)


def call(seconds: float = 40.0, channels: int = 2) -> Recording:
    random = np.random.default_rng(7)
    sound = random.integers(-300, 300, (channels, round(8_000 * seconds)), dtype=np.int16)
    return Recording(tuple(AudioFrame(channel) for channel in sound), TELEPHONY, "WAV/PCM_16")


def with_keys(
    recording: Recording, keys: bytes, at: float, *, channel: int = 0, tone: float = 0.1, pause: float = 0.15
) -> Recording:
    sound = make_key_tones(keys, Seconds(tone), Seconds(pause)).samples
    planes = [one.samples.copy() for one in recording.channels]
    planes[channel][round(at * 8_000) :][: len(sound)] += sound
    return Recording(tuple(AudioFrame(plane) for plane in planes), TELEPHONY, recording.encoding)


def turn(speaker: Speaker, text: str, start: float, *alternatives: str) -> SpokenTurn:
    said = text.split()
    words = tuple(Word(word, Seconds(start + 0.5 * at), Seconds(start + 0.5 * at + 0.35)) for at, word in enumerate(said))
    transcript = Transcript(words, alternatives=alternatives)
    return SpokenTurn(speaker, Seconds(start), Seconds(start + 0.5 * len(said)), transcript)


def is_masked(recording: Recording, start: float, end: float) -> bool:
    pieces = [channel.samples[round(start * 8_000) : round(end * 8_000)] for channel in recording.channels]
    return all(np.array_equal(pieces[0], piece) and piece.std() > 600 for piece in pieces)


def test_a_spoken_card_is_masked_in_words_and_on_both_channels() -> None:
    turns = [
        turn(Speaker.AGENT, "your card number please", 2),
        turn(Speaker.CALLER, "it is four one one one double two 4444", 6, "it is for one one one"),
        turn(Speaker.AGENT, "thank you very much", 16),
    ]
    done = mask(call(), turns, _BOTH)

    assert [it.transcript.text for it in done.turns] == ["your card number please", f"it {MASK}", "thank you very much"]
    assert done.as_json() == [{"start": 6.25, "end": 14.25, "kinds": ["card_number"]}]
    assert done.turns[1].transcript.alternatives == ()
    assert is_masked(done.recording, 6.25, 14.25)
    assert np.array_equal(
        done.recording.channels[0].samples[: round(6.2 * 8_000)], call().channels[0].samples[: round(6.2 * 8_000)]
    )
    assert done.events == ()


def test_a_turn_whose_other_reading_tells_more_digits_is_masked_whole() -> None:
    heard = turn(Speaker.CALLER, "all eyes and nice six seven", 6, "four five three nine one four eight eight")
    done = mask(call(), [turn(Speaker.AGENT, "your card number please", 2), heard], _BOTH)

    assert [it.transcript.text for it in done.turns] == ["your card number please", MASK]
    assert is_masked(done.recording, heard.start, heard.end)


@pytest.mark.parametrize(("question", "told"), [("your card number please", MASK), ("how are you", "all eyes be nice when")])
def test_an_answer_that_nobody_understood_is_masked_where_a_secret_was_asked_for(question: str, told: str) -> None:
    heard = turn(Speaker.CALLER, "all eyes be nice when", 6)
    doubted = replace(heard, transcript=replace(heard.transcript, confidence=confidence(0.01)))
    done = mask(call(), [turn(Speaker.AGENT, question, 2), doubted], _BOTH)

    assert [it.transcript.text for it in done.turns] == [question, told]


@pytest.mark.parametrize(("question", "hidden"), [("your card number please", True), ("how are you", False)])
def test_voice_without_words_is_masked_where_a_secret_was_asked_for_and_else_not_told(question: str, hidden: bool) -> None:
    voice = turn(Speaker.CALLER, "<unk>", 6)
    unheard = replace(voice, end=Seconds(9.0), transcript=replace(voice.transcript, confidence=confidence(0.0)))
    done = mask(call(), [turn(Speaker.AGENT, question, 2)], _BOTH, unheard=[unheard])

    assert [it.transcript.text for it in done.turns] == [question, *[MASK] * hidden]
    assert is_masked(done.recording, 6.0, 9.0) is hidden


def test_keys_on_one_channel_are_one_event_without_a_count_and_masked_on_both() -> None:
    four, six = (mask(with_keys(call(), keys, 20.0), [], _BOTH) for keys in (b"4821", b"482193"))

    assert [(event.kind, event.span.speaker, event.value) for event in four.events] == [(EventKind.KEYS, Speaker.CALLER, None)]
    assert is_masked(four.recording, 19.95, 23.9)
    assert four.masks == six.masks
    assert four.events == six.events
    assert four.as_json() == [{"start": pytest.approx(19.94, abs=0.01), "end": pytest.approx(23.94, abs=0.01), "kinds": ["keys"]}]


def test_what_the_other_one_says_while_keys_are_pressed_is_masked_too() -> None:
    spoken = [turn(Speaker.AGENT, "just a moment while you type it in there", 19)]
    done = mask(with_keys(call(), b"4821", 20.0), spoken, _BOTH)

    assert [it.transcript.text for it in done.turns] == [f"just a {MASK}"]
    assert done.turns[0].end == pytest.approx(done.masks[0].start)


def test_a_call_on_one_channel_with_nobody_known_is_masked() -> None:
    spoken = [turn(Speaker.CALLER, "card number please four one one one two two two two", 3)]
    done = mask(with_keys(call(channels=1), b"1", 30.0), spoken, [None])

    assert [it.transcript.text for it in done.turns] == [f"card number {MASK}"]
    assert [event.span.speaker for event in done.events] == [None]


def test_masking_the_masked_call_changes_nothing() -> None:
    turns = [turn(Speaker.AGENT, "your pin", 2), turn(Speaker.CALLER, "four one one seven that is it", 6)]
    once = mask(with_keys(call(), b"4821", 20.0), turns, _BOTH)
    twice = mask(once.recording, once.turns, _BOTH)

    assert twice.turns == once.turns
    assert twice.masks == ()
    assert all(
        np.array_equal(a.samples, b.samples) for a, b in zip(once.recording.channels, twice.recording.channels, strict=True)
    )


def test_a_call_without_secrets_is_left_as_it_is() -> None:
    turns = [turn(Speaker.CALLER, "I paid two hundred dollars on march third", 2)]
    recording = call()
    done = mask(recording, turns, _BOTH)

    assert done.turns == tuple(turns)
    assert done.masks == ()
    assert np.array_equal(done.recording.channels[1].samples, recording.channels[1].samples)


@pytest.mark.parametrize("level", [-20.0, -50.0])
@pytest.mark.parametrize("tone", [0.02, 0.03, 0.05])
def test_short_and_weak_traces_of_keys_are_masked_too(tone: float, level: float) -> None:
    quiet = Recording(tuple(AudioFrame(channel.samples // 30) for channel in call().channels), TELEPHONY, "")
    sound = make_key_tones(b"48", Seconds(tone), Seconds(0.3), level).samples
    planes = [channel.samples.copy() for channel in quiet.channels]
    planes[1][80_000:][: len(sound)] += sound
    done = mask(Recording(tuple(AudioFrame(plane) for plane in planes), TELEPHONY, ""), [], _BOTH)

    assert [event.span.speaker for event in done.events] == [Speaker.AGENT]
    assert is_masked(done.recording, 9.99, 13.9)


@pytest.mark.testdata
def test_no_tone_of_a_real_recording_of_keys_is_left(testdata: Path) -> None:
    sounds = [read(path) for path in sorted((testdata / "dtmf").iterdir()) if path.suffix in {".wav", ".mp3"}]
    masked = [mask(sound, [], [None] * len(sound.channels)) for sound in sounds]

    assert sum(bool(call.masks) for call in masked) >= 7
    assert not [span for call in masked for channel in call.recording.channels for span in key_spans(channel)]


def test_events_are_told_outside_the_masks_only() -> None:
    spans = [(19.0, 21.0), (20.5, 22.0), (22.0, 26.0), (18.0, 30.0), (1.0, 2.0)]
    given = [CallEvent(EventKind.LOUDNESS, Span(Seconds(start), Seconds(end), Speaker.AGENT), -20.0) for start, end in spans]
    done = mask(with_keys(call(), b"4821", 20.0), [], _BOTH, given)
    (begin, end) = done.masks[0].start, done.masks[0].end
    told = [(event.span.start, event.span.end) for event in done.events if event.kind is EventKind.LOUDNESS]

    assert told == [(1.0, 2.0), (18.0, 30.0), (19.0, begin), (end, 26.0)]


def test_more_channels_than_known_speakers_are_masked_all_the_same() -> None:
    done = mask(with_keys(call(channels=3), b"4821", 20.0, channel=2), [], _BOTH)

    assert [event.span.speaker for event in done.events] == [None]
    assert is_masked(done.recording, 20.0, 23.9)


@settings(max_examples=150, deadline=None)
@given(
    st.text("0123456789", min_size=3, max_size=19),
    st.sampled_from([ENGLISH, RUSSIAN, CHINESE]),
    st.sampled_from([Kind.CARD, Kind.PIN, Kind.PHONE]),
    st.integers(0, 2**32).map(Random),
    st.lists(st.tuples(st.floats(0, 30), st.floats(0.05, 3)), max_size=3),
)
def test_what_was_masked_holds_no_secret_and_is_left_as_it_is(
    digits: str, language: Language, kind: Kind, random: Random, pressed: list[tuple[float, float]]
) -> None:
    told = dialogue(digits, kind, language, random.choice(styles(language)), random, NOISY).turns
    turns = [SpokenTurn(Speaker(it.speaker), it.said.words[0].start, it.said.words[-1].end, it.said) for it in told]
    keys = [MaskedTime(Seconds(start), Seconds(start + length), ("keys",)) for start, length in pressed]
    once, masks = mask_turns(turns, keys, Seconds(60.0))

    assert find_spans([Turn(turn.speaker or "", turn.transcript) for turn in once]) == ()
    assert mask_turns(once, masks, Seconds(60.0)) == (once, masks)
    assert not any(it.start < edge < it.end for turn in once for edge in (turn.start, turn.end) for it in masks)
