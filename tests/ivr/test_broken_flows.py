"""A flow that works is broken in one place at a time; each time the checker must name the place, what it expected and what it found."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.dialogue.graph import Flow
from engine.ivr.parse import parse_flow
from engine.ivr.problems import FlowErrors

HERE = Path(__file__).parent
SOUND = (HERE / "sound.yaml").read_text(encoding="utf-8")
BROKEN = yaml.safe_load((HERE / "broken.yaml").read_text(encoding="utf-8"))


def labelled(intent: str, *sentences: str, lang: str = "en") -> str:
    return "".join(f'{{"text": "{sentence}", "intent": "{intent}", "lang": "{lang}"}}\n' for sentence in sentences)


EXAMPLES = {
    "labelled.jsonl": '{"text": "a", "intent": "balance"}\nnot json\n{"text": "b"}\n',
    "strange.jsonl": labelled("ballance", "s0", "s1", "s2", "s3", "s4"),
    "twice.jsonl": labelled("rates", "What is my balance?", "b", "c", "d", "e"),
    "few.jsonl": labelled("rates", "a") + labelled("rates", "nur so", lang="de"),
}


def read_text(name: str) -> str:
    if name == "latin.jsonl":
        return b"\xff".decode()
    if name not in EXAMPLES:
        raise FileNotFoundError(2, "No such file or directory")
    return EXAMPLES[name]


def parse(text: str) -> Flow:
    return parse_flow(text, "flow.yaml", read_text)


def test_the_flow_that_is_broken_below_has_nothing_wrong_with_it() -> None:
    assert parse(SOUND).name == "sound"


@pytest.mark.parametrize("case", BROKEN, ids=[case["name"] for case in BROKEN])
def test_a_broken_flow_is_told_what_and_where(case: Mapping[str, Any]) -> None:
    assert SOUND.count(case["for"]) >= 1

    with pytest.raises(FlowErrors) as caught:
        parse(SOUND.replace(case["for"], case["write"], 1))

    assert [str(problem) for problem in caught.value.problems] == case["problems"]


def test_at_least_forty_kinds_of_mistakes_are_told_apart() -> None:
    kinds = {problem.split("expected ", 1)[1].split(", found")[0] for case in BROKEN for problem in case["problems"][:1]}

    assert len(kinds) >= 40


@pytest.mark.parametrize(
    ("text", "found"),
    [("", "an empty file"), ("- a\n- b\n", "a list of 2"), ("hello", "'hello'"), ("[" * 5_000, "brackets nested too deeply")],
)
def test_what_is_no_flow_at_all_is_refused(text: str, found: str) -> None:
    with pytest.raises(FlowErrors) as caught:
        parse(text)

    assert caught.value.problems[0].found == found


def test_aliases_that_unfold_to_millions_are_refused() -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
    )

    with pytest.raises(FlowErrors, match="aliases that unfold to more"):
        parse(bomb)


def test_all_problems_are_told_at_once_in_the_order_of_the_file() -> None:
    with pytest.raises(FlowErrors) as caught:
        parse(
            SOUND.replace("start: main", "start: mian")
            .replace("then: told", "then: tolt")
            .replace("failed: people", "failed: nobody")
        )

    lines = [problem.line for problem in caught.value.problems]
    assert lines == sorted(lines)
    assert [problem.found for problem in caught.value.problems if problem.expected == "the name of a node"] == [
        "'mian'",
        "'nobody'",
        "'tolt'",
    ]


def test_a_language_without_built_in_wording_needs_all_of_it() -> None:
    with pytest.raises(FlowErrors) as caught:
        parse(SOUND.replace("languages: [en, ru]", "languages: [en, ru, ko]"))

    paths = {problem.path for problem in caught.value.problems}
    assert {"wording.confirm", "globals.help", "nodes.main.prompt.ko", "nodes.people.title.ko"} <= paths
