"""Where continuous speech is cut; a loud tone is a voice."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.asr.phrasing import PHRASES, RATES, Cue, Drop, Ended, Phrasing, Try
from engine.audio.resample import resample
from engine.core.audio import TELEPHONY, WIDEBAND, AudioFormat, AudioFrame, joined, silence
from engine.core.errors import MediaError
from engine.core.units import Seconds
from engine.testing.parts import Loudness, tone

QUIET = Seconds(1.0)
TWO_PHRASES = joined([silence(QUIET), tone(Seconds(1.5)), silence(QUIET), tone(Seconds(0.5)), silence(QUIET)])
SHORT = replace(PHRASES, longest=Seconds(4.0))


def cues_of(sound: AudioFrame, blocks: int = 160, phrasing: Phrasing | None = None) -> list[Cue]:
    phrasing = phrasing or Phrasing(Loudness(), sound.format)
    cues: list[Cue] = []
    for offset in range(0, len(sound.samples), blocks):
        cues += phrasing.hear(AudioFrame(sound.samples[offset : offset + blocks], sound.format))
    return cues + list(phrasing.finish())


def phrases_of(cues: list[Cue]) -> list[tuple[float, float]]:
    return [(round(cue.start, 2), round(cue.end, 2)) for cue in cues if isinstance(cue, Ended)]


def sound_of(cues: list[Cue], ended: Ended) -> AudioFrame:
    (tried,) = (cue for cue in cues if isinstance(cue, Try) and cue.number == ended.number)
    return tried.sound


def test_every_phrase_is_cut_where_it_lies() -> None:
    cues = cues_of(TWO_PHRASES)

    assert phrases_of(cues) == [(1.0, 2.5), (3.5, 4.0)]
    for ended in (cue for cue in cues if isinstance(cue, Ended)):
        sound = sound_of(cues, ended)
        assert sound.start_s < ended.start
        assert sound.end_s > ended.end


@settings(max_examples=25, deadline=None)
@given(blocks=st.lists(st.integers(1, 9000), min_size=1, max_size=40))
def test_the_same_sound_gives_the_same_phrases_in_blocks_of_any_length(blocks: list[int]) -> None:
    phrasing = Phrasing(Loudness())
    cues: list[Cue] = []
    at = 0
    for block in blocks:
        cues += phrasing.hear(AudioFrame(TWO_PHRASES.samples[at : at + block]))
        at += block
    cues += phrasing.hear(AudioFrame(TWO_PHRASES.samples[at:]))
    cues += phrasing.finish()

    assert phrases_of(cues) == [(1.0, 2.5), (3.5, 4.0)]


@pytest.mark.parametrize("rate_hz", RATES)
def test_phrases_lie_at_the_same_times_at_every_rate(rate_hz: int) -> None:
    cues = cues_of(resample(TWO_PHRASES, AudioFormat(rate_hz)), blocks=rate_hz // 5)

    expected = [(1.0, 2.5), (3.5, 4.0)]
    assert phrases_of(cues) == [pytest.approx(phrase, abs=0.041) for phrase in expected]
    formats = {cue.sound.format for cue in cues if isinstance(cue, Try)}
    assert formats == {TELEPHONY if rate_hz == 8000 else WIDEBAND}


@pytest.mark.parametrize("rate_hz", [8001, 44_099, 47_999])
def test_a_rate_that_nobody_uses_is_refused(rate_hz: int) -> None:
    with pytest.raises(MediaError, match=f"8000, 11025.*found {rate_hz}"):
        Phrasing(Loudness(), AudioFormat(rate_hz))


def test_what_is_still_being_said_at_the_end_is_a_phrase() -> None:
    assert phrases_of(cues_of(joined([silence(QUIET), tone(Seconds(1.234))]))) == [(1.0, 2.24)]


def test_silence_is_no_phrase() -> None:
    assert cues_of(silence(Seconds(5.0))) == []


def test_a_partial_try_is_made_every_so_often_but_not_before_the_last_one_was_answered() -> None:
    phrasing = Phrasing(Loudness())
    assert phrasing.hear(tone(Seconds(0.4))) == ()
    (first,) = phrasing.hear(tone(Seconds(1.4)))
    phrasing.answered(first.number)
    (second,) = phrasing.hear(tone(Seconds(0.1)))

    assert isinstance(first, Try)
    assert isinstance(second, Try)
    assert first.partial
    assert second.partial
    assert second.sound.start == first.sound.start


def test_a_try_is_dropped_when_the_speaker_goes_on() -> None:
    phrasing = Phrasing(Loudness(), policy=replace(PHRASES, partial_every=Seconds(0.0)))
    pausing = joined([tone(Seconds(1.0)), silence(Seconds(0.5)), tone(Seconds(1.0))])
    first, dropped = phrasing.hear(pausing)
    second, ended = phrasing.hear(silence(QUIET))

    assert isinstance(first, Try)
    assert dropped == Drop(first.number)
    assert isinstance(second, Try)
    assert ended == Ended(second.number, Seconds(0.0), Seconds(2.5))


def test_who_never_pauses_is_cut_at_the_quietest_moment_and_no_sound_is_lost_or_heard_twice() -> None:
    at = np.arange(8000 * 13) / 8000
    wavering = tone(Seconds(13.0)).samples * (1.1 + np.cos(2 * np.pi * at / 1.6)) / 2.1  # quietest at 0.8, 2.4, 4.0 s, ...
    cues = cues_of(AudioFrame(wavering.astype(np.int16)), phrasing=Phrasing(Loudness(), policy=SHORT))

    ended = [cue for cue in cues if isinstance(cue, Ended)]
    sounds = [sound_of(cues, one) for one in ended]
    assert len(ended) > 3
    assert sounds[0].start == 0
    assert sounds[-1].end_s == pytest.approx(13.0, abs=0.001)
    for before, after in pairwise(sounds):
        assert 0.0 <= before.end_s - after.start_s <= 0.021
        quiet = (before.end_s + 0.8) % 1.6
        assert min(quiet, 1.6 - quiet) < 0.05


def test_after_a_skip_times_count_on_from_there() -> None:
    phrasing = Phrasing(Loudness(), WIDEBAND)
    spoken = resample(TWO_PHRASES, WIDEBAND)
    before = [*phrasing.hear(AudioFrame(spoken.samples[: 16_000 * 2], WIDEBAND)), *phrasing.skip(Seconds(100.0))]
    after = list(phrasing.hear(spoken))

    assert phrases_of(before) == [pytest.approx((1.0, 2.0), abs=0.041)]
    assert phrases_of(after)[0] == pytest.approx((101.0, 102.5), abs=0.041)
    with pytest.raises(MediaError, match=r"skip to 105\.000 s or later, found 3\.000"):
        phrasing.skip(Seconds(3.0))


def test_after_minutes_no_more_is_remembered_than_the_longest_phrase() -> None:
    phrasing = Phrasing(Loudness(), policy=SHORT)
    minute = joined([tone(Seconds(20.0)), silence(Seconds(20.0)), tone(Seconds(20.0))])
    for _ in range(5):
        phrasing.hear(minute)

    assert sum(frame.duration for frame in phrasing._sound) < 10.0
    assert phrasing.now == 300.0


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["voice", "quiet", "finish", "skip"]), st.integers(0, 6000)), max_size=12))
def test_tries_and_phrases_always_fit_each_other(steps: list[tuple[str, int]]) -> None:
    phrasing = Phrasing(Loudness(), policy=SHORT)
    cues: list[Cue] = []
    for step, length in steps:
        loud = 8000 if step == "voice" else 0
        match step:
            case "finish":
                cues += phrasing.finish()
            case "skip":
                cues += phrasing.skip(Seconds(phrasing.now + length / 1000))
            case _:
                cues += phrasing.hear(AudioFrame(np.resize(np.array([loud, -loud], np.int16), length * 8)))
    cues += phrasing.finish()

    open_tries: set[int] = set()
    told = 0.0
    for cue in cues:
        match cue:
            case Try(number):
                assert not open_tries
                open_tries.add(number)
            case Drop(number):
                open_tries.remove(number)
            case Ended(number, start, end):
                open_tries.remove(number)
                assert told - 0.021 <= start <= end
                told = end
    assert not open_tries
    assert not phrasing.speaking
