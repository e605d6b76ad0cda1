"""How quickly the console finds among many calls: ``python -m bench.console [--calls 100000] [--database URL] [--keep FOLDER]``.

Makes a database of so many calls with ten turns each, half of them conversations with the engine (turns in the journal), half of
them scored recordings (masked transcripts in files), and asks the pages over HTTP, signed in, one request after the other, as a
browser would. All words are synthetic, drawn by Zipf's law from made-up vocabularies in three languages; so is everything else.
Prints one line a kind of request: how many, median, 95th percentile, the slowest, in milliseconds.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import accumulate
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import uvicorn
from fastapi import FastAPI
from sqlalchemy import Connection, Engine, insert, text

from engine.access.permissions import Role
from engine.access.principal import PersonId, Principal
from engine.config import Config, QualitySection
from engine.config.sections import StoreSection
from engine.core.speech import Transcript, Word
from engine.core.units import Language, Seconds
from engine.dialogue.codec import to_json
from engine.dialogue.events import Heard
from engine.nlu.searching import tokens
from engine.server.console.pages.call import call_pages
from engine.server.console.pages.calls import calls_pages
from engine.server.console.pages.quality import quality_pages
from engine.server.console.pages.records import Records
from engine.server.playing import Playing
from engine.server.reception import COOKIE, Introduced, Reception
from engine.store.accounts import Actor
from engine.store.database import connect, upgrade
from engine.store.found_calls import number_of
from engine.store.found_models import FoundCallRow, FoundFailureRow, FoundScoreRow
from engine.store.found_words import add_words
from engine.store.house import House
from engine.store.models import CallRow, StepRow
from engine.store.quality_models import RecordingRow, ScoreRow, VerdictRow

TURNS = 10
CARD, MODEL, REVISION = "service", "synthetic", "0" * 64
QUESTIONS = tuple(f"question_{number}" for number in range(8))
BEGIN = datetime.now(UTC) - timedelta(days=60)
_BATCH = 1_000


class Vocabulary:
    """Made-up words of one language; the first are the most frequent."""

    def __init__(self, language: str, letters: str, size: int, lengths: tuple[int, int]) -> None:
        draw = random.Random(language)
        self.language = language
        self.words = list(dict.fromkeys("".join(draw.choices(letters, k=draw.randint(*lengths))) for _ in range(size)))
        self._weights = list(accumulate(1.0 / (rank + 3) for rank in range(len(self.words))))

    def sentence(self, draw: random.Random) -> str:
        """Eight words."""
        return ("" if self.language == "zh" else " ").join(draw.choices(self.words, cum_weights=self._weights, k=8))


VOCABULARIES = (
    Vocabulary("en", "etaoinshrdlucm", 8_000, (3, 9)),
    Vocabulary("ru", "оеаинтсрвлкмдпу", 8_000, (3, 10)),
    Vocabulary("zh", "".join(chr(0x4E00 + 7 * place) for place in range(1_500)), 8_000, (1, 3)),
)


def fill(database: Engine, folder: Path, calls: int) -> None:
    """Write the calls."""
    draw = random.Random(1)
    for first in range(0, calls, _BATCH):
        with database.begin() as connection:
            rows = [_call(draw, number, calls) for number in range(first, min(calls, first + _BATCH))]
            _write(connection, folder, rows, first)
    with database.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))


def _call(draw: random.Random, number: int, calls: int) -> dict[str, Any]:
    vocabulary = draw.choices(VOCABULARIES, (5, 3, 2))[0]
    began = BEGIN + timedelta(days=60) * (number / calls)
    agent = draw.randrange(200)
    said = [vocabulary.sentence(draw) for _ in range(TURNS)]
    return {
        "id": number_of(began) + number % 2,
        "name": sha256(str(number).encode()).hexdigest()[: 32 if number % 2 else 64],
        "began": began,
        "said": said,
        "language": vocabulary.language,
        "agent": f"agent {agent}",
        "team": f"team {agent % 12}",
        "queue": f"queue {agent % 5}",
        "failed": [it for it in QUESTIONS if draw.random() < 0.1],
        "ours": bool(number % 2),
    }


def _write(connection: Connection, folder: Path, rows: Sequence[dict[str, Any]], first: int) -> None:
    ours, theirs = [it for it in rows if it["ours"]], [it for it in rows if not it["ours"]]
    connection.execute(insert(CallRow), [_conversation(it) for it in ours])
    connection.execute(insert(StepRow), [_step(it, place, said) for it in ours for place, said in enumerate(it["said"])])
    connection.execute(insert(RecordingRow), [_recording(it) for it in theirs])
    scores = list(enumerate(theirs, first + 1))
    connection.execute(insert(ScoreRow), [_score(number, it) for number, it in scores])
    verdicts = [
        {"score": number, "question": question, "verdict": "fail" if question in it["failed"] else "pass", "confidence": 0.9}
        for number, it in scores
        for question in QUESTIONS
    ]
    connection.execute(insert(VerdictRow), verdicts)
    for it in theirs:
        _write_transcript(folder / _place(it), it)
    connection.execute(insert(FoundCallRow), [_found(it) for it in rows])
    connection.execute(insert(FoundScoreRow), [_found_score(it) for it in theirs])
    failures = [{"card": CARD, "question": one, **_whose(it)} for it in theirs for one in it["failed"]]
    connection.execute(insert(FoundFailureRow), failures)
    add_words(connection, ((it["id"], tokens(it["said"])) for it in rows))


def _place(it: dict[str, Any]) -> str:
    return f"transcripts/{it['name'][:2]}/{it['name']}.json"


def _write_transcript(path: Path, it: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    turns = [
        {"speaker": ("caller", "agent")[place % 2], "start": 5.0 * place, "end": 5.0 * place + 4.0, "text": said}
        for place, said in enumerate(it["said"])
    ]
    path.write_text(json.dumps({"language": it["language"], "turns": turns}, ensure_ascii=False), encoding="utf-8")


def _conversation(it: dict[str, Any]) -> dict[str, Any]:
    facts = {
        "door": "sip",
        "direction": "inbound",
        "flow": "bank",
        "flow_revision": "1",
        "agents": False,
        "outcome": "transferred",
    }
    return {**facts, "id": it["name"], "language": it["language"], "started_at": it["began"], "ended_at": it["began"]}


def _step(it: dict[str, Any], place: int, said: str) -> dict[str, Any]:
    start, end = Seconds(5.0 * place), Seconds(5.0 * place + 4.0)
    heard = Heard(
        Transcript((Word(said, Seconds(0.0), Seconds(4.0)),), Language(it["language"])), speech_start=start, speech_end=end
    )
    return {"call_id": it["name"], "number": place, "at": end, "event": to_json(heard), "actions": "[]"}


def _recording(it: dict[str, Any]) -> dict[str, Any]:
    facts = json.dumps({name: it[name] for name in ("agent", "team", "queue")})
    at = {"started_at": it["began"], "seen_at": it["began"], "changed_at": it["began"]}
    heard = {"model": MODEL, "transcript": _place(it), "language": it["language"], "seconds": 60.0}
    return {"content": it["name"], "state": "scored", "attempts": 1, "size": 1, "source": "folder", "facts": facts, **at, **heard}


def _points(it: dict[str, Any]) -> float:
    return 100.0 * (1 - len(it["failed"]) / len(QUESTIONS))


def _score(number: int, it: dict[str, Any]) -> dict[str, Any]:
    questions: list[dict[str, Any]] = [
        {
            "id": one,
            "text": one,
            "verdict": "fail" if one in it["failed"] else "pass",
            "confidence": 0.9,
            "evidence": [],
            "searched": [],
        }
        for one in QUESTIONS
    ]
    result = json.dumps({"score": _points(it), "fatal": False, "questions": questions})
    about = {"content": it["name"], "model": MODEL, "card": CARD, "revision": REVISION}
    return {**about, "id": number, "points": _points(it), "fatal": False, "result": result, "scored_at": it["began"]}


def _whose(it: dict[str, Any]) -> dict[str, Any]:
    return {"id": it["id"], "team": it["team"], "agent": it["agent"]}


def _found_score(it: dict[str, Any]) -> dict[str, Any]:
    return {**_whose(it), "card": CARD, "points": _points(it), "fatal": False, "waiting": int(len(it["failed"]) > 2)}


def _found(it: dict[str, Any]) -> dict[str, Any]:
    known = {
        "id": it["id"],
        "name": it["name"],
        "seconds": 60.0,
        "language": it["language"],
        "fatal": False,
        "stamp": "synthetic",
    }
    nothing = dict.fromkeys(("call", "content", "direction", "queue", "agent", "team", "flow", "outcome", "points"))
    if it["ours"]:
        return {**known, **nothing, "call": it["name"], "direction": "inbound", "flow": "bank", "outcome": "transferred"}
    told = {name: it[name] for name in ("agent", "team", "queue")}
    return {**known, **nothing, **told, "content": it["name"], "points": _points(it)}


@contextmanager
def served(database: Engine, folder: Path) -> Iterator[httpx.Client]:
    """The pages, and somebody who has signed in."""
    house = House.of(database)
    if house.accounts.none:
        lead = Principal(PersonId("lead"), frozenset({Role.QA_LEAD}))
        house.accounts.add(Actor("shell:bench"), lead, "a password for the bench")
    secret = house.sessions.begin(PersonId("lead"), "127.0.0.1")
    url = database.url.render_as_string(hide_password=False)
    records = Records.of(Config(store=StoreSection(database=url), qa=QualitySection(folder=folder)))
    app = FastAPI()
    app.add_middleware(Introduced, reception=Reception(house=house))
    for router in (calls_pages(records), call_pages(records, Playing(records)), quality_pages(records)):
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


def _calls(**wanted: str) -> str:
    return f"/calls?{urlencode(wanted)}"


def measure(client: httpx.Client, requests: Iterator[tuple[str, str]]) -> dict[str, list[float]]:
    """Milliseconds, by kind."""
    took: dict[str, list[float]] = {}
    for kind, path in requests:
        begin = time.perf_counter()
        answer = client.get(path)
        took.setdefault(kind, []).append(1000 * (time.perf_counter() - begin))
        if answer.status_code != 200:
            raise SystemExit(f"{path}: expected 200, found {answer.status_code}")
    return took


def tell(took: dict[str, list[float]], limit: float) -> None:
    """A line a kind, and all together."""
    everything = [one for some in took.values() for one in some]
    for kind, some in {**took, "ALL": everything}.items():
        late = statistics.quantiles(some, n=20, method="inclusive")[18]
        mark = "" if late <= limit else f"   over {limit:g}"
        print(f"{kind:32} n={len(some):5} median={statistics.median(some):7.1f} p95={late:7.1f} max={max(some):7.1f}{mark}")


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
            filled.touch()
            print(f"synthetic: {given.calls} calls, {TURNS * given.calls} turns, made in {time.perf_counter() - begin:.0f} s")
        with served(database, folder / "qa") as client:
            measure(client, asked(1))
            tell(measure(client, asked(given.requests)), 300.0)
            tell(measure(client, pages(given.requests)), 500.0)
        database.dispose()


if __name__ == "__main__":
    main()
