"""A QA lead in a real browser: finds yesterday's call, hears the proof of a verdict, overrules it, and sees the trend change."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from engine.access.deeds import Deed
from engine.access.permissions import Role
from engine.access.principal import PersonId, Principal
from engine.config import QualitySection
from engine.runtime.indexing import Indexer
from engine.store.accounts import Actor
from engine.store.audit import Asked as AskedTrail
from engine.store.database import connect
from engine.store.house import House
from engine.testing.found_calls import Asked, Made, keep
from tests.conftest import missing
from tests.journeys.bank import PASSWORD
from tests.server.doubles import EchoEngine, opened

PEOPLE = {"lena": Role.QA_LEAD, "boris": Role.SILENT_AGENT}
NOON = datetime.now().astimezone().replace(hour=12, minute=0, second=0, microsecond=0)
YESTERDAY = NOON - timedelta(days=1)
SAID = [
    ("agent", "good morning this is the bank how can I help you"),
    ("caller", "hello I have lost my debit card somewhere in the city and I want to have it blocked now please"),
    ("agent", "no problem I have blocked it for you is there anything else"),
    ("caller", "no thank you very much that is all"),
    ("agent", "goodbye"),
]
GREETS = Asked("greets", "Does the agent name the bank?", "pass", 0)
VERIFIES = Asked("verifies", "Does the agent verify who it is?", "fail", 2, "card")
CALL = Made(YESTERDAY, SAID, [GREETS, VERIFIES], {"agent": "ada", "team": "Cards"})
OTHERS = [
    Made(YESTERDAY - timedelta(days=1), SAID, [GREETS], {"agent": "ada", "team": "Cards"}),
    Made(YESTERDAY + timedelta(minutes=9), [("caller", "a debit for my loan")], [GREETS], {"agent": "ben", "team": "Loans"}),
    Made(YESTERDAY + timedelta(minutes=30), [("caller", "我想办信用卡")], [GREETS], {"agent": "李明", "team": "客服"}, "zh"),
]
EVIDENCE_AT = 0.5 + 11 * 0.4 + 0.6 + 20 * 0.4 + 0.6
"""When the third turn begins: 0.4 s a word, 0.6 s between turns."""


@dataclass
class Console:
    """A running engine's pages, its database and one browser."""

    browser: Browser
    home: str
    house: House
    complaints: list[str] = field(default_factory=list)

    @contextlib.asynccontextmanager
    async def page(self, name: str, width: int = 1280, scheme: str = "light", language: str = "en-GB") -> AsyncIterator[Page]:
        """The page on which somebody has signed in."""
        async with self.newcomer(width, scheme, language) as page:
            await page.locator("input[name=name]").fill(name)
            await page.locator("input[name=password]").fill(PASSWORD)
            await page.keyboard.press("Enter")
            await expect(page.locator(".person")).to_have_text(name)
            yield page

    @contextlib.asynccontextmanager
    async def newcomer(self, width: int = 1280, scheme: str = "light", language: str = "en-GB") -> AsyncIterator[Page]:
        """The page on which one signs in; whatever it complains of or loads from elsewhere fails the test."""
        context = await self.browser.new_context(
            viewport={"width": width, "height": 900},
            locale=language,
            color_scheme=scheme,  # type: ignore[arg-type]
        )
        page = await context.new_page()
        page.on("console", lambda said: self.complaints.extend([said.text] if said.type in {"error", "warning"} else []))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on(
            "request", lambda asked: self.complaints.extend([] if asked.url.startswith((self.home, "data:")) else [asked.url])
        )
        await page.goto(f"{self.home}/sign-in")
        yield page
        await context.close()

    def heard(self) -> Sequence[tuple[str, str]]:
        return [(entry.who, entry.subject) for entry, _ in self.house.trail.rows(AskedTrail(what=Deed.HEARD))]


@pytest.fixture
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EchoEngine]:
    """Its database has four calls, two people, and what calls are found by; a test that overrules a verdict does so for itself."""
    engine, folder = EchoEngine(), tmp_path_factory.mktemp("qa")
    engine.config = engine.config.model_copy(update={"qa": QualitySection(folder=folder)})
    database = connect(engine.config.store.database)
    for name, role in PEOPLE.items():
        House.of(database).accounts.add(Actor("shell:test"), Principal(PersonId(name), frozenset({role})), PASSWORD)
    for made in (CALL, *OTHERS):
        keep(database, folder, made)
    list(Indexer(database, folder).catch_up())
    yield engine
    database.dispose()


@contextlib.asynccontextmanager
async def console_of(engine: EchoEngine) -> AsyncIterator[Console]:
    program = shutil.which("chromium")
    if program is None:
        missing("Chromium")
    database = connect(engine.config.store.database)
    async with opened(engine) as doors, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        console = Console(browser, doors["phone"].removesuffix("/phone"), House.of(database))
        yield console
        await browser.close()
    database.dispose()
    assert console.complaints == []


async def mean(console: Console, page: Page) -> float:
    await page.goto(f"{console.home}/quality")
    return float((await page.locator("#mean").inner_text()).split()[0])


async def until(page: Page, condition: str) -> None:
    """Wait for something of the page's sound; Playwright's own way would have the page run a text, which its policy forbids."""
    for _ in range(600):
        if await page.evaluate(f"(sound => {condition})(document.getElementById('sound'))"):
            return
        await page.wait_for_timeout(50)
    raise AssertionError(f"expected of the sound: {condition}")


async def played_from(page: Page, before: str = "Infinity") -> float:
    """The first second that was played, ``before`` a time: the sound itself keeps it, however late we look."""
    await until(page, f"sound.played.length > 0 && sound.played.start(0) < {before}")
    return float(await page.evaluate("document.getElementById('sound').played.start(0)"))


async def test_a_lead_finds_a_call_hears_the_evidence_overrules_it_and_the_trend_changes(
    engine: EchoEngine, tmp_path: Path
) -> None:
    async with console_of(engine) as console, console.page("lena") as page:
        before = await mean(console, page)
        await page.get_by_role("link", name="Calls", exact=True).click()
        await page.get_by_role("link", name="Yesterday").click()
        await page.get_by_role("searchbox").fill("debit card")
        await page.keyboard.press("Enter")
        await expect(page.locator("mark")).to_have_text(["debit", "card"])
        await page.locator(".found tbody a").first.click()
        question = page.locator("#verifies")
        await expect(question.get_by_text("Does the agent verify who it is?")).to_be_visible()
        silent = console.heard()
        await question.locator("button.at").first.click()
        at = await played_from(page)
        await page.screenshot(path=tmp_path / "call.png", full_page=True)
        await page.locator(".w", has_text="blocked").first.click()
        word = await played_from(page, before="14")
        await question.get_by_text("Overrule").click()
        await question.get_by_label("Right verdict").select_option("pass")
        await question.get_by_label("Why").fill("she asked for the date of birth at the door")
        await question.get_by_role("button", name="Keep this verdict").click()
        await expect(page.locator("#verifies")).to_contain_text("lena says so")
        after = await mean(console, page)
        await page.screenshot(path=tmp_path / "quality.png", full_page=True)
        row = page.locator("#trend ~ details tr", has_text=f"{YESTERDAY.date()}").locator("td")
        await page.get_by_text("The same as a table").click()
        [_, calls, points, fatal] = await row.all_inner_texts()

    assert EVIDENCE_AT - 0.3 <= at <= EVIDENCE_AT + 0.3
    assert 12.0 <= word < 14.0
    assert (before, after) == (75.0, 100.0)
    assert (calls, points.split()[0], fatal) == ("3", "100.0", "0")
    assert console.heard() == [*silent, ("lena", f"call {CALL.content}")]  # to look at a call is not to hear it
    assert list(console.house.trail.breaks()) == []


async def test_a_silent_agent_opens_none_of_it(engine: EchoEngine) -> None:
    paths = ("/calls", f"/calls/{CALL.content}", f"/calls/{CALL.content}/sound", f"/calls/{CALL.content}/waveform", "/quality")
    async with console_of(engine) as console, console.page("boris") as page:
        links = await page.locator("nav a").all_inner_texts()
        found = [answer.status if (answer := await page.goto(f"{console.home}{path}")) else 0 for path in paths]
        console.complaints.clear()  # the browser tells of every 403

    assert found == [403] * len(paths)
    assert not {"Calls", "Quality", "Live"} & set(links)
    assert all(who == "lena" for who, _ in console.heard())


@pytest.mark.parametrize(
    ("width", "scheme", "language"), [(390, "dark", "ru-RU"), (1280, "light", "zh-CN"), (1280, "dark", "en-GB")]
)
async def test_nothing_sticks_out_of_a_narrow_or_a_wide_window(
    engine: EchoEngine, width: int, scheme: str, language: str, tmp_path: Path
) -> None:
    paths = (
        "/calls",
        "/calls?q=%E4%BF%A1%E7%94%A8",
        "/calls?fatal=1",
        f"/calls/{CALL.content}",
        "/quality",
        "/quality/waiting",
        "/quality/appeals",
    )
    async with console_of(engine) as console, console.page("lena", width, scheme, language) as page:
        for number, path in enumerate(paths):
            await page.goto(f"{console.home}{path}")
            await page.screenshot(path=tmp_path / f"{number}-{width}-{scheme}.png", full_page=True)

            assert await page.evaluate("document.documentElement.scrollWidth") <= width, path


async def test_everything_can_be_done_with_keys(engine: EchoEngine) -> None:
    async with console_of(engine) as console, console.page("lena") as page:
        await page.goto(f"{console.home}/calls/{CALL.content}#t=10")
        await expect(page.locator("#wave")).to_have_attribute("aria-valuenow", "10")
        await page.locator("#wave").focus()
        await page.keyboard.press("ArrowLeft")
        await expect(page.locator("#wave")).to_have_attribute("aria-valuenow", "5")
        await page.keyboard.press("Space")
        assert 5.0 <= await played_from(page) < 5.3
        await page.keyboard.press("Space")
        await until(page, "sound.paused")
        await page.locator(".turn button.at").nth(2).focus()
        await page.keyboard.press("Enter")
        await until(page, "sound.currentTime > 13")


_FOCUSED = """() => {
  const it = document.activeElement, box = it.getBoundingClientRect(), style = getComputedStyle(it);
  const drawn = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1;
  const seen = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
  const what = `${it.tagName} ${it.id || it.name || it.textContent.trim().slice(0, 20)}`;
  return it === document.body || (drawn && seen) ? "" : `${what}: ${drawn ? "out of sight" : "no outline"}`;
}"""


async def tabbed_to(page: Page, place: str) -> None:
    """Press Tab until the focus is there; it is to be seen on the whole way."""
    for _ in range(150):
        await page.keyboard.press("Tab")
        assert await page.evaluate(_FOCUSED) == ""
        if await page.evaluate(f"document.activeElement.matches({place!r})"):
            return
    raise AssertionError(f"expected to come to {place} by Tab")


async def test_a_lead_signs_in_and_overrules_a_verdict_with_the_keyboard_alone(engine: EchoEngine) -> None:
    async with console_of(engine) as console, console.newcomer() as page:
        for field, value in (("name", "lena"), ("password", PASSWORD)):
            if not await page.evaluate(f"document.activeElement.matches('input[name={field}]')"):
                await tabbed_to(page, f"input[name={field}]")
            await page.keyboard.type(value)
        await page.keyboard.press("Enter")
        await expect(page.locator(".person")).to_have_text("lena")
        await page.goto(f"{console.home}/quality")
        await tabbed_to(page, "nav a[href='/calls']")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("searchbox")).to_be_visible()
        await tabbed_to(page, "input[type=search]")
        await page.keyboard.type("debit card")
        await page.keyboard.press("Enter")
        await expect(page.locator("mark").first).to_be_visible()
        await tabbed_to(page, ".found tbody a")
        await page.keyboard.press("Enter")
        await expect(page.locator("#verifies")).to_be_visible()
        await tabbed_to(page, "#verifies button.at")
        await page.keyboard.press("Enter")
        at = await played_from(page)
        await page.keyboard.press("Space")  # on the same button: it is heard again
        await tabbed_to(page, "#verifies summary")
        await page.keyboard.press("Space")
        await tabbed_to(page, "#verifies select")
        for key in ("Home", *["ArrowDown"] * 4):
            if await page.locator("#verifies select").input_value() != "pass":
                await page.keyboard.press(key)
        await tabbed_to(page, "#verifies :is(textarea, input[name=why])")
        await page.keyboard.type("she asked for the date of birth")
        await tabbed_to(page, "#verifies form button")
        await page.keyboard.press("Enter")
        await expect(page.locator("#verifies")).to_contain_text("lena says so")

    assert EVIDENCE_AT - 0.3 <= at <= EVIDENCE_AT + 0.3
