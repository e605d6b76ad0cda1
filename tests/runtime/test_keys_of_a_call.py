"""A whole call's keys, with everything around it doubled: what is journalled of them, what is recorded, what the bank gets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from engine.audio.files import read
from engine.audio.keytones import make_key_tones
from engine.audio.masks import mask_tone
from engine.core.audio import AudioFrame
from engine.core.units import Seconds
from engine.dialogue.events import KeyPressed, SecretCollected
from engine.dialogue.graph import Choice, End, Flow, Keypad, Menu, NodeId, Say, Service, SlotName
from engine.store.database import connect
from engine.store.journal import Journal
from engine.store.recorder import Recorder
from tests.databases import store_in
from tests.dialogue.flows import flow_of, titled
from tests.runtime.stage import Stage


def flow(*, barge_in: bool) -> Flow:
    """A menu, words that can't be interrupted, a PIN."""
    return flow_of(
        Menu(**titled("main"), choices=(Choice(NodeId("words"), "2"), Choice(NodeId("bye"), "3"))),
        Say(**{**titled("words"), "barge_in": False}, then=NodeId("pin")),
        Keypad(**{**titled("pin"), "barge_in": barge_in}, slot=SlotName("pin"), length=(4, 4), then=NodeId("check")),
        Service(**titled("check"), operation="check", arguments=(SlotName("pin"),), outcomes={"ok": NodeId("bye")}),
        End(**titled("bye")),
        start="main",
    )


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    engine = connect(store_in(tmp_path))
    journal = Journal(engine)
    yield journal
    journal.close()


@pytest.fixture
def stage(journal: Journal, tmp_path: Path) -> Stage:
    return Stage(flow(barge_in=False), journal, tmp_path)


def keys_in(stage: Stage) -> list[str]:
    return [event.key for event in stage.seen.events if isinstance(event, KeyPressed)]


def journalled(stage: Stage) -> str:
    return "\n".join(str(step.event) for step in stage.journal.steps(stage.facts.id))


@pytest.mark.parametrize("barge_in", [True, False])
async def test_a_pin_keyed_before_it_is_asked_for_reaches_the_bank_and_no_record(stage: Stage, barge_in: bool) -> None:
    stage.flow = flow(barge_in=barge_in)
    stage.keys = [(1.5, b"2"), (1.8, b"7531")]
    outcome = await stage.play()

    assert outcome == "completed"
    assert stage.host.secrets == [{"pin": b"7531"}]
    assert keys_in(stage) == ["2"]
    assert SecretCollected(4, valid=True) in stage.seen.events
    assert all(f'"{digit}"' not in journalled(stage) for digit in "7531")


async def test_a_number_keyed_at_the_menu_is_journalled_as_a_key_and_not_which(stage: Stage) -> None:
    stage.keys = [(1.5, b"4539578763621486")]
    await stage.play(patience=8.0)

    assert keys_in(stage) == ["•"]
    assert stage.host.secrets == []


async def test_what_is_heard_while_keys_come_ahead_is_masked_in_one_piece(stage: Stage, tmp_path: Path) -> None:
    stage.keys = [(1.5, b"2"), (3.2, b"7531")]
    await stage.play()
    recording = read(tmp_path / "call.wav")
    same = np.logical_and.reduce(
        [channel.samples == mask_tone(0, len(channel.samples), channel.format.rate_hz) for channel in recording.channels]
    )
    runs = np.flatnonzero(np.diff(np.concatenate([[0], same[: 12 * 8_000 : 80].astype(int), [0]])))

    assert same[round(3.1 * 8_000) : round(3.7 * 8_000)].all()
    assert len([1 for first, last in zip(runs[::2], runs[1::2], strict=True) if last - first > 10]) == 1


def test_a_tone_that_began_before_the_entry_is_masked_too(tmp_path: Path) -> None:
    tape = Recorder(tmp_path / "tape.wav")
    tones = make_key_tones(b"5", tone=Seconds(1.5))
    sound = np.concatenate([np.zeros(8_000, np.int16), tones.samples, np.zeros(16_000, np.int16)])
    for start in range(0, len(sound), 160):
        tape.caller(AudioFrame(sound[start : start + 160], start=start))  # type: ignore[arg-type]
        if start == round(2.56 * 8_000):  # the key is reported when it is let go
            tape.mask(Seconds(0.56), Seconds(2.56))
    recording = read(tape.close())

    assert (recording.channels[0].samples[8_000:20_000] == mask_tone(8_000, 12_000, 8_000)).all()
