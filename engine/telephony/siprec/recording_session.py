"""What one recording session knows: its lines, who speaks on which, what was paused and when. Pure: time is an argument.

Who is the caller, and so on the left channel, is told by the first of these that knows:

1. the configuration's patterns of agents' addresses: who fits one is an agent, everybody else a caller;
2. the SBC's own mark of who dialled (Oracle, BroadWorks): the caller, where the call came in from outside;
3. the order of the lines: most SBCs put who called first.

Several people may share a channel: all agents of a conference are on the right. Where both parties share one line, their voices
are parted by their senders (SSRC), the first to send being taken for the one on the first line; where they are mixed into one
voice, nobody can part them, the sound is on the left, and the session says ``mixed``.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import reduce
from typing import Final

from engine.core.audio import Samples
from engine.core.call import Speaker
from engine.core.errors import MediaError
from engine.core.units import Seconds
from engine.telephony.siprec.description import Description, Line, hearing, read_description
from engine.telephony.siprec.feed import Counts, Feed, added
from engine.telephony.siprec.message import Request, address, parameters
from engine.telephony.siprec.metadata import NOTHING, Metadata, Participant, merged, read_metadata
from engine.telephony.siprec.multipart import read_parts
from engine.telephony.siprec.srtp import Opener

METADATA: Final = frozenset({"application/rs-metadata+xml", "application/rs-metadata"})
MOST_KEPT: Final = 262_144  # bytes of metadata, as received, a call
MOST_NOTES: Final = 1_000


class NoteKind(StrEnum):
    """What may happen to a recording."""

    JOINED = "joined"
    LEFT = "left"
    PAUSED = "paused"
    RESUMED = "resumed"


@dataclass(frozen=True, slots=True)
class Note:
    """Something that happened, and when."""

    at: Seconds
    kind: NoteKind
    speaker: Speaker | None = None
    who: str | None = None
    """Their address, or name."""


@dataclass(frozen=True, slots=True)
class Offered:
    """What a request brought."""

    description: Description | None
    metadata: Metadata | None
    document: bytes | None
    """The metadata as received."""


def read_offer(request: Request) -> Offered:
    """Take an INVITE or UPDATE apart.

    Metadata that can't be read is left out, not refused: the sound is worth more than the names. It is kept as received.

    Raises:
        MediaError: the body or the session description can't be read.
    """
    parts = read_parts(request.fields.first("content-type"), request.body)
    description = next((part.content for part in parts if part.type == "application/sdp"), None)
    document = next((part.content for part in parts if part.type in METADATA), None)
    metadata = _metadata(document) if document is not None else _cisco(request)
    return Offered(read_description(description) if description is not None else None, metadata, document)


def _metadata(document: bytes) -> Metadata | None:
    try:
        return read_metadata(document)
    except MediaError:
        return None


def _cisco(request: Request) -> Metadata | None:
    """Cisco's network-based recording has no metadata but a field for each party, with the number of its line."""
    found = request.fields.every("x-cisco-recording-participant")
    people = [(address(value), parameters(value).get("media-index", "")) for value in found]
    if not people:
        return None
    return Metadata(
        participants={aor: Participant(aor, aor, sends=(place,)) for aor, place in people},
        labels={place: f"#{place}" for _, place in people},
    )


@dataclass(frozen=True, slots=True)
class Rules:
    """How the bank's calls look."""

    agents: tuple[str, ...] = ()
    """Patterns of agents' addresses, as a shell writes them: ``sip:4???@*``."""

    first: Speaker = Speaker.CALLER
    """Who is on the first line, where nothing else tells."""

    plain: bool = True
    """Whether sound may come in unencrypted."""


@dataclass(slots=True)
class RecordingSession:
    """One call. Give it offers and packets; every 20 ms it gives both channels."""

    rules: Rules = Rules()
    metadata: Metadata = NOTHING
    documents: list[bytes] = field(default_factory=list)
    """Metadata as received, the oldest first."""

    notes: list[Note] = field(default_factory=list)
    lines: tuple[Line, ...] = ()
    feeds: dict[int, Feed] = field(default_factory=dict)
    """By the place of their line."""

    counts: Counts = field(default_factory=Counts)
    version: int = 0
    _read: int = 0
    _speakers: dict[int, Speaker] = field(default_factory=dict)
    _several: bool = False  # lines, at any time
    _apart: bool = False  # two voices of one line have been told apart

    def offered(self, offer: Offered, now: Seconds) -> None:
        """The call begins, or goes on in another way."""
        self._keep(offer.document)
        if offer.metadata is not None:
            self._know(merged(self.metadata, offer.metadata), now)
        if offer.description is not None:
            self.version += 1
            self.lines = offer.description.lines
        self._speakers = self._assign()
        if offer.description is not None:
            self._tune(now)
            self._several = self._several or len(self.feeds) > 1

    def takes(self, description: Description) -> bool:
        """Whether anything of an offer can be heard, or nothing is meant to be."""
        sounding = [line for line in description.lines if line.sounds]
        return not sounding or any(self._takes(line) for line in sounding)

    def hear(self, place: int, octets: bytes, now: Seconds) -> tuple[Seconds, Seconds] | None:
        """Take a datagram of the line at ``place``; the span in which a key is held, where it says so."""
        feed = self.feeds.get(place)
        return feed.receive(octets, now) if feed is not None else None

    def take(self, count: int, now: Seconds) -> tuple[Samples, Samples]:
        """Give the next ``count`` samples of the caller and of the agent."""
        self._read += count
        parts = {place: feed.take(count, now) for place, feed in self.feeds.items()}
        if len(parts) == 1 and not self._several:
            return self._parted(*next(iter(parts.items())))
        channels = {speaker: Feed.silence(count) for speaker in Speaker}
        for place, voices in parts.items():
            for voice in voices:
                channels[self.speaker(place)] = added(channels[self.speaker(place)], voice)
        return channels[Speaker.CALLER], channels[Speaker.AGENT]

    @property
    def mixed(self) -> bool:
        """Whether both parties' sound is on one channel, because it came in one voice."""
        return not self._several and not self._apart and len(self.metadata.participants) != 1

    @property
    def read(self) -> int:
        """How many samples were taken."""
        return self._read

    @property
    def paused(self) -> bool:
        """Whether no line sends now, and the SBC said so."""
        return all(feed.paused for feed in self.feeds.values())

    def speaker(self, place: int) -> Speaker:
        """Whose channel the line at ``place`` belongs to."""
        return self._speakers.get(place) or self._by_order(place)

    def who(self, speaker: Speaker) -> tuple[Participant, ...]:
        """Who was heard on a channel, or would have been."""
        if not self._several:
            people = [one for one in self.metadata.participants.values() if not one.left]
            apart = {one.id: Speaker.AGENT if self._is_agent(one) else Speaker.CALLER for one in people}
            if not self.rules.agents:
                apart = {one.id: self._guessed(one, place) for place, one in enumerate(people)}
            return tuple(one for one in people if apart[one.id] is speaker)
        return tuple(one for place in sorted(self._speakers) if self.speaker(place) is speaker for one in self._people(place))

    def _assign(self) -> dict[int, Speaker]:
        """Part the lines: what is known of one tells of the other, and never are all put on one channel."""
        told = {place: self._told(place) for place, line in enumerate(self.lines) if line.kind == "audio"}
        known = {speaker for speaker in told.values() if speaker is not None}
        if len(known) != 1 or len(told) == 1:
            return {place: speaker or self._by_order(place) for place, speaker in told.items()}
        if None in told.values():
            (theirs,) = known
            return {place: speaker or _other(theirs) for place, speaker in told.items()}
        return {place: self._by_order(place) for place in told}

    def _told(self, place: int) -> Speaker | None:
        """What the metadata say of a line."""
        people = self._people(place)
        if people and self.rules.agents:
            return Speaker.AGENT if all(self._is_agent(one) for one in people) else Speaker.CALLER
        dialled = {self._dialled(one) for one in people} - {None}
        return None if not dialled else Speaker.CALLER if True in dialled else Speaker.AGENT

    def _by_order(self, place: int) -> Speaker:
        first = next((number for number, line in enumerate(self.lines) if line.kind == "audio"), 0)
        return self.rules.first if place == first else _other(self.rules.first)

    def _dialled(self, one: Participant) -> bool | None:
        """Whether it was they who dialled; a mark of one tells of the others."""
        marks = {other.calling for other in self.metadata.participants.values()} - {None}
        return None if not marks else one.calling is True or (one.calling is None and True not in marks)

    def _guessed(self, one: Participant, place: int) -> Speaker:
        if (dialled := self._dialled(one)) is not None:
            return Speaker.CALLER if dialled else Speaker.AGENT
        return self.rules.first if place == 0 else _other(self.rules.first)

    def _parted(self, place: int, voices: Sequence[Samples]) -> tuple[Samples, Samples]:
        """One line alone: two voices by their senders, or one, into which both are mixed or in which one party speaks."""
        silent = Feed.silence(len(voices[0]))
        rest = reduce(added, voices[1:], silent)
        if self.feeds[place].together:
            self._apart = True
            return (voices[0], rest) if self.rules.first is Speaker.CALLER else (rest, voices[0])
        one_side = len(self._people(place)) == 1 and not self.mixed
        right = one_side and self.speaker(place) is Speaker.AGENT
        return (silent, voices[0]) if right else (voices[0], silent)

    def _people(self, place: int) -> tuple[Participant, ...]:
        if place >= len(self.lines):
            return ()
        label = self.lines[place].label
        return self.metadata.speakers(label or f"#{place}") or self.metadata.speakers(f"#{place}")

    def _is_agent(self, one: Participant) -> bool:
        return any(fnmatch.fnmatchcase((one.aor or "").lower(), pattern.lower()) for pattern in self.rules.agents)

    def _tune(self, now: Seconds) -> None:
        """Follow the lines of the newest offer."""
        for place in [place for place in self.feeds if place >= len(self.lines) or not self._takes(self.lines[place])]:
            del self.feeds[place]
        for place, line in enumerate(self.lines):
            if self._takes(line):
                feed = self.feeds.setdefault(place, Feed(hearing(line), read=self._read, counts=self.counts))
                feed.codecs, feed.keys, feed.opener = hearing(line), line.keys, _opener(line, feed.opener)
                self._pause(place, feed, now, paused=line.paused)

    def _takes(self, line: Line) -> bool:
        return line.usable and (self.rules.plain or line.encrypted)

    def _pause(self, place: int, feed: Feed, now: Seconds, *, paused: bool) -> None:
        if paused != feed.paused:
            feed.pause(on=paused)
            kind = NoteKind.PAUSED if paused else NoteKind.RESUMED
            self._note(Note(now, kind, self.speaker(place), _named(self._people(place))))

    def _know(self, metadata: Metadata, now: Seconds) -> None:
        before = {one.id: one for one in self.metadata.participants.values() if not one.left}
        after = {one.id: one for one in metadata.participants.values() if not one.left}
        for kind, people in ((NoteKind.LEFT, _without(before, after)), (NoteKind.JOINED, _without(after, before))):
            for one in people:
                self._note(Note(now, kind, who=one.aor or one.name))
        self.metadata = replace(metadata, session=metadata.session or self.metadata.session)

    def _note(self, note: Note) -> None:
        if len(self.notes) < MOST_NOTES:
            self.notes.append(note)

    def _keep(self, document: bytes | None) -> None:
        if document is not None and sum(map(len, self.documents)) + len(document) <= MOST_KEPT:
            self.documents.append(document)


def _opener(line: Line, before: Opener | None) -> Opener | None:
    """The same goes on under the same key: it knows how often the packets' numbers began anew."""
    if not line.encrypted or line.key is None:
        return None
    return before if before is not None and before.key == line.key else Opener(line.key)


def _without(some: dict[str, Participant], others: dict[str, Participant]) -> list[Participant]:
    return [one for identity, one in some.items() if identity not in others]


def _named(people: Sequence[Participant]) -> str | None:
    return ", ".join(one.aor or one.name or one.id for one in people) or None


def _other(speaker: Speaker) -> Speaker:
    return Speaker.AGENT if speaker is Speaker.CALLER else Speaker.CALLER
