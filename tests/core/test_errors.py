from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import engine
from engine.core import errors
from engine.core.errors import EngineError

# packages that load no model's library
SOURCE = Path(engine.__file__).parent
LIGHT = {"core", "audio", "privacy", "dialogue", "written", "ivr", "qa", "store", "telephony"}


def _all_of(kind: type[EngineError]) -> Iterator[type[EngineError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _all_of(below)


def test_every_error_has_a_code_of_its_own() -> None:
    for module in walk_packages(engine.__path__, "engine."):
        if module.name.split(".")[1] in LIGHT and "migrations" not in module.name:
            import_module(module.name)
    kinds = set(_all_of(EngineError))
    codes = [kind.code for kind in kinds if "code" in vars(kind)]  # who has none of its own is told as its parent

    assert len(kinds) > 10
    assert sorted(set(codes)) == sorted(codes)
    assert all(code == code.lower() and " " not in code for code in codes)


def test_the_tree_draws_every_error_below_its_parent() -> None:
    source = "".join(file.read_text(encoding="utf-8") for file in SOURCE.rglob("*.py"))
    parent_of = dict(re.findall(r"^class (\w+)\((\w+)\):", source, re.MULTILINE))
    ours = {"EngineError"}
    while below := {name for name, parent in parent_of.items() if parent in ours} - ours:
        ours |= below
    drawn: dict[str, str] = {}
    above: list[str] = []
    for branch, name in re.findall(r"^    ([ │├└─]*)(\w+) ", (errors.__doc__ or "").split("\n\n")[2], re.MULTILINE):
        above[len(branch) // 4 :] = [name]
        drawn[name] = above[-2] if branch else "Exception"

    assert drawn == {name: parent_of[name] for name in ours}
