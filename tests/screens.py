"""Pictures of the console's pages: ``python -m tests.screens [FOLDER]``, into ``docs/screens`` unless told otherwise.

The pages are those of the product, over a database with a made-up day of the demo bank: its flow walked by the dialogue itself,
calls between made-up people, a campaign of made-up numbers. No model is loaded, no call is carried: what stands in the pictures is no
measurement. Each page at 1280 and 390 px, light; one dark.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from playwright.async_api import Browser
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from engine.access.permissions import Role
from engine.config import MAIN, QualitySection
from engine.config.keeping import KeepingClassSection, KeepingSection, KeptSection
from engine.core.call import CallFacts, CallId
from engine.core.speech import Transcript, Word
from engine.core.units import Confidence, Language, Seconds
from engine.dialogue.actions import Action, Play
from engine.dialogue.codec import to_json
from engine.dialogue.events import Answered, Event, Heard, HungUp, PlayFinished
from engine.dialogue.graph import Flow
from engine.dialogue.machine import Dialogue
from engine.ivr.files import load_flow
from engine.nlu.interpretation import Candidate, Interpretation
from engine.runtime.indexing import Indexer
from engine.server.reception import COOKIE
from engine.store.accounts import Actor
from engine.store.audit import Trail
from engine.store.database import connect
from engine.store.models import CallRow, StepRow
from engine.store.outbound_models import AttemptRow, ContactRow
from engine.store.unmasking import Unmasking
from engine.testing.campaigns import made_up
from engine.testing.found_calls import Asked, Made, keep
from tests.server.doubles import EchoEngine, add_person, opened, signed_in
from tests.server.test_desk_page import chromium

ROOT: Final = Path(__file__).parents[1]
PAGES: Final[Mapping[str, str]] = {
    "sign-in": "/sign-in", "phone": "/phone", "live": "/live", "calls": "/calls", "call": "", "quality": "/quality",
    "flow": "/flow", "campaigns": "/campaigns", "campaign": "/campaigns/overdue_notice", "people": "/settings",
    "audit": "/settings/audit", "unmasked": "/settings/unmasked", "keeping": "/settings/keeping", "house": "/settings/house",
}  # fmt: skip
"""By the picture's name; the one call is the last that was kept."""
WIDTHS: Final = {1280: 800, 390: 844}
DARK: Final = "live"
_SAID: Final = (
    ("I have lost my card", "lost_card", 0.94), ("how much is on my account", "balance", 0.91), ("I want to pay a bill", "pay_bill", 0.88),
    ("when do you open tomorrow", "hours", 0.96), ("could I talk to a person", "operator", 0.97),
)  # fmt: skip


_CARD: Final = """
scorecard: watches
title: Calls with the engine
languages: [en]
terms: {opening: first 2 agent turns}
questions:
  - {id: bank, text: "Does it name the bank?", check: {exists: {say: meridale bank, by: agent}, within: opening}}
  - {id: thanks, text: "Does the caller say thank you?", check: {exists: {say: thank you, by: caller}}}
"""
_KEPT: Final = KeepingSection(
    default=KeptSection(sound=180, words=365, scores=1095),
    classes={"debt": KeepingClassSection(sound=1095, words=1095, scores=1095, when={"queue": "overdue"})},
)


def steps(
    flow: Flow, said: str, intent: str, sure: float, *, hangs_up: bool
) -> Iterator[tuple[Seconds, Event, tuple[Action, ...]]]:
    """One short call, as the dialogue takes it."""
    dialogue, now = Dialogue(flow, language=Language("en")), Seconds(0.0)
    words = tuple(Word(it, Seconds(3.0 + 0.3 * at), Seconds(3.3 + 0.3 * at)) for at, it in enumerate(said.split()))
    meant = Interpretation((Candidate(intent, Confidence(sure)),))
    heard = Heard(Transcript(words, confidence=Confidence(sure)), meant, words[0].start, words[-1].end)
    events: list[Event] = [Answered(Language("en")), heard, *([HungUp()] if hangs_up else [])]
    while events:
        event = events.pop(0)
        actions = dialogue.receive(event, now)
        yield now, event, actions
        now = Seconds(now + 2.5)
        plays = [it for it in actions if isinstance(it, Play)]
        if plays and len(events) > 1:
            events.insert(0, PlayFinished(plays[-1].play))


def day(engine: EchoEngine, database: Engine, folder: Path) -> str:
    """Make it up; gives the address of the call to be shown."""
    now, chance = datetime.now(UTC), random.Random(6)
    flow = engine.flows[MAIN]
    with Session(database) as session, session.begin():
        for number in range(60):
            said, intent, sure = chance.choice(_SAID)
            hangs_up = chance.random() < 0.3
            row = CallRow(
                id=f"{number:032x}", door="sip", direction="inbound", flow=flow.name, flow_revision=flow.revision, agents=False,
                language="en", started_at=now - timedelta(minutes=9 * number + 9), ended_at=now - timedelta(minutes=9 * number + 8),
                outcome="caller_hung_up" if hangs_up else "completed",
            )  # fmt: skip
            session.add(row)
            session.flush()
            for place, (at, event, actions) in enumerate(steps(flow, said, intent, sure, hangs_up=hangs_up)):
                session.add(StepRow(call_id=row.id, number=place, at=at, event=to_json(event), actions=to_json(actions)))
    for number, (said, intent, sure) in enumerate(_SAID[:4]):
        call = CallFacts(CallId(f"live-{number}"), "sip")
        engine.live_calls.began(call)
        going = CallRow(
            id=call.id, door="sip", direction="inbound", flow=flow.name, flow_revision=flow.revision, agents=False, language="en",
            started_at=now,
        )  # fmt: skip
        with Session(database) as session, session.begin():
            session.add(going)
            session.flush()
            for place, (at, event, actions) in enumerate(steps(flow, said, intent, sure, hangs_up=False)):
                engine.live_calls.stepped(call, at, event, actions)
                session.add(StepRow(call_id=call.id, number=place, at=at, event=to_json(event), actions=to_json(actions)))
    shown = [keep(database, folder, it) for it in _between_people(now)][-1]
    Unmasking(Trail(database)).ask(Actor("ivan"), shown, "complaint 4711: the caller says that the fee was never named")
    _campaign(database, now)
    list(Indexer(database, folder).catch_up())
    return f"/calls/{shown}"


def _between_people(now: datetime) -> Iterator[Made]:
    for number in range(12):
        verdict = "fail" if number % 4 == 3 else "pass"
        yield Made(
            now - timedelta(hours=2 * number + 1),
            [
                ("agent", "good morning this is the bank how can I help"),
                ("caller", "my card payment was declined in a shop yesterday"),
                ("agent", "I am sorry to hear that let me look it up"),
                ("caller", "thank you very much"),
            ],
            [
                Asked("greets", "Does the agent greet?", "pass", 0),
                Asked("verifies", "Does the agent verify who it is?", verdict, 2, "card"),
            ],
            {
                "agent": ("ada", "ben", "mei")[number % 3],
                "team": "Cards",
                "queue": "cards",
                "direction": "inbound",
                "call_id": str(number),
            },
        )


def _campaign(database: Engine, now: datetime) -> None:
    campaign = made_up(database, 200, name="overdue_notice")
    talks: Sequence[str | None] = ("promised", "promised", "informed", "opted_out", "call_later", None)
    with Session(database) as session, session.begin():
        for place, contact in enumerate(session.scalars(select(ContactRow).order_by(ContactRow.number)).all()[:160]):
            at, talk, unsure = now - timedelta(minutes=2 * place), talks[place % len(talks)], place in {40, 90}
            contact.attempts, contact.state = 1, "uncertain" if unsure else "done"
            contact.outcome = None if unsure else ("unreached" if talk in {None, "call_later"} else talk)
            session.add(
                AttemptRow(
                    id=f"attempt-{place}", contact=contact.id, campaign=campaign, person=contact.person, number=contact.number,
                    state="uncertain" if unsure else "ended", carrier="sip", owner="demo", committed_at=at, dialled_at=at,
                    reached=None if unsure else ("answered" if talk else "no_answer"), outcome=None if unsure else talk,
                    call=f"{place:032x}" if talk and not unsure else None, details=json.dumps({}), talked=38.0 if talk else 0.0,
                    reason="the line broke before it answered" if unsure else None, ended_at=None if unsure else at,
                )
            )  # fmt: skip


async def pictures(engine: EchoEngine, call: str, folder: Path) -> None:
    """Take them all."""
    cookie = signed_in(engine.config.store.database, "olga", tuple(Role))["Cookie"].partition("=")[2]
    async with opened(engine) as doors, chromium() as browser:
        root = doors["phone"].removesuffix("/phone")
        for width in WIDTHS:
            for name, path in PAGES.items():
                await _picture(browser, root + (path or call), cookie, width, folder / f"{name}-{width}.png")
        await _picture(browser, root + PAGES[DARK], cookie, 1280, folder / f"{DARK}-dark-1280.png", dark=True)


async def _picture(browser: Browser, address: str, cookie: str, width: int, file: Path, *, dark: bool = False) -> None:
    context = await browser.new_context(
        viewport={"width": width, "height": WIDTHS[width]}, color_scheme="dark" if dark else "light", reduced_motion="reduce"
    )
    await context.add_cookies([{"name": COOKIE, "value": cookie, "url": address}])
    page = await context.new_page()
    await page.goto(address)
    await page.wait_for_load_state("networkidle" if "/live" not in address else "load")
    if "/live" in address:
        await page.locator(".so-far li").first.wait_for(timeout=180_000)
    await page.wait_for_timeout(1500 if "/live" in address else 200)  # for all of it to be drawn
    await page.screenshot(path=file)
    await context.close()


def main(folder: Path) -> None:
    """Make the day, and take the pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="callwright-screens-") as quality:
        engine = EchoEngine()
        card = Path(quality) / "watches.yaml"
        card.write_text(_CARD, encoding="utf-8")
        qa = QualitySection(folder=Path(quality), live={MAIN: card})
        engine.config = engine.config.model_copy(update={"qa": qa, "keeping": _KEPT})
        flow = load_flow(ROOT / "examples" / "bank" / "flow.yaml")
        engine.flows, engine.languages = {MAIN: flow}, flow.languages
        database = connect(engine.config.store.database)
        for name, role in (("anna", Role.SILENT_AGENT), ("boris", Role.SUPERVISOR), ("mei", Role.QA_LEAD)):
            add_person(engine.config.store.database, name, [role], teams='["Cards"]' if name == "boris" else "[]")
        call = day(engine, database, Path(quality))
        asyncio.run(pictures(engine, call, folder))
        database.dispose()
    total = sum(it.stat().st_size for it in folder.glob("*.png"))
    sys.stdout.write(f"{folder}: {len(list(folder.glob('*.png')))} pictures, {total / 1e6:.1f} MB\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "screens")
