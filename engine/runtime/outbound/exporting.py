"""Writes what a campaign came to, row by row: ``contacts``, and ``attempts``, joined by ``contact``.

CSV is a folder with a file a table, XLSX one workbook with a sheet a table, JSON one file with an object a contact that holds its
attempts. No spreadsheet calculates anything of it. The names of columns and their meaning stay; new ones come at the end, after
them the campaign's own fields.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine, Row, select

from engine.outbound.campaign import Campaign
from engine.outbound.contacts import CampaignId
from engine.qa.export import Column, Kind, plain
from engine.qa.export import Row as Cells
from engine.qa.report.markup import clean
from engine.runtime.quality.csv_tables import CsvTables
from engine.runtime.quality.tables import Tables
from engine.runtime.quality.whole_files import whole
from engine.store.outbound_models import AttemptRow, ContactRow
from engine.store.quality_reading import snapshot
from engine.store.samples import utc


class CampaignFormat(StrEnum):
    """What an export is written as."""

    XLSX = "xlsx"
    CSV = "csv"
    JSON = "json"


CONTACTS: Final = (
    Column("contact", "its id in the engine"),
    Column("row", "of the list it came in", Kind.WHOLE),
    Column("customer", "the person's key"),
    Column("phone", "E.164"),
    Column("language", "spoken with them"),
    Column("zone", "whose clock the hours are judged by"),
    Column("state", "`waiting`, `dialling`, `done`, `uncertain`"),
    Column("outcome", "exactly when done"),
    Column("reason", "why it waits, was skipped or is uncertain"),
    Column("attempts", "that made a telephone ring, or may have", Kind.WHOLE),
    Column("next_at", "not called before", Kind.MOMENT),
    Column("done_at", "when it came to its outcome", Kind.MOMENT),
    Column("promised_date", "what the person promised, or asked for"),
    Column("promised_amount", "likewise"),
    Column("details", "all that was settled, as a JSON object"),
)
ATTEMPTS: Final = (
    Column("attempt", "its id, which went to the carrier"),
    Column("contact", "whose"),
    Column("state", "`committed`, `dialled`, `ended`, `withdrawn`, `uncertain`"),
    Column("committed_at", "when it was decided on", Kind.MOMENT),
    Column("ended_at", "when it was over", Kind.MOMENT),
    Column("reached", "what the network says"),
    Column("answerer", "who answered, as far as that was judged"),
    Column("outcome", "what the talk came to"),
    Column("talked", "seconds from answer to end", Kind.NUMBER),
    Column("call", "the conversation's id: its journal, its recording"),
    Column("reason", "in words, where that says more"),
)


def export(engine: Engine, campaign: CampaignId, policy: Campaign, format: CampaignFormat, out: Path) -> Mapping[str, int]:
    """Write all of a campaign, of one moment; gives how many rows each table has.

    Raises:
        ConfigError: it can't be written.
    """
    if format is CampaignFormat.JSON:
        return _documents(engine, campaign, policy, out)
    counts = {"contacts": 0, "attempts": 0}
    with _writer(format, out, policy) as tables:
        for table, row in _rows(engine, campaign, policy):
            tables.add(table, row)
            counts[table] += 1
    return counts


def _writer(format: CampaignFormat, out: Path, policy: Campaign) -> Tables:
    own = [Column(f"field_{name}", "of the list") for name in policy.fields]
    tables = {"contacts": (*CONTACTS, *own), "attempts": ATTEMPTS}
    if format is CampaignFormat.CSV:
        return CsvTables(out, tables)
    from engine.runtime.quality.workbook_tables import WorkbookTables  # noqa: PLC0415  only where it is wanted

    return WorkbookTables(out, tables=tables)


def _rows(engine: Engine, campaign: CampaignId, policy: Campaign) -> Iterator[tuple[str, Cells]]:
    for contact, attempts in _contacts(engine, campaign):
        yield "contacts", _contact(contact, attempts, policy)
        yield from (("attempts", _attempt(it)) for it in attempts)


def _documents(engine: Engine, campaign: CampaignId, policy: Campaign, out: Path) -> Mapping[str, int]:
    number = tried = 0
    with whole(out) as part, part.open("w", encoding="utf-8", newline="\n") as file:
        file.write("[\n")
        for contact, attempts in _contacts(engine, campaign):
            told = _named(CONTACTS, _contact(contact, attempts, policy)[: len(CONTACTS)])
            told |= {"details": _settled(attempts), "fields": json.loads(contact.fields)}
            told["tried"] = [_named(ATTEMPTS, _attempt(it)) for it in attempts]
            file.write((",\n" if number else "") + clean(json.dumps(told, ensure_ascii=False, separators=(",", ":"))))
            number, tried = number + 1, tried + len(attempts)
        file.write("\n]\n")
    return {"contacts": number, "attempts": tried}


def _contacts(engine: Engine, campaign: CampaignId) -> Iterator[tuple[Row[Any], Sequence[Row[Any]]]]:
    """Every contact in the list's order, each with its attempts."""
    tried: dict[str, list[Row[Any]]] = defaultdict(list)
    attempts, contacts = AttemptRow.__table__, ContactRow.__table__
    with snapshot(engine) as connection:
        for it in connection.execute(select(attempts).where(attempts.c.campaign == campaign).order_by(attempts.c.committed_at)):
            tried[it.contact].append(it)
        wanted = select(contacts).where(contacts.c.campaign == campaign).order_by(contacts.c.row, contacts.c.id)
        for contact in connection.execution_options(yield_per=1_000).execute(wanted):
            yield contact, tried.get(contact.id, ())


def _contact(row: Row[Any], attempts: Sequence[Row[Any]], policy: Campaign) -> Cells:
    settled, fields = _settled(attempts), json.loads(row.fields)
    head = (row.id, row.row, row.person, row.number, row.language, row.zone, row.state, row.outcome, row.reason, row.attempts)
    moments = (row.next_at and utc(row.next_at), row.done_at and utc(row.done_at))
    details = json.dumps(settled, ensure_ascii=False, sort_keys=True) if settled else None
    return (*head, *moments, settled.get("date"), settled.get("amount"), details, *(fields.get(it) for it in policy.fields))


def _settled(attempts: Sequence[Row[Any]]) -> dict[str, str]:
    """What the talks settled; of a thing that was settled twice, the last."""
    return {str(name): str(value) for it in attempts for name, value in json.loads(it.details).items()}


def _attempt(row: Row[Any]) -> Cells:
    moments = (utc(row.committed_at), row.ended_at and utc(row.ended_at))
    rest = (row.reached, row.answerer, row.outcome, round(row.talked, 2), row.call, row.reason)
    return (row.id, row.contact, row.state, *moments, *rest)


def _named(columns: Sequence[Column], row: Cells) -> dict[str, Any]:
    return {column.name: plain(value) for column, value in zip(columns, row, strict=True)}
