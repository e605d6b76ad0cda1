"""The keys to a flow's secret entries are found from the flow alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.core.errors import ConfigError
from engine.dialogue.graph import End, Keypad, Menu, NodeId, Say
from engine.ivr.files import load_flow
from engine.testing.canaries.ways import canaries_for, way_to_secrets
from tests.dialogue.flows import flow_of, titled

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("path", "open_keys", "slots"),
    [
        ("tests/journeys/small_bank.yaml", ["2"], ["card_number"]),
        ("examples/bank/flow.yaml", None, ["card_number", "pin"]),
    ],
)
def test_the_way_through_a_bank(path: str, open_keys: list[str] | None, slots: list[str]) -> None:
    way = way_to_secrets(load_flow(ROOT / path))

    assert [str(press.secret.slot) for press in way if press.secret] == slots
    assert open_keys is None or [press.keys for press in way if press.keys] == open_keys


def test_a_number_fits_its_entry() -> None:
    flow = load_flow(ROOT / "tests/journeys/small_bank.yaml")
    (card,) = canaries_for(flow, way_to_secrets(flow))

    assert (card.slot, len(card.digits)) == ("card_number", 16)


def test_a_pin_is_never_what_the_choices_of_several_callers_spell_by_chance() -> None:
    flow = load_flow(ROOT / "examples/bank/flow.yaml")
    pins = {canaries_for(flow, way_to_secrets(flow))[1].digits for _ in range(200)}

    assert all(set(pin) & {"7", "8"} for pin in pins)  # all other digits are keys of some menu
    assert len(pins) > 150


def test_where_keys_lead_to_no_secret_there_is_nothing_to_prove() -> None:
    flow = flow_of(Menu(**titled("main")), End(**titled("bye")), start="main")

    with pytest.raises(ConfigError, match="expected a secret entry"):
        way_to_secrets(flow)


def test_a_secret_that_no_question_to_the_bank_takes_is_no_way() -> None:
    pad = Keypad(**titled("pad"), then=NodeId("bye"))
    flow = flow_of(Say(**titled("hello"), then=NodeId("pad")), pad, End(**titled("bye")), start="hello")

    with pytest.raises(ConfigError):
        way_to_secrets(flow)
