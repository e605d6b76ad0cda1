"""Tables as CSV: a folder with a file each.

RFC 4180 in UTF-8 with a byte order mark, without which spreadsheets misread Cyrillic and Chinese. A text that looks like a
formula has ``'`` before it.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from engine.qa.export import TABLES, Column, Row, Value, harmless, plain
from engine.qa.report.markup import clean
from engine.runtime.quality.tables import Tables
from engine.runtime.quality.whole_files import whole


class CsvTables(Tables):
    """See the module."""

    def __init__(self, folder: Path, tables: Mapping[str, Sequence[Column]] = TABLES) -> None:
        super().__init__()
        self._folder, self._tables = folder, tables
        self._writers: dict[str, Any] = {}

    def __enter__(self) -> Self:
        """Open all tables."""
        super().__enter__()
        for name, columns in self._tables.items():
            part = self.enter_context(whole(self._folder / f"{name}.csv"))
            file = self.enter_context(part.open("w", encoding="utf-8-sig", newline=""))
            self._writers[name] = csv.writer(file)
            self._writers[name].writerow(column.name for column in columns)
        return self

    def add(self, table: str, row: Row) -> None:
        """Write one row."""
        self._writers[table].writerow(map(_written, row))


def _written(value: Value) -> str | float | int | None:
    found = plain(value)
    if isinstance(found, bool):
        return "true" if found else "false"
    return harmless(clean(found)) if isinstance(found, str) else found
