"""The tables of the page: questions, teams, agents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from engine.qa.checks import Verdict
from engine.qa.report.charts import answers, axis_from, interval, spark
from engine.qa.report.figures import Estimate, places, wilson
from engine.qa.report.markup import Markup, Node, element, foreign
from engine.qa.report.tally import Findings, Group, Line, buckets
from engine.qa.report.wording import Wording

LEAST_RANKED = 30
"""Calls; with fewer, chance moves an agent's place more than their work does."""

_MOST_ROWS = 1000  # that a page holds; the export has all

_SHOWN = (Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN, Verdict.NA)


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in a column of a certain kind: ``number``, or ``wide``, which narrow screens leave out."""

    inside: Node

    kind: str


@dataclass(frozen=True, slots=True)
class _Named:
    """A team or an agent."""

    names: tuple[str, ...]

    group: Group

    mean: Estimate | None

    @property
    def height(self) -> tuple[float, tuple[str, ...]]:
        """To sort by: the highest mean first, those without one last."""
        return (-self.mean.value if self.mean else 1.0), self.names


def table(caption: str, head: Sequence[Node | Cell], rows: Iterable[Sequence[Node | Cell]]) -> Markup:
    """A table that scrolls by itself where the screen is narrow; each row begins with its heading."""
    top = element("thead", element("tr", (_cell("th", it, "col") for it in head)))
    body = element("tbody", (element("tr", _cell("th", row[0], "row"), (_cell("td", it) for it in row[1:])) for row in rows))
    whole = element("table", element("caption", caption, class_="hidden"), top, body)
    return element("div", whole, class_="scroll", tabindex="0", role="region", aria_label=caption)


def number(inside: Node) -> Cell:
    """A figure, flush right."""
    return Cell(inside, "number")


def name_of(text: str, say: Wording) -> Markup:
    """Somebody's name, or that nobody told it."""
    return foreign(text) if text.strip() else element("span", say("nobody"), class_="note")


def questions(found: Findings, say: Wording) -> Iterator[Markup]:
    """One table a card: the question that is failed most often first."""
    yield element("p", say("questions_note"), class_="note")
    yield element("p", say("stages_note"), class_="note")
    yield _legend(say)
    head = (say("question"), Cell(say("answers"), "wide"), *_share_head(say("passed"), say))
    head = (*head, number(say("decided")), number(say("unknown")), Cell(say("trend"), "wide"))
    for card in sorted(found.cards):
        lines = [it for it in found.lines.values() if it.card == card]
        bottom = axis_from([it for it in map(passed, lines) if it])
        if len(found.cards) > 1:
            yield element("h3", foreign(card))
        yield table(f"{say('questions')}: {card}", head, (_question(it, found, bottom, say) for it in sorted(lines, key=_failed)))


def teams(found: Findings, say: Wording) -> Iterator[Markup]:
    """All teams, the highest score first."""
    named = _named({(team,): group for team, group in found.teams.items()}.items())
    bottom = axis_from([it.mean for it in named if it.mean])
    head = (say("team"), *_share_head(say("score"), say), *_group_head(say))
    yield table(say("teams"), head, ((name_of(it.names[0], say), *_group(it, found, bottom, say)) for it in named))


def agents(found: Findings, say: Wording, least: int) -> Iterator[Markup]:
    """Agents with their place among those who have enough calls, then the others by name."""
    yield element("p", say("place_note", least=say.number(least)), class_="note")
    named = _named(found.agents.items())
    ranked = [it for it in named if it.group.scores.calls >= least]
    rest = [it for it in named if it.group.scores.calls < least]
    bottom = axis_from([it.mean for it in ranked if it.mean])
    head = (say("agent"), Cell(say("team"), "team"), *_share_head(say("score"), say), *_group_head(say))
    if ranked:
        ranges = places([it.mean for it in ranked if it.mean])
        rows = [(*_who(it, say), *_group(it, found, bottom, say)) for it in ranked]
        placed = [(row[0], Cell(_range(at), "place"), *row[1:]) for row, at in zip(rows, ranges, strict=True)]
        yield table(say("agents"), (head[0], Cell(say("place"), "place"), *head[1:]), placed[:_MOST_ROWS])
    if rest:
        fewer = say("too_few", least=say.number(least))
        yield element("h3", fewer)
        by_name = sorted(rest, key=lambda it: it.names)[:_MOST_ROWS]
        yield table(fewer, head, ((*_who(it, say), *_group(it, found, 0.0, say)) for it in by_name))
    left_out = max(0, len(ranked) - _MOST_ROWS) + max(0, len(rest) - _MOST_ROWS)
    if left_out:
        yield element("p", say("more_left_out", count=say.number(left_out)), class_="note")


def passed(line: Line) -> Estimate | None:
    """The share of a question's decided answers that passed."""
    return wilson(line.verdicts[Verdict.PASS] / line.decided, line.decided) if line.decided else None


def verdict_word(verdict: Verdict, say: Wording) -> str:
    """A verdict as people call it."""
    return say("verdict_unknown" if verdict is Verdict.UNKNOWN else verdict.value)


def _failed(line: Line) -> tuple[float, str]:
    share = passed(line)
    return (share.value if share else 2.0), line.asked.id


def _named(groups: Iterable[tuple[tuple[str, ...], Group]]) -> list[_Named]:
    return sorted((_Named(names, group, group.scores.mean) for names, group in groups), key=lambda it: it.height)


def _who(it: _Named, say: Wording) -> tuple[Node | Cell, ...]:
    return name_of(it.names[0], say), Cell(name_of(it.names[1], say), "team")


def _share_head(title: str, say: Wording) -> tuple[Node | Cell, ...]:
    return number(title), Cell("", "wide"), number(say("interval"))


def _share(mean: Estimate | None, bottom: float, say: Wording) -> tuple[Node | Cell, ...]:
    if mean is None:
        return number("–"), Cell("", "wide"), number("–")
    low, high = (say.number(100 * it, 1) for it in (mean.low, mean.high))
    return number(say.number(100 * mean.value, 1)), Cell(interval(mean, bottom), "wide"), number(f"{low}–{high}")


def _group_head(say: Wording) -> tuple[Node | Cell, ...]:
    return number(say("calls")), number(say("fatal")), number(say("unknown")), Cell(say("trend"), "wide")


def _group(it: _Named, found: Findings, bottom: float, say: Wording) -> tuple[Node | Cell, ...]:
    group = it.group
    means = {day: scores.mean for day, scores in group.trend.items()}
    line = spark([mean.value if (mean := means.get(day)) else None for day in buckets(found)], bottom)
    counts = (number(say.number(group.calls)), number(say.number(group.fatal)), number(say.percent(group.unknown)))
    return *_share(it.mean, bottom, say), *counts, Cell(line, "wide")


def _question(line: Line, found: Findings, bottom: float, say: Wording) -> tuple[Node | Cell, ...]:
    asked, counts = line.asked, line.verdicts
    total = counts.total() - counts[Verdict.NA]
    shares = [
        seen[Verdict.PASS] / decided
        if (seen := line.trend.get(day)) and (decided := seen[Verdict.PASS] + seen[Verdict.FAIL])
        else None
        for day in buckets(found)
    ]
    fatal = element("span", say(f"fatal_to_{asked.fatal}"), class_="badge") if asked.fatal in {"card", "section"} else None
    words = [element("div", foreign(asked.text)), element("code", foreign(asked.id))] if asked.text else foreign(asked.id)
    stage = element("span", say(f"stage_{found.stage(line).value}"), class_="stage")
    return (
        element("div", words, " ", stage, fatal, class_="question"),
        Cell(answers([counts[it] for it in _SHOWN]), "wide"),
        *_share(passed(line), bottom, say),
        number(say.number(line.decided)),
        number(say.percent(counts[Verdict.UNKNOWN] / total if total else None)),
        Cell(spark(shares, bottom), "wide"),
    )


def _legend(say: Wording) -> Markup:
    keys = (element("li", element("span", class_=f"key v-{it.value}"), verdict_word(it, say)) for it in _SHOWN)
    return element("ul", keys, class_="legend")


def _range(at: tuple[int, int]) -> str:
    return str(at[0]) if at[0] == at[1] else f"{at[0]}–{at[1]}"


def _cell(name: str, found: Node | Cell, scope: str | None = None) -> Markup:
    inside, kind = (found.inside, found.kind) if isinstance(found, Cell) else (found, None)
    return element(name, inside, scope=scope, class_=kind)
