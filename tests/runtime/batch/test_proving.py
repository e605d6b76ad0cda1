"""A proof says what is left in a masked recording and beside it, and never how it was said."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from engine.audio.keytones import make_key_tones
from engine.audio.masks import masked
from engine.audio.recording import Recording
from engine.core.audio import TELEPHONY, AudioFrame
from engine.core.call import Speaker
from engine.core.errors import MediaError
from engine.core.speech import Transcript, Word
from engine.core.units import Seconds
from engine.runtime.batch.beside import Words, kept_beside, said_in, secrets_beside, words_of
from engine.runtime.batch.proving import Ear, Place, Proof, keys_left, seal, tone_spans, words_left
from engine.runtime.transcribe import SpokenTurn

CARD = "4539148803436467"


def sound(*plane: np.ndarray[tuple[int], np.dtype[np.int16]]) -> Recording:
    return Recording(tuple(AudioFrame(each) for each in plane), TELEPHONY, "WAV/PCM_16")


def noise(seconds: float) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    return np.random.default_rng(2).integers(-99, 99, round(8_000 * seconds), dtype=np.int16)


def said(text: str, start: float, end: float, *alternatives: str) -> SpokenTurn:
    words = (Word(text, Seconds(start), Seconds(end)),)
    return SpokenTurn(Speaker.CALLER, Seconds(start), Seconds(end), Transcript(words, alternatives=alternatives))


def ear(*turns: SpokenTurn) -> Ear:
    def hear(recording: Recording) -> Sequence[SpokenTurn]:
        return turns

    return Ear("listener", hear)


def test_a_key_that_is_left_is_told_by_its_channel_and_time() -> None:
    keys = make_key_tones(b"59", Seconds(0.1), Seconds(0.1)).samples
    plane = noise(4.0)
    plane[8_000:][: len(keys)] += keys
    (place, *_) = left = list(keys_left(sound(noise(4.0), plane)))

    assert {(it.where, it.kind) for it in left} == {("keys of channel 2", "keys")}
    assert place.start == pytest.approx(0.94, abs=0.01)


def test_a_secret_that_is_heard_again_is_told_by_its_time_and_never_as_it_was_said() -> None:
    left = list(words_left(sound(noise(9.0)), ear(said(f"card {CARD}", 2.0, 6.0, f"card number {CARD}"))))

    assert left == [
        Place("listener", "card_number", Seconds(2.0), Seconds(6.0)),
        Place("listener, other readings", "digits", Seconds(2.0), Seconds(6.0)),
    ]


def test_what_a_recogniser_makes_of_the_tone_is_no_secret() -> None:
    quiet = masked(sound(noise(9.0), noise(9.0)), [(Seconds(1.0), Seconds(7.0))])

    assert [(it.start, it.end) for it in tone_spans(quiet)] == [(1.0, 7.0)]
    assert not list(words_left(quiet, ear(said(CARD, 2.0, 6.0))))
    assert list(words_left(quiet, ear(said(CARD, 2.0, 7.5))))


def test_a_seal_is_broken_by_any_change() -> None:
    proof = Proof({"a.wav": "0" * 64}, Seconds(9.0), ("keys",), ()).as_json()

    assert proof["clean"] is True
    assert proof["seal"] == seal(proof)
    assert seal({**proof, "clean": False}) != proof["seal"]


def transcript(text: str) -> str:
    return json.dumps({"language": "en", "turns": [{"speaker": "caller", "start": 0, "end": 9, "text": text}]})


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("a.json", transcript(f"my card is {CARD}"), True),
        ("a.json", transcript("my card is • and I paid two hundred dollars"), False),
        ("a.result.json", json.dumps({"questions": [{"evidence": [{"text": f"it is {CARD}", "start": 3.0}]}]}), True),
        ("a.result.json", json.dumps({"revision": CARD, "questions": [{"evidence": [{"text": "it is •"}]}]}), False),
        ("a.csv", f"call,said\na,it is {CARD}\n", True),
        ("a.csv", "call,said\n9f3451d7788812ac9f3451d7788812ac,it is •\n2026-11-22T05:17:00+00:00,hello\n", False),
        ("a.tsv", f"a\t{CARD}\n", True),
        ("a.txt", f"hello\n{CARD}\n", True),
        ("a.jsonl", json.dumps({"text": f"it is {CARD}"}) + "\n", True),
    ],
)
def test_texts_beside_a_recording_are_searched(tmp_path: Path, name: str, text: str, found: bool) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    left = list(secrets_beside([words_of(tmp_path / name)]))

    assert bool(left) is found
    assert {it.where for it in left} <= {name}
    assert CARD not in str(left)


def test_a_quotation_is_judged_in_its_place_in_the_transcript(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(transcript("I was at branch number 4021 yesterday"), encoding="utf-8")
    kept = words_of(tmp_path / "a.json")

    assert not list(secrets_beside([kept, Words("score 1", pieces=("4021 yesterday",))]))


@pytest.mark.parametrize(("name", "text"), [("a.json", "{"), ("a.json", '{"turns": [{"text": "4111"}]}'), ("a.txt", "\udcff")])
def test_what_can_t_be_read_is_refused_without_a_word_of_it(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(MediaError, match="expected") as refused:
        words_of(tmp_path / name)

    assert "4111" not in str(refused.value)


def test_files_with_its_name_and_its_transcript_in_the_folder_of_quality_control_belong_to_it(tmp_path: Path) -> None:
    wanted = ["sound/ab/abc.f00d.csv", "transcripts/ab/abc.f00d.json"]
    for name in (*wanted, "sound/ab/abc.f00d.wav", "sound/ab/abd.csv", "sound/ab/abc.f00d.proof.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()

    assert list(kept_beside(tmp_path / "sound/ab/abc.f00d.wav")) == [tmp_path / name for name in wanted]


def test_only_what_somebody_said_or_wrote_is_taken_from_json() -> None:
    found = {"revision": "1", "comment": "a", "list": [{"text": "b", "start": 1}, {"alternatives": ["c", 4]}], "answer": None}

    assert list(said_in(found)) == ["a", "b", "c"]
