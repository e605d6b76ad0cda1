"""Sheets that people fill in."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.errors import MediaError
from engine.qa.checks import Verdict
from engine.qa.sheets import Asked, Known, read_sheet, write_sheet

CALL, OTHER = "ab" * 32, "cd" * 32
KNOWN = Known({3: {CALL: ("greets", "thanks"), OTHER: ("greets", "thanks")}}, {})
HEAD = "sample,call,question,verdict,comment\r\n"


def filled_in(*rows: str) -> str:
    return HEAD + "\r\n".join(rows)


def test_a_sheet_comes_back_as_it_was_filled_in() -> None:
    empty = write_sheet([Asked(3, CALL, "greets", "Does she greet?", "call 1"), Asked(3, CALL, "thanks", "", "call 1")])
    rows = list(csv.DictReader(io.StringIO(empty, newline="")))
    rows[0] |= {"verdict": " Fail ", "comment": "mumbled,\nand late"}
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, rows[0], delimiter=";")
    writer.writeheader()
    writer.writerows(rows)
    sheet = read_sheet(out.getvalue(), "s.csv", KNOWN)

    assert "engine" not in rows[0]
    assert (sheet.blind, sheet.empty, sheet.problems) == (True, 1, ())
    assert [(it.call, it.question, it.verdict, it.comment) for it in sheet.filled] == [
        (CALL, "greets", Verdict.FAIL, "mumbled,\nand late")
    ]


def test_a_sheet_that_showed_the_engines_verdicts_is_not_blind() -> None:
    empty = write_sheet([Asked(3, CALL, "greets", "", "", engine="pass")])

    assert empty.splitlines()[0].endswith(",engine")
    assert not read_sheet(empty, "s.csv", KNOWN).blind


def test_json_lines_will_do_too() -> None:
    row = {"sample": 3, "call": CALL, "question": "greets", "verdict": "n/a", "comment": None}
    sheet = read_sheet(json.dumps(row) + "\n\n{broken\n[1]\n", "s.jsonl", KNOWN)

    assert [(it.verdict, it.comment) for it in sheet.filled] == [(Verdict.NA, "")]
    assert [it.partition(" found")[0] for it in sheet.problems] == [
        "s.jsonl:3: expected one JSON object a line,",
        "s.jsonl:4: expected one JSON object a line,",
    ]


def test_bad_rows_are_told_one_line_each_and_the_good_ones_are_taken() -> None:
    sheet = read_sheet(
        filled_in(
            f"3,{CALL},greets,pass,",
            f"3,{CALL},greats,pass,",
            f"3,{CALL},thanks,perhaps,",
            f"3,{'ef' * 32},greets,pass,",
            f"9,{CALL},greets,pass,",
            f",{CALL},greets,pass,",
            f"3,{OTHER[:12]},greets,fail,",
            f"3,{OTHER[:4]},thanks,fail,",
        ),
        "s.csv",
        KNOWN,
    )

    assert [(it.call, it.verdict) for it in sheet.filled] == [(CALL, Verdict.PASS), (OTHER, Verdict.FAIL)]
    assert sheet.problems == (
        "s.csv:3: question: expected one of greets or thanks, found 'greats'; did you mean 'greets'?",
        "s.csv:4: verdict: expected pass, fail, na or unknown, found 'perhaps'",
        f"s.csv:5: call: expected a call of draw 3, found '{'ef' * 30}…'",
        "s.csv:6: sample: expected the number of a draw: 3, found '9'",
        "s.csv:7: sample: expected the number of a draw: 3, found ''",
        "s.csv:9: call: expected a call of draw 3, found 'cdcd'",
    )


def test_a_reviewer_answers_a_question_once() -> None:
    known = Known(KNOWN.drawn, {(3, CALL, "greets"): Verdict.PASS})
    sheet = read_sheet(
        filled_in(f"3,{CALL},greets,pass,", f"3,{CALL},greets,fail,", f"3,{CALL},thanks,na,", f"3,{CALL},thanks,fail,"),
        "s.csv",
        known,
    )

    assert sheet.again == 1
    assert [(it.question, it.verdict) for it in sheet.filled] == [("thanks", Verdict.NA)]
    assert sheet.problems == (
        "s.csv:3: verdict: expected one a reviewer of greets of call abababababab, found fail after pass",
        "s.csv:5: verdict: expected one a reviewer of thanks of call abababababab, found fail after na",
    )


def test_what_is_no_sheet_is_refused_as_a_whole() -> None:
    for text in ("", "call,verdict\n", "hello"):
        with pytest.raises(MediaError, match=r"s\.csv:1: expected the columns sample, call, question or verdict"):
            read_sheet(text, "s.csv", KNOWN)


def test_a_row_that_is_too_long_is_told_and_the_next_is_taken() -> None:
    sheet = read_sheet(filled_in(f"3,{CALL},greets,pass,{'x' * 140_000}", f"3,{CALL},thanks,pass,ok"), "s.csv", KNOWN)

    assert [it.question for it in sheet.filled] == ["thanks"]
    assert sheet.problems[0].startswith("s.csv:2: expected a row of a table (CSV), found: field larger")


def test_nothing_on_a_sheet_is_a_formula() -> None:
    cells = next(csv.reader(io.StringIO(write_sheet([Asked(1, CALL, "q", "=1+1", "@SUM(A1)")]).split("\r\n")[1])))

    assert (cells[3], cells[4]) == ("'=1+1", "'@SUM(A1)")


@given(st.text(max_size=300))
def test_whatever_is_on_a_sheet_is_taken_or_told(text: str) -> None:
    sheet = read_sheet(HEAD + text, "s.csv", KNOWN)

    assert all(it.startswith("s.csv:") for it in sheet.problems)
