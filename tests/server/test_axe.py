"""Every page by axe-core, light and dark, with a made-up day behind it: nothing serious, nothing critical."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from engine.access.permissions import Role
from engine.config import MAIN, QualitySection
from engine.ivr.files import load_flow
from engine.server.reception import COOKIE
from engine.store.database import connect
from tests.screens import PAGES, ROOT, day
from tests.server.axe import stumbles
from tests.server.doubles import EchoEngine, opened, signed_in
from tests.server.test_desk_door import folder, task
from tests.server.test_desk_page import chromium, desk, phrase_shown

__all__ = ["folder"]  # a fixture

BESIDE = {"waiting": "/quality/waiting", "appeals": "/quality/appeals", "password": "/password", "nothing": "/nothing"}
"""Pages of which there is no picture."""


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[EchoEngine, str]]:
    """An engine with a day behind it, and the address of a call."""
    kept = tmp_path_factory.mktemp("quality")
    engine = EchoEngine()
    engine.config = engine.config.model_copy(update={"qa": QualitySection(folder=kept)})
    flow = load_flow(ROOT / "examples" / "bank" / "flow.yaml")
    engine.flows, engine.languages = {MAIN: flow}, flow.languages
    database = connect(engine.config.store.database)
    yield engine, day(engine, database, kept)
    database.dispose()


async def test_axe_finds_nothing_serious_on_any_page_in_light_or_dark(busy: tuple[EchoEngine, str]) -> None:
    engine, call = busy
    secret = signed_in(engine.config.store.database, "olga", tuple(Role))["Cookie"].partition("=")[2]
    found: dict[str, list[str]] = {}
    async with opened(engine) as doors, chromium() as browser:
        root = doors["phone"].removesuffix("/phone")
        context = await browser.new_context(reduced_motion="reduce")
        await context.add_cookies([{"name": COOKIE, "value": secret, "url": root}])
        page = await context.new_page()
        for name, path in {**PAGES, **BESIDE}.items():
            await page.goto(root + (path or call))
            if path == "/live":
                await expect(page.locator("main article").first).to_be_visible()
            found[name] = await in_light_and_dark(page)

    assert {name: those for name, those in found.items() if those} == {}


async def test_axe_finds_nothing_serious_at_the_desk(folder: Path) -> None:
    async with desk(folder) as (bank, page):
        waiting = await in_light_and_dark(page)
        await bank.ask(task(within=30.0))
        await phrase_shown(page)

        assert (waiting, await in_light_and_dark(page)) == ([], [])


async def in_light_and_dark(page: Page) -> list[str]:
    await page.emulate_media(color_scheme="light")
    light = await stumbles(page)
    await page.emulate_media(color_scheme="dark")
    return [*light, *await stumbles(page)]


async def test_axe_is_heard_where_something_is_wrong() -> None:
    async with chromium() as browser:
        page = await browser.new_page()
        await page.set_content("<title>x</title><main><button></button><p style='color: #ccc; background: #fff'>pale</p></main>")

        assert {line.split()[1] for line in await stumbles(page)} >= {"button-name:", "color-contrast:"}
