from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from engine.core.call import CallFacts, CallId
from engine.store.engines import LEASE, Presence
from engine.store.journal import CRASHED, Journal
from engine.store.models import EngineRow


class _Flow:
    name = "bank"
    revision = "0" * 64


def call_of(database: Engine, owner: str, call: str) -> Journal:
    journal = Journal(database, owner)
    journal.begin(CallFacts(CallId(call), "wav"), _Flow(), language=None, agents=False).result(5)
    return journal


def elsewhere(database: Engine, owner: str, ago: timedelta) -> None:
    """An engine of another machine, that gave a sign of life then."""
    with Session(database) as session, session.begin():
        session.add(EngineRow(id=owner, place="elsewhere", process=1, began=1, seen_at=datetime.now(UTC) - ago))


def test_a_living_engines_calls_are_not_swept_and_a_departed_ones_are(database: Engine) -> None:
    living, departed = Presence(database), Presence(database)
    for presence in (living, departed):
        presence.begin()
        call_of(database, presence.owner, presence.owner).close()
    departed.end()
    journal = Journal(database)
    swept = journal.sweep()
    journal.close()
    living.end()

    assert swept == [departed.owner]


def test_an_engine_on_this_machine_is_known_to_be_dead_at_once(database: Engine) -> None:
    script = (
        "import os, sys; from engine.store.database import connect; from engine.store.engines import Presence\n"
        "alive = Presence(connect(sys.argv[1])); alive.begin(); print(alive.owner, flush=True); os.kill(os.getpid(), 9)"
    )
    address = database.url.render_as_string(hide_password=False)
    ended = subprocess.run([sys.executable, "-c", script, address], capture_output=True, text=True, check=False)
    owner = ended.stdout.strip()
    journal = call_of(database, owner, "left")
    swept = journal.sweep()
    journal.close()

    assert owner
    assert swept == ["left"]


def test_of_another_machines_engine_its_sign_of_life_tells(database: Engine) -> None:
    elsewhere(database, "recent", LEASE / 2)
    elsewhere(database, "silent", LEASE * 2)
    for owner in ("recent", "silent"):
        call_of(database, owner, f"of-{owner}").close()
    journal = Journal(database)
    swept = journal.sweep()
    journal.close()

    assert swept == ["of-silent"]


def test_an_engine_that_was_mistaken_for_dead_knows_best_how_its_call_ended(database: Engine) -> None:
    journal = call_of(database, "cut off", "call")
    stranger = Journal(database, "stranger")
    journal.sweep()
    stranger.end(CallId("call"), "failed").result(5)
    before = journal.call(CallId("call")).outcome
    journal.end(CallId("call"), "completed").result(5)
    after = journal.call(CallId("call")).outcome
    stranger.close()
    journal.close()

    assert (before, after) == (CRASHED, "completed")
