"""The report as a file, with sound; and in a browser, where one is here."""

from __future__ import annotations

import base64
import re
import shutil
from collections.abc import Iterator
from datetime import UTC
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine, select, update

from engine.audio.files import read, write_wav
from engine.audio.recording import Recording
from engine.core.audio import AudioFormat, AudioFrame
from engine.core.errors import ConfigError
from engine.core.units import Language
from engine.qa.report.tally import Step
from engine.qa.report.wording import Wording
from engine.runtime.quality.report import Wanted, write
from engine.store.database import connect
from engine.store.quality_models import RecordingRow, ScoreRow
from engine.store.quality_reading import Selection
from engine.testing.quality import fill
from tests.conftest import missing
from tests.databases import store_in

ENGLISH = Wording(Language("en"))
SECONDS = 30.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Quality control's folder, with one masked recording that all calls share."""
    folder = tmp_path_factory.mktemp("qa")
    at = np.arange(round(8_000 * SECONDS)) / 8_000
    tones = [AudioFrame((6000 * np.sin(2 * np.pi * hz * at)).astype(np.int16)) for hz in (300.0, 500.0)]
    write_wav(folder / "call.wav", Recording(tuple(tones), AudioFormat(8_000), "made"))
    return folder


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    engine = connect(store_in(tmp_path_factory.mktemp("quality")))
    fill(engine, 120, 3)
    with engine.begin() as connection:
        connection.execute(update(RecordingRow).values(audio="call.wav"))
    return engine


def wanted(**more: Any) -> Wanted:
    return Wanted(Selection(), UTC, worst=3, **more)


def test_the_worst_calls_can_be_heard_from_the_page_alone(filled: Engine, folder: Path, tmp_path: Path) -> None:
    written = write(filled, wanted(), folder, tmp_path / "r.html", ENGLISH)
    page = (tmp_path / "r.html").read_text("utf-8")
    sounds = re.findall(r'src="data:audio/ogg;base64,([^"]+)"', page)
    heard = read(BytesIO(base64.b64decode(sounds[0])))

    assert (written.within, written.beside) == (3, 0)
    assert len(sounds) == 3
    assert heard.duration == pytest.approx(SECONDS, abs=0.05)
    assert list(tmp_path.iterdir()) == [tmp_path / "r.html"]
    assert (tmp_path / "r.html").stat().st_mode & 0o777 == 0o600


def test_sound_beyond_the_budget_lies_beside_the_page(filled: Engine, folder: Path, tmp_path: Path) -> None:
    written = write(filled, wanted(sound_bytes=0), folder, tmp_path / "my report.html", ENGLISH)
    page = (tmp_path / "my report.html").read_text("utf-8")
    linked = set(re.findall(r'href="my%20report-sound/([0-9a-f]{32}\.ogg)(?:#t=[\d.]+)?"', page))

    assert (written.within, written.beside) == (0, 3)
    assert linked == {it.name for it in (tmp_path / "my report-sound").iterdir()}
    assert (tmp_path / "my report.html").stat().st_size < 200_000


@pytest.mark.parametrize("place", ["../outside.wav", "/etc/hostname", "gone.wav", "broken.wav"])
def test_a_place_outside_the_folder_or_without_sound_is_not_read(
    place: str, filled: Engine, folder: Path, tmp_path: Path
) -> None:
    shutil.copy(folder / "call.wav", folder.parent / "outside.wav")
    (folder / "broken.wav").write_text("not a sound")
    with filled.begin() as connection:
        connection.execute(update(RecordingRow).values(audio=place))
    try:
        written = write(filled, wanted(), folder, tmp_path / "r.html", ENGLISH)
    finally:
        with filled.begin() as connection:
            connection.execute(update(RecordingRow).values(audio="call.wav"))

    assert (written.within, written.beside) == (0, 0)
    assert "No sound is kept for this call." in (tmp_path / "r.html").read_text("utf-8")


def test_its_sums_are_the_databases(filled: Engine, folder: Path, tmp_path: Path) -> None:
    found = write(filled, wanted(), folder, tmp_path / "r.html", ENGLISH).findings
    with filled.connect() as connection:
        scores = connection.execute(select(ScoreRow.fatal)).all()

    assert found.standing.seen == 120
    assert found.whole.calls == len(scores) == found.standing.states["scored"]
    assert found.whole.fatal == sum(row.fatal for row in scores)
    assert sum(it.calls for it in found.agents.values()) == sum(it.calls for it in found.teams.values()) == len(scores)
    assert sum(it.calls for it in found.days.values()) == len(scores)


def test_a_long_time_is_told_by_weeks_and_a_short_one_by_days(filled: Engine, folder: Path, tmp_path: Path) -> None:
    long = write(filled, wanted(), folder, tmp_path / "r.html", ENGLISH).findings
    short = write(filled, wanted(step=Step.DAY), folder, tmp_path / "r.html", ENGLISH).findings

    assert long.step is Step.WEEK
    assert len(short.days) > len(long.days) > 5


def test_a_place_that_can_not_be_written_is_refused_before_anything_is_there(
    filled: Engine, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="expected a place that can be written"):
        write(filled, wanted(), folder, tmp_path / "file" / "r.html", ENGLISH)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium")
    if chromium is None:
        missing("Chromium")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]
        )
        yield opened
        opened.close()


_WATCH = """button => {
  const sound = document.getElementById(button.dataset.sound);
  window.heard = new Promise(done => sound.addEventListener("playing", () => done([sound.currentTime, button.className])));
}"""


@pytest.mark.slow
def test_a_browser_shows_it_offline_plays_from_the_place_and_asks_nobody(
    browser: Any, filled: Engine, folder: Path, tmp_path: Path
) -> None:
    write(filled, wanted(), folder, tmp_path / "r.html", ENGLISH)
    page = browser.new_page(viewport={"width": 390, "height": 800})
    complaints: list[str] = []
    page.on("console", lambda it: complaints.append(it.text))
    page.on("pageerror", lambda it: complaints.append(str(it)))
    page.on("request", lambda it: complaints.append(it.url) if not it.url.startswith(("file:", "data:")) else None)
    page.goto((tmp_path / "r.html").as_uri())
    place = next(it for it in page.locator("button[data-sound]").all() if 0 < float(it.get_attribute("data-from")) < SECONDS - 10)
    place.evaluate(_WATCH)
    place.focus()
    page.keyboard.press("Enter")
    at, style = page.evaluate("window.heard")  # waits for it; the page's policy forbids what polls for it

    assert at == pytest.approx(float(place.get_attribute("data-from")), abs=5)
    assert "playing" in style
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert complaints == []
