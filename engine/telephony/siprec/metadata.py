"""Recording metadata (RFC 7865): who takes part in a call, and whose voice each stream carries. Pure.

Rules of the reader: no document type, so no entities; bounded size, depth and number of elements; prefixes are ignored, since
some senders leave them undeclared. It takes the published shape and the drafts' that are still sold: identities as
``participant_id`` or ``id``, streams as ``participantstreamassoc`` or inside the participant, the address as ``aor`` of
``nameID`` or as an element.

Rules of merging (section 6.1): a complete document replaces what was known, a partial one changes what it names. A document that
says of neither what it is, is complete.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final
from xml.parsers import expat

from engine.core.errors import MediaError

LARGEST: Final = 65_536  # bytes
DEEPEST: Final = 32
MOST_ELEMENTS: Final = 4_096
LONGEST_NAME: Final = 256  # characters of an address, a name or an identity that are kept
MOST_OF_EACH: Final = 64  # participants, streams
ROOTS: Final = frozenset({"recording", "recording_metadata"})


@dataclass(frozen=True, slots=True)
class Participant:
    """Somebody on the call."""

    id: str

    aor: str | None = None
    """Their address, such as ``sip:+4930123@bank.example``."""

    name: str | None = None

    sends: tuple[str, ...] | None = None
    """Identities of the streams that carry their voice; ``None`` where the document does not say."""

    calling: bool | None = None
    """Whether it was they who dialled, where a vendor's extension says."""

    left: bool = False
    """They have gone; the document still names them."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """What one document, or all so far, say."""

    complete: bool = True
    session: str | None = None
    """The identity of the call that is recorded, as the SBC has it."""

    started: str | None = None
    """When it began, as the SBC wrote it."""

    participants: Mapping[str, Participant] = field(default_factory=dict)
    """By identity, in the order of the document."""

    labels: Mapping[str, str] = field(default_factory=dict)
    """Of each stream, by identity: the ``a=label`` of its line in the session description."""

    def speakers(self, label: str) -> tuple[Participant, ...]:
        """Whose voice the stream with this label carries."""
        streams = {stream for stream, found in self.labels.items() if found == label}
        return tuple(one for one in self.participants.values() if not one.left and streams & set(one.sends or ()))


NOTHING: Final = Metadata()


def read_metadata(document: bytes) -> Metadata:
    """Read one document.

    Raises:
        MediaError: it is too large, no XML, or no recording metadata.
    """
    root = _tree(document)
    if root.name not in ROOTS:
        raise MediaError(f"expected recording metadata, found an element {root.name[:40]!r}")
    mode = root.text_of("datamode", "dataMode")
    session = next(root.all("session"), None)
    sends, gone = _associations(root)
    people = {one.id: one for one in (_participant(element, root, sends, gone) for element in root.all("participant"))}
    labels = {stream.identity("stream"): stream.text_of("label") for stream in root.all("stream")}
    return Metadata(
        complete=mode is None or mode.lower() != "partial",
        session=session.text_of("sipSessionID") or session.identity("session") if session else None,
        started=session.text_of("start-time", "associate-time") if session else None,
        participants=dict(list((_unnamed(sends, gone, people) | people).items())[:MOST_OF_EACH]),
        labels={stream: label for stream, label in list(labels.items())[:MOST_OF_EACH] if label and stream},
    )


def merged(known: Metadata, news: Metadata) -> Metadata:
    """What is known after ``news`` has come."""
    if news.complete:
        return news
    people = dict(known.participants)
    for one in news.participants.values():
        people[one.id] = _updated(people.get(one.id, Participant(one.id)), one)
    return Metadata(
        session=news.session or known.session,
        started=known.started or news.started,
        participants=dict(list(people.items())[:MOST_OF_EACH]),
        labels=dict(list({**known.labels, **news.labels}.items())[:MOST_OF_EACH]),
    )


def _updated(known: Participant, news: Participant) -> Participant:
    return replace(
        known,
        aor=news.aor or known.aor,
        name=news.name or known.name,
        sends=known.sends if news.sends is None else news.sends,
        calling=known.calling if news.calling is None else news.calling,
        left=news.left,
    )


@dataclass(slots=True)
class _Element:
    name: str
    attributes: Mapping[str, str]
    inside: list[_Element] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)

    @property
    def text(self) -> str | None:
        return "".join(self.pieces).strip()[:LONGEST_NAME] or None

    def all(self, *names: str) -> Iterator[_Element]:
        """Those directly inside, with one of these names."""
        return (element for element in self.inside if element.name in names)

    def deep(self, *names: str) -> Iterator[_Element]:
        """Those anywhere inside."""
        for element in self.inside:
            if element.name in names:
                yield element
            yield from element.deep(*names)

    def text_of(self, *names: str) -> str | None:
        return next((element.text for element in self.all(*names) if element.text), None)

    def identity(self, kind: str) -> str:
        """The published attribute, or the drafts'."""
        return (self.attributes.get(f"{kind}_id") or self.attributes.get("id") or "")[:LONGEST_NAME]


def _participant(element: _Element, root: _Element, sends: Mapping[str, tuple[str, ...]], gone: frozenset[str]) -> Participant:
    identity = element.identity("participant")
    named = next(element.all("nameID"), None)
    aor = (named.attributes.get("aor") if named else None) or element.text_of("aor", "nameID")
    inside = tuple(stream for stream in map(_stream, element.all("send")) if stream)  # the drafts' shape
    return Participant(
        id=identity,
        aor=aor[:LONGEST_NAME] if aor else None,
        name=(named.text_of("name") if named else None) or element.text_of("name"),
        sends=sends.get(identity, inside or None),
        calling=_calling(element, root, aor),
        left=identity in gone or element.text_of("disassociate-time", "stop-time") is not None,
    )


def _calling(element: _Element, root: _Element, aor: str | None) -> bool | None:
    """Oracle marks each participant; BroadWorks names the number that called."""
    marked = next((one.text for one in element.deep("callingParty", "callerOrig") if one.text), None)
    if marked is not None:
        return marked.lower() == "true"
    number = next((one.text for one in root.deep("callingPartyNumber") if one.text), None)
    return None if number is None or aor is None else _user(number) == _user(aor)


def _user(aor: str) -> str:
    """``sip:4711@bank;user=phone``, ``tel:4711`` and ``4711`` all give ``4711``."""
    return re.sub(r"^[a-z]+:", "", aor).partition("@")[0].partition(";")[0]


def _associations(root: _Element) -> tuple[dict[str, tuple[str, ...]], frozenset[str]]:
    """Who sends which streams, and who has gone: what the elements beside the participants say."""
    sends: dict[str, tuple[str, ...]] = {}
    for one in root.all("participantstreamassoc"):
        ended = one.text_of("disassociate-time") is not None
        streams = () if ended else tuple(stream for stream in map(_stream, one.all("send")) if stream)
        identity = one.identity("participant")
        sends[identity] = (*sends.get(identity, ()), *streams)
    gone = (one.identity("participant") for one in root.all("participantsessionassoc") if one.text_of("disassociate-time"))
    return sends, frozenset(gone)


def _stream(send: _Element) -> str | None:
    return send.text or send.text_of("id")


def _unnamed(
    sends: Mapping[str, tuple[str, ...]], gone: frozenset[str], named: Mapping[str, Participant]
) -> dict[str, Participant]:
    """Those whom a partial document names in an association alone."""
    others = [identity for identity in dict.fromkeys([*sends, *sorted(gone)]) if identity not in named]
    return {identity: Participant(identity, sends=sends.get(identity), left=identity in gone) for identity in others}


class _Reader:
    """Builds the tree, and stops at the first thing that a document of this kind has no business with."""

    def __init__(self) -> None:
        self.root: _Element | None = None
        self._open: list[_Element] = []
        self._count = 0

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if self._count > MOST_ELEMENTS or len(self._open) >= DEEPEST:
            raise MediaError(f"expected metadata of {MOST_ELEMENTS} elements, {DEEPEST} deep, at most, found more")
        element = _Element(_local(name), {_local(key): value for key, value in attributes.items()})
        if self._open:
            self._open[-1].inside.append(element)
        else:
            self.root = element
        self._open.append(element)

    def end(self, _: str) -> None:
        self._open.pop()

    def text(self, piece: str) -> None:
        if self._open:
            self._open[-1].pieces.append(piece)

    def refuse(self, *_: object) -> None:
        raise MediaError("expected metadata without a document type, found one")


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _tree(document: bytes) -> _Element:
    if len(document) > LARGEST:
        raise MediaError(f"expected metadata of at most {LARGEST} bytes, found {len(document)}")
    reader, parser = _Reader(), expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = reader.begin
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = reader.refuse
    parser.EntityDeclHandler = reader.refuse
    try:
        parser.Parse(document.strip(), True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise MediaError(f"expected metadata in XML, found: {error}") from error
    if reader.root is None:
        raise MediaError("expected metadata in XML, found nothing")
    return reader.root
