"""What does a silent agent buy? ``python -m bench.assist_curve [--goal 0.01] [--fit N] [--harder] [--svg FILE] [--json]``

The more is handed over to a person, the fewer jumps go wrong. Every English spoken query is heard as in a call (once: the words
are kept in ``--scratch``, so a killed run goes on, and another threshold costs seconds), understood with the flow's own examples,
and put to the ladder under each ``accept``; what is below it goes to an agent (``confirm`` = ``accept``), unless two meanings
are so close that the caller is asked. The agent is simulated: a perfect one is right about every phrase and says of what the flow
does not serve that it can't tell; another can't tell ``--cant-tell`` of the phrases and picks wrongly in ``--mistakes``.

Shares are of all phrases. ``wrong``: jumps to what the caller did not want; ``right``: jumps to what they did; ``handed_over``;
``asked_back``: the caller is asked yes or no, or which of two; ``not_understood``: no words, or taken for out of scope;
``landed``: right jumps, and those of the perfect agent.

Beside the curve stand the flow's own thresholds, and fitted ones (:mod:`engine.assist.learning.bars`), chosen for ``--goal`` on
other sentences than they are judged on: each fifth of the queries under what the other four make of it, which promises nothing
of other data; and under what ``--fit`` sentences more promise (:mod:`bench.curve_queries`), where there is such a promise.

The flow's examples were written without the set. With ``--taught`` the understander has also learned what the set itself means by
its labels, from sentences that are neither judged nor fitted on: as a bank's flow has after some months of ``callwright learn``.

Intervals count sentences, not phrases. Synthetic speech.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.card import Row, progress, report
from bench.curve_drawing import Line, Spot, drawn
from bench.curve_queries import HeardQuery, hear, to_fit, to_judge, to_teach
from bench.recordings import SHARED
from engine.assist.learning.bars import Bars, Case, LimitsOf, Outcome, as_the_flow_has_it, fewest_groups, fit, outcome
from engine.assist.learning.bearing import case_of, question_at, wanted_at
from engine.assist.learning.doubles import folds, groups
from engine.assist.learning.shares import share
from engine.core.speech import ENGLISH
from engine.core.units import Confidence
from engine.dialogue.graph import Flow, Thresholds
from engine.ivr.files import load_flow
from engine.nlu.encoder import Encoder, UniversalSentenceEncoder
from engine.nlu.understand import Understander
from engine.nlu.wording import bare
from engine.runtime.models import Lesson

QUESTION = "What does a silent agent buy: wrong jumps against the share that is handed over?"
BANK = Path(__file__).resolve().parents[1] / "examples" / "bank" / "flow.yaml"
_ACCEPTS = (0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.88, 0.9, 0.92, 0.94, 0.96, 0.97, 0.98, 0.99)
_FOLDS = 5


@dataclass(frozen=True, slots=True)
class Agent:
    """How good the simulated one is; shares of what comes to the desk."""

    cant_tell: float = 0.0
    mistakes: float = 0.0


@dataclass(frozen=True, slots=True)
class Judged:
    """A phrase, and what it came to."""

    case: Case
    condition: str
    outcome: Outcome


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the shell."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--json", action="store_true", help="print one JSON object")
    options.add_argument("--set", type=Path, default=SHARED, metavar="FOLDER", help="a folder with manifest.jsonl")
    options.add_argument("--flow", type=Path, default=BANK, help="by default the demo bank's")
    options.add_argument("--harder", action="store_true", help="the clean queries with a noise 5 dB below, too")
    options.add_argument("--live", action="store_true", help="the live recogniser alone, without second opinions")
    options.add_argument("--scratch", type=Path, default=Path("var/bench/heard.jsonl"), help="keeps what was heard")
    options.add_argument("--goal", type=float, default=0.01, help="share of wrong jumps to stay under (0.01)")
    options.add_argument("--fit", type=int, default=300, help="other sentences to fit thresholds on (300)")
    options.add_argument("--taught", action="store_true", help="learn the set's other written sentences, too")
    options.add_argument("--cant-tell", type=float, default=0.05, help="of the other agent's phrases (0.05)")
    options.add_argument("--mistakes", type=float, default=0.02, help="of the other agent's phrases (0.02)")
    options.add_argument("--svg", type=Path, metavar="FILE", help="draw the curve")
    chosen = options.parse_args(arguments)
    encoder, flow = UniversalSentenceEncoder(), load_flow(chosen.flow)
    judging, fitting = _heard(chosen, encoder)
    judged, fitted = ([query.text for query in queries] for queries in (judging, fitting))
    more = to_teach(chosen.set, judged, fitted, encoder) if chosen.taught else {}
    judge, others = _cases(flow, _understander(flow, more, encoder), encoder, judging, fitting)
    agent = Agent(chosen.cant_tell, chosen.mistakes)
    conditions = [query.condition for query in judging]
    curve = [_row(f"accept {limits.accept:.2f}", _under(judge, conditions, _same(limits)), agent) for limits in _steps(flow)]
    spots = list(_spots(flow, judge, conditions, others, chosen.goal, agent))
    if chosen.svg:
        chosen.svg.write_text(_picture(curve, spots, agent), encoding="utf-8")
    report(QUESTION, [*curve, *spots], json=chosen.json, notes=tuple(_notes(judge, others, chosen.goal, agent)))


def _heard(chosen: argparse.Namespace, encoder: Encoder) -> tuple[list[HeardQuery], list[HeardQuery]]:
    recogniser = "moonshine" if chosen.live else "both"
    scratch = chosen.scratch.with_stem(f"{chosen.scratch.stem}-{recogniser}")
    queries = list(to_judge(chosen.set, harder=chosen.harder))
    judging = hear(queries, scratch, recogniser)
    texts = sorted({query.text for query in queries})
    return judging, hear(list(to_fit(chosen.set, texts, chosen.fit, encoder)) if chosen.fit else [], scratch, recogniser)


def _understander(flow: Flow, more: Mapping[str, Sequence[str]], encoder: Encoder) -> Understander:
    progress(f"learning the flow's examples, and {sum(map(len, more.values()))} sentences more")
    lesson = Lesson.of(flow)
    examples = {intent: (*lesson.examples.get(intent, ()), *more.get(intent, ())) for intent in {**lesson.examples, **more}}
    return Understander.train(examples, lesson.names, encoder=encoder)


def _cases(
    flow: Flow, understander: Understander, encoder: Encoder, judging: Sequence[HeardQuery], fitting: Sequence[HeardQuery]
) -> tuple[list[Case], list[Case]]:
    """Understand everything; near-doubles of a sentence are one group, across both."""
    both = [*judging, *fitting]
    group = groups([bare(query.text) for query in both], encoder)
    cases = [_case(flow, understander, query, one) for query, one in zip(both, group, strict=True)]
    return cases[: len(judging)], cases[len(judging) :]


def _case(flow: Flow, understander: Understander, query: HeardQuery, group: int) -> Case:
    node = flow.nodes[flow.start]
    heard = understander.interpret(query.heard, question_at(flow, node, ENGLISH))
    case = case_of(flow, node, heard, wanted_at(flow, node, query.intent), group)
    return replace(case, heard=bool(query.heard) and not query.heard.rejected)


def _steps(flow: Flow) -> Iterator[Thresholds]:
    for accept in _ACCEPTS:
        yield replace(flow.thresholds, accept=Confidence(accept), confirm=Confidence(accept))


def _same(limits: Thresholds) -> LimitsOf:
    return lambda _: limits


def _under(cases: Sequence[Case], conditions: Sequence[str], limits_of: LimitsOf) -> list[Judged]:
    return [Judged(case, one, outcome(case, limits_of)) for case, one in zip(cases, conditions, strict=True)]


def _spots(
    flow: Flow, judge: Sequence[Case], conditions: Sequence[str], others: Sequence[Case], goal: float, agent: Agent
) -> Iterator[Row]:
    yield _row("the flow's own", _under(judge, conditions, as_the_flow_has_it(flow)), agent)
    crossed = _cross_fitted(judge, conditions, goal, flow.thresholds)
    if crossed is not None:
        yield _row("fitted on the other queries", crossed, agent)
        for condition in sorted(set(conditions)):
            yield _row(f"  {condition}", [one for one in crossed if one.condition == condition], agent)
    bars = fit(others, goal, flow.thresholds) if others else None
    if bars is not None:
        yield _row(f"promised by other sentences ({_named(bars)})", _under(judge, conditions, _without_asking(bars)), agent)


def _cross_fitted(cases: Sequence[Case], conditions: Sequence[str], goal: float, present: Thresholds) -> list[Judged] | None:
    """Each fifth of the sentences under thresholds that were fitted on the other four."""
    fold = folds([case.group for case in cases], _FOLDS)
    judged: list[Judged] = []
    for held_out in range(_FOLDS):
        bars = fit([case for case, one in zip(cases, fold, strict=True) if one != held_out], goal, present, surplus=0.0)
        if bars is None:
            return None
        progress(f"fitted on the other four fifths: {_named(bars)}")
        mine = [place for place, one in enumerate(fold) if one == held_out]
        judged += _under([cases[place] for place in mine], [conditions[place] for place in mine], _without_asking(bars))
    return judged


def _without_asking(bars: Bars) -> LimitsOf:
    """An agent is asked wherever the caller would be asked yes or no."""
    return replace(bars, everywhere=replace(bars.everywhere, confirm=bars.everywhere.accept)).of


def _named(bars: Bars) -> str:
    limits = bars.everywhere
    return f"accept {limits.accept:.2f}, margin {limits.margin:.2f}"


def _row(what: str, judged: Sequence[Judged], agent: Agent) -> Row:
    """Shares of all phrases, in per cent."""
    count = Counter(one.outcome for one in judged)
    handed = [one for one in judged if one.outcome is Outcome.HANDED]
    served = sum(one.case.wanted is not None for one in handed)
    wrong = share([one.outcome is Outcome.WRONG for one in judged], [one.case.group for one in judged])
    return {
        "thresholds": what,
        "phrases": len(judged),
        "sentences": len({one.case.group for one in judged}),
        "handed_over": _percent(count[Outcome.HANDED], judged),
        "asked_back": _percent(count[Outcome.ASKED], judged),
        "not_understood": _percent(count[Outcome.REFUSED], judged),
        "right": _percent(count[Outcome.RIGHT], judged),
        "landed": _percent(count[Outcome.RIGHT] + served, judged),
        "wrong": _percent(count[Outcome.WRONG], judged),
        "wrong_up_to": round(100 * wrong.high, 2),
        "landed_other_agent": _percent(count[Outcome.RIGHT] + served * (1 - agent.cant_tell - agent.mistakes), judged),
        "wrong_other_agent": _percent(count[Outcome.WRONG] + len(handed) * agent.mistakes, judged),
    }


def _percent(part: float, judged: Sequence[Judged]) -> float:
    return round(100 * part / max(1, len(judged)), 2)


def _notes(judge: Sequence[Case], others: Sequence[Case], goal: float, agent: Agent) -> Iterator[str]:
    yield "per cent of all phrases; synthetic speech; wrong_up_to: upper end of the 95 % interval, with sentences as trials"
    yield f"the other agent can't tell {agent.cant_tell:.0%} of the phrases, and is wrong about {agent.mistakes:.0%}"
    fitted, needed = len({case.group for case in others}), fewest_groups(goal)
    if fit(others, goal, Thresholds()) is None:
        yield f"{fitted} other sentences promise no {goal:.1%}; it needs {needed} of them, and few that jump wrongly"
    yield f"on half of these {len({case.group for case in judge})} sentences it was once fitted how far heard words are trusted"


def _picture(curve: Sequence[Row], spots: Sequence[Row], agent: Agent) -> str:
    def along(name: str) -> list[tuple[float, float]]:
        return [(float(str(row["handed_over"])), float(str(row[name]))) for row in curve]

    other = f"an agent who can't tell {agent.cant_tell:.0%}, wrong in {agent.mistakes:.0%}"
    marked = [row for row in spots if not str(row["thresholds"]).startswith(" ")]
    return drawn(
        "Handed over to a silent agent, % of phrases (synthetic speech)",
        [
            [Line("jump to the wrong place, %: perfect agent", along("wrong")), Line(other, along("wrong_other_agent"))],
            [Line("land where they want, %: perfect agent", along("landed")), Line(other, along("landed_other_agent"))],
        ],
        [
            [Spot(str(row["thresholds"]), float(str(row["handed_over"])), float(str(row[name]))) for row in marked]
            for name in ("wrong", "landed")
        ],
    )


if __name__ == "__main__":
    main()
