"""From a list's rows to contacts, or to what is wrong with each row: all of it, row by row, with the values masked.

A row is taken whole or not at all. Where a row leaves a doubt about whose number it is, what hour it is there or whose holidays
are kept, it is not taken.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from engine.core.units import Language
from engine.outbound.campaign import Campaign
from engine.outbound.campaign_file import OWN_COLUMNS
from engine.outbound.contacts import CampaignId, Contact, ContactId, PersonKey
from engine.outbound.field_values import EXPECTED, is_formula, masked, read_moment, read_value
from engine.outbound.list_file import FORMULA, Row, columns_of, read_list
from engine.outbound.numbers import COUNTRIES, Number, read_number
from engine.outbound.windows import zone_named

_KEY = re.compile(r"[^\s+\x00-\x1f][^\x00-\x1f]{0,63}")
_LANGUAGE = re.compile(r"([A-Za-z]{2,3})(?:[-_][A-Za-z]{2,4})?")
_BASIS = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_NONE = "nothing"


@dataclass(frozen=True, slots=True)
class Wrong:
    """One thing that is wrong with a row."""

    row: int

    column: str
    """As the list calls it."""

    expected: str

    found: str
    """Masked: the value's shape."""


@dataclass(slots=True)
class Checked:
    """What came of a list."""

    contacts: list[tuple[int, Contact]] = field(default_factory=list)
    """Each with its row."""

    wrong: list[Wrong] = field(default_factory=list)

    rows: int = 0
    """Below the head, the empty ones aside."""

    ignored: Sequence[str] = ()
    """Columns that the campaign does not know."""

    @property
    def refused(self) -> int:
        """Rows that are not taken."""
        return self.rows - len(self.contacts)


def check_list(content: bytes, name: str, policy: Campaign, known: Collection[str] = (), encoding: str | None = None) -> Checked:
    """Check a whole list. ``known`` are persons and numbers that the campaign has already.

    Raises:
        ListRefused: it can't be read as a list, or columns are missing.
    """
    head, rows = read_list(content, name, encoding)
    return check_rows(head, rows, name, policy, known)


def check_rows(head: Sequence[str], rows: Iterable[Row], name: str, policy: Campaign, known: Collection[str] = ()) -> Checked:
    """Check rows that came some other way, as those of a list.

    Raises:
        ListRefused: columns are missing.
    """
    ours = {it: policy.columns.get(it, it) for it in (*OWN_COLUMNS, *policy.fields)}
    needed = ["phone", *(it for it, kind in policy.fields.items() if kind.required)]
    places = columns_of(head, ours, needed if policy.consent is None else [*needed, "consent", "consent_at"], name)
    checked = Checked(ignored=[it for place, it in enumerate(head) if place not in places.values() and it])
    reader = _Reader(policy, {it: ours[it] for it in places}, dict.fromkeys(known, 0))
    for row in rows:
        checked.rows += 1
        cells = {it: row.cells[place].strip() if place < len(row.cells) else "" for it, place in places.items()}
        contact, problems = reader.read(row, cells, len(head))
        checked.wrong += problems
        if contact is not None:
            checked.contacts.append((row.number, contact))
    return checked


class _Reader:
    """Reads rows, one after another; knows whom it has seen."""

    def __init__(self, policy: Campaign, names: Mapping[str, str], seen: dict[str, int]) -> None:
        self._policy, self._names, self._seen = policy, names, seen
        self._wrong: list[Wrong] = []
        self._row = 0

    def read(self, row: Row, cells: Mapping[str, str], columns: int) -> tuple[Contact | None, Sequence[Wrong]]:
        """The contact, or all that is wrong."""
        self._wrong, self._row = [], row.number
        if any(it.strip() for it in row.cells[columns:]):
            self._refuse("", f"at most {columns} cells, as the head has", f"{len(row.cells)}")
        for name, value in cells.items():
            if value == FORMULA or is_formula(value):
                self._refuse(name, "a value", "a formula")
        contact = None if self._wrong else self._contact(cells)
        if contact is not None and not self._wrong:
            self._once(contact)
        if self._wrong or contact is None:
            return None, self._wrong
        self._seen |= {contact.person: row.number, contact.number: row.number}
        return contact, ()

    def _contact(self, cells: Mapping[str, str]) -> Contact | None:
        number = self._number(cells)
        person = self._person(cells.get("customer", ""), number)
        zone = self._zone(cells.get("zone", ""), number)
        language = self._language(cells.get("language", ""))
        fields = dict(self._fields(cells))
        consent, since = self._consent(cells, zone)
        if number is None:
            return None
        return Contact(
            id=ContactId(""),
            campaign=CampaignId(""),
            person=person,
            number=number.e164,
            language=language,
            zone=zone,
            fields=fields,
            consent=consent,
            consent_at=since,
            country=number.country,
        )

    def _number(self, cells: Mapping[str, str]) -> Number | None:
        written, country = cells["phone"], cells.get("country", "").upper() or self._policy.country
        if country is not None and country not in COUNTRIES:
            self._refuse("country", "a country as two letters, such as KZ", masked(cells.get("country", "")))
            return None
        if not written:
            self._refuse("phone", "a telephone number", _NONE)
            return None
        number = read_number(written, country)
        if isinstance(number, str):
            self._refuse("phone", "a telephone number that can be called", f"{number} ({masked(written)})")
            return None
        holidays = self._policy.calendar.holidays
        if holidays is not None and number.country not in holidays:
            listed = ", ".join(sorted(holidays))
            self._refuse("phone", f"a number of a country whose holidays the campaign lists ({listed})", str(number.country))
        return number

    def _person(self, written: str, number: Number | None) -> PersonKey:
        if not written:
            return PersonKey(number.e164 if number else "")
        if not _KEY.fullmatch(written):
            self._refuse("customer", "at most 64 characters, and no + before them", masked(written))
        return PersonKey(written)

    def _zone(self, written: str, number: Number | None) -> str:
        """The row's; else the number's, where it has one; else the campaign's, where the number may be there."""
        if written:
            if zone_named(written) is None:
                self._refuse("zone", "an IANA time zone, such as Asia/Almaty", masked(written))
            return written
        zones = number.zones if number else ()
        if len(zones) == 1 and zone_named(zones[0]) is not None:
            return zones[0]
        if self._policy.zone is not None and (not zones or self._policy.zone in zones):
            return self._policy.zone
        if number is not None:
            told = f"a number that may be in {len(zones)} of them" if zones else "a number that tells none"
            self._refuse("zone" if "zone" in self._names else "phone", "a time zone", told)
        return ""

    def _language(self, written: str) -> Language:
        if not written:
            return self._policy.languages[0]
        match = _LANGUAGE.fullmatch(written)
        found = Language(match[1].lower()) if match else Language("")
        if found not in self._policy.languages:
            self._refuse("language", f"one of {', '.join(self._policy.languages)}", masked(written))
        return found

    def _consent(self, cells: Mapping[str, str], zone: str) -> tuple[str | None, datetime | None]:
        """As the list says; whether it will do is the rules' business."""
        basis, written = cells.get("consent", "").lower() or None, cells.get("consent_at", "")
        if basis is not None and not _BASIS.fullmatch(basis):
            self._refuse("consent", "a basis such as contract or opt_in", masked(basis))
        since = read_moment(written, zone_named(zone) or UTC) if written else None
        if written and since is None:
            self._refuse("consent_at", "a day or a moment such as 2025-03-01", masked(written))
        return basis, since

    def _fields(self, cells: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        for name, kind in self._policy.fields.items():
            written = cells.get(name, "")
            if not written:
                if kind.required:
                    self._refuse(name, EXPECTED[kind.kind], _NONE)
                continue
            value = read_value(written, kind.kind)
            if value is None:
                self._refuse(name, EXPECTED[kind.kind], masked(written))
            else:
                yield name, value

    def _once(self, contact: Contact) -> None:
        """Nobody twice, neither as a person nor as a number."""
        again = {"customer": contact.person, "phone": contact.number}
        for name, key in again.items():
            if key in self._seen:
                row = self._seen[key]
                where = f"the same as in row {row}" if row else "one that the campaign has already"
                self._refuse(name if name in self._names else "phone", "each person, and each number, once", where)
                return

    def _refuse(self, name: str, expected: str, found: str) -> None:
        self._wrong.append(Wrong(self._row, self._names.get(name, name), expected, found))


def report(wrong: Iterable[Wrong]) -> Iterator[Sequence[object]]:
    """The rows of the report, its head first."""
    yield "row", "column", "expected", "found"
    yield from ((it.row, it.column, it.expected, it.found) for it in wrong)
