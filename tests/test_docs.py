"""The documentation says what is true: settings, verbs, options, metrics, error codes, links and examples, all of them checked."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from typer.core import TyperGroup, TyperOption
from typer.main import get_command

from docs.generate import API, CONFIGURATION, with_operations, with_settings
from engine.cli.ask import answered
from engine.cli.bench import _QUESTIONS
from engine.cli.main import _EXIT_CODES, app
from engine.cli.transcribe import as_json as transcription
from engine.config import Config, load_config
from engine.core.call import CallFacts, Speaker, new_call_id
from engine.core.errors import EngineError
from engine.core.speech import Transcript, Word
from engine.core.units import Confidence, Seconds
from engine.dialogue.actions import Rung
from engine.dialogue.graph import Global
from engine.ivr.menu_import import import_menu
from engine.ivr.parse import parse_flow
from engine.ivr.problems import Problem
from engine.model_files import ModelRow
from engine.nlu.interpretation import Candidate, Interpretation
from engine.runtime.engine import Engine
from engine.runtime.lags import Lags
from engine.runtime.looking_on import Metrics
from engine.runtime.transcribe import SpokenTurn
from engine.server.gauges import Counted, HouseGauges
from engine.store.database import connect
from tests.server.doubles import EchoEngine

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md"), ROOT / "models" / "README.md"])
FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def shown(kind: str) -> list[pytest.param]:
    """Every fenced example whose info string is ``kind``."""
    found = [(path, text) for path in PAGES for info, text in FENCE.findall(path.read_text(encoding="utf-8")) if info == kind]
    return [pytest.param(text, id=f"{path.relative_to(ROOT)}-{number}") for number, (path, text) in enumerate(found)]


def anchors(text: str) -> set[str]:
    """What headings are called in links, as GitHub does it."""
    headings = re.findall(r"^#+ (.*)$", FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def verbs(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    if not isinstance(command, TyperGroup):
        yield " ".join(path), command
        return
    context: Any = None  # the groups of ours need none, and make their verbs without one
    for name in command.list_commands(context):
        yield from verbs(command.get_command(context, name), (*path, name))


VERBS: Mapping[str, Any] = dict(verbs(get_command(app)))


def section_of(verb: str) -> str:
    """What the page says of a verb, up to the next heading."""
    _, _, rest = page("engineer/cli.md").partition(f"### `{verb}`\n")
    return re.split(r"^#", rest, maxsplit=1, flags=re.MULTILINE)[0]


def unexplained(options: set[str], text: str) -> set[str]:
    return {option for option in options if not re.search(rf"{option}(?![\w-])", text)}


def keys(value: Any) -> Any:
    """The shape of JSON: its keys, all the way down."""
    if isinstance(value, Mapping):
        return {key: keys(below) for key, below in value.items()}
    return [keys(value[0])] if isinstance(value, list) and value else None


def example_of(verb: str) -> Any:
    ((_, text),) = ((info, text) for info, text in FENCE.findall(section_of(verb)) if info == "json")
    return json.loads(text)


def error_codes(kind: type[EngineError] = EngineError) -> set[str]:
    below = (error_codes(one) for one in kind.__subclasses__() if one.__module__.startswith("engine."))
    return {kind.code}.union(*below)


def metrics() -> set[str]:
    measured = Metrics()
    measured.watch_loop(Lags())
    call = CallFacts(new_call_id(), "wav")
    measured.began(call)
    measured.ended(call, "completed")
    house, engine = CollectorRegistry(), EchoEngine()
    house.register(HouseGauges(cast("Engine", engine), connect(engine.config.store.database)))
    Counted(FastAPI(), house)
    found = (*measured.registry.collect(), *house.collect())
    names = {f"{one.name}_total" if one.type == "counter" else one.name for one in found}
    return {name for name in names if not name.endswith("_created")}


def test_the_table_of_settings_is_up_to_date() -> None:
    written = CONFIGURATION.read_text(encoding="utf-8")

    assert with_settings(written) == written, "run: python docs/generate.py"


def test_the_table_of_operations_is_up_to_date() -> None:
    written = API.read_text(encoding="utf-8")

    assert with_operations(written) == written, "run: python docs/generate.py"


def test_every_section_of_the_configuration_has_settings_on_the_page() -> None:
    sections = set(Config.model_fields)

    assert {name for name in sections if f"`{name}." not in CONFIGURATION.read_text(encoding="utf-8")} == set()


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_and_all_its_options_are_explained(verb: str) -> None:
    text = section_of(verb)
    options = {
        max(option.opts, key=len)
        for option in VERBS[verb].params
        if isinstance(option, TyperOption) and option.name not in {"help", "config"}
    }

    assert text.strip(), f"docs/engineer/cli.md has no heading for {verb}"
    assert unexplained(options, text) == set()


@pytest.mark.parametrize("bench", _QUESTIONS)
def test_every_option_of_a_bench_is_explained(bench: str) -> None:
    source = (ROOT / "bench" / f"{bench}.py").read_text(encoding="utf-8")
    options = set(re.findall(r"add_argument\(\s*\"(--[a-z-]+)\"", source)) - {"--json"}

    assert unexplained(options, section_of(f"bench {bench}")) == set()


def test_no_verb_is_explained_that_is_not_there() -> None:
    explained = re.findall(r"^### `([a-z ]+)`$", page("engineer/cli.md"), re.MULTILINE)

    assert set(explained) - set(VERBS) == set()


def test_what_transcribe_prints_has_the_shape_that_is_shown() -> None:
    word = Word("hello", Seconds(0.42), Seconds(0.9), Confidence(0.98))
    turn = SpokenTurn(Speaker.CALLER, Seconds(0.42), Seconds(0.9), Transcript((word,), confidence=Confidence(0.97)))

    assert transcription(Path("call.wav"), "en", (turn,)) == example_of("transcribe")


def test_what_ask_prints_has_the_shape_that_is_shown() -> None:
    (menu,) = (text for info, text in FENCE.findall(page("designer/index.md")) if info == "menu")
    flow = parse_flow(import_menu(menu, "my_bank", ["en"]), "my_flow.yaml", str)
    meaning = Interpretation((Candidate("block_a_card", Confidence(0.97)),))
    heard = Transcript((Word("card", Seconds(0.0), Seconds(0.4)),), confidence=Confidence(0.93))
    answer = answered(flow, SimpleNamespace(interpret=lambda *_: meaning), heard)

    assert keys({"path": "said.wav", **answer}) == keys(example_of("ask"))
    assert answer["decision"] == example_of("ask")["decision"]


@pytest.mark.parametrize(("verb", "row"), [("flow check", Problem), ("models list", ModelRow)])
def test_what_is_printed_for_each_item_has_the_keys_that_are_named(verb: str, row: type) -> None:
    named = re.search(r"`\{([^}]*)\}`", section_of(verb))

    assert named is not None
    assert set(re.findall(r'"(\w+)"', named[1])) == {field.name for field in fields(row)}


def test_every_exit_code_is_explained() -> None:
    codes = {code for _, code in _EXIT_CODES} | {0, 1, 2}

    assert {code for code in codes if f"| {code} |" not in page("engineer/cli.md")} == set()


def test_every_metric_is_explained_and_no_other() -> None:
    explained = set(re.findall(r"^\| `(callwright_[a-z0-9_]+)", page("engineer/index.md"), re.MULTILINE))

    assert explained == metrics()


def test_every_error_code_is_explained_and_no_other() -> None:
    _, _, part = page("engineer/index.md").partition("## Error codes")
    explained = set(re.findall(r"^\| `([a-z._]+)` \|", part, re.MULTILINE))

    assert explained == error_codes()


def test_every_rung_and_every_global_is_in_the_glossary() -> None:
    glossary = page("glossary.md").lower()
    words = {*(rung.value for rung in Rung), *(word.value for word in Global)}

    assert {word for word in words if word not in glossary and word.replace("_", "-") not in glossary.replace(" ", "-")} == set()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(path: Path) -> None:
    text = FENCE.sub("", path.read_text(encoding="utf-8"))
    broken = []
    for link in LINK.findall(text):
        if re.match(r"[a-z]+:", link):
            continue
        file, _, anchor = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        if not target.exists() or (anchor and anchor not in anchors(target.read_text(encoding="utf-8"))):
            broken.append(link)

    assert broken == []


@pytest.mark.parametrize("text", shown("toml config"))
def test_every_configuration_that_is_shown_is_right(text: str, tmp_path: Path) -> None:
    path = tmp_path / "engine.toml"
    path.write_text(text, encoding="utf-8")

    assert load_config(path).flow.path.is_relative_to(tmp_path)


@pytest.mark.parametrize("text", shown("yaml flow"))
def test_every_flow_that_is_shown_has_no_problem(text: str) -> None:
    assert parse_flow(text, "shown.yaml", str).nodes


@pytest.mark.parametrize("text", shown("python"))
def test_every_program_that_is_shown_is_python(text: str) -> None:
    assert compile(text, "shown.py", "exec")


def test_the_tutorials_menu_becomes_the_flow_that_the_tutorial_goes_on_with() -> None:
    tutorial = page("designer/index.md")
    (menu,) = (text for info, text in FENCE.findall(tutorial) if info == "menu")
    (examples,) = (text for info, text in FENCE.findall(tutorial) if info == "yaml")
    imported = import_menu(menu, "my_bank", ["en"])
    flow = parse_flow(f"{imported}\n{examples}", "my_flow.yaml", str)

    assert (len(flow.nodes), len(flow.intents)) == (8, 7)
    assert f"fine ({len(flow.nodes)} nodes, {len(flow.intents)} intents, en)" in tutorial
    assert len(flow.examples["block_a_card"]) == 5
