"""An existing key-press menu as its owner wrote it down, CSV or indented text, read into rows.

CSV has a header: ``keys``, ``label`` (or ``label_en``, ``label_ru`` ... for several languages) and ``target``; ``1>3>2`` are
the keys pressed one after the other. Indented text has a line for each key, deeper menus indented, and ``->`` before the target::

    1 Cards
      1 Block a card -> transfer:cards
      2 Order a card -> say:You can order a card in the app.
    0 Operator -> transfer:operator

Labels of several languages stand in the order of the languages, with ``|`` between. ``//`` begins a comment line.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from engine.core.secrets import KEYS
from engine.ivr.problems import FlowErrors, Problem, did_you_mean

Keys = tuple[str, ...]

_ENTRY = re.compile(r"(?P<indent>[ \t]*)(?P<key>\S+?)[.):]?\s+(?P<label>.*?)(?:\s*(?:->|→|=>)\s*(?P<target>.*?))?\s*")
_COLUMNS = ("keys", "label", "target")


@dataclass(frozen=True, slots=True)
class Row:
    """One entry of the menu."""

    keys: Keys
    """From the first menu on; empty for the first menu itself."""

    labels: Sequence[str]
    """In the order of the languages."""

    target: str
    line: int


@dataclass(slots=True)
class MenuReader:
    """Reads one menu; collects what is wrong with it."""

    name: str
    languages: Sequence[str]
    problems: list[Problem] = field(default_factory=list)

    def rows(self, text: str) -> Sequence[Row]:
        """The entries in the order of the file.

        Raises:
            FlowErrors: with every line that can't be read.
        """
        text = text.removeprefix("\ufeff")  # spreadsheets write one before their UTF-8
        first = next((line for line in text.splitlines() if line.strip()), "")
        rows = list(self._csv(text, _delimiter(first)) if _looks_like_csv(first) else self._indented(text))
        if not rows and not self.problems:
            self.wrong(1, "a menu as CSV or as indented text", "no entry")
        if self.problems:
            raise FlowErrors(self.problems)
        return rows

    def wrong(self, line: int, expected: str, found: str, hint: str = "") -> None:
        self.problems.append(Problem(line, 1, "", expected, found, hint, self.name))

    def _csv(self, text: str, delimiter: str) -> Iterator[Row]:
        reader = csv.reader(text.splitlines(), delimiter=delimiter, strict=True)
        try:
            header = [cell.strip().casefold() for cell in next(row for row in reader if any(row))]
            columns = self._columns(header, reader.line_num)
            for cells in reader if columns else ():
                if not any(cell.strip() for cell in cells):
                    continue
                if len(cells) != len(header):
                    self.wrong(
                        reader.line_num, f"{len(header)} columns", str(len(cells)), "put a label that holds commas in quotes"
                    )
                elif row := self._csv_row(cells, columns, reader.line_num):
                    yield row
        except csv.Error as error:
            self.wrong(reader.line_num, "CSV", str(error))

    def _columns(self, header: Sequence[str], line: int) -> Mapping[str, int]:
        """Where each column stands; empty when one is missing."""
        labels = [f"label_{language}" for language in self.languages]
        wanted = ["keys", *(["label"] if len(labels) == 1 and labels[0] not in header else labels), "target"]
        for name in wanted:
            if name not in header:
                self.wrong(line, f"a column called {name}", ", ".join(header))
        return {name: header.index(name) for name in wanted} if not self.problems else {}

    def _csv_row(self, cells: Sequence[str], columns: Mapping[str, int], line: int) -> Row | None:
        labels = [cells[place].strip() for name, place in columns.items() if name.startswith("label")]
        written = cells[columns["keys"]].strip()
        keys = tuple(key.strip() for key in written.split(">")) if written else ()
        return self._row(keys, labels, cells[columns["target"]].strip(), line)

    def _indented(self, text: str) -> Iterator[Row]:
        menus: list[tuple[str, str]] = []  # the indentation and the key of each menu that is open
        for number, line in enumerate(text.splitlines(), start=1):
            match = _ENTRY.fullmatch(line)
            if not line.strip() or line.lstrip().startswith("//"):
                continue
            if match is None:
                self.wrong(number, "a key, a label and perhaps -> and a target", repr(line.strip()))
                continue
            depth = _depth(menus, match["indent"])
            if depth is None:
                found = f"{len(match['indent'])} characters of it"
                self.wrong(
                    number, "the indentation of a line above, or more of it", found, "indent with spaces only, or with tabs only"
                )
                continue
            menus[depth:] = [(match["indent"], match["key"])]
            labels = [label.strip() for label in match["label"].split("|")]
            if row := self._row(tuple(key for _, key in menus), labels, match["target"] or "", number):
                yield row

    def _row(self, keys: Keys, labels: Sequence[str], target: str, line: int) -> Row | None:
        strange = [key for key in keys if len(key) != 1 or key not in KEYS]
        if strange:
            self.wrong(line, "keys of the pad, one after the other as in 1>3>2", repr(strange[0]))
        if len(labels) != len(self.languages):
            self.wrong(line, f"a label for each of {', '.join(self.languages)}, with | between", str(len(labels)))
        elif not all(labels):
            self.wrong(line, "a label", "an empty one")
        return None if strange or len(labels) != len(self.languages) or not all(labels) else Row(keys, labels, target, line)


def _looks_like_csv(first: str) -> bool:
    cells = [cell.strip().casefold() for cell in first.split(_delimiter(first))]
    return len(cells) > 1 and any(did_you_mean(cell, _COLUMNS) for cell in cells)


def _delimiter(first: str) -> str:
    return max(",;\t", key=first.count)


def _depth(menus: Sequence[tuple[str, str]], indent: str) -> int | None:
    """How many of the open menus a line that is indented so stands in; ``None`` when it fits none."""
    if not menus:
        return 0
    innermost = menus[-1][0]
    if len(indent) > len(innermost):
        return len(menus) if indent.startswith(innermost) else None
    return next((depth for depth, (known, _) in enumerate(menus) if known == indent), None)
