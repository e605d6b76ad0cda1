"""A campaign's evening over real SIP, with real models and synthetic voices: who promises Friday, who wants no more calls, who wants a
person, who is somebody else, and two answering machines; what came of it in the lists, in the journals and at quality control.

The called people speak when they are asked, as the machine's own steps say. Two are called at a time. Their telephones are Debian's
baresip; but who is put through has one of ours: baresip 1.0.0 drops a Refer-To of more than 255 characters. So have the machines,
which keep what is said to them. One belongs to a campaign that leaves messages, the other to one that hangs up.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import json
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import yaml
from sqlalchemy import Engine as Database
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.asr.protocol import Hints
from engine.asr.registry import load_recogniser
from engine.audio.files import read
from engine.audio.resample import resample
from engine.config import SipDoor, load_config
from engine.config.outbound import OutboundSection
from engine.core.audio import TELEPHONY, WIDEBAND, AudioFrame
from engine.core.call import CallId
from engine.core.speech import ENGLISH
from engine.core.units import Seconds
from engine.dialogue.actions import Action, Entered, TransferCall
from engine.dialogue.codec import actions_from_json
from engine.outbound.campaign import OPT_OUTS, Order
from engine.outbound.campaign_file import parse_campaign
from engine.outbound.contacts import ContactState
from engine.runtime.engine import Engine
from engine.runtime.outbound.importing import import_list
from engine.runtime.outbound.service import dialling
from engine.server.doors.sip import gateway
from engine.store.campaigns import Campaigns
from engine.store.database import connect
from engine.store.journal import Journal
from engine.store.outbound_models import AttemptRow, ContactRow, DoNotCallRow
from engine.testing.sip_callers import LOOPBACK, Phone, PhoneSettings
from engine.testing.sip_peer import sip_peer
from tests.databases import store_in
from tests.journeys.bank import ROOT, Voices
from tests.journeys.outbound_people import Manners, OwnPhone, Street, Telephone
from tests.needs import missing

pytestmark = pytest.mark.model

CAMPAIGN = ROOT / "examples" / "bank" / "campaigns" / "overdue_notice"
CARD = ROOT / "examples" / "bank" / "scorecards" / "outbound_overdue_notice.yaml"
LONDON = ZoneInfo("Europe/London")
PATIENCE = Seconds(150.0)  # all talks together

PEOPLE: Mapping[str, Mapping[str, str]] = {
    "promises": {
        "who": "Yes, speaking.",
        "proof": "The second of March, nineteen eighty.",
        "ask_day": "I will pay on Friday.",
        "all_of_it": "Yes, all of it.",
        "confirm_all": "Yes, that is right.",
    },
    "stops": {"who": "Yes, speaking.", "proof": "Stop calling me. Do not call me again."},
    "operator": {"who": "Yes, speaking.", "proof": "I want to speak to a person."},
    "wrong": {"who": "No, you have the wrong number."},
}
"""What each of them says, by the node at which they are asked."""

GREETINGS: Mapping[str, str] = {
    "operator": "Hello?",
    "takes_messages": "You have reached Peter Brown. I can't come to the phone right now. Please leave a message after the tone.",
    "hung_up_on": "You have reached Anna Miller. I can't take your call right now. Please leave your name after the beep.",
}
"""What those say who answer with more than silence; the last two are machines, and beep."""

MACHINES = ("takes_messages", "hung_up_on")
CAMPAIGNS = {"overdue": (*PEOPLE, "takes_messages"), "quiet": ("hung_up_on",)}
NUMBERS = {name: f"+44207946010{place}" for place, name in enumerate((*PEOPLE, *MACHINES), start=1)}  # kept for drama, by Ofcom
MESSAGE = """machine: leave_message
message:
  en: This is Meridale Bank with a message for {name}. Please call us back."""
_CONFIG = """
[flow]
path = "campaign/flow.yaml"
[asr]
second = ""
[tts]
cache = "{cache}"
[store]
database = "{store}"
recordings = "recordings"
[qa]
folder = "qa"
tier = "fast"
siprec = false
[[qa.cards]]
path = "{card}"
"""


@pytest.fixture(scope="module")
def programs() -> None:
    """What apt and pip bring."""
    if shutil.which("baresip") is None:
        missing("baresip (apt install baresip-core)")
    if importlib.util.find_spec("baresip") is None:
        missing("the extra sip")


@dataclass
class Evening:
    """What is left of it."""

    folder: Path
    people: Mapping[str, ContactRow]
    attempts: Mapping[str, AttemptRow]
    opted_out: set[str]
    actions: Mapping[str, list[Action]]
    verdicts: Mapping[str, Mapping[str, str]]
    phones: Mapping[str, OwnPhone]
    """Those that keep what they hear: of who wanted a person, and of the machines."""


def only_english(written: Any) -> Any:
    """The same flow for one language: the models of the others would only take memory here."""
    match written:
        case {"en": english, **rest} if set(rest) <= {"ru", "zh"}:
            return english
        case dict():
            return {key: only_english(value) for key, value in written.items()}
        case list():
            return [only_english(one) for one in written]
    return ["en"] if written == ["en", "ru", "zh"] else written


def prepare(folder: Path, cache: Path) -> Database:
    """The campaign with its list, begun; it may call all day and night, for nobody's telephone rings but ours."""
    place = folder / "campaign"
    place.mkdir(parents=True)
    flow = yaml.safe_load((CAMPAIGN / "flow.yaml").read_text("utf-8").replace("no: ", '"no": '))
    flow["languages"] = ["en"]
    (place / "flow.yaml").write_text(yaml.safe_dump(only_english(flow), allow_unicode=True, sort_keys=False), "utf-8")
    shutil.copy(CAMPAIGN / "examples.jsonl", place)
    text = (CAMPAIGN / "campaign.yaml").read_text("utf-8")
    text = re.sub(r"windows:\n(?:  .*\n)+holidays:\n(?:  .*\n)+", "windows: {mon-sun: 0:00-24:00}\nholidays: none\n", text)
    text = text.replace("languages: [en, ru, zh]", "languages: [en]").replace("lines: 2", "lines: 4").replace("0.5", "4")
    (place / "overdue.yaml").write_text(text.replace("machine: hang_up", MESSAGE), "utf-8")
    quiet = text.replace("campaign: overdue", "campaign: quiet").replace("attempts: 4", "attempts: 1")
    (place / "quiet.yaml").write_text(quiet, "utf-8")
    head = "customer,phone,name,amount_due,least_sum,due_date,birth_date,consent,consent_at"
    rest = "250.00,50.00,2026-11-01,1980-03-02,contract,2024-02-11"
    for campaign, names in CAMPAIGNS.items():
        rows = [f"{name},{NUMBERS[name]},{name.title()} Morgan,{rest}" for name in names]
        (folder / f"{campaign}.csv").write_text("\n".join([head, *rows]), "utf-8")
    (folder / "engine.toml").write_text(_CONFIG.format(cache=cache, card=CARD, store=store_in(folder)), "utf-8")
    return connect(store_in(folder))


def begin(database: Database, folder: Path) -> None:
    now, campaigns = datetime.now(UTC), Campaigns(database)
    for name, people in CAMPAIGNS.items():
        text = (folder / "campaign" / f"{name}.yaml").read_text("utf-8")
        kept = campaigns.put(parse_campaign(text, f"{name}.yaml"), text, str(folder / "campaign"), now)
        imported = import_list(database, kept, folder / f"{name}.csv", folder / "report.csv")
        assert imported.taken == len(people), imported.checked.wrong
        campaigns.tell(name, Order.START, now)


@contextlib.asynccontextmanager
async def telephones(folder: Path, voices: Voices) -> AsyncIterator[dict[str, Telephone]]:
    async with contextlib.AsyncExitStack() as stack:
        settings = PhoneSettings("customer", answers=True)
        phones: dict[str, Telephone] = {}
        for name in NUMBERS:
            if name in GREETINGS:
                phones[name] = OwnPhone(await stack.enter_async_context(sip_peer(0)), greeting(name, voices))
            else:
                phones[name] = await stack.enter_async_context(Phone.plugged_in(folder / name, settings))
        yield phones


def greeting(name: str, voices: Voices) -> AudioFrame:
    """What is said by who answers; behind a machine's greeting its beep."""
    said = voices(GREETINGS[name])
    if name not in MACHINES:
        return said
    moments = np.arange(TELEPHONY.rate_hz * 2 // 5) / TELEPHONY.rate_hz
    beep = (6000 * np.sin(2 * np.pi * 1000 * moments)).astype(np.int16)
    return AudioFrame(np.concatenate([said.samples, np.zeros(TELEPHONY.rate_hz // 2, np.int16), beep]))


async def call_everybody(folder: Path, database: Database, voices: Voices) -> dict[str, OwnPhone]:
    """Let the campaigns run until they are over; the telephones that keep what they heard."""
    async with telephones(folder, voices) as phones:
        said = {id(phone): PEOPLE.get(name, {}) for name, phone in phones.items()}
        own = {name: phone for name, phone in phones.items() if isinstance(phone, OwnPhone)}
        street: Street

        async def answer(call: CallId, node: str) -> None:
            phone = street.living[call]
            words = said[id(phone)].get(node)  # who is asked again says it again
            if words is not None:
                await phone.say(voices(words))

        engine = await Engine.start(load_config(folder / "engine.toml"), [manners := Manners(answer)])
        answering = asyncio.gather(*(phone.answer() for phone in own.values()))
        try:
            begin(database, folder)
            people = {"collections": f"sip:operators@{LOOPBACK}:5099"}
            async with gateway(SipDoor(port=0, destinations=people), lambda _: None, engine.take) as (lines, _):
                engine.outward = street = Street(lines, {NUMBERS[name]: phone for name, phone in phones.items()})
                section = OutboundSection(lines=2, calls_a_second=4.0, folder=folder / "diallers", kept_free=0)
                async with dialling(engine, section):
                    await asyncio.wait_for(over(database), PATIENCE)
                await asyncio.wait_for(answering, 5.0)
            assert not manners.tasks or await asyncio.wait(manners.tasks, timeout=5)
        finally:
            await engine.close(Seconds(1.0))
        return own


async def over(database: Database) -> None:
    """Wait until everybody has their outcome; the dialler's writes are the only sign of it."""
    for _ in range(1_000):
        with Session(database) as session:
            if session.scalar(select(ContactRow.id).where(ContactRow.state != ContactState.DONE).limit(1)) is None:
                return
        await asyncio.sleep(0.2)


def judged(folder: Path) -> dict[str, dict[str, str]]:
    """What quality control says of each call, by the call's id; it finds them by itself."""
    command = [sys.executable, "-m", "engine.cli", "qa", "run", "--config", str(folder / "engine.toml")]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    exported = [*command[:4], "export", "--format", "jsonl", "--out", str(folder / "scores.jsonl"), *command[5:]]
    subprocess.run(exported, cwd=ROOT, check=True, capture_output=True)
    found = [json.loads(line) for line in (folder / "scores.jsonl").read_text("utf-8").splitlines()]
    return {it["call_id"]: {one["question"]: one["verdict"] for one in it["score"]["questions"]} for it in found}


@pytest.fixture(scope="module")
def evening(
    programs: None, models: None, voices: Voices, prompts_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Evening]:
    folder = tmp_path_factory.mktemp("evening")
    database = prepare(folder, prompts_folder)
    for phrases in (*PEOPLE.values(), GREETINGS):
        for words in phrases.values():
            voices(words)

    phones = asyncio.run(call_everybody(folder, database, voices))
    verdicts = judged(folder)
    journal = Journal(database)
    with Session(database, expire_on_commit=False) as session:
        people = {row.person: row for row in session.scalars(select(ContactRow))}
        attempts = {row.person: row for row in session.scalars(select(AttemptRow))}
        listed = set(session.scalars(select(DoNotCallRow.who).where(DoNotCallRow.list == OPT_OUTS)))
    actions = {
        name: [action for step in journal.steps(CallId(row.call or "")) for action in actions_from_json(step.actions)]
        for name, row in attempts.items()
    }
    journal.close()
    by_name = {name: verdicts[row.call or ""] for name, row in attempts.items() if row.call in verdicts}
    yield Evening(folder, people, attempts, listed, actions, by_name, phones)
    database.dispose()


def friday() -> date:
    today = datetime.now(LONDON).date()
    return today + timedelta(days=(4 - today.weekday() - 1) % 7 + 1)


def test_everybody_has_the_outcome_that_their_words_ask_for(evening: Evening) -> None:
    assert {name: row.outcome for name, row in evening.people.items()} == {
        "promises": "promised",
        "stops": "opted_out",
        "operator": "transferred",
        "wrong": "wrong_person",
        "takes_messages": "left_message",
        "hung_up_on": "unreached",
    }


def test_friday_and_the_sum_are_facts(evening: Evening) -> None:
    assert json.loads(evening.attempts["promises"].details) == {"date": friday().isoformat(), "amount": "250.00 EUR"}


def test_who_wants_no_more_calls_is_listed_and_nobody_else(evening: Evening) -> None:
    assert evening.opted_out == {"stops", NUMBERS["stops"]}


def test_a_person_was_reached_who_knows_the_call(evening: Evening) -> None:
    handed = next(action for action in evening.actions["operator"] if isinstance(action, TransferCall))

    assert handed.destination == "collections"
    assert evening.phones["operator"].referred.startswith(f"<sip:operators@{LOOPBACK}")
    assert f"X-Callwright-Call={evening.attempts['operator'].call}" in evening.phones["operator"].referred
    assert "Morgan" not in evening.phones["operator"].referred


def test_only_who_proved_to_be_the_customer_heard_of_the_debt(evening: Evening) -> None:
    heard = {
        name
        for name, actions in evening.actions.items()
        if any(isinstance(it, Entered) and it.node == "notice" for it in actions)
    }

    assert heard == {"promises"}


def test_quality_control_finds_the_calls_by_itself_and_nothing_wrong_with_them(evening: Evening) -> None:
    """Synthetic voices heard by a small recogniser: what it is unsure of is unknown, not wrong."""
    assert evening.verdicts.keys() == PEOPLE.keys()
    heard = evening.verdicts["promises"]
    never = ("no_threats", "right_party_before_debt", "polite")

    assert [(name, one) for name, found in evening.verdicts.items() for one in never if found[one] == "fail"] == []
    assert {heard[one] for one in ("recording_notice", "debt_told", "right_amount", "promise_read_back")} == {"pass"}


def test_machines_are_known_and_no_flow_is_begun_with_them(evening: Evening) -> None:
    assert {name: (evening.attempts[name].answerer, evening.actions[name]) for name in MACHINES} == dict.fromkeys(
        MACHINES, ("machine", [])
    )
    assert {row.answerer for name, row in evening.attempts.items() if name not in MACHINES} <= {"person", "unsure"}


def test_the_message_is_left_behind_the_beep(evening: Evening) -> None:
    machine = evening.phones["takes_messages"]

    text = load_recogniser("moonshine").recognise([resample(machine.heard, WIDEBAND)], [Hints(ENGLISH)])[0].text

    assert machine.spoken_to is not None
    assert machine.spoken_to > machine.greeted
    assert "bank" in text.lower()
    assert "call us back" in text.lower()


def test_to_the_other_machine_nothing_is_said(evening: Evening) -> None:
    assert evening.phones["hung_up_on"].spoken_to is None


def test_what_was_said_before_the_flow_began_is_on_the_recording(evening: Evening) -> None:
    customer, engine = read(evening.folder / "recordings" / f"{evening.attempts['operator'].call}.wav").channels

    begins = int(np.flatnonzero(np.abs(engine.samples.astype(np.int32)) > 500)[0])

    assert np.abs(customer.samples[:begins].astype(np.int32)).max() > 1000
