"""What ``callwright bench`` offers."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from engine.cli.bench import app

QUESTIONS = sorted(command.name for command in app.registered_commands if command.name)


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_question_can_be_asked_by_its_name(question: str) -> None:
    asked = CliRunner().invoke(app, [question, "--help"])

    assert asked.exit_code == 0, asked.output
    assert f"bench.{question}" in asked.output or "options:" in asked.output
