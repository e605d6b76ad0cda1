"""Exports as files."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from sqlalchemy import Engine, update

from engine.core.errors import ConfigError
from engine.qa.export import TABLES
from engine.runtime.quality import export as exporting
from engine.runtime.quality.csv_tables import CsvTables
from engine.runtime.quality.export import Format, export
from engine.runtime.quality.whole_files import whole
from engine.runtime.quality.workbook_tables import WorkbookTables
from engine.store.database import connect
from engine.store.quality_models import RecordingRow
from engine.store.quality_reading import Selection
from engine.testing.quality import fill
from tests.databases import store_in

HOSTILE = '=HYPERLINK("http://evil.example","click") <b>\x01\nИмя'
SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    engine = connect(store_in(tmp_path_factory.mktemp("quality")))
    fill(engine, 60, 2)
    facts = json.dumps({"agent": HOSTILE, "team": "\ud800lone", "call_id": "-7", "branch": "+1"})
    with engine.begin() as connection:
        connection.execute(update(RecordingRow).values(facts=facts))
    return engine


def cells(path: Path, sheet: int) -> list[list[tuple[str, str]]]:
    """A sheet's rows: of each cell its type and its text."""
    with zipfile.ZipFile(path) as book:
        tree = ET.fromstring(book.read(f"xl/worksheets/sheet{sheet}.xml"))
    return [[(it.get("t", "n"), "".join(it.itertext())) for it in row] for row in tree.iter(f"{SHEET}row")]


def test_csv_has_a_file_a_table_that_spreadsheets_and_programs_read(filled: Engine, tmp_path: Path) -> None:
    counts = export(filled, Selection(), Format.CSV, tmp_path / "out")
    calls = list(csv.DictReader(io.StringIO((tmp_path / "out" / "calls.csv").read_text("utf-8-sig"), newline="")))

    assert {it.stem for it in (tmp_path / "out").iterdir()} == set(TABLES)
    assert (tmp_path / "out" / "calls.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert list(calls[0]) == [it.name for it in TABLES["calls"]]
    assert len(calls) == counts["calls"] == 60
    assert calls[0]["agent"] == "'" + HOSTILE.replace("\x01", "\ufffd")
    assert calls[0]["call_id"] == "'-7"
    assert re.fullmatch(r"2026-\d\d-\d\dT\d\d:\d\d:\d\dZ", calls[0]["began"])


def test_no_cell_of_any_csv_can_be_a_formula(filled: Engine, tmp_path: Path) -> None:
    export(filled, Selection(), Format.CSV, tmp_path)
    written = [
        cell for file in tmp_path.glob("*.csv") for row in csv.reader(file.open(encoding="utf-8-sig", newline="")) for cell in row
    ]

    assert written
    assert [it for it in written if it[:1] in set("=+-@\t\r")] == []


def test_a_workbook_has_a_sheet_a_table_and_texts_only_where_texts_are(filled: Engine, tmp_path: Path) -> None:
    counts = export(filled, Selection(), Format.XLSX, tmp_path / "q.xlsx")
    with zipfile.ZipFile(tmp_path / "q.xlsx") as book:
        names = re.findall(r'<sheet name="([^"]+)"', book.read("xl/workbook.xml").decode())
        written = b"".join(book.read(it) for it in book.namelist())

    assert names == list(TABLES)
    assert [len(cells(tmp_path / "q.xlsx", place + 1)) - 1 for place in range(4)] == [counts[it] for it in TABLES]
    assert b"<f>" not in written
    assert b"<hyperlink" not in written
    assert b'quotePrefix="1"' in written
    agent = cells(tmp_path / "q.xlsx", 1)[1]
    assert ("inlineStr", HOSTILE.replace("\x01", "\ufffd")) in agent


def test_a_full_sheet_goes_on_in_the_next(tmp_path: Path) -> None:
    row = ("ab", *(None for _ in TABLES["calls"][1:]))
    with WorkbookTables(tmp_path / "q.xlsx", most_rows=3) as tables:
        for _ in range(5):
            tables.add("calls", row)
    with zipfile.ZipFile(tmp_path / "q.xlsx") as book:
        names = re.findall(r'<sheet name="([^"]+)"', book.read("xl/workbook.xml").decode())

    assert names == [*TABLES, "calls 2", "calls 3"]
    assert [len(cells(tmp_path / "q.xlsx", place)) for place in (1, 5, 6)] == [3, 3, 2]


def test_a_text_too_long_for_a_cell_is_cut(tmp_path: Path) -> None:
    with WorkbookTables(tmp_path / "q.xlsx") as tables:
        tables.add("calls", ("x" * 50_000, *(None for _ in TABLES["calls"][1:])))

    assert len(cells(tmp_path / "q.xlsx", 1)[1][0][1]) == 32_767


def test_parquet_has_types_and_the_texts_as_they_are(filled: Engine, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    counts = export(filled, Selection(), Format.PARQUET, tmp_path)
    tables = {name: parquet.read_table(tmp_path / f"{name}.parquet") for name in TABLES}

    assert {name: it.num_rows for name, it in tables.items()} == counts
    assert str(tables["calls"].schema.field("began").type) == "timestamp[us, tz=UTC]"
    assert tables["calls"].column("agent")[0].as_py() == HOSTILE.replace("\x01", "\ufffd")
    assert tables["scores"].column("fatal")[0].as_py() in {True, False}


def test_an_empty_database_gives_empty_tables_with_their_columns(tmp_path: Path) -> None:
    engine = connect(store_in(tmp_path))
    for format in Format:
        export(engine, Selection(), format, tmp_path / format / "out")

    assert (tmp_path / "csv" / "out" / "scores.csv").read_text("utf-8-sig").strip() == ",".join(
        it.name for it in TABLES["scores"]
    )
    assert json.loads((tmp_path / "json" / "out").read_text("utf-8")) == []
    assert (tmp_path / "jsonl" / "out").read_text("utf-8") == ""
    assert pytest.importorskip("pyarrow.parquet").read_table(tmp_path / "parquet" / "out" / "calls.parquet").num_rows == 0


def test_documents_hold_every_call_once_and_lines_are_the_same_as_the_list(filled: Engine, tmp_path: Path) -> None:
    count = export(filled, Selection(), Format.JSONL, tmp_path / "q.jsonl")["objects"]
    export(filled, Selection(), Format.JSON, tmp_path / "q.json")
    lines = [json.loads(it) for it in (tmp_path / "q.jsonl").read_text("utf-8").split("\n") if it]

    assert lines == json.loads((tmp_path / "q.json").read_text("utf-8"))
    assert len({it["content"] for it in lines}) == len(lines) == count == 60
    assert {it["score"] is None for it in lines if it["state"] != "scored"} == {True}


def test_what_breaks_off_leaves_the_old_file_as_it_was(filled: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    export(filled, Selection(), Format.CSV, tmp_path)
    before = {it.name: it.read_bytes() for it in tmp_path.iterdir()}

    def broken(*_: Any) -> Iterator[Any]:
        yield from ()
        raise RuntimeError("the disk is gone")

    monkeypatch.setattr(exporting, "scored_calls", broken)
    with pytest.raises(RuntimeError):
        export(filled, Selection(), Format.CSV, tmp_path)

    assert {it.name: it.read_bytes() for it in tmp_path.iterdir()} == before


def test_only_the_owner_can_read_what_was_written(filled: Engine, tmp_path: Path) -> None:
    export(filled, Selection(), Format.CSV, tmp_path / "out")

    assert {it.stat().st_mode & 0o777 for it in (tmp_path / "out").iterdir()} == {0o600}


def test_a_place_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="expected a place that can be written"), whole(tmp_path / "file" / "below"):
        pass


def test_a_row_for_a_table_that_is_not_there_is_a_bug(tmp_path: Path) -> None:
    with pytest.raises(KeyError), CsvTables(tmp_path) as tables:
        tables.add("nobody", ())

    assert list(tmp_path.iterdir()) == []
