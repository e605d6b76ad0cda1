"""A call as people read it."""

from __future__ import annotations

import pytest

from engine.core.call import CallFacts, new_call_id
from engine.core.units import Confidence, Seconds
from engine.dialogue.actions import Action, CallHost, Decided, HangUp, Rung, TransferCall
from engine.dialogue.events import Event, Heard, HeardNothing, KeysCollected, RecogniserFailed, SecretCollected
from engine.dialogue.graph import NodeId, SlotName
from engine.runtime.story import Line, Story
from engine.testing.parts import understood

CALL = CallFacts(new_call_id(), "browser")
SAID = understood("I lost my card", "lost_card", sure=0.876)
HEARD = Heard(SAID.transcript, SAID.interpretation, Seconds(1.0), Seconds(2.0))
GOES_ON = Heard(SAID.transcript, SAID.interpretation, Seconds(1.0), Seconds(2.0), continues=True)
MAIN = NodeId("main")


def told(event: Event | None, *actions: Action) -> list[tuple[str, str, str]]:
    lines: list[Line] = []
    story = Story(lines.append)
    story.began(CALL)
    story.stepped(CALL, Seconds(2.4), event, actions)
    assert all(line.at == 2.4 for line in lines)
    return [(line.who, line.text, line.note) for line in lines]


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (HEARD, ("caller", "“I lost my card”", "words confidence 0.88")),
        (GOES_ON, ("caller", "“I lost my card”", "words confidence 0.88, went on talking")),
        (HeardNothing(), ("caller", "(a noise)", "")),
        (KeysCollected("4821"), ("caller", "[4 keys]", "keypad")),
        (SecretCollected(16, valid=False), ("caller", "[16 secret digits]", "keypad, does not fit")),
        (RecogniserFailed(), ("decision", "(no recogniser answered)", "")),
    ],
)
def test_what_the_caller_did(event: Event, line: tuple[str, str, str]) -> None:
    assert told(event) == [line]


@pytest.mark.parametrize(
    ("action", "line"),
    [
        (
            Decided(Rung.JUMP, MAIN, NodeId("lost_card"), "lost_card", Confidence(0.9), "sure"),
            ("decision", "jump → lost_card", "confidence 0.90; sure"),
        ),
        (Decided(Rung.NO_INPUT, MAIN, reason="silence"), ("decision", "no input", "silence")),
        (
            CallHost(1, "verify", {}, (SlotName("card"),)),
            ("decision", "asks the bank: verify", "with secret digits, unseen"),
        ),
        (TransferCall("operators"), ("engine", "(transfers to operators)", "")),
        (HangUp(), ("engine", "(hangs up)", "")),
    ],
)
def test_what_was_done_about_it(action: Action, line: tuple[str, str, str]) -> None:
    assert told(None, action) == [line]


def test_how_long_the_caller_waited_and_how_it_ended() -> None:
    lines: list[Line] = []
    story = Story(lines.append)
    story.replied(CALL, Seconds(0.2404))
    story.ended(CALL, "caller_hung_up")

    assert [(line.who, line.text, line.note) for line in lines] == [
        ("reply", "", "240 ms after the caller's last sound"),
        ("end", "caller hung up", ""),
    ]
