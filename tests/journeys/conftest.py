"""One installation and one set of voices for all journeys."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.conftest import missing
from tests.journeys.bank import ROOT, BankHost, Installation, Voices, bank_host, installed

PROMPTS = ROOT / "var" / "prompts"  # named by what they say: shared by every run, so that only the first one waits for Piper


@pytest.fixture(scope="session")
def host() -> Iterator[BankHost]:
    with bank_host() as host:
        yield host


@pytest.fixture(scope="session")
def models() -> None:
    """Moonshine and Piper, for real."""
    for package in ("moonshine_voice", "piper"):
        if find_spec(package) is None:
            missing(f"the package {package}")


@pytest.fixture(scope="session")
def voices(models: None) -> Voices:
    return Voices()


@pytest.fixture(scope="session")
def bank(models: None, tmp_path_factory: pytest.TempPathFactory, host: BankHost) -> Iterator[Installation]:
    with installed(tmp_path_factory.mktemp("bank"), host, PROMPTS) as installation:
        yield installation


@pytest.fixture(scope="session")
def prompts_folder() -> Path:
    return PROMPTS
