"""Twilio Media Streams' messages, read and written. Pure.

One JSON object in a text message each; numbers may be strings. Cousins are read too, and answered in their own :class:`Spelling`.
What is refused is described by its shape, never quoted: it may be a digit of a PIN.
Sources: twilio.com/docs/voice/media-streams/websocket-messages; developers.telnyx.com, Stream call media over WebSocket;
developer.exotel.com/docs/agentstream/websocket-protocol; plivo.com/docs, Audio streaming.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError

from engine.audio.g711 import Law
from engine.core.errors import MediaError

MOST_CHARACTERS: Final = 65_536  # of one message
MOST_OCTETS: Final = 16_000  # of sound in one message: two seconds
_LAWS: Final = {
    "audio/x-mulaw": Law.ULAW, "audio/pcmu": Law.ULAW, "pcmu": Law.ULAW,
    "audio/x-alaw": Law.ALAW, "audio/pcma": Law.ALAW, "pcma": Law.ALAW,
}  # fmt: skip
_BIG_ENDIAN: Final = {"l16": True, "audio/x-raw": False}  # Telnyx keeps to RFC 3551, Exotel does not
_PCM_RATES: Final = (8_000, 16_000)
_LONGEST_NAME = 256  # characters of an id, a parameter's name or its value


@dataclass(frozen=True, slots=True)
class Spelling:
    """How one peer writes what all of them mean."""

    stream: str
    """The field of the stream's name, in every message."""

    media: str = "media"

    clear: str = "clear"

    mark: str = "mark"


TWILIO: Final = Spelling("streamSid")
TELNYX: Final = Spelling("stream_id")
EXOTEL: Final = Spelling("stream_sid")
PLIVO: Final = Spelling("streamId", media="playAudio", clear="clearAudio", mark="checkpoint")
_SPELLINGS: Final = (TWILIO, TELNYX, EXOTEL, PLIVO)


@dataclass(frozen=True, slots=True)
class Pcm:
    """16-bit linear PCM."""

    rate_hz: int

    big_endian: bool


@dataclass(frozen=True, slots=True)
class Connected:
    """The socket is up; who calls comes with :class:`Start`."""


@dataclass(frozen=True, slots=True)
class Start:
    """The call begins."""

    stream: str
    """Twilio's ``streamSid``; every message of ours carries it."""

    spelling: Spelling
    """The peer's."""

    call: str
    """The peer's name for the call; empty where it gave none."""

    sound: Law | Pcm = Law.ULAW
    """How sound is written, both ways."""

    caller: str | None = None

    called: str | None = None

    parameters: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What the bank's own TwiML put into ``<Parameter>``; the door's token may be in it."""


@dataclass(frozen=True, slots=True)
class Media:
    """Sound."""

    octets: bytes
    """As the start said."""

    inbound: bool = True
    """Whether it is the caller's; a stream of both tracks has ours in it too."""


@dataclass(frozen=True, slots=True, repr=False)
class Dtmf:
    """A key was pressed."""

    code: int
    """ASCII."""

    def __repr__(self) -> str:
        return "Dtmf(•)"


@dataclass(frozen=True, slots=True)
class Mark:
    """The sound before a mark has been played, or was cleared."""

    name: str


@dataclass(frozen=True, slots=True)
class Stop:
    """The caller, or Twilio, has hung up."""


@dataclass(frozen=True, slots=True)
class Other:
    """An event we do not know; newer dialects have more than we need."""

    event: str


Message: TypeAlias = Connected | Start | Media | Dtmf | Mark | Stop | Other


def parse(text: str) -> Message:
    """Read one message.

    Raises:
        MediaError: it is not JSON, or lacks what its event needs; says what was expected and what kind of thing was found.
    """
    message = _object(text)
    event = _text(message, "event")
    read = _READERS.get(event)
    return Other(event) if read is None else read(message)


def media(start: Start, octets: bytes) -> str:
    """Write sound for the caller."""
    payload: dict[str, str | int] = {"payload": base64.b64encode(octets).decode()}
    if start.spelling is PLIVO:
        payload |= {"contentType": "audio/x-alaw" if start.sound is Law.ALAW else "audio/x-mulaw", "sampleRate": 8000}
    return _written(start.spelling.media, start, media=payload)


def clear(start: Start) -> str:
    """Write the order to forget what was not yet played."""
    return _written(start.spelling.clear, start)


def mark(start: Start, name: str) -> str:
    """Write the wish to be told when the sound before it has been played."""
    if start.spelling is PLIVO:
        return _written(start.spelling.mark, start, name=name)
    return _written(start.spelling.mark, start, mark={"name": name})


def _written(event: str, start: Start, **inner: str | Mapping[str, str | int]) -> str:
    return json.dumps({"event": event, start.spelling.stream: start.stream, **inner}, separators=(",", ":"))


class _Edge(BaseModel):
    model_config = ConfigDict(str_max_length=_LONGEST_NAME, coerce_numbers_to_str=True)


class _Format(_Edge):
    encoding: str = "audio/x-mulaw"
    sample_rate: int = Field(8000, validation_alias=AliasChoices("sampleRate", "sample_rate"))
    channels: int = 1


_STREAM: Final = AliasChoices(*(spelling.stream for spelling in _SPELLINGS))


class _StartBody(_Edge):
    stream: str | None = Field(None, validation_alias=_STREAM)
    call: str = Field("", validation_alias=AliasChoices("callSid", "call_control_id", "call_sid", "callId"))
    format: _Format = Field(_Format(), validation_alias=AliasChoices("mediaFormat", "media_format"))
    caller: str | None = Field(None, validation_alias="from")
    called: str | None = Field(None, validation_alias="to")
    parameters: dict[str, str] | None = Field(None, validation_alias=AliasChoices("customParameters", "custom_parameters"))


class _StartEvent(_Edge):
    stream: str | None = Field(None, validation_alias=_STREAM)
    start: _StartBody


def _start(message: Mapping[str, Any]) -> Start:
    try:
        event = _StartEvent.model_validate(message)
    except ValidationError as error:
        wrong = error.errors(include_input=False, include_url=False)[0]
        raise MediaError(f"the start event, {'.'.join(map(str, wrong['loc']))}: {wrong['msg']}") from None
    body = event.start
    stream = event.stream or body.stream
    if not stream:
        raise MediaError("expected the stream's name in streamSid, stream_id, ... of the start event, found none")
    parameters = body.parameters or {}
    return Start(
        stream=stream,
        spelling=next(one for one in _SPELLINGS if one.stream in message or one.stream in message["start"]),
        call=body.call,
        sound=_sound(body.format),
        caller=body.caller or parameters.get("from"),
        called=body.called or parameters.get("to"),
        parameters=parameters,
    )


def _sound(format: _Format) -> Law | Pcm:
    name = format.encoding.lower()
    if format.channels == 1 and format.sample_rate == 8000 and name in _LAWS:
        return _LAWS[name]
    if format.channels == 1 and format.sample_rate in _PCM_RATES and name in _BIG_ENDIAN:
        return Pcm(format.sample_rate, _BIG_ENDIAN[name])
    found = f"{format.encoding!r} at {format.sample_rate} Hz with {format.channels} channels"
    raise MediaError(f"expected mono G.711 at 8000 Hz, or L16 at 8000 or 16000 Hz, found {found}")


def _media(message: Mapping[str, Any]) -> Media:
    inner = _inner(message, "media")
    payload = _text(inner, "payload", MOST_CHARACTERS)
    try:
        octets = base64.b64decode(payload, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MediaError(f"expected base64 in media.payload, found {len(payload)} characters that are not: {error}") from error
    if len(octets) > MOST_OCTETS:
        raise MediaError(f"expected at most {MOST_OCTETS} octets of sound in a message, found {len(octets)}")
    return Media(octets, inbound=not str(inner.get("track", "inbound")).startswith("outbound"))


def _dtmf(message: Mapping[str, Any]) -> Dtmf:
    digit = _inner(message, "dtmf").get("digit")
    if not isinstance(digit, str) or len(digit) != 1 or not digit.isascii():
        raise MediaError("expected one key of the pad in dtmf.digit, found something else")
    return Dtmf(ord(digit.upper()))


def _object(text: str) -> Mapping[str, Any]:
    if len(text) > MOST_CHARACTERS:
        raise MediaError(f"expected a message of at most {MOST_CHARACTERS} characters, found {len(text)}")
    try:
        message = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MediaError(f"expected a JSON object, found {len(text)} characters that are not JSON") from error
    if not isinstance(message, dict):
        raise MediaError(f"expected a JSON object, found a JSON {type(message).__name__}")
    return message


def _inner(message: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    inner = message.get(name)
    if not isinstance(inner, dict):
        raise MediaError(f"expected an object {name!r} in the {name} event, found {type(inner).__name__}")
    return inner


def _text(message: Mapping[str, Any], name: str, longest: int = _LONGEST_NAME) -> str:
    text = message.get(name)
    if not isinstance(text, str) or len(text) > longest:
        found = f"one of {len(text)} characters" if isinstance(text, str) else type(text).__name__
        raise MediaError(f"expected a string {name!r} of at most {longest} characters, found {found}")
    return text


_READERS: Mapping[str, Callable[[Mapping[str, Any]], Message]] = {
    "connected": lambda _: Connected(),
    "start": _start,
    "media": _media,
    "dtmf": _dtmf,
    "mark": lambda message: Mark(_text(_inner(message, "mark"), "name")),
    "playedStream": lambda message: Mark(_text(message, "name")),
    "stop": lambda _: Stop(),
}
