"""What an export's tables hold."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.qa.export import TABLES, call_row, document, harmless, is_formula, plain, score_rows
from tests.qa.report.made import answer, call, proof, recorded, sought

PAGE = Path(__file__).resolve().parents[2] / "docs" / "qa" / "reports.md"


def scored_call() -> object:
    told = sought("this is the bank", nearest=proof("hello this is", 3.0))
    answers = (answer("names_bank", "fail", 10.0, evidence=(proof("mhm"),), searched=(told,)), answer("polite", "unknown"))
    return call(1, {}, 0.0, answers=answers, facts={"agent": "Ada", "call_id": "c-1", "branch": "7"})


@pytest.mark.parametrize("table", TABLES)
def test_every_column_is_on_the_page(table: str) -> None:
    section = PAGE.read_text(encoding="utf-8").partition(f"### `{table}`")[2].partition("\n### ")[0]
    rows = [line.split("|")[1].strip().strip("`") for line in section.splitlines() if line.startswith("| `")]

    assert rows == [it.name for it in TABLES[table]]


def test_rows_have_the_columns_of_their_table() -> None:
    scored = scored_call()
    rows = [("calls", call_row(scored.recording)), *score_rows(scored)]

    assert {table for table, _ in rows} == set(TABLES)
    assert all(len(row) == len(TABLES[table]) for table, row in rows)


def test_evidence_says_what_was_found_what_was_looked_for_and_what_came_nearest() -> None:
    found = [row[2:] for table, row in score_rows(scored_call()) if table == "evidence"]

    assert found == [
        ("names_bank", 1, "found", 12.0, 14.0, "agent", "mhm", None, None),
        ("names_bank", 2, "searched", 0.0, 30.0, "agent", "this is the bank", 0.8, 0.8),
        ("names_bank", 3, "nearest", 3.0, 5.0, "agent", "hello this is", None, None),
    ]


def test_facts_without_a_column_are_kept_as_json() -> None:
    row = dict(zip((it.name for it in TABLES["calls"]), call_row(scored_call().recording), strict=True))

    assert (row["call_id"], row["agent"], row["facts"]) == ("c-1", "Ada", '{"branch": "7"}')


def test_a_document_holds_the_same_and_null_where_there_is_no_score() -> None:
    scored = scored_call()
    told = document(scored.recording, scored)

    assert told["facts"] == {"agent": "Ada", "call_id": "c-1", "branch": "7"}
    assert [it["verdict"] for it in told["score"]["questions"]] == ["fail", "unknown"]
    assert [it["kind"] for it in told["score"]["questions"][0]["evidence"]] == ["found", "searched", "nearest"]
    assert document(recorded(2, "failed"), None)["score"] is None
    assert json.loads(json.dumps(told)) == told


def test_moments_are_told_in_utc() -> None:
    assert plain(datetime(2026, 9, 1, 3, tzinfo=timezone(timedelta(hours=3)))) == "2026-09-01T00:00:00Z"
    assert plain(datetime(2026, 9, 1, tzinfo=UTC)) == "2026-09-01T00:00:00Z"


@pytest.mark.parametrize(
    "text", ["=1+1", "+7 495 000", "-", "@SUM(A1)", "\t=1", "\r=1", " =1", "\ufeff=1", "\u200b=cmd", "＝1", "\n@x"]
)
def test_what_a_spreadsheet_might_calculate_is_marked(text: str) -> None:
    assert is_formula(text)
    assert harmless(text) == "'" + text


@pytest.mark.parametrize("text", ["", " ", "Ada Byron", "a=b", "7", "'=1", "李明", "…"])
def test_plain_texts_stay_as_they_are(text: str) -> None:
    assert harmless(text) == text


@given(st.text())
def test_marking_a_text_makes_it_harmless_for_good(text: str) -> None:
    assert not is_formula(harmless(text))
