"""The first sheet of an Excel workbook (.xlsx) as rows of texts, read as the hostile file that it may be.

A workbook is a zip of XML. Its parts are counted and measured before any is unpacked (a few kB can claim to be terabytes), and
one with a document type declaration is refused: nothing that Excel writes has one. Formulas are not calculated, nor the values
believed that were kept with them.
"""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from typing import Any, Final

from openpyxl import load_workbook
from openpyxl.worksheet._read_only import ReadOnlyWorksheet

from engine.outbound.campaign import ListRefused
from engine.outbound.list_file import FORMULA, MOST_ROWS

_MOST_PARTS: Final = 1_000
_MOST_UNPACKED: Final = 256 << 20  # bytes, of all parts; a list of 250,000 rows has about 150 MB
_HEAD: Final = 65_536  # bytes of a part in which a declaration would stand
_MIDNIGHT: Final = time()
_BROKEN: Final = (zipfile.BadZipFile, KeyError, ValueError, TypeError, SyntaxError, OSError, EOFError, AttributeError, IndexError)
"""What openpyxl raises for files that are none; ElementTree's error is a SyntaxError."""


def rows_of(content: bytes, name: str) -> Iterator[Sequence[str]]:
    """All rows of the first sheet, the head too.

    Raises:
        ListRefused: it is no workbook, or one that nobody should open. Iterating may raise it as well.
    """
    try:
        _inspect(content, name)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and extensions that openpyxl leaves out
            yield from _rows(content, name)
    except _BROKEN as error:
        raise ListRefused(f"{name}: expected a workbook (.xlsx), found one that is broken: {type(error).__name__}") from error


def _inspect(content: bytes, name: str) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        infos = parts.infolist()
        unpacked = sum(it.file_size for it in infos)
        if len(infos) > _MOST_PARTS or unpacked > _MOST_UNPACKED:
            found = f"{len(infos)} parts of {unpacked >> 20} MiB"
            raise ListRefused(f"{name}: expected at most {_MOST_PARTS} parts of {_MOST_UNPACKED >> 20} MiB, found {found}")
        for it in infos:
            with parts.open(it) as part:
                head = part.read(_HEAD)
            if it.filename.endswith((".xml", ".rels")) and (b"\0" in head or b"<!DOCTYPE" in head.upper()):
                raise ListRefused(f"{name}: expected a workbook as Excel writes it, found a declaration of entities in it")


def _rows(content: bytes, name: str) -> Iterator[Sequence[str]]:
    book = load_workbook(io.BytesIO(content), read_only=True, data_only=False, keep_links=False)
    try:
        sheets = [it for it in book.worksheets if isinstance(it, ReadOnlyWorksheet)]
        if not sheets:
            raise ListRefused(f"{name}: expected a sheet, found none")
        sheet = sheets[0]
        sheet.reset_dimensions()  # what it claims of its size is not believed
        for row in sheet.iter_rows(max_row=MOST_ROWS + 2):
            yield _texts(row)
    finally:
        book.close()


def _texts(row: Sequence[Any]) -> Sequence[str]:
    """Of openpyxl's cells; they have several classes and share no base."""
    cells = [FORMULA if it.data_type == "f" else shown(it.value) for it in row]
    while cells and not cells[-1]:
        cells.pop()
    return cells


def shown(value: object) -> str:
    """A cell's value as text: whole numbers without a point, days and moments in ISO 8601."""
    match value:
        case None:
            return ""
        case float() if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        case datetime():
            return value.date().isoformat() if value.time() == _MIDNIGHT else value.isoformat(sep=" ", timespec="seconds")
        case date():
            return value.isoformat()
    return str(value)
