"""The whole page: one HTML file that asks nobody for anything.

Its style and its script are within it, named by their hashes in a content security policy that allows nothing else: whatever a
caller said or an agent is called, it can neither run nor load anything. The script only plays sound; without it all can be read.
"""

from __future__ import annotations

from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from importlib.resources import files

from engine.qa.checks import Verdict
from engine.qa.promotion import Stage
from engine.qa.report.charts import Point, trend
from engine.qa.report.figures import Estimate, wilson
from engine.qa.report.markup import Markup, Node, element, foreign
from engine.qa.report.tables import LEAST_RANKED, Cell, agents, number, questions, table, teams
from engine.qa.report.tally import Findings, Group, Step, buckets
from engine.qa.report.wording import Wording
from engine.qa.report.worst import Sound, call_card
from engine.qa.scored_calls import ScoredCall

_KNOWN_STATES = ("scored", "excluded", "failed", "erased", "running", "waiting")
_MOST_REASONS = 12
_WIDTHS = {"broad": 1040, "narrow": 340}  # pixels; one chart for each kind of screen, so that its letters stay readable


@dataclass(frozen=True, slots=True)
class Setting:
    """What the page is told besides the figures."""

    made: datetime
    """In the zone of the page."""

    team: str | None = None

    least_ranked: int = LEAST_RANKED

    bounds: tuple[date, date] | None = None
    """The first and the last day that were asked for, or in which there are calls."""


def page(found: Findings, sound: Callable[[ScoredCall], Sound | None], setting: Setting, say: Wording) -> Iterator[str]:
    """The file, piece by piece."""
    style, script = (_own(name) for name in ("page.css", "page.js"))
    yield f'<!doctype html>\n<html lang="{say.language}">\n'
    yield _head(style, script, say)
    yield "\n<body>\n"
    yield element("a", say("skip"), href="#report", class_="skip")
    yield _title(found, setting, say)
    yield '<main id="report">\n'
    yield _headline(found, say)
    for name, parts in _sections(found, setting, say):
        yield _section(name, parts, say)
    yield from _worst(found, sound, say)
    yield _section("reading", _reading(say), say)
    yield f"</main>\n<script>{script}</script>\n</body>\n</html>\n"


def _head(style: str, script: str, say: Wording) -> Markup:
    policy = (
        f"default-src 'none'; style-src 'sha256-{_hash(style)}'; script-src 'sha256-{_hash(script)}'; media-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="referrer", content="no-referrer"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", say("title")),
        element("style", Markup(style)),
    )


def _title(found: Findings, setting: Setting, say: Wording) -> Markup:
    lines: list[Node] = []
    if setting.bounds:
        first, last = map(say.day, setting.bounds)
        lines.append(say("period", first=first, last=last, zone=str(found.zone)))
    else:
        lines.append(say("no_period"))
    if found.cards:
        lines.append(foreign(say("card", cards=", ".join(sorted(found.cards)))))
    if setting.team is not None:
        lines.append(foreign(say("team_only", team=setting.team)))
    lines.append(say("made", moment=say.minute(setting.made)))
    links = ("ledger", "trend", "questions", "teams", "agents", "worst", "reading")
    menu = element("ul", (element("li", element("a", say(it), href=f"#{it}")) for it in links))
    facts = element("ul", (element("li", it) for it in lines), class_="facts")
    return element("header", element("h1", say("title")), facts, element("nav", menu, aria_label=say("contents")), class_="top")


def _headline(found: Findings, say: Wording) -> Markup:
    standing, whole = found.standing, found.whole
    seen, scored, mean = standing.seen, standing.states["scored"], whole.scores.mean
    asked = whole.verdicts.total() - whole.verdicts[Verdict.NA]
    excluded, failed, erased = (say.number(standing.states[it]) for it in ("excluded", "failed", "erased"))
    still = say.number(standing.states["waiting"] + standing.states["running"])
    parts = say("not_scored_parts", excluded=excluded, failed=failed, erased=erased, open=still)
    tiles = (
        (say("seen"), say.number(seen), say("hours", hours=say.number(standing.seconds / 3600, 1))),
        (say("scored"), say.number(scored), say("of_seen", share=say.percent(scored / seen if seen else None))),
        (say("mean"), say.number(100 * mean.value, 1) if mean else "–", _mean_rests(mean, whole, say)),
        (say("fatal_calls"), say.number(whole.fatal), _share_of(whole.fatal, whole.calls, say)),
        (say("unknown_share"), say.percent(whole.unknown), say("unknown_rests", asked=say.number(asked))),
        (say("not_scored"), say.number(seen - scored), parts),
    )
    return element("dl", (_tile(*it) for it in tiles), class_="tiles")


def _tile(name: str, value: str, note: str) -> Markup:
    return element(
        "div", element("dt", name), element("dd", value, class_="value"), element("dd", note, class_="note"), class_="tile"
    )


def _mean_rests(mean: Estimate | None, whole: Group, say: Wording) -> str:
    if mean is None:
        return say("no_score")
    low, high = (say.number(100 * it, 1) for it in (mean.low, mean.high))
    return say("mean_rests", low=low, high=high, calls=say.number(whole.scores.calls))


def _share_of(part: int, whole: int, say: Wording) -> str:
    if not whole:
        return "–"
    share = wilson(part / whole, whole)
    return say("share_interval", share=say.percent(share.value), low=say.percent(share.low), high=say.percent(share.high))


def _sections(found: Findings, setting: Setting, say: Wording) -> Iterator[tuple[str, Node]]:
    yield "ledger", _ledger(found, say)
    if found.days:
        yield "trend", _trend(found, say)
        yield "questions", questions(found, say)
        yield "teams", teams(found, say)
        yield "agents", agents(found, say, setting.least_ranked)


def _section(name: str, parts: Node, say: Wording) -> Markup:
    return element("section", element("h2", say(name), id=f"{name}-name"), parts, id=name, aria_labelledby=f"{name}-name")


def _ledger(found: Findings, say: Wording) -> Iterator[Markup]:
    states = found.standing.states
    sums = {it: say.number(states[it]) for it in _KNOWN_STATES}
    yield element("p", say("ledger_sum", seen=say.number(found.standing.seen), **sums), class_="sum")
    strange = found.standing.seen - sum(states[it] for it in _KNOWN_STATES)
    agree = say("sums_differ", found=say.number(strange)) if strange else say("sums_agree")
    yield element("p", agree, class_="warning" if strange else "note")
    if found.without_score:
        yield element("p", say("without_score", calls=say.number(found.without_score)), class_="warning")
    undecided = found.whole.calls - found.whole.scores.calls
    if undecided:
        yield element("p", say("undecided", calls=say.number(undecided)), class_="note")
    reasons = [
        (it, *one) for it in ("excluded", "failed", "erased") for one in found.standing.reasons[it].most_common(_MOST_REASONS)
    ]
    if reasons:
        rows = ((foreign(reason), say(state), number(say.number(count))) for state, reason, count in reasons)
        yield table(say("reason"), (say("reason"), say("state"), number(say("calls"))), rows)
    if found.lines:
        stages = Counter(found.stage(it) for it in found.lines.values())
        yield element("p", say("stages_sum", **{it.value: say.number(stages[it]) for it in Stage}), class_="note")
    for card, revisions in sorted(found.revisions.items()):
        listed = ", ".join(f"{card} {it[:12]} ({say.number(count)})" for it, count in revisions.most_common(_MOST_REASONS))
        yield element("p", foreign(say("revisions", list=listed)), class_="note")
    if found.models:
        listed = ", ".join(f"{it} ({say.number(count)})" for it, count in found.models.most_common(_MOST_REASONS))
        yield element("p", foreign(say("models", list=listed)), class_="note")


def _trend(found: Findings, say: Wording) -> Iterator[Markup]:
    by_week = found.step is Step.WEEK
    title = say("trend_of", step=say("by_week" if by_week else "by_day"))
    points = [_point(day, found.days.get(day), say) for day in buckets(found)]
    yield element("p", title, class_="note")
    if by_week:
        yield element("p", say("week_begins"), class_="note")
    for kind, width in _WIDTHS.items():
        yield element("div", trend(points, width, title), class_=f"chart {kind}")
    head: tuple[Node | Cell, ...] = (say("when"), *(number(say(it)) for it in ("score", "interval", "calls", "fatal", "unknown")))
    rows = [_trend_row(day, found.days[day], say) for day in sorted(found.days)]
    yield element("details", element("summary", say("as_table")), table(title, head, rows))


def _point(day: date, group: Group | None, say: Wording) -> Point:
    mean = group.scores.mean if group else None
    calls = group.calls if group else 0
    shown = (
        "–"
        if mean is None
        else f"{say.number(100 * mean.value, 1)} ({say.number(100 * mean.low, 1)}–{say.number(100 * mean.high, 1)})"
    )
    return Point(day.strftime("%m-%d"), mean, calls, f"{say.day(day)}: {shown}; {say('calls')}: {say.number(calls)}")


def _trend_row(day: date, group: Group, say: Wording) -> Sequence[Node | Cell]:
    mean = group.scores.mean
    spread = "–" if mean is None else f"{say.number(100 * mean.low, 1)}–{say.number(100 * mean.high, 1)}"
    score = "–" if mean is None else say.number(100 * mean.value, 1)
    counts = (say.number(group.calls), say.number(group.fatal), say.percent(group.unknown))
    return (say.day(day), *(number(it) for it in (score, spread, *counts)))


def _worst(found: Findings, sound: Callable[[ScoredCall], Sound | None], say: Wording) -> Iterator[str]:
    yield '<section id="worst" aria-labelledby="worst-name">\n'
    yield element("h2", say("worst"), id="worst-name")
    yield element("p", say("worst_note" if found.worst else "none_worst"), class_="note")
    if found.little_known:
        yield element("p", say("little_known", calls=say.number(found.little_known)), class_="note")
    for place, call in enumerate(found.worst, 1):
        yield call_card(place, call, sound(call), found.zone, say)
        yield "\n"
    yield "</section>\n"


def _reading(say: Wording) -> Iterator[Markup]:
    for name in ("reading_score", "reading_unknown", "reading_interval", "reading_masked"):
        yield element("p", say(name))


def _own(name: str) -> str:
    return (files("engine.qa.report") / name).read_text("utf-8")


def _hash(text: str) -> str:
    return b64encode(sha256(text.encode()).digest()).decode()
