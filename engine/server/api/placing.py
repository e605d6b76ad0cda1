"""``POST /api/v1/calls {"to": ...}``: calls somebody over the SIP door, at once, and lets them talk to a flow.

No rules of campaigns are asked, but the lists of those who must not be called are: a number on any of them is not called, and
where they can't be read, nobody is. Who says in the call that they want no more of them is put on one at once. What was asked for
is written before it is dialled, under its ``Idempotency-Key`` where there is one: asked for again, even after a crash, it is the
same call and nobody is called twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from http import HTTPStatus
from typing import Final
from uuid import UUID, uuid4, uuid5
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy.exc import SQLAlchemyError

from engine.config import MAIN
from engine.config.outbound import SipLineSection
from engine.core.call import CallId, Errand
from engine.core.errors import EngineError
from engine.core.units import Language, Seconds
from engine.dialogue.fields import unfit_fields
from engine.outbound.campaign import OPT_OUTS
from engine.runtime.engine import Engine
from engine.runtime.outbound.listening import Listening
from engine.runtime.outbound.paperwork import Paperwork, utc_now
from engine.runtime.outbound.talking import SAID_IN_A_CALL
from engine.runtime.outward import Outward
from engine.server.api.bodies import Place
from engine.server.problems import Problem
from engine.store.lists import Entry, Lists
from engine.store.placed import Placed, PlacedCalls
from engine.telephony.announced import Announcement
from engine.telephony.handover import phone_number
from engine.telephony.sip.addresses import number_in
from engine.telephony.sip.outcomes import NotConnected

_log = structlog.get_logger(__name__)
_KEYS: Final = UUID("a5a2c1c4-6f5e-4b6e-9d5a-6a7c3f0f5a11")  # the space in which a key names a call
_LONGEST_KEY: Final = 255


class Placing:
    """Places calls. ``placed`` is where they are written, ``lists`` who wants none."""

    def __init__(self, engine: Engine, placed: PlacedCalls, lists: Lists, clock: Callable[[], float]) -> None:
        self._engine, self._placed, self._lists, self._clock = engine, placed, lists, clock
        self._paperwork = Paperwork()
        self._going_on: set[asyncio.Task[None]] = set()

    async def place(self, body: Place, key: str | None) -> UUID:
        """Begin a call; its name. Not safe to cancel.

        Raises:
            Problem: it may not be made, or can't be.
        """
        line = self._line()
        number, address = self._whom(body)
        errand = self._errand(body)
        name = await self._written(body, key, number)
        if name is None:
            return _named(key)
        announcement = Announcement(called_number=number, flow=body.flow, language=_language(body))
        self._engine.announced.announce(name, announcement, self._now)
        self._engine.announced.take(name, self._now, strangers=True)
        talk = self._talk(line, address, body, errand, number)
        task = asyncio.create_task(self._carry(name, talk), name=f"placed {name}")
        self._going_on.add(task)
        task.add_done_callback(self._going_on.discard)
        return name

    @property
    def _now(self) -> Seconds:
        return Seconds(self._clock())

    @property
    def _section(self) -> SipLineSection:
        outbound = self._engine.config.outbound
        return SipLineSection() if outbound is None else outbound.sip

    def _line(self) -> Outward:
        if self._engine.config.open_doors.sip is None:
            raise Problem(HTTPStatus.CONFLICT, "door-shut", "No SIP door is open to place a call: see [doors.sip].", where="to")
        line = self._engine.outward
        if line is None or not line.up or not self._engine.places:
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "no-line", "No line is free.").with_headers(Retry_After="5")
        return line

    def _whom(self, body: Place) -> tuple[str, str]:
        """The number, by which lists are asked, and the address."""
        number = phone_number(body.to) or number_in(body.to)
        if number is None:
            detail = "Who has no number can't be looked up in the lists of those who must not be called."
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "no-number", detail, expected="+ and 3 to 15 digits", where="to")
        if not body.to.startswith("+"):
            return number, body.to
        if self._engine.config.outbound is None:
            detail = "How a number is dialled says [outbound.sip] address."
            raise Problem(HTTPStatus.CONFLICT, "no-address", detail, expected="an address sip:+...@host", where="to")
        return number, self._section.address.replace("{number}", number)

    def _errand(self, body: Place) -> Errand | None:
        flow = self._engine.flows.get(body.flow or MAIN)
        if flow is None:
            raise _unknown("flow", ", ".join(self._engine.flows))
        if body.language is not None and body.language not in flow.languages:
            raise _unknown("language", ", ".join(flow.languages))
        if missing := unfit_fields(flow, body.fields, _language(body)):
            detail = "Fields of the flow are missing, or no voice could say them."
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "unfit-fields", detail, expected=", ".join(missing), where="fields")
        return Errand(body.fields, _zone(body.zone)) if flow.fields else None

    async def _written(self, body: Place, key: str | None, number: str) -> UUID | None:
        """Write down that it is to be made, unless lists forbid it; ``None``: it was asked for before."""
        if key is not None and not 0 < len(key) <= _LONGEST_KEY:
            detail = f"A key has at most {_LONGEST_KEY} characters."
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request", detail, where="Idempotency-Key")
        name = uuid4() if key is None else _named(key)
        asked = body.model_dump_json()
        try:
            placed = await asyncio.to_thread(self._placed.place, name, asked, number)
        except SQLAlchemyError as error:
            _log.error("api.placing", error=type(error).__name__)
            detail = "Whether this number may be called is not known now."
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "lists-away", detail).with_headers(Retry_After="5") from error
        match placed:
            case Placed.LISTED:
                detail = "This number is on a list of those who must not be called."
                raise Problem(HTTPStatus.FORBIDDEN, "do-not-call", detail, where="to")
            case Placed.OTHER:
                detail = "This key was used for another call."
                raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "key-used", detail, where="Idempotency-Key")
        return name if placed is Placed.NEW else None

    async def _carry(self, name: UUID, talk: Awaitable[str]) -> None:
        outcome = "failed"
        try:
            outcome = await talk
        except NotConnected as failed:
            outcome = failed.outcome.value
        except EngineError as error:
            _log.error("api.placing", call=str(name), code=error.code)
        finally:
            self._engine.announced.end(name, outcome, self._now)

    async def _talk(self, line: Outward, address: str, body: Place, errand: Errand | None, number: str) -> str:
        """Dial, and carry the call; its outcome."""
        with self._engine.expecting():
            leg = await line.dial(address, trunk=self._section.trunk, flow=body.flow)
        heard = Listening(partial(self._opted_out, number, leg.facts.id))
        outcome = await self._engine.take(leg, _language(body), heard, errand)
        await heard.written()
        return outcome

    async def _opted_out(self, number: str, call: CallId, only_here: bool) -> None:  # noqa: ARG002 -- there is no campaign
        entry = Entry(OPT_OUTS, number, f"call:{call}", SAID_IN_A_CALL)
        await self._paperwork.surely(self._lists.block, [entry], utc_now())


def _named(key: str | None) -> UUID:
    return uuid5(_KEYS, key or "")


def _language(body: Place) -> Language | None:
    return None if body.language is None else Language(body.language)


def _zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (KeyError, ValueError, OSError):
        detail = "The engine knows no such time zone."
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY, "unknown-zone", detail, expected="an IANA time zone", where="zone"
        ) from None


def _unknown(field: str, known: str) -> Problem:
    detail = f"The engine has no such {field}."
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"unknown-{field}", detail, expected=known, where=field)
