"""The door for SIPREC: calls between people, forked to us by a session border controller."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import structlog

from engine.asr.phrasing import PHRASES
from engine.asr.protocol import Hints
from engine.config import SiprecDoor
from engine.core.audio import TELEPHONY, AudioFrame
from engine.core.call import CallId, Speaker
from engine.core.errors import ConfigError
from engine.core.units import Language, Seconds
from engine.runtime.dictation import Dictated, Lost, Partial
from engine.runtime.engine import Engine
from engine.runtime.human_call import Account, HumanCall, Parts, listening
from engine.runtime.jobs import Urgency
from engine.runtime.tape import PatientTape
from engine.server.doors.common import Door, protection
from engine.server.doors.tls import tls_of
from engine.store.database import connect
from engine.store.human_calls import HumanCallFacts, HumanCalls, Knowledge, unmasked
from engine.store.keys import KeyFile, keys_of
from engine.store.recorder import Recorder
from engine.telephony.handover import new_call_id
from engine.telephony.siprec.metadata import Participant
from engine.telephony.siprec.recording_session import RecordingSession, Rules
from engine.telephony.siprec.server import Invitation, Recording, SiprecServer, SiprecSettings, serve_siprec

_log = structlog.get_logger(__name__)
DOOR: Final = "siprec"
_URGENCY: Final = Urgency.SECOND  # callers who wait for an answer go first
_FINALS: Final = replace(PHRASES, partial_every=Seconds(0.0))  # nobody reads what is not final
_WHOLE: Final = "hung_up"  # the one way to end that says all was heard


@contextlib.asynccontextmanager
async def opened(engine: Engine, section: SiprecDoor) -> AsyncIterator[list[Door]]:
    """Open it; on the way out every recording is ended and kept.

    Raises:
        ConfigError: the address is taken, is none, nothing protects it, there is nowhere to record to, or no certificate.
    """
    protected = protection("doors.siprec", section)
    settings, desk = _settings(section), _desk(engine, section)
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(desk.close)
        try:
            server = await stack.enter_async_context(serve_siprec(settings, desk.take, lambda: desk.full))
        except OSError as error:
            raise ConfigError(
                f"doors.siprec: expected to listen on {section.host}:{section.port}, found: {error.strerror}"
            ) from error
        yield [Door(DOOR, _address(section, server), protected)]


@dataclass(slots=True)
class Desk:
    """Takes calls for the recorder, and keeps them until they are written."""

    engine: Engine
    calls: HumanCalls
    folder: Path
    language: Language
    keys: KeyFile | None = None
    live: int = 0
    _ending: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def full(self) -> bool:
        """Whether the next call is refused."""
        return self.engine.full or self.engine.live + self.live >= self.engine.config.calls.max_calls

    def take(self, invitation: Invitation) -> Recording | None:
        """Begin to record a call, or refuse it where there is no room or the disk refuses."""
        if self.full:
            self.engine.metrics.streams.refused(DOOR)
            return None
        name, account = new_call_id(invitation.peer_id), Account()
        facts = HumanCallFacts(name, DOOR, invitation.sbc, invitation.peer_id[:256], self.language, f"{name}.wav")

        def lost(error: OSError | ConfigError) -> None:
            account.broken = "disk"
            _log.error("siprec.recording", call=name, error=error.strerror if isinstance(error, OSError) else str(error))

        try:
            tape = PatientTape(Recorder(unmasked(self.folder / facts.recording), keys=self.keys), lost)
        except (OSError, ConfigError) as error:
            lost(error)
            self.engine.metrics.streams.refused(DOOR)
            return None
        ears = {
            speaker: self.engine.dictation(TELEPHONY, Hints(self.language), self._listening(account, speaker), _URGENCY, _FINALS)
            for speaker in Speaker
        }
        call = HumanCall(CallId(name), self.language, Parts(tape, ears, self.calls, self.folder, self.keys), account)
        call.begin(facts, knowledge(invitation.session, account))
        self.live += 1
        self.engine.metrics.streams.began(DOOR)
        return _Recorded(call, invitation.session, self)

    def _listening(self, account: Account, speaker: Speaker) -> Callable[[Dictated], None]:
        keep = listening(account, speaker)

        def heard(dictated: Dictated) -> None:
            if not isinstance(dictated, Partial):
                outcome = "lost" if isinstance(dictated, Lost) else "words" if dictated.transcript else "no_words"
                self.engine.metrics.streams.phrase(DOOR, outcome)
            keep(dictated)

        return heard

    def ended(self, call: HumanCall, known: Knowledge, reason: str, *, whole: bool) -> None:
        """Let a call be written."""
        self.live -= 1
        self.engine.metrics.streams.ended(DOOR, reason)
        self.engine.metrics.streams.heard(DOOR, call.length)
        task = asyncio.create_task(call.finished(known, reason, whole=whole), name=f"end of {call.id}")
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def close(self) -> None:
        """Wait until all is written. Not safe to cancel."""
        while self._ending:
            await asyncio.wait(self._ending)


@dataclass(frozen=True, slots=True)
class _Recorded:
    """Between the server, which knows the session, and the call, which knows the disk."""

    call: HumanCall
    session: RecordingSession
    desk: Desk

    def heard(self, caller: AudioFrame, agent: AudioFrame) -> None:
        """Pass it on."""
        self.call.heard(caller, agent)

    def mask(self, start: Seconds, end: Seconds) -> None:
        """Pass it on."""
        self.call.mask(start, end)

    def changed(self) -> None:
        """Keep what is known now."""
        self.call.learn(knowledge(self.session, self.call.account))

    def ended(self, reason: str) -> None:
        """Let it be written."""
        whole = reason == _WHOLE and self.session.counts.received > 0
        reason = reason if self.session.counts.received else "no_sound"
        self.desk.ended(self.call, knowledge(self.session, self.call.account), reason, whole=whole)


def knowledge(session: RecordingSession, account: Account) -> Knowledge:
    """What is known of a call, as its row keeps it."""
    people = [_person(one, session) for one in session.metadata.participants.values()]
    notes = [{"at": round(note.at, 3), "kind": note.kind, "speaker": note.speaker, "who": note.who} for note in session.notes]
    keys = [{"at": round(it.start, 3), "until": round(it.end, 3), "kind": "keys"} for it in account.keyed]
    counts = session.counts
    tally = {"received": counts.received, "late": counts.late, "foreign": counts.foreign, "phrases_lost": account.lost}
    return Knowledge(
        session=session.metadata.session,
        mixed=session.mixed,
        participants=json.dumps(people, ensure_ascii=False),
        notes=json.dumps(sorted([*notes, *keys], key=lambda note: float(str(note["at"]))), ensure_ascii=False),
        counts=json.dumps(tally),
        documents=json.dumps([document.decode("utf-8", "replace") for document in session.documents], ensure_ascii=False),
    )


def _person(one: Participant, session: RecordingSession) -> dict[str, Any]:
    speaker = next((speaker.value for speaker in Speaker if one in session.who(speaker)), None)
    labels = [label for stream, label in session.metadata.labels.items() if stream in (one.sends or ())]
    return {"id": one.id, "aor": one.aor, "name": one.name, "speaker": speaker, "labels": labels, "left": one.left}


def _desk(engine: Engine, section: SiprecDoor) -> Desk:
    folder = engine.config.store.recordings
    if folder is None:
        raise ConfigError("store.recordings: expected a folder, since doors.siprec records calls, found none")
    language = Language(section.language) if section.language else engine.languages[0]
    if language not in engine.languages:
        raise ConfigError(f"doors.siprec.language: expected one of {', '.join(engine.languages)}, found {language!r}")
    calls = HumanCalls(connect(engine.config.store.database))
    if left := calls.sweep():
        _log.warning("siprec.recovered", calls=len(left))
    return Desk(engine, calls, folder, language, keys_of(engine.config.store.key_file))


def _settings(section: SiprecDoor) -> SiprecSettings:
    return SiprecSettings(
        host=section.host,
        port=section.port,
        transports=tuple(transport.upper() for transport in section.transports),
        tls=tls_of("doors.siprec", section),
        advertised=str(section.advertised) if section.advertised else None,
        rtp_ports=section.rtp_ports if section.rtp_ports != (0, 0) else None,
        rules=Rules(section.agents, Speaker(section.first_line), plain=section.srtp == "optional"),
        admits=section.admits,
        media_from=lambda address: bool(section.peers) and section.admits(address),
        lost=Seconds(section.lost),
        longest=Seconds(section.longest),
    )


def _address(section: SiprecDoor, server: SiprecServer) -> str:
    host = f"[{section.host}]" if ":" in section.host else section.host
    return ", ".join(f"sip:{host}:{port};transport={transport.lower()}" for transport, port in server.ports.items())
