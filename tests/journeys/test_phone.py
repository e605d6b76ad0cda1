"""The phone in the browser, by Chromium with a microphone that plays a file."""

from __future__ import annotations

import shutil
import wave
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from engine.core.audio import joined, silence
from engine.core.units import Seconds
from tests.conftest import missing
from tests.journeys.bank import PASSWORD, Installation, Voices

pytestmark = pytest.mark.model

SWITCHES = (
    "--no-sandbox",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--disable-background-networking",
    "--disable-component-update",
)
NEWEST = ""  # every call's name begins with it, and the newest comes first
PATIENCE_MS = 60_000  # a busy machine takes its time
EARLIER = Seconds(2.2)  # the welcome's length and a breath


@pytest.fixture(scope="module")
def microphone(voices: Voices, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A breath, a question, silence."""
    sound = joined([silence(EARLIER), voices("When are you open?"), silence(Seconds(30.0))])
    path = tmp_path_factory.mktemp("microphone") / "question.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, sound.format.rate_hz, 0, "NONE", ""))
        file.writeframes(sound.samples.tobytes())
    return path


@pytest.fixture(scope="module")
def chromium(microphone: Path) -> Iterator[Browser]:
    program = shutil.which("chromium")
    if program is None:
        missing("Chromium")
    with sync_playwright() as playwright:
        switches = [*SWITCHES, f"--use-file-for-fake-audio-capture={microphone}%noloop"]
        browser = playwright.chromium.launch(executable_path=program, args=switches)
        yield browser
        browser.close()


@pytest.fixture
def complaints() -> list[str]:
    return []


@pytest.fixture
def page(chromium: Browser, bank: Installation, complaints: list[str]) -> Iterator[Page]:
    """The phone, opened; whatever it complains of or loads from elsewhere fails the test."""
    home = bank.doors["phone"].removesuffix("/phone")

    def console(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            complaints.append(message.text)

    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.on("console", console)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: request.url.startswith(home) or complaints.append(f"asks for {request.url}"))
    page.goto(bank.doors["phone"])
    page.get_by_label("Name").fill("dora")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("Ready to call.", timeout=PATIENCE_MS)
    yield page
    context.close()
    assert complaints == []


def called(page: Page) -> None:
    page.get_by_role("button", name="Call", exact=True).click()
    expect(page.get_by_role("status")).to_have_text("Connected: speak, or press keys.", timeout=PATIENCE_MS)


def test_who_speaks_to_the_page_sees_what_was_heard_and_decided(page: Page) -> None:
    called(page)
    steps = page.get_by_role("log")

    expect(steps).to_contain_text("jump → opening_hours", timeout=PATIENCE_MS)
    expect(steps.locator(".caller .text").last).to_contain_text("open")
    expect(steps).to_contain_text("We are open from nine to five.")
    expect(page.get_by_role("status")).to_have_text("The call has ended.", timeout=PATIENCE_MS)
    expect(page.get_by_role("button", name="Call", exact=True)).to_be_enabled()
    expect(page.get_by_role("button", name="Hang up")).to_be_disabled()


def test_the_pages_keypad_leads_to_a_person_and_the_page_says_where_to(page: Page) -> None:
    called(page)
    page.get_by_role("group", name="Keypad").get_by_role("button", name="0").click()

    expect(page.get_by_role("log")).to_contain_text("[0]")
    expect(page.get_by_role("status")).to_have_text("The engine has transferred you to operators.", timeout=PATIENCE_MS)


def test_keys_of_the_keyboard_count_and_hanging_up_ends_the_call(page: Page, bank: Installation) -> None:
    called(page)
    page.keyboard.press("3")
    expect(page.get_by_role("log")).to_contain_text("opening_hours")
    page.get_by_role("button", name="Hang up").click()

    expect(page.get_by_role("status")).to_have_text("You hung up.")
    expect(page.get_by_role("group", name="Keypad").get_by_role("button", name="3")).to_be_disabled()
    assert bank.told(NEWEST).row.outcome == "caller_hung_up"


def test_without_a_microphone_the_page_says_so_and_can_be_tried_again(page: Page) -> None:
    page.evaluate("() => { navigator.mediaDevices.getUserMedia = () => Promise.reject(new Error('none is plugged in')) }")
    page.get_by_role("button", name="Call", exact=True).click()

    expect(page.get_by_role("status")).to_have_text("No microphone: none is plugged in")
    expect(page.get_by_role("button", name="Call", exact=True)).to_be_enabled()


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_sticks_out_of_a_narrow_or_a_wide_window(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    called(page)
    expect(page.get_by_role("log")).to_contain_text("Welcome.")

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for button in page.get_by_role("button").all():
        box = button.bounding_box()
        assert box is not None
        assert 0 <= box["x"] <= box["x"] + box["width"] <= width
        assert box["height"] >= 40  # a thumb's
