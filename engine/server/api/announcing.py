"""``/api/v1/calls``: the bank's telephony announces calls, and asks what became of them.

::

    POST   /api/v1/calls                 {"uuid", "caller_number"?, "called_number"?, "flow"?, "language"?, "door"?} -> 201
    POST   /api/v1/calls                 {"to", "flow"?, "language"?, "fields"?, "zone"?} -> 202: calls somebody
    GET    /api/v1/calls/{uuid}          what is known
    DELETE /api/v1/calls/{uuid}          forget it -> 204
    GET    /api/v1/calls/{uuid}/outcome  {"outcome", "destination", "context": {"intent", "verified", "last_words"}}

Bodies are JSON or forms (:mod:`engine.server.api.bodies`). Announcing the same call again changes nothing. No number is ever
logged, nor given back whole.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Request, Response

from engine.access.permissions import Permission
from engine.config import MAIN
from engine.core.units import Language, Seconds
from engine.runtime.engine import Engine
from engine.server.api.bodies import Announce, Place, bodies_of, said, understood
from engine.server.api.placing import Placing
from engine.server.api.shapes import CallEnded, CallKnown
from engine.server.entrance import requires
from engine.server.problems import HEADERS, Problem
from engine.store.database import connect
from engine.store.lists import Lists
from engine.store.placed import PlacedCalls
from engine.telephony.announced import AnnouncedCall, Announcement, Over, Taken, Waiting
from engine.telephony.handover import phone_number

_ENDING: Final = Seconds(2.0)  # a call whose sound has ended is over in this time: its record is closed meanwhile
_LOOK: Final = Seconds(0.02)

_KEY: Final = {"name": "Idempotency-Key", "in": "header", "schema": {"type": "string"}}
_CREATED: Final = {
    **bodies_of(Announce, Place),
    "parameters": [{**_KEY, "description": "Who is called once under a key is not called again."}],
}
_CREATING: Final[dict[int | str, dict[str, Any]]] = {
    200: {"model": CallKnown, "description": "It was announced before"},
    202: {"model": CallKnown, "description": "Somebody is being called"},
    409: {"description": "Another call has this name, or a door is shut"},
}
_FORGOTTEN: Final[dict[str, Any]] = {
    "responses": {409: {"description": "It is in progress"}},
    "openapi_extra": {"x-missing": 204},  # what is not there is forgotten too
}
_NOT_OVER: Final[dict[int | str, dict[str, Any]]] = {409: {"description": "It is not over"}}


def announcing(engine: Engine, clock: Callable[[], float]) -> APIRouter:
    """The part of the API."""
    router = APIRouter(prefix="/calls", tags=["Telephony"])
    desk = _Desk(engine, clock)
    database = connect(engine.config.store.database)
    placing = Placing(engine, PlacedCalls(database), Lists(database), clock)
    announces = [requires(Permission.ANNOUNCE_CALLS)]

    @router.post(
        "", dependencies=announces, status_code=201, response_model=CallKnown, openapi_extra=_CREATED, responses=_CREATING
    )
    async def create(request: Request) -> Response:
        """Announce a call that will come in (`uuid`), or call somebody (`to`)."""
        body = await understood(request)
        if isinstance(body, Place):
            name = await placing.place(body, request.headers.get("Idempotency-Key"))
            return said(request, HTTPStatus.ACCEPTED, desk.placed(name))
        return said(request, *desk.announce(body))

    @router.get("/{uuid}", dependencies=announces, response_model=CallKnown)
    async def known(request: Request, uuid: str) -> Response:
        """What is known of an announced or placed call."""
        return said(request, HTTPStatus.OK, desk.known(_uuid(uuid)))

    @router.delete("/{uuid}", dependencies=announces, status_code=204, response_class=Response, **_FORGOTTEN)
    async def forget(uuid: str) -> Response:
        """Forget a call that has not come, or is over."""
        desk.forget(_uuid(uuid))
        return Response(status_code=HTTPStatus.NO_CONTENT, headers=HEADERS)

    @router.get("/{uuid}/outcome", dependencies=announces, response_model=CallEnded, responses=_NOT_OVER)
    async def outcome(request: Request, uuid: str) -> Response:
        """What came of it."""
        return said(request, HTTPStatus.OK, await desk.outcome(_uuid(uuid)))

    return router


class _Desk:
    """Answers from the engine's table of announced calls."""

    def __init__(self, engine: Engine, clock: Callable[[], float]) -> None:
        self._engine, self._clock = engine, clock

    @property
    def _now(self) -> Seconds:
        return Seconds(self._clock())

    def announce(self, body: Announce) -> tuple[HTTPStatus, dict[str, Any]]:
        if body.door == "audiosocket" and self._engine.config.open_doors.audiosocket is None:
            raise Problem(HTTPStatus.CONFLICT, "door-shut", "No AudioSocket door is open: see [doors.audiosocket].", where="door")
        announcement = self._announcement(body)
        before = self._engine.announced.find(body.uuid, self._now)
        call = self._engine.announced.announce(body.uuid, announcement, self._now)
        if call is None:
            full = "Too many calls are announced that have not come yet."
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "table-full", full).with_headers(Retry_After="5")
        if not isinstance(call, Waiting) or call.announcement != announcement:
            found = "it is announced with other facts" if isinstance(call, Waiting) else f"it is {_STATES[type(call)]}"
            detail = "A call of this name is known already; every call needs a name of its own."
            raise Problem(HTTPStatus.CONFLICT, "name-taken", detail, expected="a new uuid", found=found, where="uuid")
        return HTTPStatus.CREATED if before is None else HTTPStatus.OK, self._resource(body.uuid, call)

    def known(self, name: UUID) -> dict[str, Any]:
        return self._resource(name, self._found(name))

    def forget(self, name: UUID) -> None:
        if self._engine.announced.withdraw(name, self._now) is not None:
            detail = "The call is in progress; it can be forgotten when it is over."
            raise Problem(HTTPStatus.CONFLICT, "in-progress", detail, where="uuid")

    async def outcome(self, name: UUID) -> dict[str, Any]:
        """Wait for a call that is just ending. Safe to cancel."""
        until = self._now + _ENDING
        while isinstance(call := self._found(name), Taken) and self._now < until:  # noqa: ASYNC110 -- the table is pure
            await asyncio.sleep(_LOOK)
        ending = call.ending if isinstance(call, Over) else call.handed_over if isinstance(call, Taken) else None
        if ending is None:
            detail = f"The call has no outcome yet: it is {_STATES[type(call)]}."
            raise Problem(HTTPStatus.CONFLICT, "not-over", detail, where="uuid").with_headers(Retry_After="1")
        return {"uuid": str(name), "outcome": ending.outcome, "destination": ending.destination, "context": dict(ending.context)}

    def placed(self, name: UUID) -> dict[str, Any]:
        """What is known of a call that was placed; one placed before a restart has only its name left."""
        call = self._engine.announced.find(name, self._now)
        return {"uuid": str(name), "state": "placed before"} if call is None else self._resource(name, call)

    def _announcement(self, body: Announce) -> Announcement:
        flow = self._engine.flows.get(body.flow or MAIN)
        if flow is None:
            raise _unknown("flow", self._engine.flows)
        if body.language is not None and body.language not in flow.languages:
            raise _unknown("language", flow.languages)
        return Announcement(
            caller_number=phone_number(body.caller_number),
            called_number=phone_number(body.called_number),
            flow=body.flow,
            language=None if body.language is None else Language(body.language),
        )

    def _found(self, name: UUID) -> AnnouncedCall:
        call = self._engine.announced.find(name, self._now)
        if call is None:
            detail = "No such call: it was never announced, or has been forgotten since."
            raise Problem(HTTPStatus.NOT_FOUND, "not-announced", detail, where="uuid")
        return call

    def _resource(self, name: UUID, call: AnnouncedCall) -> dict[str, Any]:
        known = call.announcement
        resource: dict[str, Any] = {
            "uuid": str(name),
            "state": _STATES[type(call)],
            "caller_number": _veiled(known.caller_number),
            "called_number": _veiled(known.called_number),
            "flow": known.flow,
            "language": known.language,
        }
        if isinstance(call, Waiting):
            left = round(call.until - self._now, 3)
            at = datetime.now(UTC) + timedelta(seconds=left)
            resource |= {"expires_in": left, "expires_at": at.isoformat(timespec="milliseconds")}
        return resource


_STATES: Final[Mapping[type, str]] = {Waiting: "announced", Taken: "in progress", Over: "over"}


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        detail = "The name of a call is a UUID."
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request", detail, expected="a UUID", where="path") from None


def _unknown(field: str, known: Any) -> Problem:
    detail = f"The engine has no such {field}."
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"unknown-{field}", detail, expected=", ".join(known), where=field)


def _veiled(number: str | None) -> str | None:
    """A number by which its owner, and nobody else, knows it again."""
    return None if number is None else "+" + "•" * (len(number) - 5) + number[-4:]
