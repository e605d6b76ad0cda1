"""SIP messages, read and written (RFC 3261 sections 7, 20 and 25). Pure.

Rules: lengths and counts are bounded; names of header fields are taken in any case and in their short forms; folded lines are
joined; the body is octets, as many as Content-Length says. What is no SIP message is a ``MediaError``, whatever it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from engine.core.errors import MediaError

LARGEST_HEAD: Final = 16_384  # bytes
LARGEST_BODY: Final = 131_072  # bytes; metadata of a call with a dozen participants has 10 000
MOST_FIELDS: Final = 128
_VERSION: Final = "SIP/2.0"
_SHORT: Final = {  # RFC 3261 section 20, RFC 4028, 3515
    "c": "content-type", "e": "content-encoding", "f": "from", "i": "call-id", "k": "supported", "l": "content-length",
    "m": "contact", "s": "subject", "t": "to", "v": "via", "x": "session-expires", "r": "refer-to",
}  # fmt: skip
_TOKEN: Final = re.compile(r"[A-Za-z0-9.!%*_+`'~-]+")
_REQUEST_LINE: Final = re.compile(r"([A-Z]{1,32}) (\S{1,1024}) SIP/2\.0")
_STATUS_LINE: Final = re.compile(r"SIP/2\.0 ([1-6][0-9]{2})(?: (.*))?")
_PARAMETER: Final = re.compile(r";\s*([A-Za-z0-9.!%*_+`'~-]+)\s*(?:=\s*(\"(?:[^\"\\]|\\.)*\"|[^;,\s]*))?")
_COMMA: Final = re.compile(r",(?=(?:[^\"]*\"[^\"]*\")*[^\"]*$)(?![^<]*>)")  # not inside quotes or angle brackets


@dataclass(frozen=True, slots=True)
class Fields:
    """The header, in order; names in lower case."""

    rows: tuple[tuple[str, str], ...] = ()

    def first(self, name: str) -> str | None:
        """The first value of a field, or ``None`` where there is none."""
        return next((value for found, value in self.rows if found == name), None)

    def every(self, name: str) -> tuple[str, ...]:
        """All values of a field, in order; those on one line, parted by commas, are parted."""
        return tuple(part.strip() for found, value in self.rows if found == name for part in _COMMA.split(value))

    def tokens(self, name: str) -> frozenset[str]:
        """The words of a list such as ``Require``, in lower case."""
        return frozenset(token.lower() for token in self.every(name) if token)


@dataclass(frozen=True, slots=True)
class Request:
    """What a peer asks."""

    method: str
    uri: str
    fields: Fields
    body: bytes = b""

    def __bytes__(self) -> bytes:
        return _written(f"{self.method} {self.uri} {_VERSION}", self.fields, self.body)


@dataclass(frozen=True, slots=True)
class Response:
    """What is answered."""

    status: int
    reason: str
    fields: Fields
    body: bytes = b""

    def __bytes__(self) -> bytes:
        return _written(f"{_VERSION} {self.status} {self.reason}", self.fields, self.body)


def read_message(octets: bytes) -> Request | Response:
    """Read one whole message, as a datagram holds it.

    Raises:
        MediaError: it is none.
    """
    head, parted, rest = octets.partition(b"\r\n\r\n")
    if not parted or len(head) > LARGEST_HEAD:
        raise MediaError(f"expected a SIP header of at most {LARGEST_HEAD} bytes and an empty line, found {len(octets)} bytes")
    return _message(head, rest)


def body_length(fields: Fields, otherwise: int) -> int:
    """How long the body is.

    Raises:
        MediaError: Content-Length is no number, or too large.
    """
    said = fields.first("content-length")
    if said is None:
        return otherwise
    if not said.isascii() or not said.isdigit() or int(said[:9]) > LARGEST_BODY:
        raise MediaError(f"expected a Content-Length of at most {LARGEST_BODY}, found {said[:20]!r}")
    return int(said)


@dataclass(slots=True)
class MessageStream:
    """Finds messages in a stream of octets (RFC 3261 section 18.3). Feed it, then take until there is none."""

    _held: bytearray = field(default_factory=bytearray)

    def feed(self, octets: bytes) -> None:
        """Take what has come."""
        self._held += octets

    @property
    def begun(self) -> bool:
        """Whether a part of a message waits for the rest."""
        return bool(self._held)

    def next(self) -> Request | Response | None:
        """Give the next message, or ``None`` where it is not whole yet.

        Raises:
            MediaError: what came is none, or too long; the stream can't be trusted any more.
        """
        while self._held[:2] == b"\r\n":  # keep-alive, RFC 5626 section 3.5.1
            del self._held[:2]
        end = self._held.find(b"\r\n\r\n", 0, LARGEST_HEAD + 4)
        if end < 0:
            if len(self._held) > LARGEST_HEAD:
                raise MediaError(f"expected a SIP header of at most {LARGEST_HEAD} bytes, found a longer one")
            return None
        fields = _fields(bytes(self._held[:end]).split(b"\r\n")[1:])
        whole = end + 4 + body_length(fields, otherwise=0)
        if len(self._held) < whole:
            return None
        message = bytes(self._held[:whole])
        del self._held[:whole]
        return read_message(message)


def parameters(value: str) -> dict[str, str]:
    """The parameters behind an address, a Via or a type: ``;tag=1;rport`` gives ``{"tag": "1", "rport": ""}``."""
    behind = value.rpartition(">")[2] if ">" in value else value
    return {name.lower(): given.strip('"') for name, given in _PARAMETER.findall(behind)}


def address(value: str) -> str:
    """The URI of a From, To, Contact or Record-Route, without brackets; parameters of the field are left out."""
    _, bracket, rest = value.partition("<")
    return rest.partition(">")[0] if bracket else value.partition(";")[0].strip()


def _message(head: bytes, rest: bytes) -> Request | Response:
    lines = head.split(b"\r\n")
    fields = _fields(lines[1:])
    length = body_length(fields, otherwise=len(rest))
    if len(rest) < length:
        raise MediaError(f"expected a body of {length} bytes, found {len(rest)}")
    first, body = lines[0].decode("utf-8", "replace"), rest[:length]
    if asked := _REQUEST_LINE.fullmatch(first):
        return Request(asked[1], asked[2], fields, body)
    if answered := _STATUS_LINE.fullmatch(first):
        return Response(int(answered[1]), answered[2] or "", fields, body)
    raise MediaError("expected a SIP request or status line, found something else")


def _fields(lines: Iterable[bytes]) -> Fields:
    rows: list[tuple[str, str]] = []
    for line in _unfolded(lines):
        name, colon, value = line.partition(":")
        name = name.strip().lower()
        if not colon or not _TOKEN.fullmatch(name):
            raise MediaError("expected a header field, found a line that is none")
        rows.append((_SHORT.get(name, name), value.strip()))
        if len(rows) > MOST_FIELDS:
            raise MediaError(f"expected at most {MOST_FIELDS} header fields, found more")
    return Fields(tuple(rows))


def _unfolded(lines: Iterable[bytes]) -> Iterator[str]:
    held: str | None = None
    for line in lines:
        text = line.decode("utf-8", "replace").replace("\r", " ").replace("\n", " ").replace("\0", " ")
        if text[:1] in (" ", "\t") and held is not None:
            held += " " + text.strip()
            continue
        if held is not None:
            yield held
        held = text
    if held is not None:
        yield held


def _written(first: str, fields: Fields, body: bytes) -> bytes:
    lines = [first, *(f"{_shown(name)}: {value}" for name, value in fields.rows), f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def _shown(name: str) -> str:
    """The name as other software writes it; some of it reads nothing else."""
    return {"call-id": "Call-ID", "cseq": "CSeq"}.get(name, name.title())
