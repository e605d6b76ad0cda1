"""What starting a campaign would do, before anybody is called: who is skipped and why, how long it takes, what is said first.

Nothing is written but that quality control's bad calls are put on their list, as the dialler does.
"""

from __future__ import annotations

import csv
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from engine.core.units import Language
from engine.dialogue.actions import Spoken
from engine.ivr.files import load_flow
from engine.outbound.contacts import Contact
from engine.outbound.forecast import Forecast, Pace, Place, forecast
from engine.outbound.rules import Never, Wait, verdict
from engine.outbound.script import first_words
from engine.outbound.windows import zone_named
from engine.qa.export import harmless
from engine.runtime.quality.whole_files import whole
from engine.store.bad_calls import note_bad_calls
from engine.store.campaign_account import pace_of
from engine.store.campaigns import KeptCampaign
from engine.store.contacts import contact_of, standings

_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}(?: \d{2}:\d{2})?")
_DAYTIME: Final = re.compile(r"it is \w{3} \d{2}:\d{2} there")


@dataclass(frozen=True, slots=True)
class FirstWords:
    """What the first call in a language says."""

    language: Language

    spoken: Sequence[tuple[Spoken, str]]
    """Each prompt with its words."""


@dataclass(slots=True)
class Preview:
    """See the module."""

    waiting: int = 0
    """Contacts that have no outcome yet and are not being called."""

    at_once: int = 0
    """Who may be called now."""

    later: Counter[str] = field(default_factory=Counter)
    """Who may be called later, by the reason for that."""

    skipped: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    """Rows of the list that will not be called, by the reason; days in it are left out."""

    places: Counter[Place] = field(default_factory=Counter)
    """How many there are of those who will be called."""

    samples: dict[Language, Contact] = field(default_factory=dict)
    """The first of each language."""

    pace: Pace | None = None

    forecast: Forecast | None = None

    words: list[FirstWords] = field(default_factory=list)

    @property
    def called(self) -> int:
        return self.places.total()


def preview(engine: Engine, kept: KeptCampaign, now: datetime, report: Path | None = None) -> Preview:
    """Draw it up; with a report, every row that is skipped goes there with its reason.

    Raises:
        FlowErrors: the campaign's flow can't be used.
        ConfigError: it can't say a field, or the report can't be written.
    """
    note_bad_calls(engine, now)
    found = Preview()
    reasons = list(_judged(engine, kept, now, found))
    if report is not None:
        _write(report, reasons)
    found.pace = pace_of(engine, kept.id)
    found.forecast = forecast(found.places, kept.policy, found.pace, now)
    found.words = list(_words(kept, found.samples, now))
    return found


def _judged(engine: Engine, kept: KeptCampaign, now: datetime, found: Preview) -> Iterator[tuple[int, str]]:
    """Ask the rules of every contact that waits; gives the rows of those who are skipped, with the reason."""
    with Session(engine) as session:
        for row, standing in standings(session, kept.id, now):
            contact = contact_of(row)
            found.waiting += 1
            judged = verdict(contact, standing, kept.policy, now)
            if isinstance(judged, Never):
                found.skipped[_DAY.sub("…", judged.why)].append(row.row)
                yield row.row, judged.why
                continue
            found.places[Place(contact.zone, contact.country)] += 1
            found.samples.setdefault(contact.language, contact)
            if isinstance(judged, Wait):
                found.later[_DAYTIME.sub("it is outside the hours there", _DAY.sub("…", judged.why))] += 1
            else:
                found.at_once += 1


def _words(kept: KeptCampaign, samples: Mapping[Language, Contact], now: datetime) -> Iterator[FirstWords]:
    flow = load_flow(Path(kept.place, kept.policy.flow))
    for language in kept.policy.languages:
        if language in samples and language in flow.languages:
            contact = samples[language]
            local = now.astimezone(zone_named(contact.zone)).replace(tzinfo=None)
            yield FirstWords(language, first_words(flow, language, contact.fields, local))


def _write(path: Path, reasons: Sequence[tuple[int, str]]) -> None:
    with whole(path) as part, part.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["row", "why"])
        writer.writerows((row, harmless(why)) for row, why in reasons)
