from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pkgutil import walk_packages

import engine
from engine.core.errors import EngineError

# packages that load no model's library
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
