"""Flows of calls that we make: what a sound one becomes, and what the checker says of those that would tell strangers something."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.dialogue.bounds import Bounds
from engine.dialogue.graph import Ask, Field, Flow, Menu, NodeId
from engine.dialogue.results import Recorded, Result
from engine.ivr.files import load_flow
from engine.ivr.parse import parse_flow
from engine.ivr.problems import FlowErrors

CAMPAIGNS = Path(__file__).resolve().parents[2] / "examples" / "bank" / "campaigns"
SOUND = """
flow: errand
languages: [en]
start: who
operator: people
right_party: who
listen_first: 2s
fields:
  name: name
  sum: {kind: money, currency: EUR, private: true}
  born: {kind: date, private: true}
nodes:
  who:
    type: menu
    open: false
    prompt: "Is this {name}?"
    keys_prompt: "Yes is 1, no is 2."
    choices:
      1: {to: proof, intent: "yes"}
      2: {to: wrong, intent: "no"}
    otherwise: wrong
  proof:
    type: ask
    prompt: "When were you born?"
    slot: said
    value: date
    equals: born
    sets_right_party: true
    read_back: false
    then: day
    otherwise: wrong
  day:
    type: ask
    requires_right_party: true
    prompt: "You owe {sum}. When will you pay?"
    slot: promised
    value: date
    between: [today, 14 days]
    off_limits: "Not later than {most:date}."
    then: noted
  noted:
    type: end
    requires_right_party: true
    outcome: promised
    details: {date: "{promised}", by: voice}
    prompt: "Noted."
  never:
    type: end
    title: no more calls
    everywhere: true
    outcome: opted_out
    details: {scope: all}
    prompt: "Never again."
  wrong: {type: end, outcome: wrong_person, prompt: "Sorry."}
  people: {type: transfer, title: a colleague, destination: desk}
"""


def parse(text: str) -> Flow:
    return parse_flow(text, "f.yaml", str)


def found(old: str, new: str) -> list[str]:
    assert SOUND.count(old) == 1
    with pytest.raises(FlowErrors) as refused:
        parse(SOUND.replace(old, new))
    return [str(it).split(": ", 1)[1] for it in refused.value.problems]


def test_what_is_written_is_what_is_walked() -> None:
    flow = parse(SOUND)
    who, proof, day = (flow.nodes[NodeId(name)] for name in ("who", "proof", "day"))

    assert isinstance(who, Menu)
    assert isinstance(proof, Ask)
    assert isinstance(day, Ask)
    assert [(choice.target, choice.intent) for choice in who.choices] == [("proof", "yes"), ("wrong", "no")]
    assert (proof.equals, proof.sets_right_party, proof.otherwise) == ("born", True, "wrong")
    assert (day.bounds, day.requires_right_party) == (Bounds("today", "14 days"), True)
    assert flow.nodes[NodeId("noted")].records == Recorded(Result.PROMISED, {"date": "{promised}", "by": "voice"})
    assert flow.nodes[NodeId("never")].everywhere
    assert (flow.right_party, flow.listen_first) == ("who", 2.0)
    assert flow.fields["sum"] == Field("money", "EUR", private=True)  # type: ignore[index]


def test_a_field_is_worded_as_what_it_is() -> None:
    nodes = parse(SOUND).nodes

    assert [text for node in ("who", "day") for text in nodes[NodeId(node)].prompts[0].texts.values()] == [
        "Is this {name:name}?",
        "You owe {sum:money}. When will you pay?",
    ]


@pytest.mark.parametrize("campaign", ["overdue_notice", "deposit_offer"])
def test_the_demo_campaigns_are_sound_in_three_languages(campaign: str) -> None:
    flow = load_flow(CAMPAIGNS / campaign / "flow.yaml")

    assert flow.languages == ("en", "ru", "zh")
    assert flow.nodes[flow.intents["stop_calling"]].everywhere


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (
            'prompt: "Is this {name}?"',
            'prompt: "{name}, you owe {sum}?"',
            "nodes.who.prompt: expected `requires_right_party: true` at this node, found {sum}, which is private",
        ),
        (
            "right_party: who\n",
            "",
            "nodes.day.requires_right_party: expected `right_party: <node>` at the top of the file, found none",
        ),
        (
            "    sets_right_party: true\n",
            "",
            "right_party: expected a way to learn who is on the line, found none behind 'who'",
        ),
        (
            "    equals: born\n",
            "",
            "nodes.proof.sets_right_party: expected `equals: <field>` beside it, found none",
        ),
        (
            '1: {to: proof, intent: "yes"}',
            "1: {to: proof, sets_right_party: true}",
            "nodes.who.choices.1: expected an intent beside sets_right_party, such as yes, found none",
        ),
        (
            "    type: menu\n    open: false\n",
            "    type: menu\n    open: false\n    requires_right_party: true\n",
            "nodes.who.requires_right_party: expected a node that is open to everybody, found the flow's start",
        ),
        (
            "between: [today, 14 days]",
            "between: [today, soon]",
            "nodes.day.between.1: expected a limit: today, now, a number of days such as 14 days, {a_slot}, a sum or a day, found 'soon'",
        ),
        (
            "    between: [today, 14 days]\n",
            "",
            "nodes.day.off_limits: expected `between` beside it, found none",
        ),
        (
            "name: name\n",
            "name: nickname\n",
            "fields.name: expected a wording of text, number, ordinal, money, date, time, moment, name, digits or phone",
        ),
        (
            "born: {kind: date, private: true}",
            "born: {kind: date, currency: EUR}",
            "fields.born: expected a currency only where the kind is money, found one for 'date'",
        ),
        ("slot: said", "slot: born", "nodes.proof.slot: expected a slot of its own, found 'born', which is a field of the call"),
        ("    outcome: promised\n", "", "nodes.noted.details: expected an outcome beside its details, found none"),
        ("outcome: promised", "outcome: maybe", "nodes.noted.outcome: expected one of promised, accepted"),
        ("{scope: all}", "{scope: some}", "nodes.never.details.scope: expected one of all or campaign, found 'some'"),
        ('date: "{promised}"', 'date: "{promise}"', "nodes.noted.details.date: expected a slot that a node before fills, found 'promise'"),
        (
            "    title: no more calls\n",
            "",
            "nodes.never.everywhere: expected a title: what is said to come here, found none",
        ),
        ("equals: born", "equals: birthday", "nodes.proof.equals: expected a slot that a node before fills, found 'birthday'"),
    ],
)  # fmt: skip
def test_a_broken_one_is_told_what_and_where(old: str, new: str, problem: str) -> None:
    assert any(problem in it for it in found(old, new)), found(old, new)


def test_a_menu_for_everybody_does_not_spell_out_what_is_private() -> None:
    titled = SOUND.replace('    keys_prompt: "Yes is 1, no is 2."\n', "").replace(
        '    type: ask\n    requires_right_party: true\n    prompt: "You owe', '    type: ask\n    title: pay your debt\n    requires_right_party: true\n    prompt: "You owe'
    ).replace('1: {to: proof, intent: "yes"}', "1: day")  # fmt: skip
    with pytest.raises(FlowErrors) as refused:
        parse(titled)

    assert any("expected a keys_prompt in this menu, found the title of 'day'" in str(it) for it in refused.value.problems)
