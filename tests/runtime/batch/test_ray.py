"""A real Ray, two machines' worth of processes on this one, with a real ledger: nothing is lost, nothing heard twice in vain."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import pytest

from engine.core.errors import ConfigError
from engine.runtime.batch.crew import CannotStart
from engine.runtime.batch.ray_executor import Listener, RayExecutor
from engine.runtime.worker import Ready
from engine.testing.hearers import obedient, without_files
from tests.conftest import missing

STORY = Path(__file__).with_name("ray_story.py")
ALONE = """
import json, os
from engine.runtime.batch.ray_executor import RayExecutor
from engine.runtime.batch.work import Heard
from engine.testing.hearers import errand, obedient

os.environ["RAY_ADDRESS"] = "192.0.2.1:6379"  # somebody's cluster, that nobody told us to join
told = {}
with RayExecutor(obedient, 1) as executor:
    works = [errand("a"), errand("poison", die="9"), errand("bug", bug="said"), errand("bad", media_error="no sound"), errand("z")]
    for outcome in executor.outcomes(iter(works)):
        told[outcome.work.content] = "heard" if isinstance(outcome, Heard) else outcome.reason
print(json.dumps(told))
"""


@pytest.fixture(autouse=True)
def _ray() -> None:
    if find_spec("ray") is None:
        missing("the package ray")


@pytest.mark.slow
def test_a_machine_that_dies_in_the_middle_of_a_run_costs_nothing_and_one_that_joins_helps(tmp_path: Path) -> None:
    run = subprocess.run([sys.executable, STORY, tmp_path], capture_output=True, text=True, check=True, timeout=300)
    told = json.loads(run.stdout.splitlines()[-1])
    heard = Counter(told["heard"])

    assert told["states"] == {"scored": 59, "failed": 1}
    assert told["disagreements"] == []
    assert ["none came to an end" in reason for reason in told["reasons"]] == [True]
    assert len(heard) == 60
    assert sum(heard.values()) - 60 <= 2 + 3  # the poison's two more attempts, and what each of three workers had in hand
    assert told["doors"] == []  # all of Ray's were on the loopback


@pytest.mark.slow
def test_a_ray_of_our_own_keeps_the_rules_of_every_executor() -> None:
    run = subprocess.run([sys.executable, "-c", ALONE], capture_output=True, text=True, check=True, timeout=300)
    told = json.loads(run.stdout.splitlines()[-1])

    assert told["a"] == told["z"] == "heard"
    assert told["poison"] == "its worker died"
    assert told["bug"] == "its worker broke on it: ZeroDivisionError"
    assert told["bad"] == "no sound"


def test_an_actor_says_why_it_can_not_load(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.nice", lambda _: None)

    assert Listener().load(without_files) == CannotStart("model.not_found: expected the model's files at models/x, found nothing")
    assert isinstance(Listener().load(obedient), Ready)


@pytest.mark.parametrize("address", ["auto", "", "local", "ray://10.0.0.1:10001", "10.0.0.1", "10.0.0.1:port"])
def test_only_an_address_that_was_written_down_is_joined(address: str) -> None:
    with pytest.raises(ConfigError, match="expected a Ray cluster's address as host:port, found"):
        RayExecutor(obedient, 1, address)


def test_without_ray_the_remedy_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.runtime.batch.ray_executor.find_spec", lambda _: None)

    with pytest.raises(ConfigError, match=r'pip install "callwright\[ray\]"'):
        RayExecutor(obedient, 1)
