"""What a sound flow file becomes."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from engine.asr.protocol import Grammar
from engine.core.speech import ENGLISH, RUSSIAN
from engine.dialogue.graph import Ask, Flow, Global, Keypad, Menu, NodeId, Service, Thresholds
from engine.ivr.files import check, load_flow
from engine.ivr.parse import parse_flow
from engine.ivr.problems import FlowErrors, Problem

PATH = Path(__file__).parent / "sound.yaml"
SOUND = PATH.read_text(encoding="utf-8")

TINY = """
flow: tiny
languages: [en]
start: main
operator: people
nodes:
  main: {type: menu, prompt: "What now?", choices: {1: no, "*": people}}
  no: {type: end, title: nothing, synonyms: [no, none], prompt: Bye.}
  people: {type: transfer, title: people, destination: desk}
"""


def nothing_to_read(name: str) -> str:
    raise FileNotFoundError(2, "No such file or directory", name)


def tiny(old: str = "", new: str = "") -> Flow:
    return parse_flow(TINY.replace(old, new) if old else TINY, "tiny.yaml", nothing_to_read)


def parsed_or_problems(text: str) -> Flow | Sequence[Problem]:
    try:
        return parse_flow(text, "flow.yaml", nothing_to_read)
    except FlowErrors as error:
        return error.problems


def test_the_revision_is_the_hash_of_the_files_bytes() -> None:
    assert load_flow(PATH).revision == hashlib.sha256(PATH.read_bytes()).hexdigest()


def test_nodes_with_a_title_are_landed_on_by_an_intent_called_like_them() -> None:
    assert dict(load_flow(PATH).intents) == {it: it for it in ("balance", "rates", "branch")} | {"people": "people"}


def test_a_node_may_be_kept_from_being_landed_on_by_voice() -> None:
    flow = tiny("title: nothing,", "title: nothing, by_voice: false,")

    assert "no" not in flow.intents


def test_a_node_may_name_its_intent() -> None:
    flow = tiny("title: nothing,", "title: nothing, intent: good_bye,")

    assert flow.intents["good_bye"] == "no"


def test_a_text_alone_is_in_the_flows_only_language() -> None:
    node = tiny().nodes[NodeId("no")]

    assert node.prompts[0].texts == {ENGLISH: "Bye."}
    assert node.title == {ENGLISH: "nothing"}
    assert node.synonyms == {ENGLISH: ("no", "none")}


def test_prompts_are_called_after_their_node_unless_a_recording_is_named() -> None:
    flow = tiny("prompt: Bye.", "prompt: [Well., {recording: bye, en: Bye.}]")

    assert [prompt.id for prompt in flow.nodes[NodeId("no")].prompts] == ["no.prompt", "bye"]


def test_the_keys_of_a_menu_are_spelt_out_from_the_titles() -> None:
    menu = tiny().nodes[NodeId("main")]

    assert isinstance(menu, Menu)
    assert menu.keys_prompt is not None
    assert menu.keys_prompt.texts == {ENGLISH: "Nothing: press 1. People: press star."}


def test_choices_without_a_key_stand_behind_those_with_one() -> None:
    menu = load_flow(PATH).nodes[NodeId("main")]

    assert isinstance(menu, Menu)
    assert [(choice.key, choice.target) for choice in menu.choices] == [
        ("1", "balance"),
        ("2", "rates"),
        ("0", "people"),
        (None, "branch"),
    ]


def test_thresholds_left_out_are_the_flows() -> None:
    flow = load_flow(PATH)

    assert flow.thresholds == Thresholds(0.8, 0.5, 0.2)
    assert flow.intent_thresholds["balance"] == Thresholds(0.9, 0.5, 0.2)


def test_durations_become_seconds() -> None:
    patience = load_flow(PATH).patience

    assert (patience.no_input, patience.between_keys, patience.assist) == (4.0, 0.8, 6.0)


def test_own_wording_replaces_the_built_in_language_by_language() -> None:
    flow = load_flow(PATH)

    assert flow.fixed.confirm.texts[ENGLISH] == "So it is {title}?"
    assert flow.fixed.confirm.texts[RUSSIAN] == "Вы имели в виду: {title}. Верно?"
    assert flow.globals[Global.REPEAT][ENGLISH] == ("once again",)
    assert "повторите" in flow.globals[Global.REPEAT][RUSSIAN]


def test_only_the_flows_languages_are_kept() -> None:
    flow = load_flow(PATH)

    assert set(flow.fixed.help.texts) == set(flow.globals[Global.HELP]) == {ENGLISH, RUSSIAN}


def test_a_question_listens_for_what_it_asks() -> None:
    nodes = load_flow(PATH).nodes
    rates, branch = nodes[NodeId("rates")], nodes[NodeId("branch")]

    assert isinstance(rates, Ask)
    assert isinstance(branch, Ask)
    assert (rates.type, rates.grammar, rates.length) == ("date", Grammar.DATE, None)
    assert (branch.type, branch.grammar, branch.length) == ("digits", Grammar.DIGITS, (5, 6))


def test_the_keypad_is_secret_unless_said_otherwise() -> None:
    pin = load_flow(PATH).nodes[NodeId("pin")]

    assert isinstance(pin, Keypad)
    assert (pin.secret, pin.length, pin.finish_key, pin.otherwise) == (True, (4, 4), "#", "people")


def test_a_service_says_what_it_sends_and_what_it_fills() -> None:
    nodes = load_flow(PATH).nodes
    verify, balance = nodes[NodeId("verify")], nodes[NodeId("balance")]

    assert isinstance(verify, Service)
    assert isinstance(balance, Service)
    assert (verify.arguments, verify.sets_verified) == (("pin",), True)
    assert (balance.fills, dict(balance.outcomes), balance.failed) == (("amount",), {"ok": "tell", "none": "bye"}, "people")


def test_examples_come_from_the_flow_and_from_files_beside_it(tmp_path: Path) -> None:
    lines = [f'{{"text": "rate {n}", "intent": "rates", "lang": "en"}}' for n in range(5)]
    (tmp_path / "labelled.jsonl").write_text(
        "\n".join([*lines, '{"text": "Kurs", "intent": "rates", "lang": "de"}']), encoding="utf-8"
    )
    (tmp_path / "branch.txt").write_text("\ufeffwhere\n\nwhere to\ngo\nnear me\nclose by\n", encoding="utf-8")
    (tmp_path / "flow.yaml").write_text(
        SOUND.replace("intents:\n", "examples: labelled.jsonl\nintents:\n  branch: {examples: branch.txt}\n"), encoding="utf-8"
    )
    examples = load_flow(tmp_path / "flow.yaml").examples

    assert set(examples) == {"balance", "rates", "branch"}
    assert examples["rates"] == tuple(f"rate {n}" for n in range(5))
    assert examples["branch"] == ("where", "where to", "go", "near me", "close by")


def test_yaml_words_that_look_like_booleans_and_numbers_stay_words() -> None:
    flow = tiny("destination: desk", "destination: 0070")

    assert getattr(flow.nodes[NodeId("people")], "destination", None) == "0070"
    assert NodeId("no") in flow.nodes


def test_anchors_and_merges_work() -> None:
    text = TINY.replace("no: {", "no: &bye {").replace("  people:", "  later: {<<: *bye, title: later, synonyms: []}\n  people:")
    flow = parse_flow(text, "tiny.yaml", nothing_to_read)

    assert flow.nodes[NodeId("later")].prompts[0].texts == {ENGLISH: "Bye."}


def test_an_editors_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "flow.yaml").write_text("\ufeff" + TINY, encoding="utf-8")

    assert check(tmp_path / "flow.yaml") == ()


def test_check_tells_of_a_file_that_is_not_there_or_not_text(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes("flow: café".encode("latin-1"))

    assert check(PATH) == ()
    assert check(tmp_path / "none.yaml")[0].found == "No such file or directory"
    assert check(tmp_path / "latin.yaml")[0].found == "the byte 0xe9 at offset 9"


@given(st.lists(st.integers(0, SOUND.count("\n") - 1), max_size=4), st.integers(0, 6))
def test_lines_lost_or_indented_otherwise_never_crash_the_checker(lost: list[int], indent: int) -> None:
    lines = [
        (" " * indent + line.lstrip()) if n in lost[:2] else line
        for n, line in enumerate(SOUND.splitlines())
        if n not in lost[2:]
    ]

    outcome = parsed_or_problems("\n".join(lines))

    if isinstance(outcome, Flow):
        assert all(target in outcome.nodes for target in outcome.intents.values())
    else:
        assert all(problem.expected and problem.found and 1 <= problem.line <= len(lines) + 1 for problem in outcome)


@given(st.text(alphabet=st.sampled_from("abc:-[]{}&*!#'\"|> \n\t0~?,%@"), max_size=60))
def test_no_text_crashes_the_reader(text: str) -> None:
    assert parsed_or_problems(text)
