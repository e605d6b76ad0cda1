import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint

import pytest

from engine.asr import registry
from engine.asr.registry import load_recogniser, recogniser_names
from engine.core.errors import ConfigError, ModelNotFound
from engine.testing.recognisers import ScriptedRecogniser


def load_scripted(*, phrase: str = "hello") -> ScriptedRecogniser:
    return ScriptedRecogniser(phrase)


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Install a plug-in under the name ``theirs``."""

    def installed(target: str) -> None:
        points = [EntryPoint("theirs", target, registry.GROUP)]
        monkeypatch.setattr(registry, "entry_points", lambda group: points if group == registry.GROUP else [])

    return installed


def test_ours_are_installed_like_anybodys() -> None:
    assert {"moonshine", "vosk", "whisper"} <= set(recogniser_names())


def test_listing_imports_no_back_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "engine.asr.backends.vosk", raising=False)
    recogniser_names()

    assert "engine.asr.backends.vosk" not in sys.modules


def test_an_unknown_name_is_answered_with_the_installed_ones() -> None:
    with pytest.raises(ConfigError, match=r"moonshine.*whisper.*'wisper'"):
        load_recogniser("wisper")


def test_a_plug_in_is_loaded_with_its_settings(install: Callable[[str], None]) -> None:
    install("tests_registry_plugin:load_scripted")
    sys.modules["tests_registry_plugin"] = sys.modules[__name__]

    assert load_recogniser("theirs", phrase="good day").name == "scripted"


def test_settings_it_does_not_take_are_the_operators_error(install: Callable[[str], None]) -> None:
    install("tests_registry_plugin:load_scripted")
    sys.modules["tests_registry_plugin"] = sys.modules[__name__]

    with pytest.raises(ConfigError, match="volume"):
        load_recogniser("theirs", volume=11)


def test_a_missing_library_is_said_so(install: Callable[[str], None]) -> None:
    install("no_such_library_anywhere:load")

    with pytest.raises(ModelNotFound, match="no_such_library_anywhere"):
        load_recogniser("theirs")
