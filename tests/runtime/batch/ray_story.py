"""A run of quality control on a real Ray: two machines' worth of processes, one killed in the middle, another joining later.

Run by ``test_ray.py`` in a process of its own, with a folder; prints how it went, as JSON.
"""

from __future__ import annotations

import json
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

os.environ.update(RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER="0", RAY_USAGE_STATS_ENABLED="0", RAY_AUTH_MODE="token")

from engine.core.units import Seconds
from engine.qa.card_file import parse_scorecard
from engine.qa.ledger import CardInForce, Wanted
from engine.runtime.batch.order import Order, Settled
from engine.runtime.batch.ray_executor import RayExecutor
from engine.runtime.batch.run import Desk, Run
from engine.runtime.batch.sources import Inbox
from engine.store.account import account
from engine.store.database import connect, upgrade
from engine.testing.batch import Fate, Notes, ReadingHearer, write_recording

RECORDINGS = 60
POISON = 13
CARD = "scorecard: made_up\nlanguages: [en]\nquestions: [{id: greets, check: {exists: {say: good morning, by: agent}}}]\n"
NODE = {"num_cpus": 1, "object_store_memory": 80 << 20, "include_dashboard": False}


class SlowReader(ReadingHearer):
    """Takes its time, so that it is interrupted."""

    def hear(self, work: Any) -> Any:
        time.sleep(0.1)
        return super().hear(work)


class Fateful(Notes):
    """Lets things happen while it is told how the run goes."""

    def __init__(self, cluster: Any, leaves: Any) -> None:
        super().__init__()
        self.cluster, self.leaves = cluster, leaves
        self.doors: set[str] = set()

    def settled(self, it: Settled) -> None:
        super().settled(it)
        match len(self.settlements):
            case 8:
                self.doors = open_doors()
                self.cluster.remove_node(self.leaves, allow_graceful=False)
            case 20:
                self.cluster.add_node(**NODE)


def open_doors() -> set[str]:
    """Where processes that we started listen, if it can be reached from elsewhere; addresses as the kernel tells them."""
    ours = {link for pid in descendants(os.getpid()) for link in links(pid)}
    doors = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            fields = line.split()
            host, listens, inode = fields[1].rpartition(":")[0], fields[3] == "0A", fields[9]
            if listens and not host.endswith("0100007F") and f"socket:[{inode}]" in ours:
                doors.add(fields[1])
    return doors


def descendants(pid: int) -> set[int]:
    """The process and all that it started."""
    parents = {
        int(stat.parent.name): int(stat.read_text().rpartition(")")[2].split()[1]) for stat in Path("/proc").glob("[0-9]*/stat")
    }
    found, size = {pid}, 0
    while len(found) > size:
        size = len(found)
        found |= {child for child, parent in parents.items() if parent in found}
    return found


def links(pid: int) -> set[str]:
    """What its descriptors are."""
    try:
        return {str(each.readlink()) for each in Path(f"/proc/{pid}/fd").iterdir()}
    except OSError:  # it has ended meanwhile
        return set()


def main(folder: Path) -> None:
    """Prepare, run, tell."""
    from ray.cluster_utils import Cluster  # noqa: PLC0415 -- after the environment is set

    inbox = folder / "in"
    inbox.mkdir()
    for number in range(RECORDINGS):
        write_recording(inbox / f"{number}.wav", number, Fate.POISON if number == POISON else Fate.SCORED)
    database = connect(f"sqlite:///{folder}/ledger.db")
    upgrade(database)
    card = CardInForce(parse_scorecard(CARD, "made_up.yaml"))
    cluster = Cluster(initialize_head=True, head_node_args=NODE | {"num_cpus": 0})
    leaves = cluster.add_node(**NODE)
    cluster.add_node(**NODE)
    notes = Fateful(cluster, leaves)
    with RayExecutor(SlowReader(), 3, cluster.address) as executor:
        desk = Desk(database, [Inbox(str(inbox), rest=Seconds(0.0))], executor, notes)
        Run(desk, Order(folder / "qa", Wanted([card]))).work_off()
    cluster.shutdown()
    told = account(database, [card], folder / "qa", datetime.now(UTC))
    states = {state.value: number for state, number in told.states.items() if number}
    reasons = [reason for reasons in told.reasons.values() for reason in reasons]
    heard = (folder / "qa" / "heard.log").read_text().split()
    story = {"states": states, "reasons": reasons, "disagreements": list(told.disagreements), "heard": heard}
    sys.stdout.write(json.dumps(story | {"doors": sorted(notes.doors)}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
