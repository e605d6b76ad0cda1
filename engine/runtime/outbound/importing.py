"""A list's way into a campaign: checked row by row, reported, and taken whole.

The list is read and checked before the database is touched, and is then written in one transaction: the engine, which writes
calls down meanwhile, waits for that and not for the checking. The report is there whole before anything is imported.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from engine.core.errors import ConfigError
from engine.outbound.campaign import ListRefused
from engine.outbound.list_file import MOST_BYTES, Row
from engine.outbound.list_rows import Checked, check_list, check_rows, report
from engine.qa.export import harmless
from engine.runtime.quality.whole_files import whole
from engine.store.campaigns import KeptCampaign
from engine.store.contacts import known_of, take_list


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of a list."""

    checked: Checked

    taken: int
    """Contacts that are in the campaign now and were not before."""


def import_list(
    engine: Engine, campaign: KeptCampaign, path: Path, reported: Path, *, encoding: str | None = None, most_refused: float = 1.0
) -> Imported:
    """Add a list's people to a campaign, and write what was wrong with its rows.

    Raises:
        ListRefused: it can't be read as a list, or more of its rows are refused than this share; nothing is imported.
        CampaignRefused: the campaign is over.
    """
    checked = check_list(read(path), path.name, campaign.policy, _known(engine, campaign), encoding)
    write_report(checked, reported)
    if checked.refused > most_refused * checked.rows:
        found = f"{checked.refused} of {checked.rows}"
        raise ListRefused(
            f"{path.name}: expected at most {most_refused:.0%} of the rows to be refused, found {found}: {reported}"
        )
    return Imported(checked, take_list(engine, campaign.id, checked.contacts) if checked.contacts else 0)


def import_rows(engine: Engine, campaign: KeptCampaign, rows: Sequence[Mapping[str, str]]) -> Imported:
    """Add people whom a program names one by one; a row's keys are what a list's columns are called.

    Raises:
        ListRefused: no row has a column that must be there.
        CampaignRefused: the campaign is over.
        CampaignErrors: this version of us can't read its file.
    """
    head = list(dict.fromkeys(key for row in rows for key in row))
    cells = (Row(place, [row.get(key, "") for key in head]) for place, row in enumerate(rows, 1))
    checked = check_rows(head, cells, "the contacts", campaign.policy, _known(engine, campaign))
    return Imported(checked, take_list(engine, campaign.id, checked.contacts) if checked.contacts else 0)


def _known(engine: Engine, campaign: KeptCampaign) -> set[str]:
    with Session(engine) as session:
        return known_of(session, campaign.id)


def read(path: Path) -> bytes:
    """A list's bytes; not more than a list has.

    Raises:
        ConfigError: it can't be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{path}: expected a list that can be read, found: {error.strerror}") from error


def write_report(checked: Checked, path: Path) -> None:
    """Write what is wrong with a list's rows, as CSV that no spreadsheet calculates."""
    with whole(path) as part, part.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerows(map(_harmless, report(checked.wrong)))


def _harmless(row: Sequence[object]) -> Sequence[object]:
    return [harmless(it) if isinstance(it, str) else it for it in row]
