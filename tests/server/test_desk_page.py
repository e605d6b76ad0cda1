"""The desk's page in Chromium, with tasks made by hand: what its keys do, and what it shows when a task goes."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from engine.assist.tasks import Answer, CantTell, Picked, TaskId, Typed, Value
from engine.core.call import CallId
from tests.conftest import missing
from tests.server.test_desk_door import Bank, bank_open, folder, task

__all__ = ["folder"]  # a fixture

PATIENCE_MS = 30_000  # a busy machine takes its time
SETTLED_MS = 350  # before that, keys are taken for the phrase before


@contextlib.asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    program = shutil.which("chromium")
    if program is None:
        missing("Chromium")
    expect.set_options(timeout=PATIENCE_MS)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        await browser.close()


@contextlib.asynccontextmanager
async def desk(folder: Path, scheme: Literal["light", "dark"] = "light") -> AsyncIterator[tuple[Bank, Page]]:
    """Signed in; whatever the page complains of fails the test."""
    complaints: list[str] = []
    async with bank_open(folder) as (bank, address), chromium() as browser:
        context = await browser.new_context(
            viewport={"width": 1280, "height": 800}, color_scheme=scheme, extra_http_headers=bank.shown_by()
        )
        page = await context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.extend([said.text] if said.type in {"error", "warning"} else []))
        await page.goto(address.replace("ws://", "http://").removesuffix("/ws"))
        await sign_in(page)
        yield bank, page
    assert complaints == []


async def sign_in(page: Page) -> None:
    await page.get_by_role("button", name="Begin").click()
    await expect(page.get_by_role("status")).to_have_text("Ready, anna.")


async def phrase_shown(page: Page) -> None:
    await expect(page.get_by_role("status")).to_have_text("A phrase.")
    await page.wait_for_timeout(SETTLED_MS)


@pytest.mark.parametrize(
    ("keys", "answer"),
    [
        (["1"], Picked("lost_card")),
        (["2"], Picked("operator")),
        (["t", "a", "l", "Enter"], Picked("operator")),
        (["c", "a", "r", "Enter"], Picked("lost_card")),
        (["x", "y", "Enter"], Typed("xy")),
        (["c", "a", "r", "Shift+Enter"], Typed("car")),
        (["0"], CantTell()),
        (["Escape"], CantTell()),
        (["c", "Escape", "2"], Picked("operator")),
        (["Space", ".", ",", ",", "1"], Picked("lost_card")),
    ],
    ids=str,
)
async def test_keys_answer(keys: list[str], answer: Answer, folder: Path) -> None:
    async with desk(folder) as (bank, page):
        given = await bank.ask(task(within=15.0))
        await phrase_shown(page)
        for key in keys:
            await page.keyboard.press(key)
        await expect(page.get_by_role("status")).to_have_text("Taken.")

    assert given.result().answer == answer


async def test_a_value_is_written_in_its_own_field_and_a_wrong_one_is_not_sent(folder: Path) -> None:
    async with desk(folder) as (bank, page):
        given = await bank.ask(task(within=15.0, value="amount"))
        await phrase_shown(page)
        await page.keyboard.type("12,5")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("status")).to_contain_text("Expected: the amount they said")
        assert not given.done()
        await page.keyboard.press("Escape")
        await page.keyboard.type("12 EUR")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("status")).to_have_text("Taken.")

    assert given.result().answer == Value("12.00 EUR")


async def test_keys_meant_for_the_phrase_before_do_nothing(folder: Path) -> None:
    async with desk(folder) as (bank, page):
        await page.evaluate(
            """() => new MutationObserver(() => document.activeElement.dispatchEvent(
                 new KeyboardEvent("keydown", { key: "1", bubbles: true }))).observe(
                 document.getElementById("status"), { childList: true })"""
        )
        given = await bank.ask(task(within=15.0))
        await phrase_shown(page)

        assert not given.done()


async def test_a_phrase_that_is_taken_back_says_why_and_clears(folder: Path) -> None:
    async with desk(folder) as (bank, page):
        await bank.ask(task(within=15.0))
        await phrase_shown(page)
        await bank.board.withdraw(TaskId(CallId("call"), 1))

        await expect(page.get_by_role("status")).to_have_text("The caller went on.")
        await expect(page.get_by_role("heading", name="Nothing to hear just now")).to_be_visible()
        await expect(page.get_by_text("block a lost card")).not_to_be_visible()


async def test_a_second_page_closes_the_first(folder: Path) -> None:
    async with desk(folder) as (_, page):
        second = await page.context.new_page()
        await second.goto(page.url)
        await sign_in(second)

        await expect(page.get_by_role("status")).to_have_text("You have opened your desk on another page; this one is closed.")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_everything_has_a_name_for_who_can_not_see_it(
    scheme: Literal["light", "dark"], folder: Path, tmp_path: Path
) -> None:
    async with desk(folder, scheme) as (bank, page):
        await bank.ask(task(within=15.0, value="amount"))
        await phrase_shown(page)
        await page.screenshot(path=tmp_path / f"desk-{scheme}.png")

        assert [
            await button.inner_text() for button in await page.get_by_role("button").all() if not await button.inner_text()
        ] == []
        for name in ("The amount they said, such as 12.30 or 12.30 EUR", "What they want, or their words"):
            await expect(page.get_by_label(name)).to_be_visible()
        await expect(page.get_by_role("timer", name="Seconds left")).to_be_visible()
