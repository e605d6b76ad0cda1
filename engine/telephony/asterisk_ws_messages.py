"""The text messages of Asterisk's ``chan_websocket``, read and written. Pure.

Binary messages are sound in the channel's codec; text is control, plain (``DTMF_END digit:1 channel_id:...``) or, from 20.18,
22.8 and 23.2 on where the dial string says ``f(json)``, one JSON object. We answer in the form of ``MEDIA_START``. What is
refused is described by its shape, never quoted: it may be a digit of a PIN.
Source: docs.asterisk.org, Configuration/Channel-Drivers/WebSocket, and ``channels/chan_websocket.c``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, TypeAlias

from engine.audio.g711 import Law
from engine.core.audio import AudioFormat
from engine.core.errors import MediaError

LARGEST_MESSAGE: Final = 65_500  # bytes; Asterisk hangs up on a larger one
MOST_CHARACTERS: Final = 65_536  # of a text message: a start lists all the channel's variables
_LONGEST_VALUE: Final = 256  # characters of a field or variable we keep
_MOST_VARIABLES: Final = 64  # we keep; a channel of a busy dialplan has some dozens

CODECS: Final[Mapping[str, Law | AudioFormat]] = {
    "ulaw": Law.ULAW,
    "alaw": Law.ALAW,
    "slin": AudioFormat(8_000),
    "slin12": AudioFormat(12_000),
    "slin16": AudioFormat(16_000),
    "slin24": AudioFormat(24_000),
    "slin32": AudioFormat(32_000),
    "slin44": AudioFormat(44_100),
    "slin48": AudioFormat(48_000),
}
"""What may stand in ``c(...)`` of the dial string."""


class Command(StrEnum):
    """What Asterisk is told; the spelling counts."""

    ANSWER = "ANSWER"
    HANGUP = "HANGUP"
    FLUSH_MEDIA = "FLUSH_MEDIA"
    GET_STATUS = "GET_STATUS"

    def written(self, *, as_json: bool) -> str:
        """Write it; Asterisk skips text of more than 128 bytes."""
        return json.dumps({"command": self.value}) if as_json else self.value


@dataclass(frozen=True, slots=True)
class MediaStart:
    """The channel is up."""

    channel: str
    """Asterisk's unique id of it, or its name where an older one gives no id."""

    codec: Law | AudioFormat

    frame_bytes: int
    """Of 20 ms; what is sent in other than multiples of it is cut."""

    as_json: bool
    """How control is written on this call."""

    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The channel's, as they are called after ``CALLWRIGHT_``, in lower case."""


@dataclass(frozen=True, slots=True, repr=False)
class DtmfEnd:
    """A key was pressed and let go."""

    code: int
    """ASCII."""

    def __repr__(self) -> str:
        return "DtmfEnd(•)"


@dataclass(frozen=True, slots=True)
class MediaXoff:
    """Asterisk's queue is nearly full: what is sent now may be dropped."""


@dataclass(frozen=True, slots=True)
class MediaXon:
    """It has room again."""


@dataclass(frozen=True, slots=True)
class Status:
    """How Asterisk's queue is."""

    queued: int
    """Frames of 20 ms that were sent and not yet played."""


@dataclass(frozen=True, slots=True)
class Other:
    """An event that changes nothing for us."""

    event: str


Event: TypeAlias = MediaStart | DtmfEnd | MediaXoff | MediaXon | Status | Other


def parse(text: str) -> Event:
    """Read one event, in either form.

    Raises:
        MediaError: it is no event, or lacks what it needs; says what was expected and what kind of thing was found.
    """
    if len(text) > MOST_CHARACTERS:
        raise MediaError(f"expected a message of at most {MOST_CHARACTERS} characters, found {len(text)}")
    as_json = text.lstrip().startswith("{")
    fields = _object(text) if as_json else _words(text)
    event = fields.get("event")
    if not isinstance(event, str) or not 0 < len(event) <= _LONGEST_VALUE:
        raise MediaError("expected the name of an event, found none")
    if event == "MEDIA_START":
        return _start(fields, as_json=as_json)
    read = _READERS.get(event)
    return Other(event) if read is None else read(fields)


def _object(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MediaError(f"expected a JSON object, found {len(text)} characters that are not JSON") from error
    return dict(found)


def _words(text: str) -> Mapping[str, str]:
    """``EVENT name:value name:value``; a value may have colons in it, not spaces."""
    event, *rest = text.split() or [""]
    return {**dict(pair.split(":", 1) for pair in rest if ":" in pair), "event": event}


def _start(fields: Mapping[str, Any], *, as_json: bool) -> MediaStart:
    name = _text(fields, "format")
    codec = CODECS.get(name)
    if codec is None:
        raise MediaError(f"expected c({'), c('.join(CODECS)}) in the dial string, found the codec {name!r}")
    return MediaStart(
        channel=_text(fields, "channel_id") if "channel_id" in fields else _text(fields, "channel"),
        codec=codec,
        frame_bytes=_frame_bytes(fields, codec),
        as_json=as_json,
        variables=_variables(fields.get("channel_variables")),
    )


def _frame_bytes(fields: Mapping[str, Any], codec: Law | AudioFormat) -> int:
    """Older ones may leave it out: then it is 20 ms of the codec."""
    usual = 160 if isinstance(codec, Law) else codec.rate_hz * 2 // 50
    size = _number(fields, "optimal_frame_size") if "optimal_frame_size" in fields else usual
    if not 0 < size <= LARGEST_MESSAGE:
        raise MediaError(f"expected an optimal_frame_size from 1 to {LARGEST_MESSAGE}, found {size}")
    return size


def _variables(found: object) -> Mapping[str, str]:
    """Those the bank set for us; inherited ones keep the underscores they were set with."""
    if not isinstance(found, dict):
        return {}
    bare = ((name.lstrip("_").lower(), value) for name, value in found.items() if isinstance(value, str))
    ours = [(name.removeprefix("callwright_"), value) for name, value in bare if name.startswith("callwright_")]
    return {name: value for name, value in ours[:_MOST_VARIABLES] if len(value) <= _LONGEST_VALUE}


def _dtmf(fields: Mapping[str, Any]) -> DtmfEnd:
    digit = fields.get("digit")
    if not isinstance(digit, str) or len(digit) != 1 or not digit.isascii():
        raise MediaError("expected one key of the pad in digit, found something else")
    return DtmfEnd(ord(digit.upper()))


def _text(fields: Mapping[str, Any], name: str) -> str:
    text = fields.get(name)
    if not isinstance(text, str) or not 0 < len(text) <= _LONGEST_VALUE:
        raise MediaError(f"expected {name!r} of at most {_LONGEST_VALUE} characters, found {_shape(text)}")
    return text


def _number(fields: Mapping[str, Any], name: str) -> int:
    found = fields.get(name)
    if isinstance(found, int) and not isinstance(found, bool):
        return found
    if not isinstance(found, str) or not found.isdecimal() or len(found) > len(str(LARGEST_MESSAGE)):
        raise MediaError(f"expected a number in {name!r}, found {_shape(found)}")
    return int(found)


def _shape(found: object) -> str:
    return f"{len(found)} characters" if isinstance(found, str) else type(found).__name__


_READERS: Mapping[str, Callable[[Mapping[str, Any]], Event]] = {
    "DTMF_END": _dtmf,
    "MEDIA_XOFF": lambda _: MediaXoff(),
    "MEDIA_XON": lambda _: MediaXon(),
    "STATUS": lambda fields: Status(_number(fields, "queue_length")),
}
