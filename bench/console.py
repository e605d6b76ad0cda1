"""How quickly the console finds among many calls: ``python -m bench.console [--calls 100000] [--database URL] [--keep FOLDER]``.

Makes a database of so many calls (:mod:`bench.console_calls`) and of what else a house has (:mod:`bench.console_house`), and asks
the pages over HTTP, signed in, one request after the other, as a browser would. Prints one line a kind of request: how many,
median, 95th percentile, the slowest, in milliseconds; and how long this process computed for one.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote, urlencode

import httpx
import uvicorn
from fastapi import APIRouter, FastAPI
from sqlalchemy import Engine, text

from bench.console_calls import BEGIN, CARD, FLOW, QUESTIONS, TURNS, VOCABULARIES, fill
from bench.console_house import BIG, furnish
from engine.access.permissions import PEOPLES_ROLES
from engine.access.principal import PersonId, Principal
from engine.config import MAIN, Config, QualitySection
from engine.config.keeping import KeepingSection, KeptSection
from engine.config.sections import StoreSection
from engine.core.call import CallFacts, CallId
from engine.core.speech import Transcript, Word
from engine.core.units import Language, Seconds
from engine.dialogue.events import Heard
from engine.runtime.card_watch import CardWatch
from engine.runtime.lags import Lags
from engine.runtime.live import LiveCalls
from engine.server.console.pages.audit import audit_pages
from engine.server.console.pages.call import call_pages
from engine.server.console.pages.calls import calls_pages
from engine.server.console.pages.campaigns import campaign_pages
from engine.server.console.pages.flow import flow_pages
from engine.server.console.pages.keeping import keeping_pages
from engine.server.console.pages.live import live_pages
from engine.server.console.pages.quality import quality_pages
from engine.server.console.pages.records import Records
from engine.server.console.pages.settings import settings_pages
from engine.server.console.pages.unmasked import unmasked_pages
from engine.server.playing import Playing
from engine.server.reception import COOKIE, Introduced, Reception
from engine.store.accounts import Actor
from engine.store.database import connect, survey, upgrade
from engine.store.found_calls import number_of
from engine.store.house import House

LIVE = 100
_KEPT = KeepingSection(default=KeptSection(sound=30, words=365, scores=1095))


@contextmanager
def served(database: Engine, folder: Path) -> Iterator[httpx.Client]:
    """The pages, and somebody who has signed in."""
    house = House.of(database)
    if house.accounts.find("lead") is None:
        lead = Principal(PersonId("lead"), PEOPLES_ROLES)
        house.accounts.add(Actor("shell:bench"), lead, "a password for the bench")
    secret = house.sessions.begin(PersonId("lead"), "127.0.0.1")
    url = database.url.render_as_string(hide_password=False)
    config = Config(store=StoreSection(database=url), qa=QualitySection(folder=folder), keeping=_KEPT)
    records = Records.of(config)
    app = FastAPI()
    app.add_middleware(Introduced, reception=Reception(house=house))
    for router in (*_about_calls(records), *_about_the_house(records, config)):
        app.include_router(router)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    port = server.servers[0].sockets[0].getsockname()[1]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", cookies={COOKIE: secret}, timeout=60.0) as client:
        yield client
    server.should_exit = True
    thread.join()


def _about_calls(records: Records) -> Iterator[APIRouter]:
    yield calls_pages(records)
    yield call_pages(records, Playing(records))
    yield quality_pages(records)
    yield flow_pages({MAIN: FLOW}, records)


def _about_the_house(records: Records, config: Config) -> Iterator[APIRouter]:
    yield settings_pages(config)
    yield audit_pages()
    yield keeping_pages(config)
    yield unmasked_pages(config, records)
    yield campaign_pages()
    yield live_pages(_live(), CardWatch(config.store.database, {}))


def _live() -> LiveCalls:
    """A hundred calls that go on, each at its sixth step."""
    live, draw = LiveCalls(200, Lags()), random.Random(5)
    for number in range(LIVE):
        call = CallFacts(CallId(f"{number:032x}"), "sip")
        live.began(call)
        for place in range(6):
            said = Word(VOCABULARIES[0].sentence(draw), Seconds(0.0), Seconds(4.0))
            heard = Heard(
                Transcript((said,), Language("en")), speech_start=Seconds(5.0 * place), speech_end=Seconds(5.0 * place + 4)
            )
            live.stepped(call, Seconds(5.0 * place), heard, ())
    return live


def asked(number: int) -> Iterator[tuple[str, str]]:
    """Kinds of requests, and what is asked."""
    draw = random.Random(2)
    for _ in range(number):
        vocabulary = draw.choice(VOCABULARIES)
        often, seldom = vocabulary.words[draw.randrange(20)], vocabulary.words[draw.randrange(200, 6_000)]
        team = f"team {draw.randrange(12)}"
        yield "a frequent word", _calls(q=often)
        yield "a rare word", _calls(q=seldom)
        yield "two words", _calls(q=f"{often} {vocabulary.words[draw.randrange(20, 400)]}")
        yield "two Chinese characters", _calls(q="".join(draw.choices(VOCABULARIES[2].words[:400], k=2))[:2])
        yield "words in a row", _calls(q=f'"{often} {vocabulary.words[draw.randrange(20)]}"')
        yield "a beginning", _calls(q=f"{seldom[:3]}*")
        yield "a word nobody said", _calls(q="zzzzzzzz")
        yield "a frequent word, a team", _calls(q=often, team=team)
        yield "a rare word, an agent", _calls(q=seldom, agent=f"agent {draw.randrange(200)}")
        yield (
            "a word, a week",
            _calls(q=often, since=str((BEGIN + timedelta(days=20)).date()), until=str((BEGIN + timedelta(days=27)).date())),
        )
        yield "a word, a failed question", _calls(q=often, failed=f"{CARD}|{draw.choice(QUESTIONS)}")
        yield "filters alone", _calls(team=team, language="ru", below="60")
        yield "a far page", _calls(q=often, before=str(number_of(BEGIN + timedelta(days=draw.randrange(1, 50)))))


def pages(number: int) -> Iterator[tuple[str, str]]:
    """The same for pages without words."""
    draw = random.Random(3)
    whole = {"since": str(BEGIN.date()), "until": str(datetime.now(UTC).date())}
    for _ in range(number):
        place = 2 * draw.randrange(1_000)
        yield "page Calls", "/calls"
        yield "page of a recording", f"/calls/{sha256(str(place).encode()).hexdigest()}"
        yield "page of a conversation", f"/calls/{sha256(str(place + 1).encode()).hexdigest()[:32]}"
        yield "page Quality, 28 days", "/quality"
        yield "page Quality, everything", f"/quality?{urlencode(whole)}"
        yield "page Quality, a team", f"/quality?{urlencode({'team': f'team {draw.randrange(12)}'})}"
        yield "page Review queue", "/quality/waiting"
        yield "page Appeals", "/quality/appeals"
        yield "page Flow", "/flow"
        yield "page Flow, a node's calls", f"/flow?{urlencode({'node': FLOW.start})}"
        yield "page Live", "/live"
        yield "page Campaigns", "/campaigns"
        yield "page of a campaign", f"/campaigns/{quote(BIG)}"
        yield "page People", "/settings"
        yield "page Audit", "/settings/audit"
        yield "page Audit, a person", f"/settings/audit?{urlencode({'who': f'person-{draw.randrange(100)}'})}"
        yield "page Audit, a rare deed", "/settings/audit?what=token.made"
        yield "page Unmasked sound", "/settings/unmasked"
        yield "page Keeping", "/settings/keeping"
        yield "page Doors", "/settings/house"


def _calls(**wanted: str) -> str:
    return f"/calls?{urlencode(wanted)}"


def measure(client: httpx.Client, requests: Iterator[tuple[str, str]]) -> dict[str, list[tuple[float, float]]]:
    """Milliseconds by the clock and of computing here, by kind; what PostgreSQL computes is not in the second."""
    took: dict[str, list[tuple[float, float]]] = {}
    for kind, path in requests:
        begin, computed = time.perf_counter(), time.process_time()
        answer = client.get(path)
        took.setdefault(kind, []).append((1000 * (time.perf_counter() - begin), 1000 * (time.process_time() - computed)))
        if answer.status_code != 200:
            raise SystemExit(f"{path}: expected 200, found {answer.status_code}")
    return took


def tell(took: dict[str, list[tuple[float, float]]], limit: float) -> None:
    """A line a kind, and all together."""
    everything = [one for some in took.values() for one in some]
    for kind, both in {**took, "ALL": everything}.items():
        some, computed = [one for one, _ in both], statistics.median(one for _, one in both)
        late = statistics.quantiles(some, n=20, method="inclusive")[18]
        mark = "" if late <= limit else f"   over {limit:g}"
        told = f"median={statistics.median(some):7.1f} p95={late:7.1f} max={max(some):7.1f} computed={computed:6.1f}"
        print(f"{kind:32} n={len(some):5} {told}{mark}")


def main() -> None:
    """Make, ask, tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=100_000)
    parser.add_argument("--requests", type=int, default=20, help="of each kind")
    parser.add_argument("--database", help="an empty one; without, SQLite in a passing folder")
    parser.add_argument("--keep", type=Path, help="a folder for it, that stays; filled before: only asked")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="callwright-bench-") as passing:
        folder = given.keep or Path(passing)
        folder.mkdir(parents=True, exist_ok=True)
        database = connect(given.database or f"sqlite:///{folder}/calls.db")
        upgrade(database)
        filled = folder / "filled"
        if not filled.exists():
            begin = time.perf_counter()
            fill(database, folder / "qa", given.calls)
            furnish(database)
            survey(database)
            if database.dialect.name == "postgresql":  # its autovacuum would, in a minute
                with database.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                    connection.execute(text("ANALYZE"))
            filled.touch()
            print(f"synthetic: {given.calls} calls, {TURNS * given.calls} turns, made in {time.perf_counter() - begin:.0f} s")
        with served(database, folder / "qa") as client:
            measure(client, asked(1))
            tell(measure(client, asked(given.requests)), 300.0)
            tell(measure(client, pages(given.requests)), 500.0)
        database.dispose()


if __name__ == "__main__":
    main()
