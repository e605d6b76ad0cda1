"""Writes scores as tables or documents, row by row: memory does not grow with their number.

CSV and Parquet are a folder with a file a table, XLSX one workbook with a sheet a table, JSON and JSON Lines one file with an
object a score. No spreadsheet calculates anything of it: texts that look like formulas are marked as texts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path

from sqlalchemy import Engine

from engine.qa.export import TABLES, Row, call_row, document, score_rows
from engine.qa.report.markup import clean
from engine.qa.scored_calls import Recorded, ScoredCall
from engine.runtime.quality.csv_tables import CsvTables
from engine.runtime.quality.tables import Tables
from engine.runtime.quality.whole_files import whole
from engine.store.quality_reading import Selection, recordings, scored_calls, snapshot


class Format(StrEnum):
    """What an export is written as."""

    XLSX = "xlsx"
    CSV = "csv"
    PARQUET = "parquet"
    JSON = "json"
    JSONL = "jsonl"


def export(engine: Engine, chosen: Selection, format: Format, out: Path) -> Mapping[str, int]:
    """Write everything that was chosen; gives how many rows each table has, or how many objects there are.

    Raises:
        ConfigError: it can't be written, or what writes the format is not installed.
    """
    if format in {Format.JSON, Format.JSONL}:
        return {"objects": _documents(engine, chosen, format, out)}
    counts = dict.fromkeys(TABLES, 0)
    with _writer(format)(out) as tables:
        for table, row in _rows(engine, chosen):
            tables.add(table, row)
            counts[table] += 1
    return counts


def _rows(engine: Engine, chosen: Selection) -> Iterator[tuple[str, Row]]:
    with snapshot(engine) as connection:
        for call in recordings(connection, chosen):
            yield "calls", call_row(call)
        for scored in scored_calls(connection, chosen):
            yield from score_rows(scored)


def _documents(engine: Engine, chosen: Selection, format: Format, out: Path) -> int:
    first, between, last = ("[\n", ",\n", "\n]\n") if format is Format.JSON else ("", "\n", "\n")
    number = 0
    with whole(out) as part, part.open("w", encoding="utf-8", newline="\n") as file:
        file.write(first)
        for call, score in _each(engine, chosen):
            told = json.dumps(document(call, score), ensure_ascii=False, separators=(",", ":"))
            file.write((between if number else "") + clean(told))
            number += 1
        file.write(last if number or format is Format.JSON else "")
    return number


def _each(engine: Engine, chosen: Selection) -> Iterator[tuple[Recorded, ScoredCall | None]]:
    """Every score with its call, then every call without a score."""
    scored: set[str] = set()  # 16 digits of each hash: enough to tell a billion apart
    with snapshot(engine) as connection:
        for score in scored_calls(connection, chosen):
            scored.add(score.recording.content[:16])
            yield score.recording, score
        for call in recordings(connection, chosen):
            if call.content[:16] not in scored:
                yield call, None


def _writer(format: Format) -> Callable[[Path], Tables]:
    match format:
        case Format.PARQUET:
            from engine.runtime.quality.parquet_tables import ParquetTables  # noqa: PLC0415  a heavy extra

            return ParquetTables
        case Format.XLSX:
            from engine.runtime.quality.workbook_tables import WorkbookTables  # noqa: PLC0415  only where it is wanted

            return WorkbookTables
    return CsvTables
