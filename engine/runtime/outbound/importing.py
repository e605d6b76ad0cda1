"""A list's way into a campaign: checked row by row, reported, and taken whole.

The list is read and checked before the database is touched, and is then written in one transaction: the engine, which writes
calls down meanwhile, waits for that and not for the checking. The report is there whole before anything is imported.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from engine.core.errors import ConfigError
from engine.outbound.campaign import ListRefused
from engine.outbound.list_file import MOST_BYTES
from engine.outbound.list_rows import Checked, check_list, report
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
    with Session(engine) as session:
        known = known_of(session, campaign.id)
    checked = check_list(read(path), path.name, campaign.policy, known, encoding)
    write_report(checked, reported)
    if checked.refused > most_refused * checked.rows:
        found = f"{checked.refused} of {checked.rows}"
        raise ListRefused(
            f"{path.name}: expected at most {most_refused:.0%} of the rows to be refused, found {found}: {reported}"
        )
    return Imported(checked, take_list(engine, campaign.id, checked.contacts) if checked.contacts else 0)


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
