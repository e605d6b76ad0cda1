"""A carrier that carries nothing: made-up people answer, or don't, as chance has it. For tests, previews and proofs.

``python -m engine.testing.simulated_carrier --port 9100 --log dials.jsonl [--seed N] [--speed X] [--share busy=0.1 ...]``

It speaks what :mod:`engine.runtime.outbound.simulated` says. What becomes of a call is drawn from the number, the seed and how
often the number was dialled before. Rules:

* a telephone rings only after a line ``dialled`` is in the log: what is counted there is what happened;
* an id that is in the log is never dialled (again), whether it was dialled or only asked for;
* what it does not know after a crash, it says it does not know;
* a dialler whose connection closes is gone: its calls are hung up;
* ``lost``: it dials, and loses its reply; only who asks is told how it ended.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

from engine.core.units import Seconds
from engine.outbound.contacts import AttemptId, Outcome, Reached

SHARES: Final[Mapping[str, float]] = {
    "person": 0.45, "machine": 0.2, "busy": 0.1, "no_answer": 0.2, "rejected": 0.02, "no_such_number": 0.02, "congested": 0.01,
    "lost": 0.0,
}  # fmt: skip
"""What becomes of calls by default."""

_OUTCOMES: Final = (Outcome.PROMISED, Outcome.INFORMED, Outcome.DECLINED, Outcome.WRONG_PERSON, Outcome.TRANSFERRED)
_HEARD: Final = frozenset({"person", "machine"})
_RINGS: Final = (2.0, 12.0)  # seconds until somebody answers
_TALKS: Final = (15.0, 90.0)  # seconds
_AT_ONCE: Final = 0.2  # seconds until the network says no


@dataclass(frozen=True, slots=True)
class Script:
    """What becomes of one call."""

    what: str
    rings: Seconds
    talks: Seconds
    outcome: Outcome | None
    lost: bool
    """The reply to the dialler is."""

    @property
    def answered(self) -> bool:
        """Whether somebody answers."""
        return self.what in _HEARD

    @property
    def reached(self) -> Reached:
        """What the network says."""
        return Reached.ANSWERED if self.answered else Reached(self.what)


@dataclass(frozen=True, slots=True)
class World:
    """Who lives in it."""

    seed: int = 1
    speed: float = 1.0
    """How many seconds there are in one of ours."""

    shares: Mapping[str, float] = field(default_factory=lambda: SHARES)

    def script(self, number: str, before: int) -> Script:
        """What becomes of a call to a number that was dialled so often before."""
        draw = Random(f"{self.seed} {number} {before}")  # noqa: S311 -- chance, not secrets
        what = draw.choices(list(self.shares), list(self.shares.values()))[0]
        lost = what == "lost"
        if lost:  # nobody on our side would talk to them
            what = draw.choice(["busy", "no_answer"])
        rings = Seconds(draw.uniform(*_RINGS) if what in _HEARD else _AT_ONCE)
        outcome = draw.choice(_OUTCOMES) if what == "person" else None
        return Script(what, rings, Seconds(draw.uniform(*_TALKS)), outcome, lost)


class Log:
    """What was dialled, in a file that outlives the process."""

    def __init__(self, path: Path) -> None:
        self.dials: Counter[str] = Counter()
        """By number."""
        self.known: dict[AttemptId, Mapping[str, Any] | None] = {}
        """How attempts ended; ``None``: they were dialled, and it is not known how they ended."""
        self.closed: set[AttemptId] = set()
        """Asked for before they came: never to be dialled."""
        for record in records(path):
            self._take(record)
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def write(self, did: str, attempt: AttemptId, **more: object) -> None:
        """Write a line; it is there when this returns."""
        record = {"did": did, "id": attempt, **more}
        os.write(self._file, json.dumps(record).encode() + b"\n")
        self._take(record)

    def _take(self, record: Mapping[str, Any]) -> None:
        attempt = AttemptId(record["id"])
        match record["did"]:
            case "dialled":
                self.known[attempt] = None
                self.dials[record["number"]] += 1
            case "ended":
                self.known[attempt] = {"reached": record["reached"], "talked": record["talked"]}
            case "closed":
                self.closed.add(attempt)


def records(path: Path) -> Iterator[Mapping[str, Any]]:
    """What stands in a log; a line that was cut off by a kill is no line."""
    with contextlib.suppress(FileNotFoundError):
        for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
            if line.endswith("\n"):
                yield json.loads(line)


@dataclass(slots=True)
class _Call:
    """One that is being made, or goes on."""

    attempt: AttemptId
    script: Script
    ring: float
    writer: asyncio.StreamWriter | None
    """``None``: its replies are lost."""
    reached: Reached = Reached.NO_ANSWER
    answered_at: float | None = None

    def tell(self, **said: object) -> None:
        """Tell the dialler."""
        if self.writer is not None:
            _say(self.writer, {"id": self.attempt, **said})


class SimulatedCarrier:
    """It. Open it with :meth:`serve`."""

    def __init__(self, world: World, log: Log) -> None:
        self._world = world
        self._log = log
        self._going_on: dict[AttemptId, asyncio.Task[None]] = {}

    async def serve(self, port: int) -> None:
        """Take diallers, for ever."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        print(f"simulated carrier on 127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)  # noqa: T201
        async with server:
            await server.serve_forever()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        mine: set[AttemptId] = set()
        with contextlib.suppress(OSError):
            while (line := await reader.readline()).endswith(b"\n"):
                self._obey(json.loads(line), mine, writer)
        for attempt in mine:
            self._hang_up(attempt)
        writer.close()

    def _obey(self, said: Mapping[str, Any], mine: set[AttemptId], writer: asyncio.StreamWriter) -> None:
        if "known" in said:
            known = {id: it for id in said["known"] if (it := self._knows(AttemptId(id))) is not None}
            _say(writer, {"ask": said["ask"], "known": known})
        elif "hang_up" in said:
            self._hang_up(AttemptId(said["hang_up"]))
        else:
            attempt = AttemptId(said["dial"])
            if attempt not in self._log.known and attempt not in self._log.closed:  # else: who asks is told
                mine.add(attempt)
                self._dial(attempt, said["number"], said["ring"], writer)

    def _knows(self, attempt: AttemptId) -> Mapping[str, Any] | str | None:
        if attempt in self._going_on:
            return "goes_on"
        if attempt in self._log.known:
            return self._log.known[attempt] or "unknown"
        if attempt not in self._log.closed:
            self._log.write("closed", attempt)
        return None

    def _dial(self, attempt: AttemptId, number: str, ring: float, writer: asyncio.StreamWriter) -> None:
        script = self._world.script(number, self._log.dials[number])
        self._log.write("dialled", attempt, number=number)
        call = _Call(attempt, script, ring, None if script.lost else writer)
        task = self._going_on[attempt] = asyncio.create_task(self._carry(call))
        task.add_done_callback(lambda _: self._over(call))

    async def _carry(self, call: _Call) -> None:
        script = call.script
        rings = call.ring if script.what == "no_answer" else min(call.ring, script.rings)
        await asyncio.sleep(rings / self._world.speed)
        if not script.answered:
            call.reached = script.reached
        elif script.rings <= call.ring:
            call.reached, call.answered_at = Reached.ANSWERED, asyncio.get_running_loop().time()
            call.tell(answered={"outcome": script.outcome, "answerer": script.what})
            await asyncio.sleep(script.talks / self._world.speed)

    def _over(self, call: _Call) -> None:
        """It has come to its end, or was hung up."""
        del self._going_on[call.attempt]
        since = call.answered_at
        talked = 0.0 if since is None else round((asyncio.get_running_loop().time() - since) * self._world.speed, 3)
        result = {"reached": call.reached.value, "talked": talked}
        self._log.write("ended", call.attempt, **result)
        call.tell(ended=result)

    def _hang_up(self, attempt: AttemptId) -> None:
        call = self._going_on.get(attempt)
        if call is not None:
            call.cancel()


def _say(writer: asyncio.StreamWriter, message: Mapping[str, Any]) -> None:
    if not writer.is_closing():
        writer.write(json.dumps(message).encode() + b"\n")


def main() -> None:
    """Be one, until killed."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--port", type=int, default=0, help="where it listens on loopback; 0 = any free one, which it tells")
    options.add_argument("--log", type=Path, required=True, help="where it writes what it did")
    options.add_argument("--seed", type=int, default=1, help="of what is drawn")
    options.add_argument("--speed", type=float, default=1.0, help="how many simulated seconds a second has")
    options.add_argument("--share", action="append", default=[], metavar="WHAT=SHARE", help=", ".join(SHARES))
    chosen = options.parse_args()
    shares = {**SHARES, **{what: float(share) for what, _, share in (it.partition("=") for it in chosen.share)}}
    world = World(chosen.seed, chosen.speed, shares)
    asyncio.run(SimulatedCarrier(world, Log(chosen.log)).serve(chosen.port))


if __name__ == "__main__":
    main()
