"""``callwright users`` and ``callwright audit``, as they are typed."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Sequence
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from sqlalchemy import text
from typer.testing import CliRunner

from engine.cli.main import app
from engine.core.errors import ConfigError
from engine.store import hashing
from engine.store.database import connect
from tests.databases import store_in

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashing, "_ARGON", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "engine.toml").write_text(f'[doors.vosk]\n[store]\ndatabase = "{store_in(tmp_path)}"\n', encoding="ascii")
    (tmp_path / "password").write_text(f"{PASSWORD}\n", encoding="ascii")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str, typed: str | None = None) -> str:
    """What it prints when all is well."""
    result = CliRunner().invoke(app, list(arguments), input=typed, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def objects(printed: str) -> Sequence[dict[str, object]]:
    return [json.loads(line) for line in printed.splitlines()]


@pytest.mark.usefixtures("folder")
def test_people_and_machines_are_added_shown_changed_and_shut_out() -> None:
    run("users", "add", "Anna", "--role", "qa_lead", "--team", "cards", "--password-file", "password")
    run("users", "add", "boris", "--role", "silent_agent", "--role", "designer", typed=f"{PASSWORD}\n{PASSWORD}\n")
    token = run("users", "token", "pbx", "--days", "1").strip()
    run("users", "roles", "anna", "--role", "supervisor")
    run("users", "disable", "boris")
    run("users", "revoke", "pbx")
    found = objects(run("users", "list", "--json"))

    assert [(it["name"], it["state"], it["roles"], it["teams"]) for it in found] == [
        ("anna", "fine", ["supervisor"], ["cards"]), ("boris", "disabled", ["designer", "silent_agent"], []), ("machine:pbx", "revoked", ["machine"], []),
    ]  # fmt: skip
    assert token.startswith("cw_")


@pytest.mark.usefixtures("folder")
def test_a_password_that_is_typed_is_not_shown() -> None:
    printed = run("users", "add", "boris", "--role", "designer", typed=f"{PASSWORD}\n{PASSWORD}\n")

    assert PASSWORD not in printed


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("users", "add", "anna"), "expected --role with one of"),
        (("users", "add", "anna", "--role", "machine"), "callwright users token"),
        (("users", "add", "a b", "--role", "designer", "--password-file", "password"), "expected a name"),
        (("users", "disable", "nobody"), "expected the name of somebody"),
        (("users", "password", "nobody"), "expected the name of somebody"),
        (("users", "revoke", "nobody"), "expected the name of a token"),
        (("users", "add", "anna", "--role", "designer", "--password-file", "not there"), "expected a readable file"),
        (("audit", "verify", "--heads", "password"), None),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_and_nothing_is_done(arguments: Sequence[str], said: str | None) -> None:
    result = CliRunner().invoke(app, list(arguments))

    assert result.exit_code != 0
    assert said is None or said in str(result.exception)
    assert objects(run("users", "list", "--json")) == []


def test_a_token_is_written_for_its_owners_eyes_and_never_over_another_file(folder: Path) -> None:
    run("users", "token", "pbx", "--to", "pbx.token")
    with pytest.raises(ConfigError, match="expected to write a new file"):
        run("users", "token", "other", "--to", "pbx.token")

    assert stat.S_IMODE((folder / "pbx.token").stat().st_mode) == 0o600
    assert (folder / "pbx.token").read_text(encoding="ascii").startswith("cw_")
    assert [it["name"] for it in objects(run("users", "list", "--json"))] == ["machine:pbx"]


def test_the_chain_is_shown_exported_and_checked_against_heads(folder: Path) -> None:
    run("users", "add", "anna", "--role", "qa_lead", "--password-file", "password")
    run("audit", "head", "--to", "heads")
    run("users", "disable", "anna")
    run("audit", "export", "out.jsonl")
    shown = objects(run("audit", "show", "--json"))
    exported = objects((folder / "out.jsonl").read_text(encoding="utf-8"))

    assert [it["what"] for it in shown] == ["person.added", "person.disabled", "audit.exported"]
    assert exported == shown
    assert str(shown[0]["who"]).startswith("shell:")
    assert stat.S_IMODE(os.stat(folder / "out.jsonl").st_mode) == 0o600  # noqa: PTH116 -- as above
    assert "3 rows hold together and agree with 1 exported heads" in run("audit", "verify", "--heads", "heads")


def test_a_chain_that_was_tampered_with_does_not_hold(folder: Path) -> None:
    run("users", "add", "anna", "--role", "qa_lead", "--password-file", "password")
    run("users", "disable", "anna")
    database = connect(store_in(folder))
    with database.begin() as connection:
        connection.execute(text("UPDATE audit SET who = 'somebody else' WHERE number = 1"))
    result = CliRunner().invoke(app, ["audit", "verify"])

    assert result.exit_code == 1
    assert "row 1: the row, or the one before, is not as it was written" in result.output
    database.dispose()


@pytest.mark.usefixtures("folder")
def test_nothing_is_taken_out_before_its_time() -> None:
    run("users", "token", "pbx")

    assert run("audit", "prune").startswith("0 rows from before ")
    assert "1 rows hold together" in run("audit", "verify")
