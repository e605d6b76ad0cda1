"""Everything that reads bytes of a stranger's, with a few whole messages to begin from.

A parser takes any bytes: it gives something, or refuses them with the error of its contract. Anything else, also a long wait, is
a bug. ``test_parsers.py`` tries each for a moment with every run of the tests; ``make fuzz`` for as long as you like, led by what
code is reached (atheris).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.core.errors import MediaError
from engine.qa.transcripts import parse_transcript
from engine.telephony import asterisk_ws_messages, freeswitch_messages, twilio_messages
from engine.telephony.audiosocket.frames import FrameReader
from engine.telephony.sip.addresses import number_in, user_in
from engine.telephony.siprec.description import read_description
from engine.telephony.siprec.message import MessageStream, read_message
from engine.telephony.siprec.metadata import read_metadata
from engine.telephony.siprec.multipart import read_parts
from engine.telephony.siprec.rtp import key_length, read_packet
from engine.telephony.siprec.srtp import Opener, read_key
from engine.telephony.vosk_protocol import PcmStream, read_order

_SCENARIOS = Path(__file__).parents[1] / "telephony" / "siprec"
_MULTIPART = "multipart/mixed;boundary=foobar"
_CRYPTO = "crypto:1 AES_CM_128_HMAC_SHA1_80 inline:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5"
_SDP = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 8 101\r\na=label:1\r\na=rtpmap:101 telephone-event/8000\r\na=sendonly\r\n"
_INVITE = (
    b"INVITE sip:srs@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\n"
    b"Call-ID: 1@b\r\nCSeq: 1 INVITE\r\nContent-Type: application/sdp\r\nContent-Length: 3\r\n\r\nv=0"
)
_RTP = bytes.fromhex("80000001000000a0deadbeef") + bytes(160)
_START = {
    "event": "start",
    "streamSid": "MZ1",
    "start": {
        "streamSid": "MZ1",
        "callSid": "CA1",
        "customParameters": {"flow": "cards"},
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
    },
}


@dataclass(frozen=True, slots=True)
class Parser:
    """One of them."""

    read: Callable[[bytes], object]

    seeds: Sequence[bytes]

    refuses_with: type[Exception] = MediaError


def _text(read: Callable[[str], object]) -> Callable[[bytes], object]:
    return lambda octets: read(octets.decode("utf-8", "replace"))


def _audiosocket(octets: bytes) -> None:
    reader = FrameReader()
    reader.feed(octets)
    while reader.next() is not None:
        pass


def _sip_stream(octets: bytes) -> None:
    stream = MessageStream()
    for at in range(0, len(octets), 7):
        stream.feed(octets[at : at + 7])
        while stream.next() is not None:
            pass


def _srtp(octets: bytes) -> None:
    key = read_key([_CRYPTO])
    assert key is not None
    Opener(key).open(octets)


def _rtp(octets: bytes) -> None:
    packet = read_packet(octets)
    if packet is not None:
        key_length(packet.payload)


def _addresses(text: str) -> None:
    user_in(text)
    number_in(text)


def _freeswitch(text: str) -> None:
    freeswitch_messages.said({}, text)
    freeswitch_messages.pressed(text)


def _transcript(octets: bytes) -> None:
    parse_transcript(octets.decode("utf-8", "replace"), "a transcript")


def _json(*messages: object) -> list[bytes]:
    return [json.dumps(it).encode() for it in messages]


def _documents() -> list[bytes]:
    """The metadata in the scenario files of three vendors' shapes."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(_SCENARIOS.glob("*.xml"))]
    return [text[text.index("<recording") : text.index("</recording>") + 12].encode() for text in texts if "</recording>" in text]


PARSERS: dict[str, Parser] = {
    "audiosocket": Parser(
        _audiosocket, [b"\x01\x00\x10" + bytes(16) + b"\x10\x01\x40" + bytes(320), b"\x03\x00\x015\x00\x00\x00"]
    ),
    "twilio": Parser(
        _text(twilio_messages.parse),
        _json(
            {"event": "connected", "protocol": "Call", "version": "1.0.0"},
            _START,
            {"event": "media", "media": {"track": "inbound", "chunk": "1", "timestamp": "5", "payload": "/////w=="}},
            {"event": "dtmf", "streamSid": "MZ1", "dtmf": {"track": "inbound_track", "digit": "1"}},
            {"event": "mark", "mark": {"name": "end"}},
            {"event": "stop", "stop": {"callSid": "CA1"}},
        ),
    ),
    "asterisk": Parser(
        _text(asterisk_ws_messages.parse),
        [
            b"MEDIA_START connection_id:1 channel:PJSIP/a channel_id:2 format:ulaw optimal_frame_size:160 ptime:20",
            *_json(
                {"event": "MEDIA_START", "channel": "a", "format": "ulaw", "optimal_frame_size": 160},
                {"event": "DTMF_END", "digit": "5"},
            ),
        ],
    ),
    "freeswitch": Parser(_text(_freeswitch), _json({"uuid": "1", "caller": "+4930123456", "flow": "cards"}, {"dtmf": "5"})),
    "vosk order": Parser(
        _text(read_order),
        _json({"config": {"sample_rate": 8000, "words": True, "phrase_list": ["one", "two"]}}, {"eof": 1}, {"reset": 1}),
    ),
    "vosk sound": Parser(PcmStream().feed, [bytes(320), b"RIFF"]),
    "sip message": Parser(read_message, [_INVITE, b"SIP/2.0 200 OK\r\nCSeq: 1 INVITE\r\n\r\n"]),
    "sip stream": Parser(_sip_stream, [_INVITE * 2]),
    "sip addresses": Parser(_text(_addresses), [b'"A" <sip:+4930123456@b;user=phone>;tag=1', b"tel:+4930123456"]),
    "siprec parts": Parser(
        lambda octets: read_parts(_MULTIPART, octets),
        [
            b"--foobar\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--foobar\r\nContent-Type: application/rs-metadata+xml\r\n\r\n<a/>\r\n--foobar--"
        ],
    ),
    "siprec description": Parser(read_description, [_SDP]),
    "siprec metadata": Parser(read_metadata, _documents() or [b"<recording xmlns='urn:ietf:params:xml:ns:recording:1'/>"]),
    "rtp": Parser(_rtp, [_RTP, bytes.fromhex("90600001000000a0deadbeef0001000100000000") + bytes(4)]),
    "srtp": Parser(_srtp, [_RTP + bytes(10)]),
    "transcript": Parser(
        _transcript,
        _json(
            {"language": "en", "turns": [{"speaker": "agent", "start": 0.0, "end": 1.5, "text": "hello [noise]"}], "facts": {}}
        ),
    ),
}
