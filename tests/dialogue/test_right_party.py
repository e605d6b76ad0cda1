"""No road leads a stranger to what is nobody else's business, and nothing of it is even named to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.asr.protocol import Grammar
from engine.core.units import Seconds
from engine.dialogue import actions as do
from engine.dialogue import events as on
from engine.dialogue.bounds import Bounds
from engine.dialogue.graph import Ask, Choice, Field, Flow, Menu, Node, NodeId, Say, Service, SlotName
from engine.dialogue.results import Recorded, Result
from tests.dialogue.flows import Table, flow_of, heard, heard_value, no, prompt, titled, yes
from tests.dialogue.strategies import Move, flow_from, journeys
from tests.dialogue.test_properties import World

many = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
PROOF = {"born": "2026-11-21"}  # what the strategies say where a date is asked for


def outbound(luck: Random) -> Flow:
    """A random flow that we call with: who is on the line is asked, proved or told by the host; some nodes are private."""
    flow = flow_from(luck)
    open_to_all = {flow.start, flow.operator, NodeId("who"), NodeId("proof"), flow.verify}
    nodes = {node.id: _private(luck, node) if node.id not in open_to_all else node for node in flow.nodes.values()}
    places = list(nodes)
    to, also = luck.choice(places), luck.choice(places)
    choices = (
        Choice(to, "1", "yes", sets_right_party=luck.random() < 0.7),
        Choice(also, "2", "no"),
        Choice(NodeId("proof"), "3"),
    )
    who = Menu(**titled("who"), choices=choices, open=luck.random() < 0.5, otherwise=luck.choice([None, flow.operator]))
    proof = Ask(
        **titled("proof"),
        slot=SlotName("said"),
        type="date",
        equals=SlotName("born"),
        sets_right_party=True,
        then=luck.choice(places),
    )
    return replace(
        flow,
        nodes={**nodes, who.id: who, proof.id: proof},
        right_party=luck.choice([who.id, proof.id, None]),
        fields={SlotName("born"): Field("date", private=True)},
        listen_first=luck.choice([None, Seconds(1.0)]),
    )


def _private(luck: Random, node: Node) -> Node:
    records = luck.choice([None, None, Recorded(Result.PROMISED), Recorded(Result.OPTED_OUT)])
    node = replace(node, requires_right_party=luck.random() < 0.5, everywhere=luck.random() < 0.2, records=records)
    match node:
        case Service():
            return replace(node, sets_right_party=luck.random() < 0.3)
        case Ask():
            bounds = luck.choice([None, Bounds("today", "14 days") if node.type == "date" else None])
            return replace(node, unasked=luck.random() < 0.5, bounds=bounds, off_limits=luck.choice([None, prompt("off_limits")]))
    return node


class Strangers(World):
    """The world, and what is known in it of who is on the line, by the events and decisions alone."""

    known = False

    def happens(self, event: on.Event | on.Tick, gap: float = 0.0) -> None:
        before, asked_at = self.dialogue.right_party, self.dialogue.node
        count = len(self.done)
        super().happens(event, gap)
        for actions in self.done[count:]:
            now = self.dialogue.right_party
            assert before or not now or any(self._says_who(asked_at, event, actions)), (event, actions)
            self._heard_by_a_stranger(actions, before=before, now=now)

    def _says_who(self, place: NodeId | None, event: on.Event | on.Tick, actions: tuple[do.Action, ...]) -> Iterator[bool]:
        places = [place, *(action.node for action in actions if isinstance(action, do.Entered))]
        for node in (self.flow.nodes[it] for it in places if it is not None):
            yield (
                isinstance(node, Service)
                and node.sets_right_party
                and isinstance(event, on.HostReplied)
                and event.outcome == "ok"
            )
            for decided in (action for action in actions if isinstance(action, do.Decided) and action.node == node.id):
                yield isinstance(node, Ask) and node.sets_right_party and decided.target == node.then
                yield isinstance(node, Menu) and any(
                    choice.sets_right_party and (choice.intent, choice.target) == (decided.intent, decided.target)
                    for choice in node.choices
                )

    def _heard_by_a_stranger(self, actions: tuple[do.Action, ...], *, before: bool, now: bool) -> None:
        if before or now:
            return
        private = {str(node.id) for node in self.flow.nodes.values() if node.requires_right_party}
        for action in actions:
            assert not (isinstance(action, do.Entered) and action.node in private)
            for said in action.spoken if isinstance(action, do.Play) else ():
                named = {said.values.get(place) for place in ("title", "first", "second")}
                assert not named & {title for node in private for title in self.flow.nodes[NodeId(node)].title.values()}


@many
@given(seed=st.integers(0, 2**32 - 1), journey=journeys(), agents=st.booleans())
def test_whatever_is_said_keyed_corrected_or_answered_a_stranger_gets_nowhere(
    seed: int, journey: list[Move], agents: bool
) -> None:
    world = Strangers(outbound(Random(seed)), agents=agents)
    world.happens(on.Answered(fields=PROOF, local=None))

    world.goes_on(journey)
    world.falls_silent(host_answers=True)

    assert world.dialogue.state.value == "ended"


def errand(**changes: object) -> Flow:
    """Asks who it is, then tells; "not again" counts everywhere."""
    who = Menu(
        **titled("who"),
        choices=(Choice(NodeId("told"), "1", "yes", sets_right_party=True), Choice(NodeId("bye"), "2", "no")),
        open=False,
        otherwise=NodeId("bye"),
    )
    told = Say(**titled("told"), requires_right_party=True, records=Recorded(Result.INFORMED), then=NodeId("day"))
    day = Ask(
        **titled("day"),
        slot=SlotName("on"),
        type="date",
        grammar=Grammar.DATE,
        requires_right_party=True,
        unasked=True,
        read_back=False,
        then=NodeId("promised"),
        otherwise=NodeId("bye"),
    )
    promised = Menu(
        **titled("promised"),
        requires_right_party=True,
        records=Recorded(Result.PROMISED, {"date": "{on}", "way": "by voice", "sum": "{never}"}),
        choices=(Choice(NodeId("bye"), "1"),),
        otherwise=NodeId("bye"),
    )
    never = Say(**titled("never"), everywhere=True, records=Recorded(Result.OPTED_OUT, {"scope": "all"}), then=NodeId("bye"))
    bye = Say(**titled("bye"), then=NodeId("operator"))
    return flow_of(who, told, day, promised, never, bye, start="who", right_party=NodeId("who"), **changes)


def answered() -> Table:
    table = Table(errand())
    table.feed(on.Answered())
    return table


def test_a_plain_yes_takes_its_choice_and_says_who_it_is() -> None:
    table = answered()
    table.say(yes())

    assert table.dialogue.right_party
    assert table.dialogue.node == "day"


def test_where_something_counts_everywhere_the_recogniser_listens_freely() -> None:
    table = answered()
    table.say(yes())

    assert table.last(do.Listen).node == "day"
    assert table.last(do.Listen).hints.grammar is Grammar.FREE
    assert "never" in table.last(do.Listen).question.intents


def test_where_no_recogniser_answers_it_is_people_and_not_the_end_of_those_who_give_no_answer() -> None:
    table = answered()
    table.say(yes())
    table.finish()

    table.feed(on.RecogniserFailed())

    assert table.dialogue.node == "operator"
    assert do.Entered(NodeId("bye")) not in table.done


def test_a_plain_no_takes_the_other() -> None:
    table = answered()
    table.say(no())

    assert not table.dialogue.right_party
    assert do.Entered(NodeId("bye")) in table.done


def test_a_yes_with_more_to_it_yields_to_what_it_surely_says() -> None:
    table = answered()
    table.say(replace(heard("yes and stop calling me", never=0.9), interpretation=heard("", never=0.9).interpretation))

    assert not table.dialogue.right_party
    assert table.last(do.Record) == do.Record(Result.OPTED_OUT, {"scope": "all"})


def test_a_yes_that_is_taken_back_leaves_a_stranger() -> None:
    table = answered()
    table.say(yes())

    table.feed(replace(heard_value("yes no he is my father", {"yes_no": "no"}), continues=True), 0.3)

    assert not table.dialogue.right_party
    assert table.last(do.Record) == do.Record(None)


def test_a_stranger_is_not_asked_whether_they_meant_what_is_private() -> None:
    table = answered()
    table.say(heard("how much", told=0.6))

    assert table.last(do.Decided).rung is do.Rung.NO_MATCH
    assert "confirm" not in table.spoken


def test_what_came_of_it_is_recorded_with_the_values_there_are() -> None:
    table = answered()
    table.say(yes())
    table.say(heard_value("on friday", {"date": "2026-11-27"}))
    table.wait()
    table.say(heard_value("next friday", {"date": "2026-12-04"}))

    assert table.last(do.Record) == do.Record(Result.PROMISED, {"date": "2026-11-27", "way": "by voice"})


def test_who_says_nothing_goes_where_the_flow_says_and_not_to_people() -> None:
    table = answered()
    for _ in range(8):
        table.finish() if table.dialogue._line.playing else table.wait()

    assert do.Entered(NodeId("bye")) in table.done


def test_a_value_said_with_the_wish_is_not_asked_for_again() -> None:
    open_menu = Menu(**titled("main"), choices=(Choice(NodeId("day"), "1"),))
    day = Ask(**titled("day"), slot=SlotName("on"), type="date", unasked=True, then=NodeId("operator"))
    table = Table(flow_of(open_menu, day, start="main"))
    table.feed(on.Answered())
    said = heard("I will pay on friday", day=0.9)

    table.say(replace(said, interpretation=replace(said.interpretation, slots={"date": "2026-11-27"})))

    assert table.spoken == ["read_back"]
    assert table.last(do.Play).spoken[0].values == {"value": "2026-11-27"}
