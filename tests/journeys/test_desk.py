"""A caller who can't be understood, and the silent agent in a real browser who understands: on a live call, in real time."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright, expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.dialogue.actions import Decided, Play
from engine.dialogue.events import AgentAnswered
from engine.store.assist_models import LabelRow
from engine.store.database import connect
from engine.testing.twilio_caller import TwilioCaller
from tests.conftest import missing
from tests.databases import store_in
from tests.journeys.bank import PASSWORD, SMALL_BANK, BankHost, Installation, installed, recorded

pytestmark = [pytest.mark.model, pytest.mark.testdata]

PATIENCE_MS = 60_000  # a busy machine takes its time
UNCLEAR = "spoken_queries/04_joe_snr10.wav"  # synthetic speech in noise: "Why can't I take cash out of the ATM?"
_LISTEN_ALONG = """
window.heard = [];
const start = AudioBufferSourceNode.prototype.start;
AudioBufferSourceNode.prototype.start = function () { window.heard.push(this.buffer.duration); return start.apply(this, arguments); };
"""


@pytest.fixture(scope="module")
def bank(models: None, tmp_path_factory: pytest.TempPathFactory, host: BankHost, prompts_folder: Path) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("assisted")
    flow = folder / "patient_bank.yaml"
    flow.write_text(SMALL_BANK.read_text(encoding="utf-8").replace("assist: 2s", "assist: 30s"), encoding="utf-8")
    with installed(folder, host, prompts_folder, more="[assist]\n", flow=flow) as installation:
        yield installation


@dataclass
class Desk:
    page: Page
    complaints: list[str] = field(default_factory=list)

    async def sign_in(self, name: str) -> None:
        await self.page.get_by_label("Name").fill(name)
        await self.page.get_by_label("Password").fill(PASSWORD)
        await self.page.keyboard.press("Enter")
        await self.page.get_by_role("button", name="Begin").click()
        await self.says(f"Ready, {name}.")

    async def says(self, text: str) -> None:
        await expect(self.page.get_by_role("status")).to_have_text(text, timeout=PATIENCE_MS)


@contextlib.asynccontextmanager
async def desk_of(bank: Installation, name: str) -> AsyncIterator[Desk]:
    """In Chromium; whatever the page complains of or loads from elsewhere fails the test."""
    program = shutil.which("chromium")
    if program is None:
        missing("Chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = await browser.new_page(viewport={"width": 1280, "height": 800})
        desk = Desk(page)
        home = bank.doors["desk"].removesuffix("/desk")
        page.on("console", lambda said: desk.complaints.extend([said.text] if said.type in {"error", "warning"} else []))
        page.on("pageerror", lambda error: desk.complaints.append(str(error)))
        page.on("request", lambda asked: desk.complaints.extend([] if asked.url.startswith(home) else [asked.url]))
        await page.add_init_script(_LISTEN_ALONG)
        await page.goto(bank.doors["desk"])
        await desk.sign_in(name)
        yield desk
        await browser.close()
    assert desk.complaints == []


async def test_a_caller_who_speaks_unclearly_is_understood_by_a_person_and_hears_only_a_filler(
    bank: Installation, testdata: Path, tmp_path: Path
) -> None:
    async with desk_of(bank, "anna") as desk, TwilioCaller.calling(bank.twilio, "unclear") as caller:
        await caller.quiet()
        said = recorded(testdata / UNCLEAR)
        await caller.say(said)
        await desk.says("A phrase.")
        await desk.page.screenshot(path=tmp_path / "desk.png")
        await expect(desk.page.get_by_role("heading", name="Welcome. What can I do for you?")).to_be_visible()
        await desk.page.wait_for_function("window.heard.length === 1")
        await desk.page.wait_for_timeout(400)  # no hand is quicker; the page takes no key before
        await desk.page.keyboard.press("Space")
        await desk.page.keyboard.type("person")
        await desk.page.keyboard.press("Enter")
        await desk.says("Taken.")
        await expect(desk.page.get_by_label("Your day")).to_contain_text("answered1")
        [first, again] = await desk.page.evaluate("window.heard")
        await caller.over.wait()
    told = bank.told("unclear")

    assert first == again
    assert 0.5 * len(said.samples) / 8000 < first < len(said.samples) / 8000 + 1.0
    answered = told.event(AgentAnswered)
    assert (answered.verdict, answered.intent) == ("node", "operator"), told
    assert told.rungs[:2] == ["agent", "agent"], told
    assert [it.target for it in told.actions if isinstance(it, Decided)][1] == "operator"
    assert told.row.outcome == "transferred"
    spoken = [it.spoken[0].text for it in told.actions if isinstance(it, Play)]
    assert spoken == ["Welcome. What can I do for you?", "One moment.", "I'll put you through."], told
    assert [label.agent for label in labels(bank, told.row.id)] == ["anna"]


async def test_where_nobody_sits_the_caller_is_asked_again_at_once(bank: Installation, testdata: Path) -> None:
    async with TwilioCaller.calling(bank.twilio, "alone") as caller:
        await caller.quiet()
        await caller.say(recorded(testdata / UNCLEAR))
        await caller.answered()
        await caller.press("0")
        await caller.over.wait()
    told = bank.told("alone")
    asked = [step.at for step in told.steps if "AskAgent" in step.actions]
    answered = [step.at for step in told.steps if "AgentAnswered" in (step.event or "")]
    spoken = [it.spoken[0].text for it in told.actions if isinstance(it, Play)]

    assert (len(asked), len(answered)) == (1, 1), told
    assert answered[0] - asked[0] < 3.0, told  # and not thirty
    assert spoken[:2] == ["Welcome. What can I do for you?", "Please say it in other words."], told


@pytest.mark.parametrize("width", [390, 1280])
async def test_nothing_sticks_out_of_a_narrow_or_a_wide_window(
    bank: Installation, testdata: Path, width: int, tmp_path: Path
) -> None:
    async with desk_of(bank, "boris") as desk, TwilioCaller.calling(bank.twilio, f"width{width}") as caller:
        await desk.page.set_viewport_size({"width": width, "height": 844})
        await caller.quiet()
        await caller.say(recorded(testdata / UNCLEAR))
        await desk.says("A phrase.")
        await desk.page.screenshot(path=tmp_path / f"desk-{width}.png", full_page=True)

        assert await desk.page.evaluate("document.documentElement.scrollWidth") <= width
        for button in await desk.page.get_by_role("button").all():
            box = await button.bounding_box()
            assert box is not None
            assert 0 <= box["x"] <= box["x"] + box["width"] <= width
            assert box["height"] >= 40  # a thumb's
        await desk.page.keyboard.press("Escape")
        await desk.says("Taken.")


def labels(bank: Installation, call: str) -> list[LabelRow]:
    store = connect(store_in(bank.folder))
    with Session(store) as session:
        found = list(session.scalars(select(LabelRow).where(LabelRow.call == call)))
        session.expunge_all()
    store.dispose()
    return found
