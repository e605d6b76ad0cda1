"""Events and actions survive the journal exactly."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.errors import EngineError, MediaError, PrivacyError
from engine.core.secrets import SecretDigits
from engine.core.units import Seconds
from engine.dialogue import actions as do
from engine.dialogue import events as on
from engine.dialogue.codec import decode, encode, from_json, to_json

_NAMES = st.sampled_from(["words", "language", "rejected", "text"])
KINDS = (*get_args(on.Event), *get_args(do.Action), on.Tick)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_every_event_and_action_comes_back_as_it_was(kind: type[Any], data: st.DataObject) -> None:
    one = data.draw(st.from_type(kind))

    try:
        text = to_json(one)
    except ValueError:
        assert "nan" in repr(one) or "inf" in repr(one)
        return

    again = from_json(text)
    assert again == one
    assert type(again) is kind
    assert to_json(again) == text


def test_the_text_is_canonical() -> None:
    assert to_json(on.PlayFinished(3)) == '{"play":3,"type":"PlayFinished"}'
    assert to_json(on.SpeechStarted(Seconds(2))) == '{"at":2.0,"type":"SpeechStarted"}'
    assert to_json([on.HungUp(), do.HangUp()]) == '[{"type":"HungUp"},{"reason":"completed","type":"HangUp"}]'


def test_fields_with_a_default_may_be_missing_so_that_old_journals_stay_readable() -> None:
    assert decode({"type": "HostReplied", "request": 4}) == on.HostReplied(4)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected JSON"),
        ("[]", "expected a JSON object"),
        ("{}", "expected the type of an event or an action, found None"),
        ('{"type":"Exploded"}', "found 'Exploded'"),
        ('{"type":"PlayFinished"}', "found none of play"),
        ('{"type":"PlayFinished","play":"1"}', "PlayFinished.play"),
        ('{"type":"PlayFinished","play":true}', "PlayFinished.play"),
        ('{"type":"PlayFinished","play":null}', "PlayFinished.play"),
        ('{"type":"PlayFinished","play":1,"pay":2}', "found pay"),
        ('{"type":"AgentAnswered","task":1,"verdict":"maybe"}', "expected one of node, slot, words, cant_tell"),
        ('{"type":"Heard","transcript":[]}', "Heard.transcript"),
        (
            '{"type":"CollectKeys","slot":"a","secret":true,"length":[1],"finish_key":"#","first_key":1,"between_keys":1}',
            "2 values",
        ),
        ('{"type":"Listen","node":"a","hints":{},"question":{"today":"yesterday"}}', "expected a day such as 2026-11-21"),
    ],
)
def test_what_is_broken_is_refused_with_the_place(text: str, message: str) -> None:
    with pytest.raises(MediaError, match=message.replace("[", r"\[")):
        from_json(text)


@settings(max_examples=40, deadline=None)
@given(
    st.none()
    | st.booleans()
    | st.text(max_size=3)
    | st.lists(st.integers() | st.none(), max_size=3)
    | st.dictionaries(_NAMES, st.none())
)
def test_nothing_but_our_own_errors_comes_out_of_a_broken_journal(written: Any) -> None:
    for kind in ("Heard", "Play", "AskAgent"):
        try:
            decode({"type": kind, "transcript": written, "play": written, "spoken": written})
        except EngineError:
            continue


def test_a_secret_can_not_be_written() -> None:
    secret: Any = SecretDigits()
    secret.push(ord("7"))

    with pytest.raises(PrivacyError):
        to_json(on.KeysCollected(secret))


def test_a_dictionary_of_an_event_is_plain_json() -> None:
    written = encode(on.HostReplied(1, "ok", {"amount": "1"}))

    assert json.loads(json.dumps(written)) == written
