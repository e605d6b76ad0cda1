"""The bench of the masking measures what it says."""

from __future__ import annotations

import pytest

from bench import masking
from bench.masking import Reading, cases, covered
from bench.masking_innocent import innocent
from engine.privacy import Kind


def test_every_language_kind_and_manner_is_measured_in_every_wording() -> None:
    sorts = {(case.wording, case.manner, case.language, case.kind) for case in cases(1, 1)}

    assert len(sorts) == 4 * 3 * 3 * 6


def test_a_masking_that_finds_nothing_leaves_every_word(monkeypatch: pytest.MonkeyPatch) -> None:
    def blind(_: object) -> tuple[()]:
        return ()

    told = next(case.told for case in cases(1, 1) if case.kind is Kind.CARD)
    seen = Reading.of(told, covered(told.turns))
    monkeypatch.setattr(masking, "find_spans", blind)

    assert (seen.left, seen.spoilt) == (0, 0)
    assert Reading.of(told, covered(told.turns)) == Reading(len(set(told.secret)), 0, 0)


def test_what_is_stored_loses_words_beside_the_number_too() -> None:
    told = next(case.told for case in cases(1, 1) if case.kind is Kind.PIN)
    words, stored = covered(told.turns), masking.stored(told.turns)

    assert words < stored
    assert Reading.of(told, stored).spoilt > Reading.of(told, words).spoilt


def test_innocent_sentences_have_their_numbers_filled_in() -> None:
    told = list(innocent(20, 3))

    assert {(language, sort) for language, sort, _, _ in told} == {
        (a, b) for a in ("en", "ru", "zh") for b in ("sum", "date", "time", "count", "branch")
    }
    assert not any("{" in text for _, _, _, text in told)
