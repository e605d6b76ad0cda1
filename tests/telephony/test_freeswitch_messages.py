"""What FreeSWITCH's modules say and are told, as their READMEs have it."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.errors import MediaError
from engine.telephony import freeswitch_messages as wire


def test_the_metadata_says_who_calls_and_how_sound_is_written() -> None:
    metadata = json.dumps({"uuid": "u-1", "caller": "+79161234567", "flow": "cards", "rate": 16000, "channels": 2, "more": [1]})
    said = wire.said({}, metadata)

    assert said.facts == {"uuid": "u-1", "caller": "+79161234567", "flow": "cards"}
    assert (said.rate, said.channels, said.reply) == ("16000", "2", wire.Reply.JSON)


def test_the_address_counts_before_the_metadata() -> None:
    said = wire.said({"flow": "loans", "reply": "binary"}, '{"flow": "cards", "language": "ru"}')

    assert (said.flow, said.language, said.reply) == ("loans", "ru", wire.Reply.BINARY)


@pytest.mark.parametrize(("rate", "found"), [("8000", "8000"), ("8k", "8000"), (16000, "16000"), ("16k", "16000")])
def test_the_rate_may_be_written_as_in_the_command(rate: object, found: str) -> None:
    assert wire.said({}, json.dumps({"rate": rate})).rate == found


@pytest.mark.parametrize("metadata", [None, "", "any text of the bank's", "[1]", "7", "{" * 5_000])
def test_metadata_may_be_anything_or_nothing(metadata: str | None) -> None:
    assert wire.said({"uuid": "u-1"}, metadata).facts == {"uuid": "u-1"}


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ({"rate": "11025"}, "rate: Input should be '8000' or '16000'"),
        ({"channels": "3"}, "channels: Input should be '1' or '2'"),
        ({"reply": "mp3"}, "reply: Input should be 'json' or 'binary'"),
        ({"flow": "x" * 300}, "flow: String should have at most 256 characters"),
    ],
)
def test_what_can_not_be_is_refused(query: dict[str, str], reason: str) -> None:
    with pytest.raises(MediaError, match=reason):
        wire.said(query, None)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"key": "5"}', ord("5")),
        ('{"dtmf": "#"}', ord("#")),
        ('{"event": "dtmf", "digit": "a"}', ord("A")),
        ('{"key": 5}', ord("5")),
        ('{"rate": 99, "note": "hold"}', None),
        ("goodbye", None),
        ("", None),
    ],
)
def test_later_texts_press_keys_or_nothing(text: str, code: int | None) -> None:
    assert wire.pressed(text) == code


@pytest.mark.parametrize("key", ["77", "", "E", "７", None, ["7"], 77])
def test_a_key_that_is_none_is_refused_and_not_quoted(key: object) -> None:
    if key is None:
        assert wire.pressed(json.dumps({"key": key})) is None
        return

    with pytest.raises(MediaError) as refused:
        wire.pressed(json.dumps({"key": key}))
    assert "7" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_sound_is_written_as_the_readme_has_it() -> None:
    assert json.loads(wire.stream_audio(b"\x01\x02", 8000)) == {
        "type": "streamAudio",
        "data": {"audioDataType": "raw", "sampleRate": 8000, "audioData": base64.b64encode(b"\x01\x02").decode()},
    }


def test_orders_are_written_as_mod_audio_fork_has_them() -> None:
    assert json.loads(wire.KILL_AUDIO) == {"type": "killAudio"}
    assert json.loads(wire.DISCONNECT) == {"type": "disconnect", "data": {"reason": "ended"}}
    assert json.loads(wire.transfer("cards", {"intent": "card_block"})) == {
        "type": "transfer",
        "data": {"destination": "cards", "context": {"intent": "card_block"}},
    }


@settings(deadline=None)
@given(
    st.text(max_size=80)
    | st.dictionaries(
        st.sampled_from(["key", "dtmf", "digit", "rate", "channels", "reply", "flow", "uuid"]),
        st.text(max_size=3) | st.integers() | st.none() | st.lists(st.integers(), max_size=1),
    ).map(json.dumps)
)
def test_nothing_but_a_media_error_comes_of_garbage(text: str) -> None:
    for read in (wire.pressed, lambda text: wire.said({}, text)):
        try:
            read(text)
        except MediaError:
            continue
