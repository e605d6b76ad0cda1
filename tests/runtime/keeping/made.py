"""Calls with everything that belongs to a call, for tests of how long they are kept. All of it is made up."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from sqlalchemy import Engine, insert, select, text
from sqlalchemy.orm import Session

from engine.config import Config
from engine.config.keeping import KeepingClassSection, KeepingSection, KeptSection
from engine.config.quality import QualitySection
from engine.config.sections import AssistSection, StoreSection, TtsSection
from engine.nlu.searching import tokens
from engine.qa.ledger import State
from engine.store.assist_models import LabelRow
from engine.store.database import connect
from engine.store.found_calls import CallFound, Marked, put_call
from engine.store.keeping_models import ReducedCallRow
from engine.store.models import CallRow, HumanCallRow, StepRow
from engine.store.outbound_models import AttemptRow, CampaignRow, ContactRow
from engine.store.outbox import MessageState
from engine.store.quality_models import (
    AppealRow,
    OutboxRow,
    RecordingRow,
    ReviewRow,
    SampledRow,
    SampleRow,
    ScoreRow,
    SightingRow,
    VerdictRow,
)

NOW = datetime(2030, 6, 1, 3, 30, tzinfo=UTC)
DEBT = KeepingClassSection(when={"campaign": ("overdue",)}, sound=1096, words=1096, scores=1096)
SHORT = KeptSection(sound=30, words=60, scores=90)
TABLES = (CallRow, StepRow, HumanCallRow, LabelRow, SightingRow, ScoreRow, VerdictRow, ReviewRow, AppealRow, SampledRow)


@dataclass(frozen=True)
class Bank:
    """A database and folders, with a configuration that names them."""

    config: Config
    database: Engine

    @property
    def root(self) -> Path:
        return self.config.qa.folder.parent

    def files(self) -> set[str]:
        return {str(it.relative_to(self.root)) for it in self.root.rglob("*") if it.is_file() and it.parent != self.root}

    def rows(self) -> dict[str, int]:
        with self.database.connect() as connection:
            counted = {it.__tablename__: len(connection.execute(select(it)).all()) for it in (*TABLES, ReducedCallRow, OutboxRow)}
            for table in ("found_calls", "found_words", "found_scores"):
                counted[table] = connection.scalar(text(f"SELECT count(*) FROM {table}")) or 0
        return counted

    def states(self) -> list[str]:
        with self.database.connect() as connection:
            return sorted(connection.scalars(select(RecordingRow.state)))


def a_bank(root: Path, url: str, **changes: object) -> Bank:
    keeping = KeepingSection(default=SHORT, classes={"debt": DEBT})
    known = {
        "store": StoreSection(database=url, recordings=root / "recordings", aside=root / "aside"),
        "qa": QualitySection(folder=root / "qa"),
        "assist": AssistSection(phrases=root / "phrases"),
        "tts": TtsSection(cache=root / "prompts"),
        "keeping": keeping,
    }
    return Bank(Config(**{**known, **changes}), connect(url))  # type: ignore[arg-type]


def a_call(bank: Bank, name: str, days: float, number: str = "+77010000001", said: str = "hello there", **facts: str) -> str:
    """A conversation with the engine that began so many days ago, recorded, scored, reviewed, appealed against; its content."""
    began = NOW - timedelta(days=days)
    content = sha256(name.encode()).hexdigest()
    audio, transcript = (
        f"{kind}/{content[:2]}/{content}.0123.{end}" for kind, end in (("sound", "wav"), ("transcripts", "json"))
    )
    _write(bank.root / "recordings" / f"{name}.wav", f"sound of {number}")
    _write(bank.root / "phrases" / f"{name}-1.wav", "a phrase")
    _write(bank.config.qa.folder / audio, "masked sound")
    _write(bank.config.qa.folder / transcript, json.dumps({"language": "en", "turns": [{"text": said}]}, ensure_ascii=False))
    told = {"call_id": name, "agent": "ada", "number": number, **facts}
    quoted = {"start": 1.0, "end": 2.0, "speaker": "caller", "text": said}
    result = {"scorecard": "service", "questions": [{"id": "greets", "text": "Greets?", "evidence": [quoted], "searched": []}]}
    row = CallRow(
        id=name, door="sip", direction="inbound", caller_number=number, called_number="+77270000000", flow="bank",
        flow_revision="1", agents=True, language="en", started_at=began, ended_at=began + timedelta(minutes=3), outcome="served",
    )  # fmt: skip
    recording = RecordingRow(
        content=content, state=State.SCORED, attempts=0, size=10, source="call", call=name, facts=json.dumps(told), language="en",
        started_at=began, seen_at=began, changed_at=began, seconds=180.0, model="m", transcript=transcript, audio=audio,
    )  # fmt: skip
    address = str(bank.root / "recordings" / f"{name}.wav")
    with Session(bank.database) as session, session.begin():
        session.add_all([row, recording])
        session.flush()
        for place, event in enumerate(({"heard": said}, None)):
            step = StepRow(call_id=name, number=place, at=1.0, event=json.dumps(event, ensure_ascii=False), actions="[]")
            session.add(step)
        session.add(SightingRow(address=address, content=content, size=10, changed=1.0, seen_at=began))
        session.add(_label(name, said, began))
        score = ScoreRow(
            content=content, model="m", card="service", revision="1", points=80.0, fatal=False,
            result=json.dumps(result, ensure_ascii=False), scored_at=began,
        )  # fmt: skip
        session.add(score)
        session.flush()
        session.add(VerdictRow(score=score.id, question="greets", verdict="pass", confidence=0.9))
        session.add(_review(content, began, _sample(session, began)))
        session.add(AppealRow(score=score.id, question="greets", by="ada", at=began, text=f"but: {said}", state="open"))
        body = json.dumps({"data": {"content": content, "call": {"call_id": name}}})
        session.add(_message(f"msg_{name}", body, MessageState.SENT, began))
    marks = (Marked("service", 80.0, fatal=False, waiting=0, failed=()),)
    with bank.database.begin() as connection:
        put_call(connection, CallFound(name, content, began, "1", list(tokens([said])), marks=marks))
    return content


def a_call_of_people(bank: Bank, name: str, days: float, number: str) -> None:
    """A call between people, recorded and not yet seen by quality control."""
    began = NOW - timedelta(days=days)
    _write(bank.root / "recordings" / f"{name}.wav", "two people")
    _write(bank.root / "recordings" / f"{name}.json", json.dumps({"turns": [{"text": f"call me at {number}"}]}))
    party = {"id": "1", "aor": f"sip:{number}@sbc.example", "name": "Canary", "speaker": "caller", "label": "1", "left": None}
    row = HumanCallRow(
        id=name, state="complete", reason="hung_up", door="siprec", peer="10.0.0.1", peer_id=f"{name}@sbc", language="en",
        started_at=began, ended_at=began, length=3.0, mixed=False, recording=f"{name}.wav", transcript=f"{name}.json",
        participants=json.dumps([party]), notes="[]", counts="{}", documents=json.dumps([f"<aor>sip:{number}@sbc</aor>"]),
    )  # fmt: skip
    with Session(bank.database) as session, session.begin():
        session.add(row)


def a_contact(bank: Bank, person: str, number: str, campaign: str = "overdue", call: str | None = None, days: float = 1) -> None:
    at = NOW - timedelta(days=days)
    with Session(bank.database) as session, session.begin():
        if session.get(CampaignRow, campaign) is None:
            row = CampaignRow(
                id=campaign,
                name=campaign,
                state="running",
                file="",
                place="",
                revision="1",
                priority=1,
                created_at=at,
                changed_at=at,
            )
            session.add(row)
            session.flush()
        contact = {
            "id": f"c-{person}", "campaign": campaign, "row": 2, "person": person, "number": number, "language": "en",
            "zone": "Asia/Almaty", "fields": json.dumps({"name": f"Name of {person}"}), "state": "done", "outcome": "promised",
            "attempts": 1, "done_at": at,
        }  # fmt: skip
        session.execute(insert(ContactRow).values(contact))
        attempt = {
            "id": f"a-{person}", "contact": f"c-{person}", "campaign": campaign, "person": person, "number": number,
            "state": "ended", "carrier": "sip", "owner": "d", "committed_at": at, "reached": "answered", "call": call,
            "details": "{}", "ended_at": at, "talked": 10.0,
        }  # fmt: skip
        session.execute(insert(AttemptRow).values(attempt))
        body = json.dumps({"type": "outbound.follow_up", "data": {"person": person, "number": number, "call": call}})
        session.add(_message(f"fup_{person}", body, MessageState.GIVEN_UP, at))


def _sample(session: Session, at: datetime) -> int:
    if (known := session.scalar(select(SampleRow.id).limit(1))) is not None:
        return known
    row = SampleRow(card="service", revision="1", drawn_at=at, design="{}")
    session.add(row)
    session.flush()
    return row.id


def _review(content: str, at: datetime, sample: int) -> ReviewRow:
    known = {"content": content, "card": "service", "revision": "1", "question": "greets", "verdict": "pass"}
    return ReviewRow(**known, reviewer="lead", at=at, comment="fine", sample=sample, blind=False)


def _label(call: str, said: str, at: datetime) -> LabelRow:
    known = {"call": call, "number": 1, "agent": "silent", "language": "en", "flow_revision": "1", "answer": "{}", "late": False}
    return LabelRow(**known, task=json.dumps({"heard": said}, ensure_ascii=False), seconds=2.0, sound=f"{call}-1.wav", at=at)


def _message(id: str, body: str, state: MessageState, at: datetime) -> OutboxRow:
    return OutboxRow(id=id, receiver="bank", type="t", body=body, state=state, attempts=1, created_at=at, due_at=at)


def _write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
