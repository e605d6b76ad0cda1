"""Finding calls, and one call's page, over HTTP."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import cast

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from engine.access.deeds import Deed
from engine.access.permissions import Role
from engine.config import QualitySection
from engine.runtime.engine import Engine
from engine.runtime.indexing import Indexer
from engine.server.app import http_app
from engine.server.reception import Reception
from engine.store.audit import Asked as AskedTrail
from engine.store.database import connect
from engine.store.finding import Finding, Wanted
from engine.store.house import House
from engine.store.quality_models import RecordingRow
from engine.testing.found_calls import CARD, Asked, Made, keep
from tests import databases
from tests.server.doubles import EchoEngine, add_person, house_at, signed_in

OWN = {"Sec-Fetch-Site": "same-origin"}
BEGAN = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{7*7}}"
GREETS = Asked("greets", "Does the agent greet?", "pass", 0)
VERIFIES = Asked("verifies", "Does the agent verify who it is?", "fail", 2, "card")
LOST = Made(
    BEGAN,
    [("agent", "good morning how can I help"), ("caller", "I lost my debit card yesterday"), ("agent", "no problem at all")],
    [GREETS, VERIFIES],
    {"agent": "ada", "team": "Cards", "queue": "cards", "direction": "inbound"},
)
LOAN = Made(BEGAN + timedelta(hours=1), [("caller", "about my loan")], [GREETS], {"agent": "ben", "team": "Loans"})
CHINESE = Made(BEGAN + timedelta(hours=2), [("caller", "我想办信用卡")], facts={"team": "客服"}, language="zh")
WICKED = Made(
    BEGAN + timedelta(hours=3),
    [("caller", f"wicked {EVIL} words")],
    [Asked("q", EVIL, "fail", 0)],
    {"agent": EVIL, "team": EVIL, "queue": EVIL, "call_id": EVIL, "outcome": EVIL, EVIL: EVIL},
)


class Console:
    """A client for the pages, and what stands behind them."""

    def __init__(self, client: TestClient, address: str, house: House, folder: Path) -> None:
        self.client, self.address, self.house, self.folder = client, address, house, folder
        self.shown: Mapping[str, str] = {**self.as_("lead", Role.QA_LEAD), **OWN}

    def as_(self, name: str, *roles: Role, teams: str = "[]") -> dict[str, str]:
        shown = {**signed_in(self.address, name, roles), **OWN}
        add_person(self.address, name, roles, teams)
        return shown

    def get(self, path: str, shown: Mapping[str, str] | None = None, **more: str) -> str:
        answer = self.client.get(path, headers={**(shown or self.shown), **more})
        assert answer.status_code == 200, answer.text
        return answer.text

    def found(self, query: str, shown: Mapping[str, str] | None = None) -> list[str]:
        text = self.get(f"/calls?{query}", shown)
        return re.findall(r'<td><a href="/calls/([0-9a-f]{64})">', text)

    def deeds(self, what: Deed) -> list[tuple[str, str]]:
        return [(entry.who, entry.subject) for entry, _ in self.house.trail.rows(AskedTrail(what=what))]

    def post(self, path: str, shown: Mapping[str, str] | None = None, **fields: str) -> int:
        return self.client.post(path, data=fields, headers=dict(shown or self.shown), follow_redirects=False).status_code


@contextmanager
def console_with(folder: Path, *calls: Made) -> Iterator[Console]:
    engine = EchoEngine()
    engine.config = engine.config.model_copy(update={"qa": QualitySection(folder=folder)})
    database = connect(engine.config.store.database)
    for call in calls:
        keep(database, folder, call)
    list(Indexer(database, folder).catch_up())
    address = engine.config.store.database
    with house_at(address) as house, TestClient(http_app(cast("Engine", engine), Reception(house=house))) as client:
        yield Console(client, address, house, folder)
    database.dispose()


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    with console_with(tmp_path, LOST, LOAN, CHINESE) as console:
        yield console


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """One for all tests that change nothing."""
    with console_with(tmp_path_factory.mktemp("qa"), LOST, LOAN, CHINESE) as console:
        yield console


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=debit+card", [LOST]), ("q=%E4%BF%A1%E7%94%A8", [CHINESE]), ("", [CHINESE, LOAN, LOST]), ("q=nothing+said", []),
        ("team=Cards", [LOST]), ("agent=ben", [LOAN]), ("language=zh", [CHINESE]), (f"failed={CARD}%7Cverifies", [LOST]),
        ("fatal=1", [LOST]), ("below=50", [LOST]), ("since=2026-11-21", []), ("until=2026-11-21&q=loan", [LOAN]),
    ],
)  # fmt: skip
def test_calls_are_found_by_words_and_filters(shown: Console, query: str, found: list[Made]) -> None:
    assert shown.found(query) == [it.content for it in found]


def test_what_was_looked_for_is_shown_where_it_was_said(shown: Console) -> None:
    text = shown.get("/calls?q=debit+card")

    assert f'/calls/{LOST.content}#t=3.5">0:03</a>' in text
    assert "<mark>debit</mark> <mark>card</mark>" in text


@pytest.mark.parametrize(
    "query", ["since=yesterday", "since=0001-01-01", "until=2026-99-99", "below=low", "below=1e3", "before=x", "before=" + "9" * 30, "below=٣"]
)  # fmt: skip
def test_a_filter_that_cannot_be_read_is_told_and_finds_nothing(shown: Console, query: str) -> None:
    answer = shown.client.get(f"/calls?{query}", headers=dict(shown.shown))

    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert LOST.content not in answer.text


def test_a_page_leads_to_the_older_calls(tmp_path: Path) -> None:
    calls = [Made(BEGAN + timedelta(minutes=place), [("caller", f"word number {place}")]) for place in range(65)]
    with console_with(tmp_path, *calls) as console:
        seen: list[str] = []
        path: str | None = "q=word"
        while path is not None:
            seen += console.found(path)
            older = re.search(r'href="/calls\?([^"]+)" rel="next"', console.get(f"/calls?{path}"))
            path = unescape(older[1]) if older else None

    assert seen == [call.content for call in reversed(calls)]


def test_a_call_shows_its_words_verdicts_and_evidence(shown: Console) -> None:
    text = shown.get(f"/calls/{LOST.content}")

    assert 'data-at="5.50">debit</span>' not in text  # the third word of the second turn
    assert re.search(r'data-at="[\d.]+">debit</span>', text)
    assert "Does the agent verify who it is?" in text
    assert 'class="at" data-at="6.90"' in text.replace("  ", " ") or "no problem at all" in text
    assert f'src="/calls/{LOST.content}/sound"' in text


@pytest.mark.parametrize(
    ("wanted", "status", "span"),
    [
        ("", 200, None), ("bytes=0-", 206, (0, None)), ("bytes=100-199", 206, (100, 199)), ("bytes=-50", 206, (-50, None)),
        ("bytes=44-99999999999", 206, (44, None)), ("bytes=99999999-", 416, None), ("bytes=5-2", 200, None), ("bytes=-", 200, None),
        ("bytes=0-1,3-4", 200, None), ("chunks=1-2", 200, None), ("bytes=" + "9" * 40 + "-", 200, None), ("bytes=-0", 416, None),
    ],
)  # fmt: skip
def test_sound_is_given_whole_or_in_part(shown: Console, wanted: str, status: int, span: tuple[int, int | None] | None) -> None:
    whole = (shown.folder / f"sound/{LOST.content}.wav").read_bytes()
    answer = shown.client.get(f"/calls/{LOST.content}/sound", headers={**shown.shown, "Range": wanted})

    assert answer.status_code == status
    if span is not None:
        first = span[0] % len(whole)
        last = len(whole) - 1 if span[1] is None else span[1]
        assert answer.content == whole[first : last + 1]
        assert answer.headers["content-range"] == f"bytes {first}-{last}/{len(whole)}"
    elif status == 200:
        assert answer.content == whole


def test_each_playback_is_kept_and_the_parts_of_one_are_one(console: Console) -> None:
    for wanted in ("bytes=0-", "bytes=100-", "bytes=200-"):
        console.client.get(f"/calls/{LOST.content}/sound", headers={**console.shown, "Range": wanted})
    console.client.get(f"/calls/{LOAN.content}/sound", headers=dict(console.shown))
    console.client.get(f"/calls/{LOST.content}/sound", headers=console.as_("other", Role.SUPERVISOR))

    heard = [("other", f"call {LOST.content}"), ("lead", f"call {LOAN.content}"), ("lead", f"call {LOST.content}")]
    assert sorted(console.deeds(Deed.HEARD)) == sorted(heard)


def test_the_waveform_is_as_long_as_the_sound(shown: Console) -> None:
    shape = shown.client.get(f"/calls/{LOST.content}/waveform", headers=dict(shown.shown)).json()

    assert len(shape["channels"]) == 2
    assert {len(row) for row in shape["channels"]} == {1200}
    assert max(shape["channels"][0]) > 30
    assert shape["channels"][0][0] == 0


def test_who_is_bound_to_a_team_sees_and_hears_no_other(console: Console) -> None:
    bound = console.as_("bound", Role.QA_LEAD, teams='["Loans"]')
    for path in ("", "/sound", "/waveform"):
        assert console.client.get(f"/calls/{LOST.content}{path}", headers=bound).status_code == 404
        assert console.client.get(f"/calls/{LOAN.content}{path}", headers=bound).status_code == 200

    assert console.post(f"/calls/{LOST.content}/verdicts", bound, card=CARD, question="greets", verdict="pass", why="x") == 404
    assert console.found("", bound) == [LOAN.content]
    assert "Cards" not in console.get("/calls", bound)
    assert ("bound", f"call {LOST.content}") in console.deeds(Deed.REFUSED)


def test_a_silent_agent_opens_none_of_it(shown: Console) -> None:
    agent = shown.as_("boris", Role.SILENT_AGENT)
    paths = ["/calls", f"/calls/{LOST.content}", f"/calls/{LOST.content}/sound", f"/calls/{LOST.content}/waveform"]

    assert [shown.client.get(path, headers=agent).status_code for path in paths] == [403] * 4
    assert shown.post(f"/calls/{LOST.content}/verdicts", agent, verdict="pass") == 403
    assert shown.post(f"/calls/{LOST.content}/appeals", agent, why="x") == 403


def test_a_verdict_is_overruled_with_a_reason_and_counts_at_once(console: Console) -> None:
    path = f"/calls/{LOST.content}/verdicts"

    assert console.found("fatal=1") == [LOST.content]
    assert console.post(path, card=CARD, question="verifies", verdict="pass", why="she gave her birthday") == 303
    assert console.found("fatal=1") == []
    [kept] = [it for it in Finding(console.house.trail.database).calls(Wanted()) if it.content == LOST.content]
    assert kept.points == 100.0
    assert "she gave her birthday" in console.get(f"/calls/{LOST.content}")
    assert ("lead", f"call {LOST.content}") in console.deeds(Deed.CHANGED)


@pytest.mark.parametrize(
    "fields",
    [
        {"card": CARD, "question": "verifies", "verdict": "pass", "why": "  "},
        {"card": CARD, "question": "verifies", "verdict": "perhaps", "why": "x"},
        {"card": CARD, "question": "nobody asked", "verdict": "pass", "why": "x"},
        {"card": "' OR 1=1", "question": "verifies", "verdict": "pass", "why": "x"},
        {"verdict": "pass"},
    ],
)
def test_a_verdict_against_the_rules_is_refused_and_changes_nothing(shown: Console, fields: dict[str, str]) -> None:
    assert shown.post(f"/calls/{LOST.content}/verdicts", **fields) == 422
    assert shown.found("fatal=1") == [LOST.content]
    assert shown.deeds(Deed.CHANGED) == []


def test_nobody_overrules_a_verdict_on_their_own_call(console: Console) -> None:
    own = console.as_("ada", Role.QA_LEAD)

    assert console.post(f"/calls/{LOST.content}/verdicts", own, card=CARD, question="verifies", verdict="pass", why="x") == 422


def test_a_supervisor_objects_once(tmp_path: Path) -> None:
    recent = Made(datetime.now(UTC) - timedelta(days=1), LOST.said, LOST.asked, LOST.facts)
    with console_with(tmp_path, recent) as console:
        boss = console.as_("boss", Role.SUPERVISOR)
        path = f"/calls/{recent.content}/appeals"
        fields = {"card": CARD, "question": "verifies", "why": "it was said before"}
        first, second = (console.post(path, boss, **fields) for _ in range(2))

        assert (first, second) == (303, 422)
        assert "it was said before" in console.get(f"/calls/{recent.content}")


def test_numbers_in_a_reason_are_masked(console: Console) -> None:
    fields = {"card": CARD, "question": "verifies", "verdict": "pass", "why": "card 4539 5787 6362 1486 was said"}
    console.post(f"/calls/{LOST.content}/verdicts", **fields)

    assert "4539" not in console.get(f"/calls/{LOST.content}")


def test_nothing_that_others_wrote_becomes_part_of_a_page(tmp_path: Path) -> None:
    with console_with(tmp_path, WICKED) as console:
        fields = {"card": CARD, "question": "q", "verdict": "pass", "why": EVIL}
        assert console.post(f"/calls/{WICKED.content}/verdicts", **fields) == 303
        pages = [
            console.get("/calls?q=wicked"),
            console.get(f"/calls/{WICKED.content}"),
            console.get(f"/calls?team={EVIL}&q={EVIL}"),
        ]

    for text in pages:
        assert "<img" not in text
        assert "<script>" not in text
        assert "{{7*7}}" in unescape(text)


@pytest.mark.parametrize("name", ["nobody", "..%2f..%2fetc%2fpasswd", "%00", "' OR '1'='1", "a" * 5000, "%f0%9f%92%a9"])
@pytest.mark.parametrize("part", ["", "/sound", "/waveform"])
def test_a_call_that_is_none_is_not_found(shown: Console, name: str, part: str) -> None:
    assert shown.client.get(f"/calls/{name}{part}", headers=dict(shown.shown)).status_code == 404


@pytest.mark.parametrize("kind", databases.KINDS)
def test_what_a_database_can_not_hold_is_the_askers_error_on_either_kind(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "chosen", kind)
    with console_with(tmp_path, LOST) as console:
        pages = [console.client.get(f"/calls{what}", headers=dict(console.shown)) for what in ("/%00", "?q=%00", "?agent=%00")]
        api = console.client.get("/api/v1/kept-calls/%00", headers=dict(console.shown))

    assert pages[0].status_code == 404
    assert {page.status_code for page in pages[1:]} <= {200, 404}
    assert api.status_code in {404, 422}
    assert api.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("place", ["../../etc/passwd", "/etc/passwd", "sound/../../x.wav", "sound"])
def test_no_file_outside_the_folder_is_played(tmp_path: Path, place: str) -> None:
    (tmp_path / "x.wav").write_bytes(b"RIFF")
    with console_with(tmp_path / "qa", LOST) as console:
        with console.house.trail.database.begin() as connection:
            connection.execute(update(RecordingRow).values(audio=place))
        for part in ("sound", "waveform"):
            assert console.client.get(f"/calls/{LOST.content}/{part}", headers=dict(console.shown)).status_code == 404


@pytest.mark.parametrize("language", ["en", "ru", "zh"])
def test_the_pages_are_there_in_every_language(shown: Console, language: str) -> None:
    for path in ("/calls?q=card", f"/calls/{LOST.content}"):
        assert f'<html lang="{language}">' in shown.get(path, **{"Accept-Language": language})
