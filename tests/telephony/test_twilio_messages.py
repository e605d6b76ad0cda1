"""Twilio's messages are read as documented, cousins' too, and garbage is refused by its shape."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.audio.g711 import Law
from engine.core.errors import MediaError
from engine.telephony import twilio_messages as wire

# As in twilio.com/docs/voice/media-streams/websocket-messages
START = {
    "event": "start",
    "sequenceNumber": "1",
    "start": {
        "accountSid": "AC00000000000000000000000000000000",
        "streamSid": "MZ00000000000000000000000000000000",
        "callSid": "CA00000000000000000000000000000000",
        "tracks": ["inbound"],
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
        "customParameters": {"flow": "cards", "from": "+12025550123"},
    },
    "streamSid": "MZ00000000000000000000000000000000",
}
TELNYX_START = {
    "event": "start",
    "sequence_number": "1",
    "start": {
        "call_control_id": "v2:abc",
        "from": "+79161234567",
        "to": "+74951234567",
        "media_format": {"encoding": "PCMA", "sample_rate": 8000, "channels": 1},
    },
    "stream_id": "32DE0DEA-53CB-4B21-89A4-9E1819C043BC",
}
EXOTEL_START = {  # developer.exotel.com/docs/agentstream/websocket-protocol
    "event": "start",
    "sequence_number": "1",
    "stream_sid": "MZ1",
    "start": {
        "stream_sid": "MZ1",
        "call_sid": "CA1",
        "account_sid": "AC1",
        "from": "+919876543210",
        "to": "+918047491899",
        "custom_parameters": {"flow": "cards"},
        "media_format": {"encoding": "audio/x-raw", "sample_rate": "8000", "bit_rate": "16"},
    },
}
PLIVO_START = {
    "sequenceNumber": 0,
    "event": "start",
    "start": {
        "callId": "c-1",
        "streamId": "s-1",
        "accountId": "a-1",
        "tracks": ["inbound"],
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000},
    },
    "extra_headers": "",
}


def changed(message: dict[str, Any], **inner: Any) -> str:
    return json.dumps({**message, "start": {**message["start"], **inner}})


def media(octets: bytes, **more: Any) -> str:
    return json.dumps({"event": "media", "media": {"payload": base64.b64encode(octets).decode(), **more}})


def test_the_start_of_a_call_is_read() -> None:
    assert wire.parse(json.dumps(START)) == wire.Start(
        stream="MZ00000000000000000000000000000000",
        spelling=wire.TWILIO,
        call="CA00000000000000000000000000000000",
        sound=Law.ULAW,
        caller="+12025550123",
        parameters={"flow": "cards", "from": "+12025550123"},
    )


def test_a_cousins_start_is_read_and_answered_in_its_own_spelling() -> None:
    start = wire.parse(json.dumps(TELNYX_START))

    assert isinstance(start, wire.Start)
    assert (start.call, start.sound, start.caller, start.called) == ("v2:abc", Law.ALAW, "+79161234567", "+74951234567")
    assert json.loads(wire.clear(start)) == {"event": "clear", "stream_id": TELNYX_START["stream_id"]}


@pytest.mark.parametrize(
    ("message", "call", "sound", "cleared"),
    [
        (START, START["start"]["callSid"], Law.ULAW, {"event": "clear", "streamSid": START["streamSid"]}),  # type: ignore[index]
        (TELNYX_START, "v2:abc", Law.ALAW, {"event": "clear", "stream_id": TELNYX_START["stream_id"]}),
        (EXOTEL_START, "CA1", wire.Pcm(8000, big_endian=False), {"event": "clear", "stream_sid": "MZ1"}),
        (PLIVO_START, "c-1", Law.ULAW, {"event": "clearAudio", "streamId": "s-1"}),
    ],
)
def test_every_cousin_is_read_and_cleared_as_it_is_by_a_published_client(
    message: dict[str, Any], call: str, sound: object, cleared: dict[str, str]
) -> None:
    """What pipecat's serializers send on an interruption, field by field (Telnyx's they send without the stream's name)."""
    start = wire.parse(json.dumps(message))

    assert isinstance(start, wire.Start)
    assert (start.call, start.sound) == (call, sound)
    assert json.loads(wire.clear(start)) == cleared


@pytest.mark.parametrize(
    ("message", "written"),
    [
        (START, {"event": "media", "streamSid": START["streamSid"], "media": {"payload": "/wA="}}),
        (TELNYX_START, {"event": "media", "stream_id": TELNYX_START["stream_id"], "media": {"payload": "/wA="}}),
        (EXOTEL_START, {"event": "media", "stream_sid": "MZ1", "media": {"payload": "/wA="}}),
        (
            PLIVO_START,
            {
                "event": "playAudio",
                "streamId": "s-1",
                "media": {"payload": "/wA=", "contentType": "audio/x-mulaw", "sampleRate": 8000},
            },
        ),
    ],
)
def test_every_cousin_is_sent_sound_as_it_is_by_a_published_client(message: dict[str, Any], written: dict[str, Any]) -> None:
    start = wire.parse(json.dumps(message))

    assert isinstance(start, wire.Start)
    assert json.loads(wire.media(start, b"\xff\x00")) == written


@pytest.mark.parametrize(
    ("message", "written", "came"),
    [
        (
            START,
            {"event": "mark", "streamSid": START["streamSid"], "mark": {"name": "0.10"}},
            {"event": "mark", "sequenceNumber": "4", "streamSid": START["streamSid"], "mark": {"name": "0.10"}},
        ),
        (
            PLIVO_START,
            {"event": "checkpoint", "streamId": "s-1", "name": "0.10"},
            {"event": "playedStream", "streamId": "s-1", "name": "0.10"},
        ),
    ],
)
def test_a_mark_goes_out_and_comes_back(message: dict[str, Any], written: dict[str, Any], came: dict[str, Any]) -> None:
    start = wire.parse(json.dumps(message))

    assert isinstance(start, wire.Start)
    assert json.loads(wire.mark(start, "0.10")) == written
    assert wire.parse(json.dumps(came)) == wire.Mark("0.10")


@pytest.mark.parametrize(("rate", "spelled"), [(8000, "L16"), (16000, "l16"), (16000, "L16")])
def test_telnyx_may_send_linear_sound_in_the_networks_byte_order(rate: int, spelled: str) -> None:
    start = wire.parse(changed(TELNYX_START, media_format={"encoding": spelled, "sample_rate": rate, "channels": 1}))

    assert isinstance(start, wire.Start)
    assert start.sound == wire.Pcm(rate, big_endian=True)


def test_the_token_in_the_parameters_is_not_in_a_repr() -> None:
    start = wire.parse(changed(START, customParameters={"token": "s3cret"}))

    assert "s3cret" not in repr(start)


def test_numbers_may_be_strings_and_most_fields_may_be_absent() -> None:
    bare = json.dumps(
        {"event": "start", "start": {"mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": "8000"}}, "streamSid": "M"}
    )

    assert wire.parse(bare) == wire.Start(stream="M", spelling=wire.TWILIO, call="")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"event":"connected","protocol":"Call","version":"1.0.0"}', wire.Connected()),
        (media(b"\xff\x7f", track="inbound", chunk="2", timestamp="5"), wire.Media(b"\xff\x7f")),
        (media(b"\xff", track="outbound"), wire.Media(b"\xff", inbound=False)),
        (media(b""), wire.Media(b"")),
        ('{"event":"dtmf","streamSid":"M","sequenceNumber":"5","dtmf":{"track":"inbound_track","digit":"1"}}', wire.Dtmf(ord("1"))),
        ('{"event":"dtmf","dtmf":{"digit":"a"}}', wire.Dtmf(ord("A"))),
        ('{"event":"mark","sequenceNumber":"4","streamSid":"M","mark":{"name":"my label"}}', wire.Mark("my label")),
        ('{"event":"stop","sequenceNumber":"5","stop":{"accountSid":"A","callSid":"C"},"streamSid":"M"}', wire.Stop()),
        ('{"event":"speed_test"}', wire.Other("speed_test")),
    ],
)  # fmt: skip
def test_every_message_is_read(text: str, message: wire.Message) -> None:
    assert wire.parse(text) == message


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "expected a JSON object, found 0 characters that are not JSON"),
        ("hello", "not JSON"),
        ("[" * 60_000, "not JSON"),
        ('{"event": ' + "1" * 5_000 + "}", "not JSON"),
        ("[1]", "found a JSON list"),
        ("{}", "expected a string 'event' of at most 256 characters, found NoneType"),
        ('{"event": 5}', "found int"),
        ('{"event": "' + "x" * 300 + '"}', "found one of 300 characters"),
        ("x" * 70_000, "at most 65536 characters, found 70000"),
        ('{"event": "media"}', "expected an object 'media' in the media event, found NoneType"),
        ('{"event": "media", "media": "/w=="}', "found str"),
        ('{"event": "media", "media": {"payload": 7}}', "expected a string 'payload'"),
        ('{"event": "media", "media": {"payload": "***"}}', "expected base64"),
        ('{"event": "media", "media": {"payload": "/w"}}', "expected base64"),
        (media(bytes(16_001)), "at most 16000 octets of sound in a message, found 16001"),
        ('{"event": "mark", "mark": {}}', "expected a string 'name'"),
        ('{"event": "start"}', "the start event, start: Field required"),
        ('{"event": "start", "start": []}', "the start event, start: "),
        ('{"event": "start", "start": {}}', "expected the stream's name in streamSid, stream_id, ... of the start event, found none"),
        (changed(START, mediaFormat={"encoding": "opus"}), "expected mono G.711 at 8000 Hz, or L16 at 8000 or 16000 Hz, found 'opus' at"),
        (changed(START, mediaFormat={"sampleRate": 16000}), "at 16000 Hz"),
        (changed(START, mediaFormat={"channels": 2}), "with 2 channels"),
        (changed(START, mediaFormat={"sampleRate": "fast"}), "mediaFormat.sampleRate: "),
        (changed(START, customParameters={"flow": "x" * 300}), r"customParameters\.flow: String should have at most 256"),
        (changed(START, callSid=["C"]), "callSid: "),
    ],
)  # fmt: skip
def test_what_is_not_a_message_is_refused_with_what_was_expected_and_found(text: str, reason: str) -> None:
    with pytest.raises(MediaError, match=reason):
        wire.parse(text)


@pytest.mark.parametrize("digit", ["", "77", "７", 7, None, ["7"]])
def test_a_digit_that_is_none_is_refused_and_not_quoted(digit: object) -> None:
    with pytest.raises(MediaError) as refused:
        wire.parse(json.dumps({"event": "dtmf", "dtmf": {"digit": digit}}))

    assert "7" not in str(refused.value)


def test_a_key_is_not_in_its_repr() -> None:
    assert repr(wire.parse('{"event":"dtmf","dtmf":{"digit":"9"}}')) == "Dtmf(•)"


def test_what_we_write_is_what_twilio_documents() -> None:
    start = wire.Start(stream="MZ1", spelling=wire.TWILIO, call="CA1")

    assert json.loads(wire.media(start, b"\xff\x00")) == {"event": "media", "streamSid": "MZ1", "media": {"payload": "/wA="}}
    assert json.loads(wire.clear(start)) == {"event": "clear", "streamSid": "MZ1"}


odd_values = st.sampled_from(
    [None, True, -1, 2**70, 0.5, float("nan"), "", "1", "8000", "media", "/w==", "é\ud800", [], [1], {}, {"event": 1}]
)
known_names = st.sampled_from(
    ["event", "start", "media", "dtmf", "mark", "payload", "digit", "name", "streamSid", "stream_id", "streamId", "mediaFormat", "sampleRate",
     "channels", "encoding", "customParameters", "callSid", "track", "from"]
)  # fmt: skip
objects = st.dictionaries(known_names, odd_values, max_size=4)
near_misses = st.dictionaries(known_names, odd_values | objects | st.dictionaries(known_names, objects, max_size=2), max_size=4)


@settings(deadline=None)
@given(st.sampled_from(["start", "media", "dtmf", "mark", "stop", "connected", "playedStream"]), near_misses)
def test_nothing_but_a_media_error_comes_of_broken_messages(event: str, message: dict[str, Any]) -> None:
    try:
        read = wire.parse(json.dumps({**message, "event": event}))
    except MediaError:
        return
    assert type(read).__name__.lower() == event


@settings(deadline=None)
@given(st.text(max_size=200))
def test_nothing_but_a_media_error_comes_of_garbage(text: str) -> None:
    try:
        wire.parse(text)
    except MediaError:
        return
    assert isinstance(json.loads(text), dict)


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_sound_comes_through_unchanged(octets: bytes) -> None:
    start = wire.Start(stream="MZ1", spelling=wire.TWILIO, call="CA1")

    assert wire.parse(wire.media(start, octets)) == wire.Media(octets)
