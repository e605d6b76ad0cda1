"""Asterisk's control messages are read in both forms, as documented, and garbage is refused by its shape."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.audio.g711 import Law
from engine.core.audio import AudioFormat
from engine.core.errors import MediaError
from engine.telephony import asterisk_ws_messages as wire

# As in docs.asterisk.org/Configuration/Channel-Drivers/WebSocket
PLAIN_START = (
    "MEDIA_START connection_id:e226e283-c90a-4ea9-9e37-389000b9ef47 channel:WebSocket/connectionid "
    "channel_id:pbx1-123456789.999 format:ulaw optimal_frame_size:160 ptime:20"
)
OLD_START = "MEDIA_START connection_id:e226e283-c90a-4ea9-9e37-389000b9ef47 channel:WebSocket/connectionid format:ulaw optimal_frame_size:160"
JSON_START = {
    "event": "MEDIA_START",
    "connection_id": "e226e283-c90a-4ea9-9e37-389000b9ef47",
    "channel": "WebSocket/connectionid",
    "channel_id": "pbx1-123456789.999",
    "format": "ulaw",
    "optimal_frame_size": 160,
    "ptime": 20,
    "channel_variables": {"SOME_CHANNEL_VARIABLE": "some value", "__CALLWRIGHT_FLOW": "cards", "CALLWRIGHT_CALLER": "+79161234567"},
}  # fmt: skip


def start(**changed: Any) -> str:
    return json.dumps({**JSON_START, **changed})


def test_a_plain_start_is_read() -> None:
    assert wire.parse(PLAIN_START) == wire.MediaStart("pbx1-123456789.999", Law.ULAW, 160, as_json=False)


def test_a_start_of_the_first_versions_names_the_channel_by_its_name() -> None:
    assert wire.parse(OLD_START) == wire.MediaStart("WebSocket/connectionid", Law.ULAW, 160, as_json=False)


def test_a_json_start_brings_the_variables_that_were_set_for_us() -> None:
    variables = {"flow": "cards", "caller": "+79161234567"}

    assert wire.parse(start()) == wire.MediaStart("pbx1-123456789.999", Law.ULAW, 160, as_json=True, variables=variables)


@pytest.mark.parametrize(
    ("name", "codec", "frame_bytes"),
    [
        ("ulaw", Law.ULAW, 160),
        ("alaw", Law.ALAW, 160),
        ("slin", AudioFormat(8000), 320),
        ("slin16", AudioFormat(16000), 640),
        ("slin48", AudioFormat(48000), 1920),
    ],
)
def test_every_codec_is_known_by_its_name(name: str, codec: Law | AudioFormat, frame_bytes: int) -> None:
    found = wire.parse(f"MEDIA_START connection_id:c channel:WebSocket/x format:{name}")

    assert isinstance(found, wire.MediaStart)
    assert (found.codec, found.frame_bytes) == (codec, frame_bytes)


@pytest.mark.parametrize(
    ("text", "event"),
    [
        ("DTMF_END digit:1 channel_id:pbx1-123456789.999", wire.DtmfEnd(ord("1"))),
        ("DTMF_END digit:# channel_id:pbx1-123456789.999", wire.DtmfEnd(ord("#"))),
        ('{"event":"DTMF_END","channel_id":"c","digit":"d"}', wire.DtmfEnd(ord("D"))),
        ("MEDIA_XOFF", wire.MediaXoff()),
        ('{"event": "MEDIA_XON", "channel_id": "c"}', wire.MediaXon()),
        (
            "STATUS channel_id:c queue_length:7 xon_level:800 xoff_level:900 queue_full:false bulk_media:false media_paused:false",
            wire.Status(7),
        ),
        ('{"event":"STATUS","channel_id":"c","queue_length":901,"queue_full":true}', wire.Status(901)),
        ("QUEUE_DRAINED", wire.Other("QUEUE_DRAINED")),
        ("MEDIA_BUFFERING_COMPLETED 61ea9311-d501-46e5-8825-017b342b39f2", wire.Other("MEDIA_BUFFERING_COMPLETED")),
        ('{\n  "event": "MEDIA_MARK_PROCESSED",\n  "correlation_id": ""\n}', wire.Other("MEDIA_MARK_PROCESSED")),
        ("ERROR channel_id:c error_text:FLUSH_MEDIA not supported in passthrough mode", wire.Other("ERROR")),
    ],
)
def test_every_event_is_read(text: str, event: wire.Event) -> None:
    assert wire.parse(text) == event


@pytest.mark.parametrize(
    ("command", "plain", "as_json"),
    [
        (wire.Command.ANSWER, "ANSWER", {"command": "ANSWER"}),
        (wire.Command.HANGUP, "HANGUP", {"command": "HANGUP"}),
        (wire.Command.FLUSH_MEDIA, "FLUSH_MEDIA", {"command": "FLUSH_MEDIA"}),
        (wire.Command.GET_STATUS, "GET_STATUS", {"command": "GET_STATUS"}),
    ],
)
def test_commands_are_written_as_documented(command: wire.Command, plain: str, as_json: dict[str, str]) -> None:
    assert command.written(as_json=False) == plain
    assert json.loads(command.written(as_json=True)) == as_json
    assert len(command.written(as_json=True)) <= 128  # chan_websocket.c: MAX_TEXT_MESSAGE_LEN


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "expected the name of an event, found none"),
        (" \n", "expected the name of an event, found none"),
        ("{}", "expected the name of an event, found none"),
        ('{"event": 5}', "expected the name of an event, found none"),
        ("{" * 60_000, "expected a JSON object, found 60000 characters that are not JSON"),
        ("x" * 70_000, "at most 65536 characters, found 70000"),
        ("MEDIA_START", "expected 'format' of at most 256 characters, found NoneType"),
        (start(format="opus"), r"expected c\(ulaw\), .* in the dial string, found the codec 'opus'"),
        (start(format=7), "expected 'format' of at most 256 characters, found int"),
        (start(channel_id=""), "expected 'channel_id' of at most 256 characters, found 0 characters"),
        (start(optimal_frame_size=0), "expected an optimal_frame_size from 1 to 65500, found 0"),
        (start(optimal_frame_size=-5), "from 1 to 65500, found -5"),
        (start(optimal_frame_size=10**9), "from 1 to 65500, found 1000000000"),
        (start(optimal_frame_size=True), "expected a number in 'optimal_frame_size', found bool"),
        (start(optimal_frame_size="many"), "expected a number in 'optimal_frame_size', found 4 characters"),
        (start(optimal_frame_size="9" * 5000), "expected a number in 'optimal_frame_size', found 5000 characters"),
        ("STATUS channel_id:c", "expected a number in 'queue_length', found NoneType"),
    ],
)
def test_what_is_no_event_is_refused_with_what_was_expected_and_found(text: str, reason: str) -> None:
    with pytest.raises(MediaError, match=reason):
        wire.parse(text)


@pytest.mark.parametrize("digit", ["", "77", "７", 7, None, ["7"]])
def test_a_digit_that_is_none_is_refused_and_not_quoted(digit: object) -> None:
    with pytest.raises(MediaError) as refused:
        wire.parse(json.dumps({"event": "DTMF_END", "digit": digit}))

    assert "7" not in str(refused.value)


def test_a_key_is_not_in_its_repr_nor_are_the_variables() -> None:
    assert repr(wire.parse("DTMF_END digit:9")) == "DtmfEnd(•)"
    assert "79161234567" not in repr(wire.parse(start()))


def test_variables_are_kept_within_limits() -> None:
    many = {f"CALLWRIGHT_{number}": "x" for number in range(500)} | {"CALLWRIGHT_LONG": "x" * 5000, "CALLWRIGHT_N": 5}
    found = wire.parse(start(channel_variables=many))

    assert isinstance(found, wire.MediaStart)
    assert len(found.variables) <= 64
    assert all(len(value) <= 256 for value in found.variables.values())


odd_values = st.sampled_from([None, True, -1, 2**70, 0.5, "", "1", "160", "ulaw", "é\ud800", [], {}, {"CALLWRIGHT_FLOW": 5}])
names = st.sampled_from(["format", "channel", "channel_id", "optimal_frame_size", "digit", "queue_length", "channel_variables"])
events = st.sampled_from(["MEDIA_START", "DTMF_END", "MEDIA_XOFF", "STATUS", "ERROR", ""])


@settings(deadline=None)
@given(events, st.dictionaries(names, odd_values, max_size=5))
def test_nothing_but_a_media_error_comes_of_broken_json(event: str, fields: dict[str, Any]) -> None:
    try:
        read = wire.parse(json.dumps({**fields, "event": event}))
    except MediaError:
        return
    assert isinstance(read, wire.Event)


@settings(deadline=None)
@given(events, st.text(max_size=60) | st.text("digit:queue_length:format ulaw019#\n", max_size=60))
def test_nothing_but_a_media_error_comes_of_broken_words(event: str, rest: str) -> None:
    try:
        read = wire.parse(f"{event} {rest}")
    except MediaError:
        return
    assert isinstance(read, wire.Event)
