"""Tables as an Excel workbook: a sheet each; where a sheet is full, it goes on in the next (``verdicts 2``).

Every text is written as a text, and one that looks like a formula is marked so that it stays a text when somebody edits its cell.
Rows are written as they come, in constant memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import xlsxwriter

from engine.qa.export import TABLES, Column, Kind, Row, is_formula, plain
from engine.qa.report.markup import clean
from engine.runtime.quality.tables import Tables
from engine.runtime.quality.whole_files import whole

_MOST_ROWS = 1_048_576  # of a sheet, its head included
_LONGEST = 32_767  # characters of a cell
_BROAD = {Kind.TEXT: 24, Kind.MOMENT: 21}  # characters; the others 12


class WorkbookTables(Tables):
    """See the module."""

    def __init__(self, path: Path, most_rows: int = _MOST_ROWS, tables: Mapping[str, Sequence[Column]] = TABLES) -> None:
        super().__init__()
        self._path, self._most, self._tables = path, most_rows, tables
        self._sheets: dict[str, _Sheet] = {}

    def __enter__(self) -> Self:
        """Begin all sheets, in order."""
        super().__enter__()
        part = self.enter_context(whole(self._path))
        options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
        book = xlsxwriter.Workbook(str(part), options)
        self.callback(book.close)
        self._sheets = {name: _Sheet(book, name, columns, self._most) for name, columns in self._tables.items()}
        return self

    def add(self, table: str, row: Row) -> None:
        """Write one row."""
        self._sheets[table].add(row)


class _Sheet:
    """A table's sheets."""

    def __init__(self, book: Any, name: str, columns: Sequence[Column], most: int) -> None:
        self._book, self._name, self._columns, self._most = book, name, columns, most
        self._head = book.add_format({"bold": True, "bottom": 1})
        self._text = book.add_format({"quote_prefix": True})
        self._number = 0
        self._begin()

    def add(self, row: Row) -> None:
        if self._next == self._most:
            self._begin()
        for place, value in enumerate(row):
            self._write(place, plain(value))
        self._next += 1

    def _begin(self) -> None:
        self._number += 1
        self._sheet = self._book.add_worksheet(self._name if self._number == 1 else f"{self._name} {self._number}")
        self._sheet.freeze_panes(1, 0)
        for place, column in enumerate(self._columns):
            self._sheet.set_column(place, place, _BROAD.get(column.kind, 12))
            self._sheet.write_string(0, place, column.name, self._head)
        self._next = 1

    def _write(self, place: int, value: str | float | bool | None) -> None:
        match value:
            case None:
                return
            case bool():
                self._sheet.write_boolean(self._next, place, value)
            case str():
                text = clean(value if len(value) <= _LONGEST else value[: _LONGEST - 1] + "…")
                self._sheet.write_string(self._next, place, text, self._text if is_formula(text) else None)
            case _:
                self._sheet.write_number(self._next, place, value)
