"""What would corrections change? Judged on those that were not learned from.

The corrections are cut into five parts; no call, and no two near-doubles of a wording, stand in two of them. Each part is judged

* **today**: by the flow's examples and thresholds as they are;
* **with the examples**: by an understander that has learned the other four parts, too;
* **with the thresholds** also: those that were fitted on the other four parts, whose phrases were themselves left out.

What is proposed in the end is learned from, and fitted on, all of them. It is judged on the flow's own examples, too, each being
left out in turn, because learning some things can blur others.

Corrections are the phrases that the engine was unsure of. They say nothing of those that it jumped on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from engine.assist.learning.bars import Bars, Case, LimitsOf, Outcome, as_the_flow_has_it, fewest_groups, fit, outcome
from engine.assist.learning.bearing import as_heard, case_of, question_at, wanted_at
from engine.assist.learning.corrections import Correction
from engine.assist.learning.doubles import folds, groups
from engine.assist.learning.effects import Arm, Change, Effect, Examples, Way, effects
from engine.dialogue.graph import Flow
from engine.nlu.encoder import Encoder
from engine.nlu.understand import Understander
from engine.nlu.wording import bare

FEWEST = 10
"""Groups of corrections, with fewer of which nothing is judged."""

_FOLDS = 5


@dataclass(frozen=True, slots=True)
class School:
    """What an understander of a flow is taught from."""

    flow: Flow

    names: Mapping[str, Sequence[str]]
    """Titles and spoken synonyms by intent."""

    encoder: Encoder

    def taught(self, more: Sequence[Correction] = ()) -> Understander:
        """Train one with the flow's examples and ``more``; seconds of work."""
        examples = {intent: list(texts) for intent, texts in self.flow.examples.items()}
        for correction in more:
            examples.setdefault(correction.intent, []).append(correction.words)
        return Understander.train(examples, self.names, encoder=self.encoder)


@dataclass(frozen=True, slots=True)
class Study:
    """What is proposed, and what it would change."""

    proposed: tuple[Correction, ...]
    """New wordings, one each: the examples."""

    surprising: tuple[Correction, ...]
    """Corrections with which the engine would jump elsewhere; worth listening to."""

    judged: int
    """Corrections that the figures rest on."""

    groups: int
    """Of them, that are independent of each other."""

    groups_for_bars: int
    """How many of those a promise about thresholds needs."""

    bars: Bars | None = None
    """The thresholds that are proposed; ``None``: too few corrections to promise anything."""

    today: Arm | None = None
    """``None`` where there is too little to judge by; so are the others."""

    with_examples: Arm | None = None
    with_thresholds: Arm | None = None

    changed: Change | None = None
    """From today to all that is proposed."""

    effects: tuple[Effect, ...] = field(default=())
    """By intent, from today to all that is proposed."""


def study(corrections: Sequence[Correction], school: School, base: Understander, goal: float) -> Study:
    """Find out; ``base`` is what the school teaches today, ``goal`` the share of wrong jumps to stay under."""
    known = {bare(text) for texts in school.flow.examples.values() for text in texts}
    fresh = [one for one in corrections if bare(one.words) not in known]
    judge = _Judge(school, fresh)
    today = judge.under_the_flows(judge.cases(base))
    wrong = tuple(one for one, came_to in zip(fresh, today.outcomes, strict=True) if came_to is Outcome.WRONG)
    proposed = tuple({bare(one.words): one for one in reversed(fresh)}.values())[::-1]
    enough = len(set(judge.group)) >= FEWEST
    plain = Study(proposed, wrong, len(fresh), len(set(judge.group)), fewest_groups(goal))
    return _compared(plain, judge, base, today, goal) if enough else plain


def _compared(plain: Study, judge: _Judge, base: Understander, today: Way, goal: float) -> Study:
    learned = judge.cases_left_out()
    with_examples, with_thresholds = judge.under_the_flows(learned), judge.under_fitted(learned, goal)
    bars = None if with_thresholds is None else fit(learned, goal, judge.flow.thresholds)
    best = with_examples if with_thresholds is None or bars is None else with_thresholds
    then = judge.examples(judge.school.taught(plain.proposed), judge.limits if bars is None else bars.of)
    return Study(
        plain.proposed,
        plain.surprising,
        plain.judged,
        plain.groups,
        plain.groups_for_bars,
        bars,
        today.arm(),
        with_examples.arm(),
        None if with_thresholds is None else with_thresholds.arm(),
        Change.between(today, best),
        tuple(effects([one.intent for one in judge.fresh], (today, best), (judge.examples(base, judge.limits), then))),
    )


class _Judge:
    """Of one set of corrections."""

    def __init__(self, school: School, fresh: Sequence[Correction]) -> None:
        self.school, self.flow, self.fresh = school, school.flow, fresh
        self.limits = as_the_flow_has_it(school.flow)
        self.group = groups([bare(one.words) for one in fresh], school.encoder, [one.label.task.id.call for one in fresh])
        self._fold = folds(self.group, _FOLDS)

    def cases(self, understander: Understander) -> list[Case]:
        """All of them, as one understander takes them."""
        return [self._case(place, understander) for place in range(len(self.fresh))]

    def cases_left_out(self) -> list[Case]:
        """Each as an understander takes it that has learned the other parts."""
        found: dict[int, Case] = {}
        for part in sorted(set(self._fold)):
            understander = self.school.taught([self.fresh[place] for place in self._outside(part)])
            found |= {place: self._case(place, understander) for place in self._inside(part)}
        return [found[place] for place in range(len(self.fresh))]

    def under_the_flows(self, cases: Sequence[Case]) -> Way:
        """Under the thresholds of today."""
        return Way(cases, [outcome(case, self.limits) for case in cases])

    def under_fitted(self, cases: Sequence[Case], goal: float) -> Way | None:
        """Each under thresholds that were fitted on the other parts; ``None`` where those are too few."""
        found: dict[int, Outcome] = {}
        for part in sorted(set(self._fold)):
            bars = fit([cases[place] for place in self._outside(part)], goal, self.flow.thresholds)
            if bars is None:
                return None
            found |= {place: outcome(cases[place], bars.of) for place in self._inside(part)}
        return Way(cases, [found[place] for place in range(len(cases))])

    def examples(self, understander: Understander, limits_of: LimitsOf) -> Examples:
        """What each of the flow's own examples comes to when it is left out, by intent."""
        own = {(text, intent) for intent, texts in self.flow.examples.items() for text in texts}
        start = self.flow.nodes[self.flow.start]
        found: dict[str, list[Outcome]] = {}
        for sentence, heard in understander.left_out():
            if (sentence.text, sentence.intent) in own:
                case = case_of(self.flow, start, heard, wanted_at(self.flow, start, sentence.intent))
                found.setdefault(sentence.intent, []).append(outcome(case, limits_of))
        return found

    def _case(self, place: int, understander: Understander) -> Case:
        task = self.fresh[place].label.task
        node = self.flow.nodes.get(task.node, self.flow.nodes[self.flow.start])
        heard = understander.interpret(as_heard(task), question_at(self.flow, node, task.language))
        wanted = wanted_at(self.flow, node, self.fresh[place].intent)
        return case_of(self.flow, node, heard, wanted, self.group[place])

    def _inside(self, part: int) -> list[int]:
        return [place for place, fold in enumerate(self._fold) if fold == part]

    def _outside(self, part: int) -> list[int]:
        return [place for place, fold in enumerate(self._fold) if fold != part]
