"""``callwright call``, as far as it gets without a telephone; the rest is told in ``tests/journeys/test_sip.py``."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run

CONFIG = """
[flow]
path = "flow.yaml"
[doors.sip]
[[doors.sip.trunks]]
name = "main"
user = "4000"
domain = "pbx.example"
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "engine.toml"
    path.write_text(CONFIG, encoding="utf-8")
    return path


def test_a_trunk_that_is_not_configured_is_refused_before_anything_is_loaded(run: Run, config: Path) -> None:
    ran = run("call", "sip:bob@pbx.example", "--trunk", "spare", "--config", str(config))

    assert ran.code == 78
    assert "expected a trunk named 'spare' in doors.sip.trunks, found main" in ran.err


def test_it_must_be_said_whom_to_call(run: Run) -> None:
    assert run("call").code == 2
