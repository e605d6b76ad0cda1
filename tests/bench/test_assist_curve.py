"""The curve of handed-over phrases against wrong jumps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from bench.assist_curve import Agent, _row, _under
from bench.curve_drawing import Line, Spot, drawn
from bench.curve_queries import Query, hear
from engine.assist.learning.bars import Case
from engine.core.audio import AudioFrame
from engine.core.speech import Transcript, Word
from engine.core.units import Confidence, Seconds
from engine.dialogue.graph import NodeId, Thresholds
from engine.dialogue.ladder import Option

LIMITS = Thresholds(accept=Confidence(0.8), confirm=Confidence(0.8))


def case(sure: float, wanted: str | None, group: int) -> Case:
    return Case((Option("card", NodeId("card"), Confidence(sure)),), None, None if wanted is None else NodeId(wanted), group)


def test_what_is_handed_over_lands_as_well_as_the_agent_is() -> None:
    phrases = [case(0.9, "card", 0), case(0.9, "loan", 1), case(0.5, "loan", 2), case(0.5, None, 3)]
    row = _row("x", _under(phrases, ["clean"] * 4, lambda _: LIMITS), Agent(cant_tell=0.5, mistakes=0.1))

    assert (row["handed_over"], row["right"], row["wrong"]) == (50.0, 25.0, 25.0)
    assert row["landed"] == 50.0  # nobody lands who wants nothing of the flow
    assert row["landed_other_agent"] == pytest.approx(25.0 + 25.0 * 0.4)
    assert row["wrong_other_agent"] == pytest.approx(25.0 + 50.0 * 0.1)


def test_two_voices_of_one_sentence_are_one_trial() -> None:
    once = _row("x", _under([case(0.9, "card", 0)], [""], lambda _: LIMITS), Agent())
    twice = _row("x", _under([case(0.9, "card", 0)] * 2, [""] * 2, lambda _: LIMITS), Agent())

    assert once["wrong_up_to"] == twice["wrong_up_to"]


class Ears:
    """Hears the same in everything, and counts."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, *_: object) -> Transcript:
        self.count += 1
        return Transcript((Word("hello", Seconds(0.1), Seconds(0.4), Confidence(0.9)),), confidence=Confidence(0.8))


def test_what_was_heard_is_not_heard_again_and_a_line_cut_off_by_a_kill_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ears, scratch = Ears(), tmp_path / "heard.jsonl"
    monkeypatch.setattr("bench.curve_queries.transcriber_for", lambda *_: None)
    monkeypatch.setattr("bench.curve_queries._heard", ears)
    first = Query("a", "hello", "greet", "clean", lambda: AudioFrame(np.zeros(8, np.int16)))
    queries = [first, replace(first, name="b")]
    whole = hear(queries, scratch, "both")
    scratch.write_text(scratch.read_text(encoding="utf-8")[:-20], encoding="utf-8")
    again, once_more = (hear(queries, scratch, "both") for _ in range(2))

    assert ears.count == 3
    assert again == once_more == whole
    assert again[0].heard.text == "hello"


def test_the_picture_is_sound_xml_and_names_every_line_and_spot() -> None:
    lines = [Line("wrong < 1 %", [(0.0, 9.0), (50.0, 0.4)]), Line("other", [(0.0, 9.0), (50.0, 1.0)])]
    picture = drawn("handed over", [lines, lines], [[Spot("today & now", 10.0, 2.0)], []])
    words = [text.text for text in ET.fromstring(picture).iter("{http://www.w3.org/2000/svg}text")]

    assert words.count("wrong < 1 %") == 2
    assert "1: today & now: 2 at 10" in words


def test_a_curve_that_is_flat_on_the_ground_can_be_drawn() -> None:
    assert "polyline" in drawn("x", [[Line("none", [(0.0, 0.0), (1.0, 0.0)])]], [[]])
