"""How many calls a day does one line make? ``callwright bench outbound [--minutes M] [--lines N --lines N2 ...]``

An engine with ``[outbound]`` over SIP dials a campaign in real time, with the demo flow of overdue payments and real models. Its
people are telephones of this machine that behave as drawn: most answer and say their sentences when the engine has fallen silent,
some are busy, some never pick up and ring until the engine gives up. Counted at the telephones. What a day brings is extrapolated
from the slice, by the hours a day that the demo campaign may call (11 on weekdays); so is the number of lines that the processor
would bear, from the seconds of processor time that an hour of one line took. With several numbers of lines it is seen where the
machine's limit is: people wait longer for a reply, and a line makes fewer calls.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from socket import SOCK_DGRAM
from typing import Final

from bench.capacity_engine import Engine, Used
from bench.card import Row, report
from bench.outbound_people import Counted, Everybody
from engine.core.units import Language
from engine.outbound.campaign import Order
from engine.outbound.campaign_file import parse_campaign
from engine.outbound.contacts import Contact, ContactId, PersonKey
from engine.store.campaigns import Campaigns
from engine.store.contacts import take_list
from engine.store.database import connect, upgrade
from engine.testing.sip_callers import free_port

QUESTION = "How many calls a day does one line make?"
_DEMO: Final = Path(__file__).resolve().parents[1] / "examples" / "bank" / "campaigns" / "overdue_notice"
HOURS: Final = 11.0  # a weekday of the demo campaign: 9:00 to 20:00
_CONFIG = """
[flow]
path = "{flow}"
[tts]
cache = "{cache}"
[store]
database = "sqlite:///bench.db"
recordings = "recordings"
[calls]
max_calls = {max_calls}
[doors]
http = {{ port = 0 }}
audiosocket = {{ port = 0 }}
sip = {{ port = {port}, rtp_ports = [{rtp}, {rtp_end}] }}
[outbound]
lines = {lines}
folder = "outbound"
sip = {{ address = "sip:{{number}}@127.0.0.1:{people}" }}
"""
_NOTES: Final = (
    f"the day is extrapolated: calls an hour of the slice, times {HOURS:g}",
    "reply: from the end of what somebody said to the first sound that answered it",
    "lines by the CPU: at 70 % of all cores; what is late then, more --lines or callwright bench capacity measure",
)
_SIX: Final = ("windows:", "caps:", "retries:", "pacing:", "follow_up:", "flow:")


def enlist(folder: Path, people: int) -> None:
    """The demo campaign, but at any hour and without caps, with made-up people."""
    database = connect(f"sqlite:///{folder}/bench.db")
    upgrade(database)
    text = _campaign((_DEMO / "campaign.yaml").read_text(encoding="utf-8"))
    campaigns, now = Campaigns(database), datetime.now(UTC)
    kept = campaigns.put(parse_campaign(text, "overdue.yaml"), text, str(_DEMO), now)
    said = {"name": "Alex Morgan", "amount_due": "250.00", "least_sum": "50.00", "due_date": "2026-11-01"}
    contacts = [
        Contact(
            id=ContactId(""), campaign=kept.id, person=PersonKey(f"M-{place}"), number=f"+4420794{place:05}",
            language=Language("en"), zone="Europe/London", fields={**said, "birth_date": "1980-03-02"}, consent="contract",
            consent_at=now, country="GB",
        )
        for place in range(people)
    ]  # fmt: skip
    take_list(database, kept.id, list(enumerate(contacts, 2)))
    campaigns.tell(kept.name, Order.START, now)
    database.dispose()


def _campaign(text: str) -> str:
    """The demo's file, with hours, caps and pace for a bench."""
    kept, skipping = [], False
    for line in text.splitlines():
        skipping = line.startswith(_SIX) or (skipping and line.startswith((" ", "\t")))
        if not skipping:
            kept.append(line)
    ours = ["flow: flow.yaml", "windows: {mon-sun: 0:00-24:00}", "caps: {calls: {day: 9}}"]
    return "\n".join([*kept, *ours, "retries: {attempts: 1}", "pacing: {lines: 50, calls_a_second: 1, ring: 30s}"])


@contextlib.contextmanager
def engine(folder: Path, config: str) -> Iterator[Engine]:
    """``callwright serve`` with this configuration, once its way out is open.

    Raises:
        RuntimeError: it did not start.
    """
    (folder / "engine.toml").write_text(config, encoding="utf-8")
    command = [sys.executable, "-m", "engine.cli", "serve", "--config", str(folder / "engine.toml")]
    with (folder / "log").open("a", encoding="utf-8") as log:
        process = subprocess.Popen(command, env=os.environ | {"COLUMNS": "200"}, stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        assert process.stdout is not None
        while not (line := process.stdout.readline()).startswith("outbound"):
            if not line:
                raise RuntimeError(f"the engine did not start:\n{(folder / 'log').read_text(encoding='utf-8')[-3000:]}")
        yield Engine(folder, process, {})
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
        process.kill()
        process.wait()


async def measure(folder: Path, lines: int, minutes: float, seed: int) -> tuple[Row, str]:
    """So many lines, for so long; gives the row, and a note of what the people did."""
    enlist(folder, round(100 + 400 * lines * minutes / 60.0))
    port, people, rtp = free_port(SOCK_DGRAM), free_port(SOCK_DGRAM), 12_000 + os.getpid() % 10 * 2_000
    config = _CONFIG.format(
        flow=_DEMO / "flow.yaml", cache=Path.cwd() / "var" / "prompts", port=port, rtp=rtp, rtp_end=rtp + 199, lines=lines,
        people=people, max_calls=lines + 10,
    )  # fmt: skip
    async with Everybody.at_home(port, people, seed) as everybody:
        with engine(folder, config) as running:
            before = running.used()
            load = os.getloadavg()[0]
            await everybody.stay(minutes * 60.0)
            after = running.used()
        row = _row(lines, everybody.counted, before, after)
        mix = ", ".join(f"{name} {number}" for name, number in everybody.counted.done.most_common())
        return (
            row,
            f"drawn with {lines}: {mix}; the machine's load was {load:.1f} at the start, {os.getloadavg()[0]:.1f} in the end",
        )


def _row(lines: int, counted: Counted, before: Used, after: Used) -> Row:
    calls, seconds = counted.done.total(), after.at - before.at
    cpu = after.media + after.others - before.media - before.others
    an_hour, replies = 3600.0 / seconds, sorted(counted.replies)
    return {
        "lines": lines,
        "seconds": round(seconds),
        "calls": calls,
        "talks": len(counted.talks),
        "at once": counted.most,
        "seconds a talk": round(sum(counted.talks) / max(1, len(counted.talks)), 1),
        "calls an hour and line": round(calls * an_hour / lines, 1),
        f"calls a day of {HOURS:g} hours and line": round(calls * an_hour * HOURS / lines),
        "reply p50 s": _share(replies, 0.5),
        "reply p95 s": _share(replies, 0.95),
        "CPU seconds an hour and line": round(cpu * an_hour / lines),
        "lines by the CPU": round((os.cpu_count() or 1) * 3600.0 * 0.7 / (cpu * an_hour / lines)) if cpu else None,
    }


def _share(ordered: Sequence[float], share: float) -> float | None:
    return round(ordered[int(share * (len(ordered) - 1))], 2) if ordered else None


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the shell."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--json", action="store_true", help="print one JSON object")
    options.add_argument("--minutes", type=float, default=60.0, help="how long the slice is, of each number of lines")
    options.add_argument("--lines", type=int, action="append", help="how many lines dial at once (repeat it for several; 1)")
    options.add_argument("--seed", type=int, default=20_26, help="of what is drawn")
    chosen = options.parse_args(arguments)
    rows, notes = [], list(_NOTES)
    for lines in chosen.lines or [1]:
        with tempfile.TemporaryDirectory(prefix="callwright-outbound-") as folder:
            row, note = asyncio.run(measure(Path(folder), lines, chosen.minutes, chosen.seed))
        rows.append(row)
        notes.append(note)
    report(QUESTION, rows, json=chosen.json, notes=notes)


if __name__ == "__main__":
    main()
