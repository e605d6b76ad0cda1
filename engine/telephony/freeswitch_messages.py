"""What FreeSWITCH's streaming modules send and are sent beside sound. Pure.

From the module: one text first, the metadata of ``uuid_audio_stream ... start``; later, what the dialplan sends with
``send_text`` or ``stop``. All of it is the bank's own; we read JSON objects with the fields of :class:`Said` and skip the rest.

To the module: JSON objects with a ``type``. ``streamAudio`` is sound; every other one becomes an event
(``mod_audio_stream::json``, ``mod_audio_fork::...``) that a script may act on, and ``killAudio`` empties the buffer of a
``mod_audio_fork``.
Sources: the READMEs and the code of amigniter/mod_audio_stream and jambonz/freeswitch-modules/mod_audio_fork.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from engine.core.errors import MediaError
from engine.core.units import Seconds

MOST_CHARACTERS: Final = 8_192  # of a text message; the module cuts metadata there
LARGEST_SOUND: Final = 65_536  # bytes in one message: a second of both channels at 16 kHz
KILL_AUDIO: Final = '{"type":"killAudio"}'
DISCONNECT: Final = '{"type":"disconnect","data":{"reason":"ended"}}'
"""``mod_audio_fork`` makes an event of ``data`` alone, and one without any where the connection is lost: the two must differ."""

HELD_BACK: Final = Seconds(0.160)
"""What ``mod_audio_fork`` gathers before the first sound is played; 80 ms later on."""


_AS_TEXT: Final = BeforeValidator(lambda found: str(found).replace("k", "000"))  # "16k", as the command has it


class Reply(StrEnum):
    """How the module takes sound."""

    JSON = "json"
    """``streamAudio``: the builds of ``mod_audio_stream`` that play what they get, and the commercial one."""

    BINARY = "binary"
    """Raw: ``mod_audio_fork``, and the commercial build with ``STREAM_PLAYBACK``."""


class Said(BaseModel):
    """What the bank says of a call, in the address, in the metadata or later; later ones may press keys only."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True, str_max_length=256, coerce_numbers_to_str=True)

    uuid: str | None = None
    caller: str | None = None
    called: str | None = None
    flow: str | None = None
    language: str | None = None
    rate: Annotated[Literal["8000", "16000"], _AS_TEXT] = "8000"
    channels: Annotated[Literal["1", "2"], _AS_TEXT] = "1"
    reply: Reply = Reply.JSON
    key: str | None = Field(
        None, min_length=1, max_length=1, pattern="[0-9*#A-Da-d]", validation_alias=AliasChoices("key", "dtmf", "digit")
    )

    @property
    def facts(self) -> Mapping[str, str]:
        """What names the call and says what it is for."""
        return self.model_dump(include={"uuid", "caller", "called", "flow", "language"}, exclude_none=True)


def said(query: Mapping[str, str], metadata: str | None) -> Said:
    """Put together what the address and the first text say; the address counts first.

    Raises:
        MediaError: a field is not what it must be.
    """
    return _checked({**_fields(metadata or ""), **query})


def pressed(text: str) -> int | None:
    """Give the key, by its ASCII code, that a later text presses; ``None`` where it presses none.

    Raises:
        MediaError: it is no key of the pad; the message does not say which.
    """
    fields = _fields(text)
    key = _checked({name: fields[name] for name in ("key", "dtmf", "digit") if name in fields}).key
    return None if key is None else ord(key.upper())


def stream_audio(pcm: bytes, rate_hz: int) -> str:
    """Write sound: 16-bit little-endian mono."""
    sound = {"audioDataType": "raw", "sampleRate": rate_hz, "audioData": base64.b64encode(pcm).decode()}
    return json.dumps({"type": "streamAudio", "data": sound}, separators=(",", ":"))


def held_back(rate_hz: int) -> bytes:
    """Write the silence that pushes out what ``mod_audio_fork`` holds back: ``killAudio`` empties only what is beyond that."""
    return bytes(2 * round(rate_hz * HELD_BACK))


def transfer(destination: str, context: Mapping[str, str]) -> str:
    """Write where the call goes now, for a script that listens for it."""
    return json.dumps({"type": "transfer", "data": {"destination": destination, "context": dict(context)}})


def _fields(text: str) -> Mapping[str, object]:
    if len(text) > MOST_CHARACTERS:
        raise MediaError(f"expected a message of at most {MOST_CHARACTERS} characters, found {len(text)}")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _checked(fields: Mapping[str, object]) -> Said:
    try:
        return Said.model_validate(fields)
    except ValidationError as error:
        wrong = error.errors(include_input=False, include_url=False)[0]
        raise MediaError(f"what FreeSWITCH says of the call, {'.'.join(map(str, wrong['loc']))}: {wrong['msg']}") from None
