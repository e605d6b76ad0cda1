"""What must hold across a whole flow file. Each check yields what it finds and never raises; none relies on another's verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from engine.ivr.checks import outbound, slots, verification, voice, ways, wording
from engine.ivr.draft import Draft
from engine.ivr.problems import Problem

Check = Callable[[Draft], Iterator[Problem]]

CHECKS: Sequence[Check] = (
    ways.missing_targets,
    ways.operator_hands_over,
    ways.unreachable_nodes,
    ways.no_way_to_an_end,
    ways.endless_talk,
    ways.services_answer_ok,
    verification.nothing_verifies,
    verification.verifying_needs_verified,
    verification.first_node_is_open,
    wording.languages_named_twice,
    wording.missing_languages,
    wording.broken_placeholders,
    wording.machine_wording,
    wording.recordings_of_two_texts,
    wording.keys_without_names,
    slots.open_and_secret,
    slots.spoken_secrets,
    slots.unused_secrets,
    slots.used_before_filled,
    slots.grammars_that_do_not_fit,
    outbound.fields_that_can_not_be,
    outbound.nothing_asks_who_it_is,
    outbound.told_to_strangers,
    outbound.unsure_of_the_party,
    outbound.limits_that_do_not_fit,
    outbound.outcomes_that_tell_nothing,
    voice.intents_of_two_nodes,
    voice.reserved_intents,
    voice.choices_of_unknown_intents,
    voice.names_that_collide,
    voice.settings_of_unknown_intents,
    voice.too_few_examples,
    voice.examples_of_unknown_intents,
    voice.examples_that_contradict,
    voice.thresholds_out_of_order,
)


def find_problems(draft: Draft) -> Sequence[Problem]:
    """Everything that is wrong with the draft as a whole."""
    return [problem for check in CHECKS for problem in check(draft)]
