"""The proof itself: on every road that is built, keyed secrets come to the bank's host and to no other place."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from engine.config import load_config
from engine.testing.canaries.proof import Proof, prove
from engine.testing.canaries.roads import ROADS
from tests.conftest import missing
from tests.journeys.bank import SMALL_BANK, Voices

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def proof(voices: Voices, prompts_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Proof:
    if os.geteuid() != 0:
        missing("root, who may read the memory of processes that are shut")
    config = tmp_path_factory.mktemp("proof") / "engine.toml"
    config.write_text(
        f'[flow]\npath = "{SMALL_BANK}"\n[asr]\nsecond = ""\nworkers = 1\n[tts]\ncache = "{prompts_folder}"\n', encoding="utf-8"
    )
    return asyncio.run(prove(load_config(config), voices, lambda _: None, at_once=len(ROADS)))


def test_every_road_was_travelled_and_brought_its_number_where_it_belongs(proof: Proof) -> None:
    assert dict(proof.void) == {}
    assert [*proof.roads, *proof.not_open] == [road.name for road in ROADS]


def test_no_digit_is_anywhere(proof: Proof) -> None:
    assert proof.as_json()["found"] == []


def test_all_there_is_was_searched(proof: Proof) -> None:
    octets = {place.place: place.octets for place in proof.searched}
    memory = {place.removeprefix("memory of ") for place in octets if place.startswith("memory of ")}

    assert {"media", "worker moonshine", "worker voices"} <= memory
    assert all(octets[place] > 0 for place in ("log", "database", "database WAL", "recordings", "transcripts", "metrics"))
    assert octets["pages and API"] > 1_000
    assert octets["memory of media"] > 50_000_000


def test_what_the_calls_said_is_in_the_exports_and_no_number(proof: Proof) -> None:
    exports = next(place for place in proof.searched if place.place == "exports and report")

    assert exports.notes["calls scored"] >= len(proof.roads) // 2
    assert not exports.hits
