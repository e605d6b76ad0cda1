from __future__ import annotations

from pathlib import Path

import pytest

from engine.config.sections import StoreSection
from engine.runtime import room as looking
from engine.runtime.room import Room


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
