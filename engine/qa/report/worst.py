"""The calls to listen to first: every verdict's evidence as text, with the time to click and hear it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import tzinfo

from engine.core.units import Seconds
from engine.qa.checks import Verdict
from engine.qa.report.markup import Markup, Node, element, foreign
from engine.qa.report.tables import name_of, verdict_word
from engine.qa.report.wording import Wording, clock
from engine.qa.scored_calls import Answered, Proof, ScoredCall, Sought

_FIRST = (Verdict.FAIL, Verdict.UNKNOWN)
_MOST_PROOFS = 6  # of one answer that are shown
_LEAD_IN = Seconds(0.5)  # heard before a place, so that its first word is whole
_SIGNS = {Verdict.PASS: "✓", Verdict.FAIL: "✗", Verdict.UNKNOWN: "?", Verdict.NA: "–"}


@dataclass(frozen=True, slots=True)
class Sound:
    """Where a call's masked sound is: within the page, or in a file beside it."""

    address: str
    """A ``data:`` address, or the file's address relative to the page."""

    size: int
    """Bytes."""

    within: bool


@dataclass(frozen=True, slots=True)
class _Place:
    """How places in one call are shown."""

    number: int

    sound: Sound | None

    say: Wording

    def time(self, at: Seconds) -> Markup:
        """A time, to click where there is something to hear."""
        shown, from_here = clock(at), max(0.0, at - _LEAD_IN)
        label = self.say("listen", at=shown)
        if self.sound is None:
            return element("time", shown, class_="at")
        if not self.sound.within:
            return element("a", shown, href=f"{self.sound.address}#t={from_here:.1f}", class_="at", title=label, target="_blank")
        play = {"data_sound": f"sound-{self.number}", "data_from": f"{from_here:.1f}"}
        return element("button", shown, type="button", class_="at", aria_label=label, title=label, **play)


def call_card(number: int, call: ScoredCall, sound: Sound | None, zone: tzinfo, say: Wording) -> Markup:
    """One call."""
    place = _Place(number, sound, say)
    first = [it for it in call.answers if it.verdict in _FIRST]
    first.sort(key=lambda it: (_FIRST.index(it.verdict), it.fatal != "card", -it.weight))
    others = [it for it in call.answers if it.verdict not in _FIRST]
    rest = element("details", element("summary", say("others", count=say.number(len(others)))), _listed(others, place))
    return element(
        "article",
        _heading(number, call, zone, say),
        _player(number, call, sound, say),
        _listed(first, place),
        rest if others else None,
        id=f"call-{number}",
        aria_labelledby=f"call-{number}-name",
    )


def _heading(number: int, call: ScoredCall, zone: tzinfo, say: Wording) -> Node:
    kept = call.recording
    points = say("no_score") if call.points is None else say.number(call.points)
    facts = (
        (say("agent"), name_of(kept.agent, say)),
        (say("team"), name_of(kept.team, say)),
        (say("began"), say.minute(kept.began.astimezone(zone))),
        (say("length"), "–" if kept.seconds is None else clock(kept.seconds)),
        (say("known"), say.percent(call.known)),
        (say("source"), foreign(kept.source)),
    )
    badge = element("span", say("fatal_failure"), class_="badge") if call.fatal else None
    title = element("h3", f"{number}. ", foreign(kept.name), badge, id=f"call-{number}-name")
    score = element("p", element("span", points, class_="points"), element("span", say("score"), class_="note"), class_="score")
    listed = element("dl", (element("div", element("dt", name), element("dd", value)) for name, value in facts))
    return element("header", element("div", title, listed), score)


def _player(number: int, call: ScoredCall, sound: Sound | None, say: Wording) -> Markup:
    if sound is None:
        return element("p", say("no_sound"), class_="note")
    if not sound.within:
        size = say("bytes", number=say.number(sound.size / 1e6, 1))
        return element("p", element("a", say("sound_beside", size=size), href=sound.address, target="_blank"))
    label = say("sound_of", name=call.recording.name)
    return element("audio", id=f"sound-{number}", controls=True, preload="none", src=sound.address, aria_label=label)


def _listed(answers: list[Answered], place: _Place) -> Markup:
    return element("ol", (_answer(it, place) for it in answers), class_="answers")


def _answer(answer: Answered, place: _Place) -> Markup:
    say, verdict = place.say, answer.verdict
    chip = element(
        "span", element("span", _SIGNS[verdict], aria_hidden="true"), verdict_word(verdict, say), class_=f"chip c-{verdict.value}"
    )
    sure = say("sure", share=say.percent(answer.confidence)) if answer.confidence is not None else None
    fatal = element("span", say(f"fatal_to_{answer.fatal}"), class_="badge") if answer.fatal in {"card", "section"} else None
    asked = element("span", foreign(answer.text or answer.id), class_="asked")
    side = element("span", element("code", foreign(answer.id)), " ", sure, class_="note")
    found = list(_found(answer))[:_MOST_PROOFS]
    proofs = element("ul", (element("li", _proof(it, place)) for it in found), class_="proofs") if found else None
    missing = [_sought(it, place) for it in answer.searched[:_MOST_PROOFS]]
    return element("li", element("div", chip, asked, fatal, side, class_="verdict"), proofs, missing)


def _found(answer: Answered) -> Iterator[Proof]:
    """The evidence, but for what is shown with what was looked for anyway."""
    near = {it.nearest for it in answer.searched}
    windows = {window for it in answer.searched for window in it.windows}
    for it in answer.evidence:
        if it not in near and (it.text or (it.start, it.end) not in windows):
            yield it


def _proof(proof: Proof, place: _Place) -> Node:
    if not proof.text:  # a silence, a hold: nothing is said
        return place.time(proof.start), "–", clock(proof.end)
    who = {"caller": "caller", "agent": "agent_says"}.get(proof.speaker or "", "anybody")
    return place.time(proof.start), " ", element("span", place.say(who), class_="who"), " ", foreign(proof.text, "q")


def _sought(sought: Sought, place: _Place) -> Markup:
    """What was looked for, where, how well that was heard, and what came nearest."""
    say = place.say
    what = [foreign(it, "q") for it in sought.what[:_MOST_PROOFS] if it]
    windows = list(_windows(sought, place))
    heard = None if sought.coverage is None else f"; {say('heard_to', share=say.percent(sought.coverage))}"
    looked = (say("searched_for"), ": ", _joined(what), " ", say("searched_in"), " ", _joined(windows), heard)
    return element(
        "p", looked if what else (say("searched_in"), " ", _joined(windows), heard), _came(sought, place), class_="sought"
    )


def _came(sought: Sought, place: _Place) -> Node:
    """What came nearest; nothing where it was not words that were looked for."""
    if sought.nearest:
        return "; ", place.say("nearest"), ": ", _proof(sought.nearest, place)
    return None if sought.coverage is None else ("; ", place.say("nothing_said"))


def _windows(sought: Sought, place: _Place) -> Iterator[Markup]:
    for start, end in sought.windows[:_MOST_PROOFS]:
        yield element("span", place.time(start), "–", clock(end), class_="window")


def _joined(parts: list[Markup]) -> Node:
    return [part if place == 0 else (", ", part) for place, part in enumerate(parts)]
