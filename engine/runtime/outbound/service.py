"""The dialler beside a running engine, as ``[outbound]`` says."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import structlog
from sqlalchemy import Engine as Database

from engine.config import Config
from engine.config.outbound import OutboundSection
from engine.core.errors import ConfigError
from engine.core.units import Seconds
from engine.dialogue.fields import unfit_fields
from engine.outbound.contacts import Contact
from engine.runtime.batch.presence import Presence
from engine.runtime.engine import Engine
from engine.runtime.followups import followed_up
from engine.runtime.outbound import headless
from engine.runtime.outbound.around import Around, fit
from engine.runtime.outbound.asterisk_line import AsteriskLine, Claim
from engine.runtime.outbound.dialler import Dialler, Habits
from engine.runtime.outbound.line import Line, Plan, Talker
from engine.runtime.outbound.plans import CampaignPlans, TimeOfDay
from engine.runtime.outbound.simulated import ScriptedTalker, SimulatedLine
from engine.runtime.outbound.sip_line import SipLine
from engine.runtime.outbound.talking import EngineTalker
from engine.runtime.outbound.webhooks import outcomes_told
from engine.runtime.outbound.who_answers import who_answers
from engine.store.attempts import Attempts
from engine.store.campaigns import Campaigns
from engine.store.contacts import last_written
from engine.store.database import connect
from engine.store.lists import Lists
from engine.store.rulebook import CampaignRules
from engine.telephony.announced import Announcement

_log = structlog.get_logger(__name__)
_NO_SIP: Final = 'outbound: expected [doors.sip] for carrier = "sip", found none'
_NO_ASTERISK: Final = "outbound: expected [outbound.asterisk], and [doors.audiosocket] for the answered calls, found none"
_STOPPING: Final = Seconds(5.0)  # for what is still to be written; the engine has drained before


@contextlib.asynccontextmanager
async def dialling(engine: Engine, section: OutboundSection, habits: Habits = Habits()) -> AsyncIterator[Dialler[Any]]:  # noqa: B008
    """Dial the campaigns that run, as long as this lasts. The door that carries the calls must be open.

    Raises:
        ConfigError: it is not, or a file can't be read.
    """
    database = connect(engine.config.store.database)
    try:
        with Presence(section.folder) as presence:
            async with (
                _line(engine, section, habits, database) as (line, talker),
                followed_up(database, section.follow_up),
                outcomes_told(database, section.webhooks),
            ):
                talks = section.carrier != headless.SIMULATED  # made-up people hear nothing, so nothing need be fit to be said
                around = Around(
                    attempts=Attempts(database, CampaignRules(), owner=presence.owner, carrier=section.carrier),
                    line=line,
                    talker=talker,
                    plans=CampaignPlans(database, _flow_named(engine) if talks else None),
                    clock=TimeOfDay(last_written(database)),
                    dead=presence.dead,
                    unfit=_unfit(engine) if talks else fit,
                    room=lambda: engine.places - section.kept_free,
                    staffing=engine.staffing,
                )
                dialler = Dialler(around, section.lines, section.calls_a_second, habits)
                async with _run(dialler):
                    yield dialler
    finally:
        database.dispose()


@contextlib.asynccontextmanager
async def _run(dialler: Dialler[Any]) -> AsyncIterator[None]:
    running = asyncio.create_task(dialler.run(), name="dialler")
    running.add_done_callback(_say_why)
    try:
        yield
    finally:
        dialler.stop()
        await asyncio.wait([running], timeout=_STOPPING)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def can_carry(config: Config, section: OutboundSection) -> None:
    """See that there is a door by which the carrier's calls go, or come back.

    Raises:
        ConfigError: there is none.
    """
    if section.carrier == "sip" and config.open_doors.sip is None:
        raise ConfigError(_NO_SIP)
    if section.carrier == "asterisk" and (section.asterisk is None or config.open_doors.audiosocket is None):
        raise ConfigError(_NO_ASTERISK)


def _say_why(running: asyncio.Task[None]) -> None:
    """A dialler that ends by itself has met a bug; nobody is dialled any more, and the log must say so."""
    if not running.cancelled() and (error := running.exception()) is not None:
        _log.error("outbound.bug", exc_info=error)


@contextlib.asynccontextmanager
async def _line(
    engine: Engine, section: OutboundSection, habits: Habits, database: Database
) -> AsyncIterator[tuple[Line[Any], Talker[Any]]]:
    match section.carrier:
        case headless.SIMULATED:
            async with SimulatedLine.connected(section.simulated, habits.reply) as simulated:
                yield simulated, ScriptedTalker()
        case "sip":
            if engine.outward is None:
                raise ConfigError(_NO_SIP)
            yield SipLine(engine.outward, section.sip, engine.expecting), _talker(engine, database)
        case "asterisk":
            if section.asterisk is None or engine.config.open_doors.audiosocket is None:
                raise ConfigError(_NO_ASTERISK)
            async with AsteriskLine.connected(section.asterisk, _Claims(engine)) as asterisk:
                yield asterisk, _talker(engine, database)


def _talker(engine: Engine, database: Database) -> EngineTalker:
    return EngineTalker(engine, Lists(database), engine.journal, who_answers(engine, Campaigns(database)))


class _Claims:
    """See :class:`engine.runtime.outbound.asterisk_line.Claims`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @contextlib.contextmanager
    def expects(self, name: UUID, number: str, claim: Claim) -> Iterator[None]:
        """Announce it to the doors, and keep a place free for it."""
        with self._engine.expecting():
            self._engine.announced.announce(name, Announcement(called_number=number), Seconds(time.monotonic()))
            self._engine.claims[name] = claim
            try:
                yield
            finally:
                self._engine.claims.pop(name, None)
                self._engine.announced.withdraw(name, Seconds(time.monotonic()))


def _flow_named(engine: Engine) -> Callable[[Path], str | None]:
    """Find a flow's name by its file."""
    section = engine.config.flow
    known = {} if section is None else {path.resolve(): name for name, path in section.paths.items()}

    def named(path: Path) -> str | None:
        return known.get(path.resolve())

    return named


def _unfit(engine: Engine) -> Callable[[Contact, Plan], str | None]:
    def unfit(contact: Contact, plan: Plan) -> str | None:
        flow = engine.flows.get(plan.flow or "")
        if flow is None:
            return "the engine has no such flow"
        missing = unfit_fields(flow, contact.fields, contact.language)
        return f"cannot be said: {', '.join(missing)}" if missing else None

    return unfit
