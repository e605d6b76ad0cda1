"""The page."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import replace
from datetime import UTC, date, datetime
from hashlib import sha256
from html.parser import HTMLParser
from typing import Any

import pytest

from engine.core.units import Language, Seconds
from engine.qa.promotion import Stage
from engine.qa.report.page import Setting, page
from engine.qa.report.tally import Findings
from engine.qa.report.wording import LANGUAGES, Wording
from engine.qa.report.worst import Sound
from engine.qa.scored_calls import ScoredCall
from tests.qa.report.made import answer, call, findings, proof, recorded, sought

VOID = {"meta", "br", "link"}
HOSTILE = '</script><script>alert(1)</script>"><img src=http://evil.example/x onerror=alert(1)>'


class _Read(HTMLParser):
    """What a browser makes of it; fails where tags don't match."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.own: dict[str, str] = {}
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in {"style", "script"}:
            self.own[self.open[-1]] = self.own.get(self.open[-1], "") + data
        else:
            self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def read(found: Findings, sound: Sound | None = None, language: str = "en", **setting: Any) -> _Read:
    settings = Setting(datetime(2026, 10, 1, tzinfo=UTC), bounds=(date(2026, 9, 7), date(2026, 9, 30)), **setting)
    return _Read("".join(page(found, lambda _: sound, settings, Wording(Language(language)))))


def bad_call(**more: Any) -> ScoredCall:
    answers = (
        answer(
            "names_bank", "fail", 10.0, fatal="card", searched=(sought("this is the bank", nearest=proof("hello this is", 3.2)),)
        ),
        answer("polite", "unknown", 5.0, evidence=(proof("uh thanks", 40.0),)),
        answer("greets", "pass", 5.0, evidence=(proof("good morning", 1.0),)),
        answer("sells", "na", 5.0),
    )
    return call(1, {}, points=0.0, fatal=True, answers=answers, **more)


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_is_whole_in_every_language(language: str) -> None:
    found = read(findings([bad_call(), call(2, {"names_bank": "pass"})], [recorded(3, "excluded")]), language=language)

    assert found.all("html") == [{"lang": language}]
    assert len(found.all("article")) == 1


def test_it_is_whole_where_there_is_nothing() -> None:
    found = read(findings([]))

    assert "0 seen = 0 scored" in found.text
    assert "No call failed a question." in found.text


def test_the_sums_are_said_and_agree() -> None:
    found = read(findings([call(1, {"a": "pass"})], [recorded(2, "excluded"), recorded(3, "failed"), recorded(4, "waiting")]))

    assert "4 seen = 1 scored + 1 excluded + 1 failed + 0 erased + 0 running + 1 waiting" in found.text
    assert "The sums agree" in found.text
    assert "nobody speaks" in found.text


def test_a_state_that_nobody_knows_is_not_hidden() -> None:
    assert "The sums do not agree: 1" in read(findings([], [recorded(1, "lost")])).text


def test_it_asks_nobody_for_anything() -> None:
    found = read(findings([bad_call()]), Sound("data:audio/ogg;base64,AAAA", 3, within=True))
    addresses = [
        attributes[name] or ""
        for _, attributes in found.tags
        for name in ("src", "href", "action", "poster", "data")
        if name in attributes
    ]

    assert addresses
    assert all(it.startswith(("#", "data:audio/ogg;base64,")) for it in addresses)
    assert "url(" not in found.own["style"]
    assert "@import" not in found.own["style"]
    assert not re.search(r"https?://|fetch|XMLHttp|innerHTML|eval", found.own["script"])


def test_its_policy_allows_its_own_style_and_script_and_nothing_else() -> None:
    found = read(findings([bad_call()]))
    policy = next(it["content"] or "" for it in found.all("meta") if it.get("http-equiv") == "Content-Security-Policy")
    rules = dict(it.strip().split(" ", 1) for it in policy.split(";"))
    hashes = {name: b64encode(sha256(found.own[name].encode()).digest()).decode() for name in ("style", "script")}

    assert rules == {
        "default-src": "'none'",
        "style-src": f"'sha256-{hashes['style']}'",
        "script-src": f"'sha256-{hashes['script']}'",
        "media-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    assert not [attributes for _, attributes in found.tags if any(it == "style" or it.startswith("on") for it in attributes)]


def test_whatever_people_are_called_or_say_is_text() -> None:
    facts = {"agent": HOSTILE, "team": "\u202e" + HOSTILE, "call_id": HOSTILE}
    answers = (answer(HOSTILE, "fail", evidence=(proof(HOSTILE),), searched=(sought(HOSTILE),), section=HOSTILE),)
    hostile = call(1, {}, points=0.0, answers=answers, facts=facts, card=HOSTILE)
    found = read(
        findings([hostile] * 1, [recorded(2, "excluded")]), Sound("data:audio/ogg;base64,AAAA", 3, within=True), team=HOSTILE
    )

    assert len(found.all("script")) == 1
    assert found.all("img") == []
    assert found.text.count(HOSTILE) >= 8


def test_a_huge_text_does_not_make_a_huge_page() -> None:
    huge = call(1, {}, points=0.0, answers=(answer("a", "fail", evidence=tuple(proof("x" * 100_000, at) for at in range(500))),))

    assert (
        len("".join(page(findings([huge]), lambda _: None, Setting(datetime(2026, 10, 1, tzinfo=UTC)), Wording(Language("en")))))
        < 60_000
    )


def test_every_failed_or_unknown_answer_has_its_proof_with_a_time_to_click() -> None:
    found = read(findings([bad_call()]), Sound("data:audio/ogg;base64,AAAA", 3, within=True))
    clicks = {(it["data-sound"], it["data-from"]) for it in found.all("button")}

    assert clicks == {("sound-1", "0.0"), ("sound-1", "2.7"), ("sound-1", "39.5"), ("sound-1", "0.5")}
    assert [it["id"] for it in found.all("audio")] == ["sound-1"]
    for text in ("this is the bank", "hello this is", "uh thanks", "heard to 80.0%", "fatal to the card"):
        assert text in found.text


def test_a_silence_is_shown_by_its_time_and_what_was_looked_for_only_once() -> None:
    nearest = proof("hello this is", 3.0)
    silent = answer("no_silence", "fail", evidence=(proof("", 40.0),))
    absent = answer(
        "greets",
        "fail",
        evidence=(nearest, replace(proof("", 0.0), end=Seconds(30.0))),
        searched=(sought("hi", nearest=nearest),),
    )
    found = read(findings([call(1, {}, points=0.0, answers=(silent, absent))]))

    assert "0:40–0:42" in found.text
    assert found.text.count("hello this is") == 1
    assert found.text.count("0:00–0:30") == 1


@pytest.mark.parametrize(("coverage", "said"), [(0.9, True), (None, False)])
def test_that_nothing_like_it_was_said_is_told_of_words_only(coverage: float | None, said: bool) -> None:
    looked = replace(sought("a turn"), coverage=coverage)
    found = read(findings([call(1, {}, points=0.0, answers=(answer("a", "fail", searched=(looked,)),))]))

    assert ("nothing like it was said" in found.text) == said


def test_sound_beside_the_page_is_opened_at_the_place() -> None:
    found = read(findings([bad_call()]), Sound("report-sound/ab.ogg", 1_500_000, within=False))

    assert found.all("audio") == []
    assert "report-sound/ab.ogg#t=2.7" in [it.get("href") for it in found.all("a")]
    assert "Sound beside this page (1.5 MB)" in found.text


def test_without_sound_times_are_only_read() -> None:
    found = read(findings([bad_call()]))

    assert found.all("button") == []
    assert "No sound is kept for this call." in found.text


def test_questions_say_how_far_they_are_trusted() -> None:
    found = findings([call(1, {"old": "pass", "new": "pass"})])
    found.stages = {("card", "ab" * 32, "old"): Stage.AUTOMATIC, ("card", "other revision", "new"): Stage.AUTOMATIC}
    shown = read(found).text

    assert "Questions: 1 on trial, 0 checked by people, 1 automatic." in shown
    assert "oldautomatic" in shown.replace(" ", "")
    assert "newontrial" in shown.replace(" ", "")


def test_agents_with_few_calls_have_no_place() -> None:
    many = [call(number, {"a": "pass"}, 90.0) for number in range(30)]
    few = [call(100 + number, {"a": "pass"}, 100.0, facts={"agent": "New", "team": "Cards"}) for number in range(29)]
    found = read(findings([*many, *few])).text
    ranked, _, rest = found.partition("Fewer than 30 calls, not ranked")

    assert "Ada" in ranked
    assert "New" not in ranked
    assert "New" in rest


def test_a_question_of_which_nothing_is_known_is_not_called_failed() -> None:
    found = read(findings([call(1, {"dark": "unknown"}, points=None)]))

    assert "100.0%" in found.text  # unknown
    assert found.all("article") == []
    assert "Scored calls in which nothing could be decided: 1" in found.text


def test_all_that_is_drawn_is_named_or_hidden_from_screen_readers_and_all_tables_have_heads() -> None:
    found = read(findings([bad_call(), *(call(number, {"names_bank": "pass"}) for number in range(2, 60))]))

    assert all(it.get("role") == "img" or it.get("aria-hidden") == "true" for it in found.all("svg"))
    assert {it["scope"] for it in found.all("th")} == {"col", "row"}
    assert len(found.all("caption")) == len(found.all("table"))
    ids = [it["id"] for _, it in found.tags if "id" in it]
    assert len(ids) == len(set(ids))
    labels = [it["aria-labelledby"] for _, it in found.tags if "aria-labelledby" in it]
    assert set(labels) <= set(ids)
    assert {(it["href"] or "").removeprefix("#") for it in found.all("a")} <= {*ids}
