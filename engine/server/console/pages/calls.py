"""*Calls*: found by words and by what is known of them.

A filter that can't be read is told, and nothing is found: who filters for a day must not be shown every day.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from engine.access.permissions import Permission
from engine.core.units import Seconds
from engine.nlu.searching import Term, places, terms
from engine.runtime.conversations import SaidTurn
from engine.server.console.pages.records import Records
from engine.server.console.rendering import page
from engine.server.entrance import Visitor, requires
from engine.store.finding import PAGE, Found, Wanted, of_days

NAMES: Final = ("language", "queue", "team", "agent", "flow", "outcome", "direction")
_FIELDS: Final = ("q", "since", "until", *NAMES, "failed", "fatal", "below")
_AROUND: Final = 80  # characters of a turn shown before and after the first word that was looked for
_LONGEST: Final = 200


@dataclass(frozen=True, slots=True)
class Snippet:
    """A turn in which one of the words was said."""

    at: Seconds
    speaker: str
    pieces: tuple[tuple[str, bool], ...]
    """Text, and whether it was looked for."""


class UnreadFilter(ValueError):
    """A filter that can't be read; its name."""


def calls_pages(records: Records) -> APIRouter:
    """The pages."""
    router = APIRouter()

    @router.get("/calls")
    async def calls(visitor: Annotated[Visitor, requires(Permission.FIND_CALLS)], request: Request) -> HTMLResponse:
        return await asyncio.to_thread(_listed, records, visitor, _asked(request))

    return router


def _asked(request: Request) -> dict[str, str]:
    """The fields of the address that are ours; of one that is there twice the last."""
    return {name: request.query_params.get(name, "").strip()[:_LONGEST] for name in (*_FIELDS, "before")}


def _listed(records: Records, visitor: Visitor, asked: Mapping[str, str]) -> HTMLResponse:
    teams = visitor.principal.teams
    found: Sequence[Found] = ()
    wanted, wrong = Wanted(), None
    try:
        wanted = _wanted(asked, teams, records)
        found = records.finding.calls(wanted, number_of_page(asked["before"]), PAGE + 1)
    except UnreadFilter as error:
        wrong = str(error)
    shown = found[:PAGE]
    older = _link({**asked, "before": str(shown[-1].number)}) if len(found) > PAGE else None
    context = {
        "asked": asked,
        "wrong": wrong,
        "rows": with_snippets(records, shown, wanted.terms),
        "older": older,
        "newest": _link({**asked, "before": ""}) if asked["before"] else None,
        "choices": records.choices(frozenset(teams)),
        "questions": records.finding.questions(),
        "zone": records.zone,
        "days": _days(records),
        "narrowed": any(asked[name] for name in _FIELDS if name not in {"q", "since", "until"}),
    }
    return page(visitor, "calls.html", 200 if wrong is None else 422, **context)


def _wanted(asked: Mapping[str, str], teams: frozenset[str], records: Records) -> Wanted:
    since, until = of_days(day_of(asked["since"], "since"), day_of(asked["until"], "until"), records.zone)
    card, _, question = asked["failed"].partition("|")
    return Wanted(
        terms(asked["q"]),
        since,
        until,
        {name: asked[name] for name in NAMES if asked[name]},
        (card, question) if question else None,
        bool(asked["fatal"]),
        _points(asked["below"]),
        teams,
    )


def day_of(text: str, name: str) -> date | None:
    """A day that somebody chose, or ``None``.

    Raises:
        UnreadFilter: it is none.
    """
    if not text:
        return None
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise UnreadFilter(name) from None
    if not 1971 <= found.year <= 2199:
        raise UnreadFilter(name)
    return found


def _points(text: str) -> float | None:
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 3:
        raise UnreadFilter("below")
    return float(text)


def number_of_page(text: str) -> int | None:
    """A cursor, or ``None``.

    Raises:
        UnreadFilter: it is none.
    """
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise UnreadFilter("before")
    return int(text)


def _days(records: Records) -> Iterator[tuple[str, str, str]]:
    """Names of spans of days, and where they begin and end."""
    today = datetime.now(records.zone).date()
    for name, first, last in (("today", 0, 0), ("yesterday", 1, 1), ("week", 6, 0)):
        yield name, str(today - timedelta(days=first)), str(today - timedelta(days=last))


def _link(asked: Mapping[str, str]) -> str:
    return f"/calls?{urlencode({name: value for name, value in asked.items() if value})}"


def with_snippets(records: Records, shown: Sequence[Found], wanted: Sequence[Term]) -> list[tuple[Found, Snippet | None]]:
    """Calls, each with the first turn in which one of the words was said."""
    if not wanted:
        return [(it, None) for it in shown]
    said = records.kept.turns(shown)
    return [(it, _snippet(said[it.name], wanted)) for it in shown]


def _snippet(turns: Sequence[SaidTurn], wanted: Sequence[Term]) -> Snippet | None:
    """The first turn in which one of the words was said."""
    for turn in turns:
        spans = places(turn.text, wanted)
        if spans:
            return Snippet(turn.start, turn.speaker, tuple(_pieces(turn.text, spans)))
    return None


def _pieces(text: str, spans: Sequence[tuple[int, int]]) -> Iterator[tuple[str, bool]]:
    """What is shown of a turn, cut where a word that was looked for begins or ends."""
    at, last = max(0, spans[0][0] - _AROUND), min(len(text), spans[0][1] + _AROUND)
    yield ("…" if at else "", False)
    for first, end in spans:
        if first >= at and end <= last:
            yield text[at:first], False
            yield text[first:end], True
            at = end
    yield text[at:last], False
    yield ("…" if last < len(text) else "", False)
