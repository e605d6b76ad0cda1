"""Puts the packets of one stream on the call's timeline. Pure: the time comes as an argument, in seconds since the call began.

Rules. A packet lies where its timestamp says, whenever it comes; the beat reads ``DELAY`` behind the clock, so that packets have
time to come late, twice or in the wrong order. What is missing then is silence; what comes later is lost, and counted.

Where a timestamp lies on the clock is told by the packets that travelled fastest: the least of (arrival - timestamp) in the last
four seconds. So two streams of one SBC lie as close together as their fastest packets, whatever their jitter. Telephones' clocks
differ from ours by up to 0.1 %, so that place moves: it is followed by one sample a packet, left out or said twice, which nobody
hears; where jitter hid it at first, by a few more. A sender whose timestamps jump is followed at once when it jumps ahead, and
after 10 packets when it falls behind: a packet or two behind are just late.

RTCP's clock (NTP) is not asked: each telephone or SBC has its own, and they need not agree.

Each sender (SSRC) is a voice of its own. A new one takes the place of the one before it, as after a transfer; where that one goes
on sending, the new one moves to a place beside it: some SBCs put both parties on one line.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import numpy as np

from engine.audio import g711
from engine.audio.g711 import Law
from engine.audio.g722 import G722Decoder
from engine.audio.resample import LiveResampler
from engine.core.audio import TELEPHONY, WIDEBAND, Samples
from engine.core.units import Seconds
from engine.telephony.siprec.description import Codec
from engine.telephony.siprec.rtp import Packet, is_rtcp, key_length, read_packet
from engine.telephony.siprec.srtp import Opener

DELAY: Final = Seconds(0.2)  # the jitter and the stalls that are made up for; a recorder has the time
MOST_VOICES: Final = 4  # on one line; a garbled or hostile stream has more
_AHEAD: Final = TELEPHONY.samples(Seconds(2.0))  # the most that is held
_JUMP: Final = TELEPHONY.samples(DELAY)
_BEHIND: Final = 10  # packets
_AFTER: Final = Seconds(0.06)  # a voice that still sends so long after another began sounds beside it
_SILENT: Final = Seconds(0.5)  # a voice that has not sent so long may be dropped for a new one
_FORGOTTEN: Final = Seconds(10.0)
_BUCKET: Final = Seconds(1.0)
_BUCKETS: Final = 4
_STILL: Final = 16  # samples: 2 ms that are not followed
_CLOSE: Final = 40  # samples: 5 ms that are followed by one sample a packet, and more by more
_FASTEST: Final = 8  # samples a packet
_MOST_PARTS: Final = 64  # senders whose places are remembered
_LONGEST: Final = TELEPHONY.samples(Seconds(0.12))  # octets, in one packet
_LAWS: Final = {Codec.PCMU: Law.ULAW, Codec.PCMA: Law.ALAW}
Decode = Callable[[bytes], Samples]
"""From octets to 8 kHz."""


class Clock:
    """Where one sender's timestamps lie on the timeline, in samples."""

    def __init__(self, packet: Packet, now: Seconds) -> None:
        self._last = packet.timestamp
        self._count = 0  # the timestamp, unwrapped; the first packet's is 0
        self._base = TELEPHONY.samples(now)
        self._least: deque[int] = deque([self._base], maxlen=_BUCKETS)
        self._bucket = now
        self._opened = now
        self._behind = 0

    def when(self, timestamp: int) -> int:
        """Where a timestamp lies, as far as is known."""
        return self._base + self._count + _signed(timestamp - self._last)

    def place(self, packet: Packet, now: Seconds) -> tuple[int, int]:
        """Where the sound of a packet that has just come begins, and how many samples before it are to be filled up."""
        count = self._count + _signed(packet.timestamp - self._last)
        if count > self._count:
            self._last, self._count = packet.timestamp, count
        travelled = TELEPHONY.samples(now) - count
        if self._jumped(travelled - self._base):
            self._base, self._behind = travelled, 0
            self._least = deque([travelled], maxlen=_BUCKETS)
            return self._base + count, 0
        self._note(travelled, now)
        step = self._step(now)
        self._base += step
        return self._base + count, step if 0 < step <= _FASTEST else 0

    def _jumped(self, difference: int) -> bool:
        self._behind = self._behind + 1 if difference > _JUMP else 0
        return difference < -_JUMP or self._behind > _BEHIND

    def _note(self, travelled: int, now: Seconds) -> None:
        if now - self._bucket >= _BUCKET:
            self._bucket = now
            self._least.append(travelled)
        self._least[-1] = min(self._least[-1], travelled)

    def _step(self, now: Seconds) -> int:
        away = min(self._least) - self._base
        if away < 0 and now - self._opened < DELAY:
            return away  # nothing was heard yet: find the place at once
        if abs(away) <= _STILL:
            return 0
        step = min(_FASTEST, max(1, abs(away) // _CLOSE))
        return step if away > 0 else -step


@dataclass(slots=True)
class Counts:
    """What came of the packets; for whoever asks whether the recording is whole."""

    received: int = 0
    late: int = 0
    foreign: int = 0
    """Datagrams that were none of the stream's."""


class Voice:
    """One sender on one line, for as long as it sounds."""

    def __init__(self, packet: Packet, now: Seconds, read: int) -> None:
        self.part = 0
        """0 for the first on its line, 1 for one that sounds beside it, and so on."""

        self.born_at = self.heard_at = now
        self.clock = Clock(packet, now)
        self._read = read
        self._decoders: dict[Codec, Decode] = {}
        self._held: Samples = np.zeros(_AHEAD, np.int16)

    def decoder(self, codec: Codec) -> Decode:
        """How its octets become sound; G.722 is told by what came before."""
        if codec not in self._decoders:
            self._decoders[codec] = _wide() if codec is Codec.G722 else partial(g711.decode, law=_LAWS[codec])
        return self._decoders[codec]

    def put(self, place: int, samples: Samples) -> bool:
        """Keep sound for its time; ``False`` where that has passed."""
        first = place - self._read
        begin, end = max(first, 0), min(first + len(samples), _AHEAD)
        if begin < end:
            self._held[begin:end] = samples[begin - first : end - first]
        return begin < end

    def take(self, count: int) -> Samples:
        """Give the next ``count`` samples."""
        samples = self._held[:count].copy()
        self._held[:-count] = self._held[count:]
        self._held[-count:] = 0
        self._read += count
        return samples


@dataclass(slots=True)
class Feed:
    """One line's stream. ``codecs`` and ``keys`` say what the payload types mean; they may change with a new offer."""

    codecs: Mapping[int, Codec]
    keys: tuple[int, ...] = ()
    paused: bool = False
    opener: Opener | None = None
    """Of encrypted sound."""

    counts: Counts = field(default_factory=Counts)
    read: int = 0
    """How many samples of the timeline were taken, or passed before the line came into the call."""

    _voices: dict[int, Voice] = field(default_factory=dict)
    _parts: dict[int, int] = field(default_factory=dict)
    """Of each sender that was ever moved, for when it comes back after a long silence."""

    @property
    def together(self) -> bool:
        """Whether two voices sounded beside each other."""
        return any(self._parts.values())

    def receive(self, octets: bytes, now: Seconds) -> tuple[Seconds, Seconds] | None:
        """Take a datagram; garbage and what is not agreed are passed over.

        Gives the span in which a key is or was held, where it says that; not which key.
        """
        packet = self._packet(octets)
        if packet is None or self.paused or packet.payload_type not in (*self.codecs, *self.keys):
            self.counts.foreign += not self.paused
            return None
        voice = self._voice(packet, now)
        if voice is None:
            self.counts.foreign += 1
            return None
        voice.heard_at = now
        if packet.payload_type in self.keys:
            return _key(packet, voice.clock)
        self.counts.received += 1
        self.counts.late += not self._heard(voice, packet, now)
        return None

    def take(self, count: int, now: Seconds) -> list[Samples]:
        """Give the next ``count`` samples of each part; there is always one."""
        self.read += count
        self._part()
        parts = [self.silence(count)]
        for ssrc, voice in tuple(self._voices.items()):
            samples = voice.take(count)
            parts += [self.silence(count) for _ in range(voice.part + 1 - len(parts))]
            parts[voice.part] = added(parts[voice.part], samples)
            if now - voice.heard_at > _FORGOTTEN:
                del self._voices[ssrc]
        return parts

    def pause(self, *, on: bool) -> None:
        """The line is paused, or no more. What is held was said before, and is given; what comes after is another stretch."""
        self.paused = on
        if not on:
            self._voices.clear()

    @staticmethod
    def silence(count: int) -> Samples:
        """Nothing, ``count`` samples of it."""
        return np.zeros(count, np.int16)

    def _packet(self, octets: bytes) -> Packet | None:
        if self.opener is None or is_rtcp(octets):
            return read_packet(octets)
        opened = self.opener.open(octets)
        return read_packet(opened) if opened is not None else None

    def _heard(self, voice: Voice, packet: Packet, now: Seconds) -> bool:
        place, step = voice.clock.place(packet, now)
        octets = packet.payload[:_LONGEST]
        samples = voice.decoder(self.codecs[packet.payload_type])(octets)
        place += len(octets) - len(samples)  # a decoder that has just begun keeps some back
        if step > 0:  # more samples are due: say the first again
            place, samples = place - step, np.concatenate([np.repeat(samples[:1], step), samples])
        return voice.put(place, samples)

    def _voice(self, packet: Packet, now: Seconds) -> Voice | None:
        voice = self._voices.get(packet.ssrc)
        if voice is not None:
            return voice
        if len(self._voices) >= MOST_VOICES:
            oldest = min(self._voices, key=lambda ssrc: self._voices[ssrc].heard_at)
            if now - self._voices[oldest].heard_at < _SILENT:
                return None
            del self._voices[oldest]
        voice = self._voices[packet.ssrc] = Voice(packet, now, self.read)
        voice.part = self._parts.get(packet.ssrc, 0)
        return voice

    def _part(self) -> None:
        """Move those that sound beside an earlier one to a place of their own."""
        earlier: list[Voice] = []
        for ssrc, voice in self._voices.items():
            if any(other.part == voice.part and other.heard_at - voice.born_at > _AFTER for other in earlier):
                taken = {other.part for other in self._voices.values()}
                voice.part = next(number for number in range(MOST_VOICES + 1) if number not in taken)
                self._remember(ssrc, voice.part)
            earlier.append(voice)

    def _remember(self, ssrc: int, part: int) -> None:
        self._parts[ssrc] = part
        if len(self._parts) > _MOST_PARTS:
            del self._parts[next(iter(self._parts))]


def _wide() -> Decode:
    """G.722, brought down to the telephone's band: one octet is two samples of 16 kHz, and so one of ours."""
    decoder, resampler = G722Decoder(), LiveResampler(WIDEBAND, TELEPHONY)
    return lambda octets: resampler.feed(decoder.decode(octets)).samples


def _key(packet: Packet, clock: Clock) -> tuple[Seconds, Seconds] | None:
    """All packets of one key have the timestamp of its beginning (RFC 4733 section 2.5.1.2), so they tell nothing of the time."""
    length, begun = key_length(packet.payload), clock.when(packet.timestamp)
    return None if length is None else (_seconds(begun), _seconds(begun + length))


def added(one: Samples, other: Samples) -> Samples:
    """Both at once."""
    sum = np.clip(one.astype(np.int32) + other, -32_768, 32_767)
    loud: Samples = sum.astype(np.int16)
    return loud


def _signed(difference: int) -> int:
    """A difference of two timestamps of 32 bits."""
    return (difference + (1 << 31)) % (1 << 32) - (1 << 31)


def _seconds(samples: int) -> Seconds:
    return TELEPHONY.seconds(max(0, samples))
