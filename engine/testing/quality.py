"""A quality database as a call centre fills it in two months. Synthetic: nobody said these words, no engine scored these calls.

For tests, screenshots and measurements of what is made of scores. The same seed gives the same rows. Verdicts are drawn from how
good each agent is said to be, so that there is something to find; nothing can be learnt from them about accuracy.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from random import Random
from typing import Any

from sqlalchemy import Engine, func, insert, select
from sqlalchemy.orm import DeclarativeBase

from engine.store.quality_models import RecordingRow, ScoreRow, SightingRow, VerdictRow

CARD = "inbound_service"
REVISION = sha256(b"synthetic card").hexdigest()
MODEL = "synthetic-1"
BEGIN = datetime(2026, 9, 1, 6, tzinfo=UTC)
DAYS = 60

_BATCH = 500  # calls a transaction
_STATES = {"scored": 0.92, "excluded": 0.04, "failed": 0.025, "waiting": 0.015}
_REASONS = {
    "excluded": ("nobody speaks", "expected en, ru or zh, found a language nobody here understands", "shorter than 5 s"),
    "failed": ("expected a sound file, found plain text", "killed its worker three times", "broken after 12.4 s"),
}


@dataclass(frozen=True, slots=True)
class _Question:
    """One line of the imagined card."""

    id: str
    text: str
    weight: float
    fails: float  # of an average agent's calls
    unknown: float
    applies: float
    said: Mapping[str, str]
    fatal: bool = False


_QUESTIONS = (
    _Question(
        "opening_names_bank",
        "Does the agent name the bank when opening the call?",
        15,
        0.05,
        0.03,
        1.0,
        {"en": "good morning harper valley national bank", "ru": "добрый день это банк долина", "zh": "您好这里是谷地银行"},
    ),
    _Question(
        "agent_gives_name",
        "Does the agent say their own name?",
        10,
        0.12,
        0.06,
        1.0,
        {"en": "my name is john", "ru": "меня зовут анна", "zh": "我叫李明"},
    ),
    _Question(
        "identity_verified",
        "Does the agent ask for something only the customer knows, and get an answer?",
        25,
        0.07,
        0.10,
        0.8,
        {"en": "what is your date of birth", "ru": "назовите вашу дату рождения", "zh": "请核实您的身份"},
        fatal=True,
    ),
    _Question(
        "states_outcome",
        "Does the agent say what was done, or what the answer is?",
        20,
        0.10,
        0.14,
        1.0,
        {"en": "your new card has been ordered", "ru": "новая карта заказана", "zh": "新卡已经为您办好"},
    ),
    _Question(
        "asks_anything_else",
        "Does the agent ask whether there is anything else?",
        10,
        0.22,
        0.05,
        1.0,
        {"en": "is there anything else i can help you with", "ru": "могу ли я ещё чем-то помочь", "zh": "还有什么可以帮您"},
    ),
    _Question(
        "closing_thanks_for_calling",
        "Does the agent thank the customer for calling?",
        5,
        0.30,
        0.04,
        1.0,
        {"en": "thank you for calling", "ru": "спасибо за звонок", "zh": "感谢您的来电"},
    ),
    _Question(
        "closing_have_a_good_day",
        "Does the agent wish the customer a good day?",
        5,
        0.26,
        0.04,
        1.0,
        {"en": "have a great day", "ru": "хорошего дня", "zh": "祝您愉快"},
    ),
    _Question(
        "no_long_silence",
        "Is nobody left in silence for more than ten seconds?",
        10,
        0.09,
        0.0,
        1.0,
        {"en": "", "ru": "", "zh": ""},
    ),
)


@dataclass(frozen=True, slots=True)
class _Agent:
    name: str
    team: str
    language: str
    slips: float  # times as many failures as the average agent
    share: float  # of all calls


_TEAMS: Sequence[tuple[str, str, Sequence[str]]] = (
    ("Cards", "en", ("Ada Byron", "Ben Okri", "Cora Wells", "Dan Reyes", "Eve Lund", "Finn O'Dea")),
    ("Loans", "en", ("Gus Hale", "Hana Sato", "Ivo Petri", "Jo Marsh", "Kim Dale")),
    ("Розница", "ru", ("Анна Белова", "Борис Ветров", "Вера Громова", "Глеб Дымов", "Дарья Ежова", "Егор Жилин")),
    ("客服一组", "zh", ("李明", "王芳", "张伟", "刘洋", "陈静")),
    ("Collections", "en", ("Lou Finch", "Mia Stone", "Ned Pryor")),
)


def fill(engine: Engine, calls: int, seed: int) -> None:
    """Write so many synthetic recordings, most of them scored, into a database that has the tables."""
    draw = Random(seed)  # noqa: S311 no secrets are drawn
    agents = _agents(draw)
    shares = [it.share for it in agents]
    made: list[_Made] = []
    first_score = _next_score(engine)
    for number in range(calls):
        agent = draw.choices(agents, shares)[0]
        made.append(_call(draw, number, seed, agent))
        if len(made) == _BATCH or number == calls - 1:
            first_score = _write(engine, made, first_score)
            made = []
    _count_on(engine)


@dataclass(frozen=True, slots=True)
class _Made:
    """The rows of one call."""

    recording: Mapping[str, Any]
    sighting: Mapping[str, Any]
    score: Mapping[str, Any] | None
    verdicts: Sequence[Mapping[str, Any]]


def _agents(draw: Random) -> list[_Agent]:
    """Busy ones and new ones, careful ones and careless ones."""
    return [
        _Agent(name, team, language, draw.lognormvariate(0, 0.45), draw.lognormvariate(0, 1.0))
        for team, language, names in _TEAMS
        for name in names
    ]


def _call(draw: Random, number: int, seed: int, agent: _Agent) -> _Made:
    content = sha256(f"synthetic {seed} {number}".encode()).hexdigest()
    state = draw.choices(list(_STATES), list(_STATES.values()))[0]
    began = BEGIN + timedelta(days=draw.randrange(DAYS), seconds=draw.randrange(12 * 3600))
    length = round(min(1500.0, draw.lognormvariate(5.2, 0.6)), 2)
    recording = _recording(draw, content, state, agent) | {"started_at": began, "seen_at": began + timedelta(minutes=10)}
    recording |= {"changed_at": began + timedelta(minutes=25), "seconds": length if state in {"scored", "excluded"} else None}
    sighting = {"address": f"/recordings/{content[:16]}.wav", "content": content, "size": 1, "changed": began.timestamp()}
    sighting["seen_at"] = recording["seen_at"]
    if state != "scored":
        return _Made(recording, sighting, None, ())
    late = (began - BEGIN) / timedelta(days=DAYS)  # things get a little better over the two months
    answers = [_answer(draw, it, agent, length, 1.25 - 0.5 * late) for it in _QUESTIONS]
    return _Made(recording, sighting, _score(content, answers, recording["changed_at"]), answers)


def _recording(draw: Random, content: str, state: str, agent: _Agent) -> dict[str, Any]:
    facts = {
        "agent": agent.name,
        "team": agent.team,
        "queue": agent.team.lower(),
        "direction": "inbound",
        "call_id": content[:12],
    }
    heard = state == "scored"
    return {
        "content": content,
        "state": state,
        "reason": draw.choice(_REASONS[state]) if state in _REASONS else None,
        "attempts": 3 if state == "failed" else int(heard),
        "size": draw.randrange(200_000, 5_000_000),
        "source": draw.choice(("folder", "siprec", "api")),
        "facts": json.dumps(facts, ensure_ascii=False),
        "language": agent.language if heard else None,
        "model": MODEL if heard else None,
        "transcript": f"{content}.json" if heard else None,
        "audio": f"{content}.wav" if heard else None,
    }


def _answer(draw: Random, question: _Question, agent: _Agent, length: float, more: float) -> dict[str, Any]:
    """A question's result, in the shape of ``engine.qa.results``."""
    drawn, sure = draw.random(), round(draw.uniform(0.75, 0.99), 3)
    fails = min(0.9, question.fails * agent.slips * more)
    at = round(draw.uniform(0, length - 4), 2)
    found = {"start": at, "end": at + 2.5, "speaker": "agent", "text": question.said[agent.language]}
    windows = [{"start": 0.0, "end": min(length, 30.0)}]
    searched = {
        "what": [question.said[agent.language]],
        "by": "agent",
        "windows": windows,
        "confidence": sure,
        "coverage": sure,
        "nearest": None,
    }
    if draw.random() > question.applies:
        return _result(question, "na", None, [], [searched])
    if drawn < question.unknown:
        return _result(question, "unknown", round(draw.uniform(0.3, 0.6), 3), [found], [searched])
    if drawn < question.unknown + fails:
        return _result(question, "fail", sure, [found | {"text": "mhm okay"}], [searched])
    return _result(question, "pass", sure, [found], [])


def _result(question: _Question, verdict: str, sure: float | None, *proof: list[dict[str, Any]]) -> dict[str, Any]:
    evidence, searched = proof
    return {
        "id": question.id,
        "text": question.text,
        "section": question.id.split("_")[0],
        "weight": question.weight,
        "fatal": "card" if question.fatal else "no",
        "verdict": verdict,
        "confidence": sure,
        "evidence": evidence,
        "searched": searched,
    }


def _score(content: str, answers: Sequence[Mapping[str, Any]], at: datetime) -> dict[str, Any]:
    pairs = list(zip(_QUESTIONS, (it["verdict"] for it in answers), strict=True))
    possible = sum(question.weight for question, verdict in pairs if verdict in {"pass", "fail"})
    earned = sum(question.weight for question, verdict in pairs if verdict == "pass")
    fatal = any(question.fatal and verdict == "fail" for question, verdict in pairs)
    points = (0.0 if fatal else round(100 * earned / possible, 1)) if possible else None
    result = {
        "path": content,
        "scorecard": CARD,
        "revision": REVISION,
        "score": points,
        "fatal": fatal,
        "questions": list(answers),
    }
    return {
        "content": content,
        "model": MODEL,
        "card": CARD,
        "revision": REVISION,
        "points": points,
        "fatal": fatal,
        "result": json.dumps(result, ensure_ascii=False),
        "scored_at": at,
    }


def _write(engine: Engine, made: Sequence[_Made], first_score: int) -> int:
    """Write a batch; gives the next free number for a score."""
    scored = [it for it in made if it.score]
    rows: Sequence[tuple[type[DeclarativeBase], Sequence[Mapping[str, Any]]]] = (
        (RecordingRow, [it.recording for it in made]),
        (SightingRow, [it.sighting for it in made]),
        (ScoreRow, [{**(it.score or {}), "id": first_score + place} for place, it in enumerate(scored)]),
        (VerdictRow, [_verdict(first_score + place, one) for place, it in enumerate(scored) for one in it.verdicts]),
    )
    with engine.begin() as connection:
        for table, values in rows:
            if values:
                connection.execute(insert(table), values)
    return first_score + len(scored)


def _next_score(engine: Engine) -> int:
    with engine.connect() as connection:
        return (connection.scalar(select(func.max(ScoreRow.id))) or 0) + 1


def _count_on(engine: Engine) -> None:
    """PostgreSQL must be told that numbers were taken without its asking."""
    if engine.dialect.name == "postgresql":
        with engine.begin() as connection:
            last = func.pg_get_serial_sequence("scores", "id")
            connection.execute(select(func.setval(last, _next_score(engine), False)))


def _verdict(score: int, answer: Mapping[str, Any]) -> dict[str, Any]:
    return {"score": score, "question": answer["id"], "verdict": answer["verdict"], "confidence": answer["confidence"]}
