"""``/api/v1/kept-calls``: calls that were kept, found, read, heard, judged and objected to; as on the page *Calls*."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import Field

from engine.access.permissions import Permission
from engine.core.errors import MediaError
from engine.nlu.searching import terms
from engine.qa.checks import Verdict
from engine.server.api.quality import appeal_shown
from engine.server.api.repeats import Repeatable
from engine.server.api.shapes import (
    AppealShown,
    Body,
    Call,
    CallFound,
    CallRead,
    Day,
    Named,
    Page,
    Paged,
    Reason,
    Snippet,
    Text,
    Waveform,
    Word,
)
from engine.server.console.pages.calls import NAMES, with_snippets
from engine.server.entrance import Visitor, requires
from engine.server.judging import Said, judge, object_to
from engine.server.playing import Playing
from engine.server.problems import refused
from engine.store.finding import Found, Wanted, of_days
from engine.store.overruling import OverrulingRefused

_Finder = Annotated[Visitor, requires(Permission.FIND_CALLS)]
_Hearer = Annotated[Visitor, requires(Permission.HEAR_CALLS)]
_Reviewer = Annotated[Visitor, requires(Permission.REVIEW)]
_Objector = Annotated[Visitor, requires(Permission.APPEAL)]

_WAV: Final[dict[str, Any]] = {"content": {"audio/wav": {"schema": {"type": "string", "format": "binary"}}}}
_SOUND: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "All of it", **_WAV},
    206: {"description": "The part that was asked for", **_WAV},
    416: {"description": "It ends before that"},
}
_AGAINST_THE_RULES: Final[dict[int | str, dict[str, Any]]] = {409: {"description": "The rules don't allow it"}}


class NewVerdict(Body):
    """A verdict that counts instead of the engine's."""

    card: Word = Field(examples=["service"])
    question: Word = Field(examples=["verifies"])
    verdict: Verdict = Field(examples=["pass"], strict=False)
    why: Reason = Field(examples=["She gave her date of birth at 0:12."])


class NewAppeal(Body):
    """An objection to a verdict."""

    card: Word = Field(examples=["service"])
    question: Word = Field(examples=["verifies"])
    why: Reason = Field(examples=["The caller was known from the call before."])


class Sought(Paged):
    """Which calls; what is left out narrows nothing."""

    q: Text = Field("", description="Words that were said, in any language; Chinese of two characters and more.")
    since: Day | None = Field(None, description="The first day on which they began.")
    until: Day | None = Field(None, description="The last.")
    language: Text = ""
    queue: Text = ""
    team: Text = ""
    agent: Text = ""
    flow: Text = ""
    outcome: Text = ""
    direction: Text = ""
    card: Text = Field("", description="With `question`: calls that failed it.")
    question: Text = ""
    fatal: bool = Field(False, description="Calls with a fatal fault alone.")
    limit: int = Field(20, ge=1, le=100)
    below: float | None = Field(None, ge=0, le=100, description="Calls with fewer points on a card.")


def kept_calls(playing: Playing) -> APIRouter:
    """The part of the API in which they are found and read."""
    router = APIRouter(prefix="/kept-calls", tags=["Calls"], route_class=Repeatable)
    records = playing.records

    @router.get("")
    async def search(visitor: _Finder, sought: Annotated[Sought, Query()]) -> Page[CallFound]:
        """Find calls, the newest first."""

        def found() -> Page[CallFound]:
            wanted = _wanted(sought, visitor, playing)
            rows, limit = records.finding.calls(wanted, sought.before, sought.limit + 1), sought.limit
            some = with_snippets(records, rows[:limit], wanted.terms)
            items = [CallFound(call=Call.model_validate(it), said=said and _snippet(said)) for it, said in some]
            return Page(items=items, next=str(rows[limit - 1].number) if len(rows) > limit else None)

        return await asyncio.to_thread(found)

    @router.get("/choices")
    async def choices(visitor: _Finder) -> Mapping[str, list[str]]:
        """What filters can be set to."""
        known = await asyncio.to_thread(records.choices, visitor.principal.teams)
        return {name: list(values) for name, values in known.items()}

    @router.get("/{call}")
    async def read(visitor: _Finder, call: Named) -> CallRead:
        """One call: its words, what was decided, how it was judged."""
        found = await records.seen_by(visitor, call)
        return await asyncio.to_thread(_read, playing, found)

    return router


def judged_calls(playing: Playing) -> APIRouter:
    """The part of the API in which they are heard and judged."""
    router = APIRouter(prefix="/kept-calls/{call}", tags=["Calls"], route_class=Repeatable)
    records = playing.records

    @router.get("/waveform")
    async def waveform(visitor: _Hearer, call: Named) -> Waveform:
        """What its masked sound looks like."""
        found = await records.seen_by(visitor, call)
        return Waveform.model_validate(await asyncio.to_thread(playing.shape, found))

    @router.get("/sound", response_class=Response, responses=_SOUND)
    async def sound(visitor: _Hearer, call: Named, range: Annotated[str, Header(max_length=100)] = "") -> StreamingResponse:
        """Its masked sound, whole or a part (`Range`). It is kept in the audit chain who heard it."""
        return await playing.sound(visitor, await records.seen_by(visitor, call), range)

    @router.post("/verdicts", status_code=201, responses=_AGAINST_THE_RULES)
    async def overrule(visitor: _Reviewer, call: Named, body: NewVerdict) -> CallRead:
        """Overrule a verdict; the call as it counts now."""
        found = await records.seen_by(visitor, call)
        try:
            await asyncio.to_thread(judge, records, visitor, found, Said(body.card, body.question, body.why), body.verdict)
        except OverrulingRefused:
            raise refused("not-overruled", "Not a question of the call's, or a call of your own.") from None
        return await asyncio.to_thread(_read, playing, await records.seen_by(visitor, found.name))

    @router.post("/appeals", status_code=201, responses=_AGAINST_THE_RULES)
    async def appeal(visitor: _Objector, call: Named, body: NewAppeal) -> AppealShown:
        """Object to a verdict."""
        found = await records.seen_by(visitor, call)
        try:
            return appeal_shown(await object_to(records, visitor, found, Said(body.card, body.question, body.why)))
        except MediaError:
            detail = "Not a question that this call failed, objected to before, or too late."
            raise refused("not-objected", detail) from None

    return router


def _wanted(sought: Sought, visitor: Visitor, playing: Playing) -> Wanted:
    since, until = of_days(sought.since, sought.until, playing.records.zone)
    failed = (sought.card, sought.question) if sought.card and sought.question else None
    names = {name: getattr(sought, name) for name in NAMES}
    return Wanted(terms(sought.q), since, until, names, failed, sought.fatal, sought.below, visitor.principal.teams)


def _snippet(said: Any) -> Snippet:
    return Snippet(at=said.at, speaker=said.speaker, text="".join(text for text, _ in said.pieces))


def _read(playing: Playing, found: Found) -> CallRead:
    kept = playing.records.kept.read(found)
    shown = {name: getattr(kept, name) for name in ("facts", "state", "reason", "turns", "decisions", "judgements")}
    return CallRead.model_validate({**shown, "found": Call.model_validate(found), "sound": kept.audio is not None})
