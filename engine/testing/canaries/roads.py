"""Callers who key made-up numbers, one for each way in which keys come to the engine."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from websockets.exceptions import WebSocketException

from engine.audio.keytones import make_key_tones
from engine.core.audio import AudioFrame
from engine.core.units import Seconds
from engine.testing.asterisk_ws_caller import AsteriskWsCaller
from engine.testing.audiosocket_caller import AudioSocketCaller
from engine.testing.browser_caller import BrowserCaller
from engine.testing.caller import Caller, LineClosed
from engine.testing.canaries.running import Running
from engine.testing.canaries.shapes import Canary, words_of
from engine.testing.canaries.ways import Press, Way
from engine.testing.freeswitch_caller import FreeSwitchCaller
from engine.testing.sip_caller import SipCaller
from engine.testing.twilio_caller import TwilioCaller

Say = Callable[[str], AudioFrame]
"""A voice."""

_FAST: Final = Seconds(0.1)  # from key to key of who types ahead
_PATIENCE: Final = Seconds(90.0)


class How(Enum):
    """What the caller does with the number."""

    KEYED = "keyed when asked for"
    AHEAD = "keyed in one go, before anything is asked for"
    ASTRAY = "keyed at the first question, which asks for none"
    SPOKEN = "spoken where keys are asked for"


@dataclass(frozen=True, slots=True)
class Road:
    """One way in."""

    name: str
    door: str
    """The engine must have it open."""

    calling: Callable[[Running], AbstractAsyncContextManager[Caller]]
    how: How = How.KEYED
    in_band: bool = False
    """Whether keys are tones in the sound."""

    @property
    def reaches_the_bank(self) -> bool:
        """Whether the number must come to the bank's host; else the proof has proved nothing."""
        return self.how in {How.KEYED, How.AHEAD}

    @property
    def speaks(self) -> bool:
        """Whether the number is spoken."""
        return self.how is How.SPOKEN


@dataclass(frozen=True, slots=True)
class Errand:
    """What a caller sets out with."""

    road: Road
    canaries: tuple[Canary, ...]
    said: AudioFrame | None = field(default=None, repr=False)
    """The first number, spoken, where the road wants it so."""

    @classmethod
    def made(cls, road: Road, canaries: tuple[Canary, ...], say: Say) -> Errand:
        """Get ready: a voice at work would hold up the callers."""
        return cls(road, canaries, say(words_of(canaries[0].digits)) if road.speaks else None)


@dataclass(frozen=True, slots=True)
class Travelled:
    """What a caller did and was sent."""

    errand: Errand
    sent: str = ""
    """Words the engine sent, to a page or beside a transfer."""

    broke: str = ""
    """Why the call broke off, where it did."""


async def travel(errand: Errand, engine: Running, way: Way) -> Travelled:
    """Call, and do what the road says; a call that breaks off is told as such. Safe to cancel."""
    try:
        return await _travelled(errand, engine, way)
    except (OSError, TimeoutError, LineClosed, WebSocketException) as error:
        return Travelled(errand, broke=f"{type(error).__name__} {error}".strip())


async def _travelled(errand: Errand, engine: Running, way: Way) -> Travelled:
    road, numbers = errand.road, [canary.digits for canary in errand.canaries]
    async with asyncio.timeout(_PATIENCE), road.calling(engine) as caller:
        await caller.answered()
        match road.how:
            case How.KEYED:
                await _keys(road, caller, _presses(way, numbers))
            case How.AHEAD:
                await _types(road, caller, "".join(_presses(way, numbers)), _FAST)
                await caller.answered()
            case How.ASTRAY:
                await _types(road, caller, numbers[0], _FAST)
                await caller.answered()
            case How.SPOKEN:
                await _keys(road, caller, _presses(_before_the_first(way), numbers))
                if errand.said is not None:
                    await caller.say(errand.said)
                await caller.answered()
        return Travelled(errand, _sent_to(caller))


def _presses(way: Way, numbers: list[str]) -> list[str]:
    secrets = iter(numbers)
    return [_pressed(press, secrets.__next__) for press in way]


def _pressed(press: Press, number: Callable[[], str]) -> str:
    if press.secret is None:
        return press.keys
    digits = number()
    return digits if len(digits) == press.secret.length[1] else digits + press.secret.finish_key


def _before_the_first(way: Way) -> Way:
    return way[: next(place for place, press in enumerate(way) if press.secret is not None)]


async def _keys(road: Road, caller: Caller, presses: list[str]) -> None:
    for keys in presses:
        await _types(road, caller, keys)
        await caller.answered()


async def _types(road: Road, caller: Caller, keys: str, every: Seconds = Seconds(0.15)) -> None:
    if road.in_band:
        await caller.say(make_key_tones(keys.encode()))
    else:
        await caller.press(keys, every)


def _sent_to(caller: Caller) -> str:
    match caller:
        case BrowserCaller():
            return str(caller.messages)
        case SipCaller():
            return str(caller.referred)
        case FreeSwitchCaller():
            return str(caller.events)
    return ""


def _audiosocket(engine: Running) -> AbstractAsyncContextManager[Caller]:
    host, port = engine.doors["audiosocket"].removeprefix("tcp://").rsplit(":", 1)
    return AudioSocketCaller.calling(host, int(port))


def _browser(engine: Running) -> AbstractAsyncContextManager[Caller]:
    return BrowserCaller.calling(engine.doors["phone"].replace("http://", "ws://") + "/ws", engine.signed_in)


def _twilio(engine: Running) -> AbstractAsyncContextManager[Caller]:
    return TwilioCaller.calling(engine.doors["twilio"])


def _asterisk(engine: Running) -> AbstractAsyncContextManager[Caller]:
    return AsteriskWsCaller.calling(engine.doors["asterisk"], "ulaw")


def _freeswitch(engine: Running) -> AbstractAsyncContextManager[Caller]:
    return FreeSwitchCaller.calling(engine.doors["freeswitch"])


def _sip(engine: Running) -> AbstractAsyncContextManager[Caller]:
    return SipCaller.calling(int(engine.doors["sip"].rpartition(":")[2]))


@contextlib.asynccontextmanager
async def _sip_info(engine: Running) -> AsyncIterator[Caller]:
    async with SipCaller.calling(int(engine.doors["sip"].rpartition(":")[2])) as caller:
        caller.keys_by_info = True
        yield caller


ROADS: Final = (
    Road("SIP, RFC 4733", "sip", _sip),
    Road("SIP INFO", "sip", _sip_info),
    Road("SIP, tones", "sip", _sip, in_band=True),
    Road("AudioSocket", "audiosocket", _audiosocket),
    Road("AudioSocket, tones", "audiosocket", _audiosocket, in_band=True),
    Road("Twilio", "twilio", _twilio),
    Road("Asterisk WebSocket", "asterisk", _asterisk),
    Road("FreeSWITCH, tones", "freeswitch", _freeswitch, in_band=True),
    Road("browser phone", "phone", _browser),
    Road("typed ahead", "twilio", _twilio, How.AHEAD),
    Road("typed ahead, tones", "audiosocket", _audiosocket, How.AHEAD, in_band=True),
    Road("keyed unasked, tones", "audiosocket", _audiosocket, How.ASTRAY, in_band=True),
    Road("spoken", "twilio", _twilio, How.SPOKEN),
)
