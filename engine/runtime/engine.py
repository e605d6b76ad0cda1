"""Puts the parts together: from a configuration to something that takes calls.

One event loop holds all media; models run in worker processes, the journal's writes in a thread. Above ``max_calls`` a call is
not taken: it goes to the operator at once, and the calls in progress do not suffer.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog

from engine.asr.detectors import make_vad
from engine.asr.endpoint_policy import EndpointPolicy
from engine.asr.endpointer import Endpointer
from engine.asr.phrasing import PHRASES, Phrasing
from engine.asr.protocol import Hints
from engine.config import MAIN, Config, FlowSection
from engine.config.named_files import text_in
from engine.core.audio import AudioFormat, AudioFrame
from engine.core.call import CallFacts, Direction, Errand
from engine.core.errors import ConfigError
from engine.core.passing import sweep
from engine.core.units import Language, Seconds
from engine.dialogue.actions import Spoken
from engine.dialogue.events import Answered
from engine.dialogue.fields import unfit_fields
from engine.dialogue.graph import Flow, Transfer
from engine.dialogue.machine import Dialogue
from engine.dialogue.scope import check_scope
from engine.ivr.files import load_flow
from engine.privacy import mask_text
from engine.runtime.call import Call, Inbox, Surroundings
from engine.runtime.dictation import Dictated, Dictation
from engine.runtime.ear import Ear
from engine.runtime.hearing import Hearing
from engine.runtime.host import Host, HostAddress
from engine.runtime.jobs import Urgency
from engine.runtime.lags import Lags
from engine.runtime.live import LiveCalls
from engine.runtime.looking_on import CallLog, Everybody, Metrics
from engine.runtime.outbound.staffing import Staffing
from engine.runtime.outward import Outward
from engine.runtime.prompts import Prompts
from engine.runtime.room import Room
from engine.runtime.silent_agents import SilentAgents
from engine.runtime.tape import NOTHING_BEFORE, Beforehand, NoTape, PatientTape, Tape
from engine.runtime.watch import Watch
from engine.runtime.workers import Workers
from engine.store.database import connect, upgrade
from engine.store.engines import Presence
from engine.store.journal import Journal, Standing
from engine.store.keys import keys_of
from engine.store.recorder import Recorder, recover
from engine.telephony.announced import AnnouncedCalls
from engine.telephony.leg import Leg
from engine.tts.prompts import Progress

_log = structlog.get_logger(__name__)
_DRAIN = Seconds(30.0)  # how long calls in progress may go on when the engine is asked to stop


class Engine:
    """Takes calls. Make one with :meth:`start`; close it, or its workers stay."""

    def __init__(self, config: Config, flows: Mapping[str, Flow], watches: Sequence[Watch] = ()) -> None:
        """``flows`` by the name a call may ask for; the configured one is ``MAIN``. None at all: it only listens."""
        self.config = config
        self.flows = flows
        self.metrics = Metrics()
        self.announced = AnnouncedCalls()
        self.staffing = Staffing()
        self._lags = Lags()
        self.live_calls = LiveCalls(config.calls.max_calls, self._lags)
        self._watch = Everybody([CallLog(), self.metrics, self.live_calls, *watches])
        self._workers = Workers(config, tuple(flows.values()), self.languages)
        self._prompts = Prompts(self._workers.voices, config.tts.cache, config.tts.recorded)
        self._host: Host | None = None
        self._calls: set[asyncio.Task[str]] = set()
        self._draining = False
        self._expected = 0
        self.claims: dict[UUID, Callable[[Leg], Awaitable[str]]] = {}
        """Calls that somebody else than a flow waits for, by the names that they come under."""
        self.outward: Outward | None = None
        """Who can call people by SIP: the door, while it is open."""
        self._make_vad = make_vad(config.asr.vad)  # loads the network once; each leg then has only its state
        self.agents: SilentAgents | None = None
        self._lag_watch: asyncio.Task[None] | None = None
        self.metrics.watch_loop(self._lags)

    @classmethod
    async def start(cls, config: Config, watches: Sequence[Watch] = (), progress: Progress | None = None) -> Engine:
        """Load everything, bring the database up to date, warm the models, render the fixed prompts. Not safe to cancel.

        Raises:
            ConfigError: a setting or the flow is wrong.
            ModelError: a model can't be loaded.
        """
        engine = cls(config, _flows(config.flow), watches)
        sweep()
        engine._open_store()
        await engine._workers.start(engine.metrics.worked)
        engine._host = engine._connect_host()
        for flow in engine.flows.values():
            await engine._prompts.prepare(flow, progress)
        mask_text("")  # its tables take 50 ms to be read, once
        _keep()
        return engine

    def opened(self) -> None:
        """Note from now on how late the loop is: the doors are open, and opening them takes longer than anything in a call."""
        _keep()
        self._lag_watch = self._lag_watch or asyncio.create_task(self._lags.watch())

    @property
    def live(self) -> int:
        """Calls in progress."""
        return len(self._calls)

    @property
    def full(self) -> bool:
        """Whether the next call that comes in would be refused; a door that can say so before it answers asks first."""
        return not self.places

    @property
    def places(self) -> int:
        """How many calls more could be made or taken now."""
        return 0 if self._draining or not self._can_keep else max(0, self.config.calls.max_calls - self.live - self._expected)

    @property
    def journal(self) -> Journal:
        """What became of calls."""
        return self._journal

    async def say(self, spoken: Sequence[Spoken], language: Language) -> AudioFrame:
        """The sound of what no flow says, as the call's voice says it. Safe to cancel.

        Raises:
            ConfigError: no voice speaks the language, or a value can't be worded.
            ModelError: no voice could make it in time.
        """
        return await self._prompts.make(spoken, language)

    @contextlib.contextmanager
    def expecting(self) -> Iterator[None]:
        """Keep a place free for somebody whose telephone we make ring."""
        self._expected += 1
        try:
            yield
        finally:
            self._expected -= 1

    @property
    def languages(self) -> tuple[Language, ...]:
        """What it understands."""
        spoken = dict.fromkeys(language for flow in self.flows.values() for language in flow.languages)
        return tuple(spoken) or tuple(map(Language, self.config.asr.languages)) or (Language("en"),)

    @property
    def ready(self) -> dict[str, bool]:
        """What must be right before the next call is taken, part by part."""
        workers = {f"workers.{name}": warm for name, warm in self._workers.warm.items()}
        standing = self._journal.standing
        kept = {
            "journal": standing not in {Standing.FULL, Standing.BROKEN},
            "database": standing is Standing.WELL,
            "disk": self._room.enough,
        }
        return {**kept, "accepting": not self._draining, **workers}

    @property
    def _can_keep(self) -> bool:
        """Whether what a new call leaves behind could be kept."""
        return self._journal.standing is not Standing.FULL and self._room.enough

    async def take(
        self,
        leg: Leg,
        language: Language | None = None,
        watch: Watch | None = None,
        errand: Errand | None = None,
        before: Beforehand = NOTHING_BEFORE,
    ) -> str:
        """Carry a call from beginning to end; its outcome. Safe to cancel: the call is then hung up.

        ``watch`` looks on at this call alone; ``errand`` is what a call that we make is about; ``before`` is recorded with it.
        """
        flow = self.flows.get(leg.facts.flow or MAIN)
        inbound = leg.facts.direction is Direction.INBOUND  # whom we called is never told that we have no time
        if flow is None or (inbound and self.full):
            return await self._refuse(leg, self._why_not if flow else "no such flow")
        answered = _answered(self._language(leg.facts, flow, language), errand)
        if unfit := unfit_fields(flow, answered.fields, answered.language):
            return await self._refuse(leg, f"fields missing or not to be said: {', '.join(unfit)}")
        task = asyncio.ensure_future(self._carry(leg, flow, answered, watch, before))
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)
        return await task

    def dictation(
        self,
        format: AudioFormat,
        hints: Hints,
        heard: Callable[[Dictated], None],
        urgency: Urgency = Urgency.TURN,
        policy: EndpointPolicy = PHRASES,
    ) -> Dictation:
        """Listen to one channel for as long as its sound lasts, without a flow; close it in the end.

        Raises:
            ConfigError: the engine does not recognise this language.
            MediaError: no phone, file or browser has sound of this rate.
        """
        if hints.language not in self.languages:
            raise ConfigError(f"expected one of {', '.join(self.languages)}, found language {hints.language!r}")
        return Dictation(Phrasing(self._make_vad(), format, policy), hints, self._workers.transcribe, heard, urgency)

    async def drain(self, within: Seconds = _DRAIN) -> None:
        """Take no more calls and let those in progress end, while the doors are still open. Not safe to cancel."""
        self._draining = True
        if self._calls:
            _, late = await asyncio.wait(self._calls, timeout=within)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def close(self, drain: Seconds = _DRAIN) -> None:
        """Take no more calls, let those in progress end, then stop. Not safe to cancel."""
        await self.drain(drain)
        if self._lag_watch is not None:
            self._lag_watch.cancel()
        if self.agents is not None:
            self.agents.close()
        await self._workers.close()
        self._journal.close()
        self._presence.end()

    def _open_store(self) -> None:
        self._keys = keys_of(self.config.store.key_file)
        database = connect(self.config.store.database)
        upgrade(database)
        self._presence = Presence(database)
        self._presence.begin()
        self._room = Room(self.config.store)
        self._journal = Journal(database, self._presence.owner, self.config.store.aside)
        if self.config.assist is not None and self.flows:
            self.agents = SilentAgents(self.config.assist, database, self._workers.interpret, self._keys)
        crashed = self._journal.sweep()
        mended = self._recovered()
        if crashed or mended:
            _log.warning("engine.recovered", calls=len(crashed), recordings=len(mended))

    def _recovered(self) -> Sequence[Path]:
        """Mend the recordings that a dead engine left behind."""
        folder = self.config.store.recordings
        if folder is None:
            return ()
        folder.mkdir(parents=True, exist_ok=True)
        return recover(folder, self._keys)

    def _connect_host(self) -> Host | None:
        section = self.config.host
        if section is None:
            return None
        token = text_in("host.token_file", section.token_file) if section.token_file else ""
        return Host(HostAddress(section.url, token, Seconds(section.within)))

    async def _carry(self, leg: Leg, flow: Flow, answered: Answered, watch: Watch | None, before: Beforehand) -> str:
        language = answered.language
        inbox: Inbox = asyncio.Queue()
        watching = self._watch if watch is None else Everybody([self._watch, watch])
        longest = Seconds(self.config.calls.longest)
        assistance = self.agents.assistance(leg.facts.id, flow, inbox.put_nowait) if self.agents else None
        tape = self._tape(leg.facts)
        before.put_on(tape)
        around = Surroundings(self._prompts, self._host, self._journal, watching, tape, longest, assistance)
        hearing = Hearing(self._ear(), flow.revision, self._workers.recognise, inbox.put_nowait, self._workers.second(flow))
        dialogue = Dialogue(flow, language=language, agents=assistance is not None)
        self._journal.begin(leg.facts, flow, language=language, agents=assistance is not None)
        watching.began(leg.facts)
        call = Call(leg, dialogue, hearing, inbox, around)
        return await call.run(answered)

    def _language(self, facts: CallFacts, flow: Flow, chosen: Language | None) -> Language | None:
        """The first that somebody asked for and the flow speaks; ``None`` leaves it to the flow."""
        configured = self.config.flow.language if self.config.flow else None
        wished = (chosen, facts.language, configured)
        return next((Language(one) for one in wished if one in flow.languages), None)

    @property
    def _why_not(self) -> str:
        return "all lines busy" if self._can_keep else "no room to keep a call"

    async def _refuse(self, leg: Leg, reason: str) -> str:
        _log.warning("call.refused", call=leg.facts.id, live=self.live, reason=reason)
        self.metrics.refused(leg.facts)
        self.live_calls.refused()
        flow = self.flows.get(MAIN)
        operator = flow and flow.nodes[flow.operator]
        if isinstance(operator, Transfer) and leg.facts.direction is Direction.INBOUND:
            await leg.transfer(operator.destination, {"reason": reason})
        await leg.hang_up()
        return "refused"

    def _ear(self) -> Ear:
        vad = self._make_vad()
        return Ear(vad, Endpointer(self.config.endpoint.policy, Seconds(vad.lag_s)))

    def _tape(self, call: CallFacts) -> Tape:
        folder = self.config.store.recordings
        if folder is None:
            return NoTape()

        def lost(error: OSError) -> None:
            _log.error("call.recording", call=call.id, error=error.strerror)

        try:
            return PatientTape(Recorder(folder / f"{call.id}.wav", keys=self._keys), lost)
        except OSError as error:
            lost(error)
        except ConfigError as error:  # never in clear where it is meant to be encrypted
            _log.error("call.recording", call=call.id, error=str(error))
        return NoTape()


def _answered(language: Language | None, errand: Errand | None) -> Answered:
    if errand is None:
        return Answered(language)
    local = datetime.now(ZoneInfo(errand.zone)).replace(tzinfo=None)
    return Answered(language, dict(errand.fields), local)


def _keep() -> None:
    """Take it that what is loaded by now stays; to walk through it again and again would hold up the media loop."""
    gc.collect()
    gc.freeze()


def _flows(section: FlowSection | None) -> dict[str, Flow]:
    """Load them, by the name a call may ask for."""
    flows = {name: load_flow(path) for name, path in section.paths.items()} if section else {}
    for flow in flows.values():
        check_scope(flow, section.speech_alone if section else None)
    return flows
