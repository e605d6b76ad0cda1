from __future__ import annotations

from pathlib import Path

import pytest

from engine.config import MAIN, Config
from engine.config.sections import FlowSection, StoreSection
from engine.core.audio import silence
from engine.core.call import CallFacts, new_call_id
from engine.core.units import Seconds
from engine.ivr.files import load_flow
from engine.runtime import room as looking
from engine.runtime.engine import Engine
from engine.runtime.room import Room
from engine.testing.wav_leg import WavLeg
from tests.databases import store_in

SMALL_BANK = Path(__file__).parents[1] / "journeys" / "small_bank.yaml"


class Disks:
    """Free bytes by the folder that was asked about."""

    def __init__(self, free: int) -> None:
        self.free = free
        self.asked: list[Path] = []

    def disk_usage(self, folder: Path) -> Disks:
        self.asked.append(folder)
        return self


def test_there_is_room_while_every_place_has_the_least(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disks, now = Disks(300 << 20), [0.0]
    monkeypatch.setattr(looking, "shutil", disks)
    store = StoreSection(database=f"sqlite:///{tmp_path}/a/calls.db", recordings=tmp_path / "b" / "c", aside=tmp_path)
    room = Room(store, lambda: now[0])
    before = room.enough
    disks.free = 200 << 20
    within_the_second = room.enough
    now[0] = 1.0
    after = room.enough
    disks.free, now[0] = 300 << 20, 2.0

    assert (before, within_the_second, after, room.enough) == (True, True, False, True)
    assert set(disks.asked) == {tmp_path}  # what is not there yet is made in it


def test_a_database_elsewhere_keeps_its_own_disk(tmp_path: Path) -> None:
    assert Room(StoreSection(database="postgresql+psycopg://db/calls", recordings=None, aside=tmp_path, least_free=0)).enough


async def test_without_room_a_call_goes_to_the_operator_until_there_is_some_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disks, bank = Disks(0), load_flow(SMALL_BANK)
    monkeypatch.setattr(looking, "shutil", disks)
    store = StoreSection(database=store_in(tmp_path), recordings=tmp_path, aside=tmp_path)
    engine = Engine(Config(flow=FlowSection(path=SMALL_BANK), store=store), {MAIN: bank})
    engine._open_store()
    leg = WavLeg(silence(Seconds(0.1)), CallFacts(new_call_id(), "wav"), real_time=False)
    outcome, ready, places = await engine.take(leg), engine.ready, engine.places
    disks.free = 1 << 40
    engine._room._looked = -1e9

    assert (outcome, ready["disk"], places) == ("refused", False, 0)
    assert leg.transferred is not None
    assert {part: well for part, well in engine.ready.items() if not part.startswith("workers.")} == {
        "journal": True,
        "database": True,
        "disk": True,
        "accepting": True,
    }
    assert engine.places == engine.config.calls.max_calls
    await engine.close()
