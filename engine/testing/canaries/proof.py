"""``callwright privacy prove``: calls an engine by every road with made-up numbers, then searches every place for them.

What is found is told by road, slot and place, never by its digits. A road by which the number did not come to the bank's host, or
came although nobody keyed it, has proved nothing, and the proof has failed.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.config import MAIN, Config
from engine.core.errors import ConfigError
from engine.core.passing import PassingFolder
from engine.dialogue.graph import Flow
from engine.ivr.files import load_flow
from engine.testing.canaries import places
from engine.testing.canaries.bank import AgreeingBank
from engine.testing.canaries.places import Hit, Searched
from engine.testing.canaries.roads import ROADS, Errand, Road, Say, Travelled, travel
from engine.testing.canaries.running import Running, running
from engine.testing.canaries.shapes import Canary, Shapes
from engine.testing.canaries.takeaway import taken_away
from engine.testing.canaries.ways import Way, canaries_for, way_to_secrets

Progress = Callable[[str], object]
"""Told what is being done."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What was searched, and what was found."""

    roads: tuple[str, ...]
    not_open: tuple[str, ...]
    """Roads whose door the engine does not have."""

    void: Mapping[str, str]
    """Roads that prove nothing, and why."""

    searched: tuple[Searched, ...]

    @property
    def hits(self) -> list[Hit]:
        """All that was found."""
        return [hit for place in self.searched for hit in place.hits]

    @property
    def clean(self) -> bool:
        """Whether nothing was found, and every road proved something."""
        return not self.hits and not self.void and bool(self.roads)

    def found(self, road: str, place: Searched) -> int:
        """How often a road's numbers were found in a place."""
        return sum(hit.slot.partition("/")[0] == road for hit in place.hits)

    def as_json(self) -> dict[str, Any]:
        """The proof as it is kept."""
        counted = Counter((hit.place, hit.where, hit.slot, hit.shape) for hit in self.hits)
        return {
            "clean": self.clean,
            "roads": list(self.roads),
            "not_open": list(self.not_open),
            "void": dict(self.void),
            "places": [
                {"place": it.place, "items": it.count, "bytes": it.octets, "found": len(it.hits), **it.notes}
                for it in self.searched
            ],
            "found": [
                {"place": place, "where": where, "number": slot, "shape": shape, "times": times}
                for (place, where, slot, shape), times in counted.items()
            ],
        }


async def prove(
    config: Config, say: Say, progress: Progress = print, roads: Sequence[Road] = ROADS, *, at_once: int = 4
) -> Proof:
    """Run an engine like ``config`` in a folder of its own, call it by ``roads``, and search. Not safe to cancel.

    A road by which a number did not arrive is travelled once more, alone and with another number: a machine that is busy tears
    tones apart. What was keyed the first time is sought too.

    ``at_once``: how many call together; more than the machine can carry only shows that it is busy.

    Raises:
        ConfigError: it has no flow, or keys lead to no secret in it, or it does not start.
        PrivacyError: we may not read its memory: it takes root.
    """
    if config.flow is None:
        raise ConfigError("flow.path: expected a flow with a secret keypad entry, found no flow")
    flow = load_flow(config.flow.paths[MAIN])
    way = way_to_secrets(flow)
    with PassingFolder("proof") as folder, AgreeingBank.open(flow) as (bank, address):
        progress("starting the engine")
        async with running(config, address, folder.path) as engine:
            open_roads = [road for road in roads if road.door in engine.doors]
            errands = [await asyncio.to_thread(_errand, road, flow, way, say) for road in open_roads]
            progress(f"calling by {len(open_roads)} roads")
            lines = asyncio.Semaphore(at_once)
            travelled = await asyncio.gather(*(_travel(errand, engine, way, lines) for errand in errands))
            for road in [one.errand.road for one in travelled if _void(one, bank)]:
                progress(f"once more by {road.name}")
                travelled.append(await _travel(await asyncio.to_thread(_errand, road, flow, way, say), engine, way, lines))
            progress("searching files, pages and memory")
            searched = await asyncio.to_thread(_search, engine, way, travelled)
            progress("hearing the recordings, and taking away what quality control gives")
            searched.append(await taken_away(engine, flow.languages[0], _shapes(travelled)))
        progress("searching what it has left behind")
        searched.append(_left_behind(engine, travelled))
    closed = tuple(road.name for road in roads if road not in open_roads)
    last = {one.errand.road.name: _void(one, bank) for one in travelled}
    void = {name: why for name, why in last.items() if why}
    return Proof(tuple(road.name for road in open_roads), closed, void, tuple(searched))


def _errand(road: Road, flow: Flow, way: Way, say: Say) -> Errand:
    made = canaries_for(flow, way, spoken=road.speaks)
    return Errand.made(road, tuple(Canary(f"{road.name}/{it.slot}", it.digits, it.spoken) for it in made), say)


async def _travel(errand: Errand, engine: Running, way: Way, lines: asyncio.Semaphore) -> Travelled:
    async with lines:
        return await travel(errand, engine, way)


def _search(engine: Running, way: Way, travelled: Sequence[Travelled]) -> list[Searched]:
    shapes = _shapes(travelled)
    memory = places.held(engine.processes(), shapes)  # first: what lies there is soon written over
    health = engine.doors["health"].rpartition("/")[0]
    choices = sum(len(press.keys) for press in way)
    spoken = {one.errand.canaries[0].slot: [one.errand.said] for one in travelled if one.errand.said is not None}
    return [
        *places.written(engine, shapes),
        places.told(engine, shapes),
        places.heard(engine.folder / "recordings", choices, spoken),
        *places.served(health, shapes, engine.signed_in),
        places.sent({f"{one.errand.road.name} ({number})": one.sent for number, one in enumerate(travelled)}, shapes),
        *memory,
    ]


def _left_behind(engine: Running, travelled: Sequence[Travelled]) -> Searched:
    """Its files once more, when it has stopped and the database has been put in order."""
    left = Searched("files, after it stopped")
    for path in sorted(engine.folder.rglob("*")):
        if path.is_file():
            left.take(_shapes(travelled), path.name, path.read_bytes())
    return left


def _shapes(travelled: Sequence[Travelled]) -> Shapes:
    return Shapes([canary for one in travelled for canary in one.errand.canaries])


def _void(one: Travelled, bank: AgreeingBank) -> str:
    """Why a road proves nothing; empty where it does."""
    came = [canary.digits in bank.told for canary in one.errand.canaries]
    if one.errand.road.reaches_the_bank and not all(came):
        return one.broke or f"{came.count(False)} of {len(came)} numbers did not come to the bank's host"
    if any(came) and not one.errand.road.reaches_the_bank:
        return "a number came to the bank's host that was not keyed for it"
    return one.broke
