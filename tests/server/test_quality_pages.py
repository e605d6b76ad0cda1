"""The page Quality over HTTP: figures, what waits for a person, appeals."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from engine.access.permissions import Role
from engine.testing.found_calls import CARD, Asked, Made
from tests.server.test_calls_pages import EVIL, Console, console_with

NOW = datetime.now(UTC)


def made(day: int, team: str, agent: str, verdict: str, fatal: str = "no") -> Made:
    """A call of so many days ago, on which a card asked two questions."""
    asked = [Asked("greets", "Does the agent greet?", "pass", 0), Asked("verifies", "Verifies?", verdict, 0, fatal)]
    return Made(NOW - timedelta(days=day), [("agent", f"hello {team}")], asked, {"team": team, "agent": agent})


CALLS = [
    made(1, "Cards", "ada", "fail", "card"), made(2, "Cards", "ada", "pass"), made(9, "Loans", "ben", "fail"),
    made(10, "Loans", "cora", "unknown"), made(200, "Loans", "ben", "pass"),
]  # fmt: skip


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    with console_with(tmp_path_factory.mktemp("qa"), *CALLS) as console:
        yield console


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    with console_with(tmp_path, *CALLS) as console:
        yield console


def tile(text: str, name: str) -> str:
    found = re.search(rf'id="{name}">\s*([\d.]+)', text)
    assert found, text
    return found[1]


@pytest.mark.parametrize(
    ("query", "calls", "mean", "fatal"),
    [
        ("", 4, "62.5", 1), ("team=Cards", 2, "50.0", 1), ("agent=ben", 1, "50.0", 0), (f"card={CARD}&since=2020-01-01", 0, "", 0),
        (f"until={NOW.date() - timedelta(days=5)}", 2, "75.0", 0), (f"since={NOW.date() - timedelta(days=300)}", 5, "70.0", 1),
    ],
)  # fmt: skip
def test_figures_are_of_the_calls_that_were_chosen(shown: Console, query: str, calls: int, mean: str, fatal: int) -> None:
    if not calls:
        assert shown.client.get(f"/quality?{query}", headers=dict(shown.shown)).status_code == 422  # too many days
        return
    text = shown.get(f"/quality?{query}")

    assert (tile(text, "calls"), tile(text, "mean"), tile(text, "fatal")) == (str(calls), mean, str(fatal))


def test_every_call_is_in_one_point_of_the_trend(shown: Console) -> None:
    for since, weeks in ((27, False), (364, True)):
        text = shown.get(f"/quality?since={NOW.date() - timedelta(days=since)}")
        table = text.split("<details>")[1].split("</details>")[0]
        rows = re.findall(r"<tr><td>.*?(\d{4}-\d\d-\d\d).*?<td class=\"number\">(\d+)</td>", table)

        assert sum(int(often) for _, often in rows) == (5 if weeks else 4)
        assert len(rows) == (53 if weeks else 28)


def test_a_failed_question_leads_to_its_calls(shown: Console) -> None:
    link = re.search(r'href="(/calls\?[^"]+failed=[^"]+)"', shown.get("/quality"))

    assert link
    assert len(shown.found(link[1].replace("&amp;", "&").removeprefix("/calls?"))) == 2


def test_who_is_bound_to_a_team_sees_its_figures_alone(shown: Console) -> None:
    bound = shown.as_("bound", Role.SUPERVISOR, teams='["Loans"]')
    text = shown.get("/quality", bound)

    assert tile(text, "calls") == "2"
    assert "Cards" not in text
    assert "ada" not in shown.get("/quality/waiting", bound)


def test_calls_wait_until_somebody_gives_a_verdict(console: Console) -> None:
    fatal, unknown = CALLS[0].content, CALLS[3].content
    text = console.get("/quality/waiting")
    for call in (fatal, unknown):
        assert f"/calls/{call}" in text
        console.post(f"/calls/{call}/verdicts", card=CARD, question="verifies", verdict="fail", why="so it is")
    text = console.get("/quality/waiting")

    assert "/calls/" not in text.split("<main")[1]


def test_an_appeal_is_answered_by_another_person_and_counts(console: Console) -> None:
    boss = console.as_("boss", Role.SUPERVISOR)
    call = CALLS[0].content
    console.post(f"/calls/{call}/appeals", boss, card=CARD, question="verifies", why="she did ask")
    text = console.get("/quality/appeals")
    number = re.search(r'action="/quality/appeals/(\d+)"', text)

    assert number
    assert "she did ask" in text
    own = console.as_("boss", Role.SUPERVISOR, Role.QA_LEAD)
    assert console.post(f"/quality/appeals/{number[1]}", own, verdict="pass", why="I say so") == 422
    assert console.post(f"/quality/appeals/{number[1]}", verdict="fail", why="as it is") == 422
    assert console.post(f"/quality/appeals/{number[1]}", verdict="pass", why="heard it") == 303
    assert tile(console.get("/quality"), "fatal") == "0"
    assert "heard it" in console.get("/quality/appeals")
    assert [row.what for row, _ in console.house.trail.rows() if '"appeal":1' in row.details][-1:] == ["changed"]


def test_an_appeal_of_another_team_is_not_there(console: Console) -> None:
    boss = console.as_("boss", Role.SUPERVISOR)
    console.post(f"/calls/{CALLS[0].content}/appeals", boss, card=CARD, question="verifies", why="she did ask")
    number = re.search(r'action="/quality/appeals/(\d+)"', console.get("/quality/appeals"))
    bound = console.as_("bound", Role.QA_LEAD, teams='["Loans"]')

    assert number
    assert "she did ask" not in console.get("/quality/appeals", bound)
    assert console.post(f"/quality/appeals/{number[1]}", bound, verdict="pass", why="x") == 404
    assert console.post("/quality/appeals/nothing", verdict="pass", why="x") == 404


def test_a_silent_agent_opens_none_of_it(shown: Console) -> None:
    agent = shown.as_("boris", Role.SILENT_AGENT)

    assert [
        shown.client.get(path, headers=agent).status_code for path in ("/quality", "/quality/waiting", "/quality/appeals")
    ] == [403] * 3


@pytest.mark.parametrize("path", ["", "/waiting", "/appeals"])
@pytest.mark.parametrize("language", ["en", "ru", "zh"])
def test_the_pages_are_there_in_every_language(shown: Console, path: str, language: str) -> None:
    assert f'<html lang="{language}">' in shown.get(f"/quality{path}", **{"Accept-Language": language})


def test_names_that_look_like_pages_stay_names(tmp_path: Path) -> None:
    with console_with(tmp_path, made(1, EVIL, EVIL, "fail", "card")) as console:
        for path in ("/quality", f"/quality?team={EVIL}&card={EVIL}", "/quality/waiting"):
            text = console.get(path)

            assert "<img" not in text
            assert "<script>" not in text


def test_an_empty_house_has_pages_too(tmp_path: Path) -> None:
    with console_with(tmp_path) as console:
        for path in ("/quality", "/quality/waiting", "/quality/appeals", "/calls"):
            assert 'role="status"' in console.get(path)
