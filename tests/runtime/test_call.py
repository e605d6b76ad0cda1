"""The driver of one call with everything around it doubled: what is heard, done, kept, and never kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import numpy as np
import pytest

from engine.asr.endpointer import EndpointPolicy
from engine.core.audio import TELEPHONY, AudioFrame
from engine.core.errors import HostError, MediaError, ModelOverloaded
from engine.core.units import Seconds
from engine.dialogue.codec import from_json, to_json
from engine.dialogue.events import Heard, KeyPressed, PlayFinished, RecogniserFailed, SecretCollected, Tick
from engine.dialogue.graph import Flow
from engine.dialogue.replay import replay
from engine.ivr.files import load_flow
from engine.nlu.interpretation import Completeness
from engine.runtime.call import Call
from engine.runtime.host import Reply
from engine.runtime.tape import PatientTape
from engine.store.database import connect
from engine.store.journal import Journal
from engine.testing.parts import ScriptedHost, TonePrompts, understood
from engine.testing.wav_leg import WavLeg
from tests.databases import store_in
from tests.runtime.stage import BringingLeg, FullDisk, Stage

CARD = b"4539578763621486"
SMALL_BANK = Path(__file__).parents[1] / "journeys" / "small_bank.yaml"


@pytest.fixture(scope="module")
def flow() -> Flow:
    return load_flow(SMALL_BANK)


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    engine = connect(store_in(tmp_path))
    journal = Journal(engine)
    yield journal
    journal.close()


def written_below(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def stage(flow: Flow, journal: Journal, tmp_path: Path) -> Stage:
    return Stage(flow, journal, tmp_path)


async def test_a_sure_caller_lands_on_the_node_and_the_reply_starts_when_the_wait_ends(stage: Stage) -> None:
    stage.script = [understood("I lost my card", "lost_card")]

    assert await stage.play((1.0, 2.0)) == "transferred"
    assert stage.nodes == ["main", "lost_card", "operator"]
    assert stage.seen.replies == [pytest.approx(EndpointPolicy().complete_wait, abs=0.021)]
    assert stage.leg.transferred is not None
    assert stage.leg.transferred.context["intent"] == "lost_card"


async def test_a_transfer_that_nobody_takes_is_told_from_one_that_somebody_took(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nobody(leg: WavLeg, destination: str, context: Mapping[str, str]) -> bool:
        return False

    monkeypatch.setattr(WavLeg, "transfer", nobody)
    stage.script = [understood("I lost my card", "lost_card")]

    assert await stage.play((1.0, 2.0)) == "not_transferred"
    assert [words.prompt for words in stage.seen.actions[-2].spoken] == ["fixed.not_transferred"]


async def test_the_decision_is_ready_before_the_wait_ends_because_it_was_made_speculatively(stage: Stage) -> None:
    stage.script = [understood("I lost my card", "lost_card")]
    await stage.play((1.0, 2.0))

    assert len(stage.ears.jobs) == 1
    heard = stage.ears.jobs[0].sound.duration
    policy = EndpointPolicy()
    assert heard == pytest.approx(1.0 + policy.pre_roll + policy.decode_after, abs=0.021)


async def test_a_caller_who_interrupts_hears_the_prompt_stop(stage: Stage) -> None:
    stage.script = [understood("when are you open", "opening_hours")]
    stage.prompts = TonePrompts(Seconds(3.0))
    await stage.play((0.5, 1.5))

    heard = stage.leg.heard.samples[TELEPHONY.samples(Seconds(0.7)) : TELEPHONY.samples(Seconds(1.5))]
    assert np.abs(heard).max() == 0


async def test_a_caller_who_goes_on_after_a_complete_phrase_is_taken_back_into_the_turn(stage: Stage) -> None:
    stage.script = [understood("my card", "lost_card"), understood("my card balance", "balance")]
    await stage.play((1.0, 2.0), (2.6, 3.5))

    heard = [event for event in stage.seen.events if isinstance(event, Heard)]
    assert [(one.transcript.text, one.continues) for one in heard] == [("my card", False), ("my card balance", True)]
    assert "enter_card" in stage.nodes  # the balance needs a verified call
    assert stage.ears.jobs[1].sound.duration > 2.5  # heard again from the beginning


async def test_a_pause_inside_an_incomplete_phrase_does_not_end_the_turn(stage: Stage) -> None:
    unfinished = understood("I would like to", completeness=Completeness.INCOMPLETE)
    stage.script = [unfinished, understood("I would like to block my card", "lost_card")]
    await stage.play((1.0, 2.0), (2.8, 3.8))

    heard = [event for event in stage.seen.events if isinstance(event, Heard)]
    assert [(one.transcript.text, one.continues) for one in heard] == [("I would like to block my card", False)]


async def test_a_recogniser_that_fails_leaves_the_caller_the_keys(stage: Stage) -> None:
    stage.script = [ModelOverloaded("busy")]
    stage.keys = [(4.0, b"3")]
    outcome = await stage.play((1.0, 2.0))

    assert any(isinstance(event, RecogniserFailed) for event in stage.seen.events)
    assert "opening_hours" in stage.nodes
    assert outcome == "completed"


async def test_a_silent_caller_comes_to_a_person(stage: Stage) -> None:
    assert await stage.play(patience=60.0) == "transferred"
    assert stage.rungs[-1] == "operator"


async def test_a_caller_who_hangs_up_ends_the_call(stage: Stage) -> None:
    assert await stage.play(patience=1.0) == "caller_hung_up"
    assert stage.seen.outcome == "caller_hung_up"


async def test_secret_digits_reach_the_bank_and_nothing_else(stage: Stage, tmp_path: Path) -> None:
    stage.script = [understood("what is my balance", "balance")]
    stage.keys = [(4.0, CARD)]
    outcome = await stage.play((1.0, 2.0))

    assert stage.host.secrets[0] == {"card_number": CARD}
    assert SecretCollected(16, valid=True) in stage.seen.events
    assert "balance_told" in stage.nodes
    assert outcome == "completed"
    stage.journal.close()
    everything = written_below(tmp_path)
    assert CARD not in everything
    assert len(everything) > 10_000


async def test_keys_just_after_a_secret_entry_are_part_of_it_and_not_written_down(stage: Stage) -> None:
    stage.script = [understood("what is my balance", "balance")]
    stage.keys = [(4.0, CARD + b"42#")]
    await stage.play((1.0, 2.0))

    assert SecretCollected(16, valid=True) in stage.seen.events
    assert not [event for event in stage.seen.events if isinstance(event, KeyPressed)]


async def test_a_full_disk_costs_the_recording_and_not_the_call(stage: Stage) -> None:
    stage.script = [understood("when are you open", "opening_hours")]
    stage.tape = PatientTape(FullDisk(), stage.losses.append)

    assert await stage.play((1.0, 2.0)) == "completed"
    assert len(stage.losses) == 1


async def test_no_call_lasts_longer_than_the_longest(stage: Stage) -> None:
    stage.longest = Seconds(3.0)

    assert await stage.play(patience=60.0) == "too_long"
    assert stage.leg.position == pytest.approx(3.0, abs=0.05)


async def test_a_host_that_fails_leads_to_a_person(stage: Stage) -> None:
    def broken(operation: str, arguments: Mapping[str, str]) -> Reply:
        raise HostError("told to fail")

    stage.host = ScriptedHost(broken)
    stage.script = [understood("what is my balance", "balance")]
    stage.keys = [(4.0, CARD)]

    assert await stage.play((1.0, 2.0)) == "transferred"


async def test_a_journal_replays_to_the_same_actions_byte_for_byte(stage: Stage, flow: Flow) -> None:
    stage.script = [understood("what is my balance", "balance")]
    stage.keys = [(4.0, CARD)]
    await stage.play((1.0, 2.0))
    stage.journal.close()

    steps = stage.journal.steps(stage.facts.id)
    again = replay(flow, [(step.at, Tick() if step.event is None else from_json(step.event)) for step in steps])
    assert [to_json(actions) for _, actions in again] == [step.actions for step in steps]


async def test_a_key_during_the_prompt_of_an_entry_ends_the_prompt_for_the_dialogue_too(stage: Stage) -> None:
    stage.script = [understood("what is my balance", "balance")]
    stage.prompts = TonePrompts(Seconds(2.0))
    stage.keys = [(3.0, CARD)]
    await stage.play((1.0, 2.0))

    before_entry = stage.seen.events[: stage.seen.events.index(SecretCollected(16, valid=True))]
    assert isinstance(before_entry[-1], PlayFinished)


async def test_a_leg_that_hands_over_says_its_good_bye_to_the_end(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    transfer = WavLeg.transfer

    async def slow(leg: WavLeg, destination: str, context: Mapping[str, str]) -> bool:
        taken = await transfer(leg, destination, context)  # the leg reports that it is gone
        for _ in range(20):
            await asyncio.sleep(0)
        said.append("good-bye")
        return taken

    monkeypatch.setattr(WavLeg, "transfer", slow)
    monkeypatch.setattr(Call, "_busy", property(lambda _: False))  # as on a real line: nobody waits for us
    stage.script = [understood("I lost my card", "lost_card")]

    assert await stage.play((1.0, 2.0)) == "transferred"
    assert said == ["good-bye"]


# --- frames that are brought --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("speech", [((0.5, 1.5),), ((1.0, 2.0), (2.6, 3.5)), ()])
async def test_a_call_whose_frames_are_brought_to_it_is_the_one_that_asks_for_them(
    stage: Stage, speech: tuple[tuple[float, float], ...], flow: Flow, journal: Journal, tmp_path: Path
) -> None:
    brought = Stage(flow, journal, tmp_path / "brought", kind=BringingLeg)
    brought.folder.mkdir()
    for one in (stage, brought):
        one.script = [understood("my card", "lost_card"), understood("my card balance", "balance")]
        one.prompts = TonePrompts(Seconds(1.2))
        one.keys = [] if speech else [(1.0, b"1")]
    outcomes = [await stage.play(*speech), await brought.play(*speech)]

    assert outcomes[0] == outcomes[1]
    assert [to_json(event) for event in brought.seen.events] == [to_json(event) for event in stage.seen.events]
    assert brought.seen.actions == stage.seen.actions
    until = TELEPHONY.samples(Seconds(2.0))  # before anybody outside is waited for
    assert np.array_equal(brought.leg.heard.samples[:until], stage.leg.heard.samples[:until])


async def test_what_goes_wrong_at_a_frame_that_is_brought_is_the_calls_affair_not_its_doors(stage: Stage) -> None:
    class Deaf:
        lag_s = 0.0

        def is_speech(self, frame: AudioFrame) -> bool:
            if frame.start_s > 0.5:
                raise MediaError("expected an ear, found none")
            return False

    stage.kind, stage.voices = BringingLeg, Deaf()

    assert await stage.play((1.0, 2.0)) == "failed"
    assert stage.leg.gone is not None
