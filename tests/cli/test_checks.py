"""The verbs that look at files and say what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.core.call import CallFacts, new_call_id
from engine.core.units import Seconds
from engine.dialogue.codec import to_json
from engine.dialogue.events import Answered, Event, KeyPressed, PlayFinished
from engine.dialogue.machine import Dialogue
from engine.ivr.files import load_flow
from engine.store.database import connect, upgrade
from engine.store.journal import Journal, Step
from tests.cli.conftest import Run

TESTS = Path(__file__).parents[1]
SOUND, BROKEN = TESTS / "journeys" / "small_bank.yaml", TESTS / "ivr" / "broken.yaml"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "engine.toml"
    path.write_text(f'[flow]\npath = "{SOUND}"\n', encoding="utf-8")
    return path


def test_a_right_configuration_is_fine(run: Run, config: Path) -> None:
    ran = run("config", "check", "--config", config)

    assert (ran.code, ran.out) == (0, f"{config}: fine\n")


def test_a_wrong_configuration_names_the_field_and_exits_78(run: Run, config: Path) -> None:
    config.write_text(config.read_text() + "[asr]\nworkers = 0\n")
    ran = run("config", "check", "--config", config)

    assert ran.code == 78
    assert "asr.workers" in ran.err
    assert "found 0" in ran.err


def test_config_show_prints_every_setting_with_its_default(run: Run, config: Path) -> None:
    shown = run("config", "show", "--config", config).objects[0]

    assert shown["doors"]["http"].items() >= {"host": "127.0.0.1", "port": 8080, "unprotected": None}.items()
    assert shown["doors"]["sip"] is None
    assert shown["store"]["database"] == f"sqlite:///{config.parent}/var/callwright.db"


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("postgresql+psycopg://bank:s3/cr@t@db.bank.example/calls", "postgresql+psycopg://bank:***@db.bank.example/calls"),
        (
            "postgresql://db.bank.example/calls?user=bank&password=s3cret",
            "postgresql://db.bank.example/calls?user=bank&password=***",
        ),
        ("postgresql://bank@db.bank.example:5432/calls", "postgresql://bank@db.bank.example:5432/calls"),
    ],
)
def test_config_show_keeps_passwords_in_addresses_to_itself(run: Run, config: Path, written: str, shown: str) -> None:
    config.write_text(f'{config.read_text()}\n[store]\ndatabase = "{written}"\n')

    assert run("config", "show", "--config", config).objects[0]["store"]["database"] == shown


def test_a_sound_flow_is_fine(run: Run) -> None:
    ran = run("flow", "check", SOUND)

    assert ran.code == 0
    assert "fine" in ran.out
    assert "9 nodes" in ran.out


def test_a_broken_flow_exits_1_and_every_problem_names_its_line(run: Run) -> None:
    ran = run("flow", "check", BROKEN, SOUND)

    assert ran.code == 1
    problems = [line for line in ran.out.splitlines() if line.startswith(str(BROKEN))]
    assert problems
    assert all(line.removeprefix(f"{BROKEN}:").split(":")[0].isdigit() for line in problems)


def test_problems_as_json_have_file_line_expected_and_found(run: Run) -> None:
    ran = run("flow", "check", BROKEN, "--json")

    assert ran.code == 1
    assert ran.objects
    for problem in ran.objects:
        assert set(problem) >= {"file", "line", "expected", "found"}
        assert problem["file"] == str(BROKEN)
        assert problem["line"] >= 1


def test_a_flow_that_is_not_there_is_a_matter_of_configuration(run: Run, tmp_path: Path) -> None:
    ran = run("flow", "draw", tmp_path / "none.yaml")

    assert ran.code == 78
    assert "none.yaml" in ran.err


@pytest.mark.parametrize(("form", "begins"), [("svg", "<svg"), ("mermaid", "flowchart")])
def test_a_flow_is_drawn(run: Run, form: str, begins: str) -> None:
    drawn = run("flow", "draw", SOUND, "--as", form).out

    assert begins in drawn[:200]
    assert "lost_card" in drawn


def test_an_imported_menu_is_a_sound_flow(run: Run, tmp_path: Path) -> None:
    menu = tmp_path / "menu.csv"
    menu.write_text("keys,label,target\n1,Cards,\n1>1,Block a card,transfer:cards\n2,Opening hours,say:From nine to five.\n")
    imported = run("flow", "import", menu)
    flow = tmp_path / "flow.yaml"
    flow.write_text(imported.out)

    assert imported.code == 0
    assert run("flow", "check", flow).code == 0


def test_the_database_is_made_checked_and_copied(run: Run, config: Path, tmp_path: Path) -> None:
    missing = run("db", "verify", "--config", config)
    made = run("db", "upgrade", "--config", config)
    sound = run("db", "verify", "--config", config)
    copied = run("db", "backup", tmp_path / "copy.db", "--config", config)
    taken = run("db", "restore", tmp_path / "copy.db", "--config", config)
    unharmed = run("db", "verify", tmp_path / "copy.db", "--config", config)

    assert (missing.code, made.code, sound.code, copied.code) == (78, 0, 0, 0)
    assert (taken.code, unharmed.code, unharmed.out) == (78, 0, "ok\n")
    assert "move it away first" in taken.err
    assert "expected a database" in missing.err
    assert sound.out == "ok\n"
    assert (tmp_path / "copy.db").read_bytes().startswith(b"SQLite format 3")


def test_a_copy_takes_the_place_of_a_lost_database_unless_it_was_changed(run: Run, config: Path, tmp_path: Path) -> None:
    run("db", "upgrade", "--config", config)
    copy = tmp_path / "copy.db"
    run("db", "backup", copy, "--config", config)
    (lost,) = (it for it in config.parent.rglob("*.db") if it != copy)
    for it in lost.parent.glob(f"{lost.name}*"):
        it.unlink()
    back = run("db", "restore", copy, "--config", config)
    sound = run("db", "verify", "--config", config)
    copy.write_bytes(copy.read_bytes()[:-1])
    changed = run("db", "verify", copy, "--config", config)

    assert (back.code, sound.code, changed.code) == (0, 0, 1)
    assert "expected the copy that was made" in changed.out.replace("\n", " ")


def test_models_are_listed_one_object_each(run: Run) -> None:
    listed = run("models", "list", "--json")

    assert listed.code == 0
    assert "moonshine" in " ".join(row["name"] for row in listed.objects)
    assert all({"name", "state", "size", "licence", "source", "problem"} <= set(row) for row in listed.objects)


def _call_by_key(database: str, key: str) -> str:
    """Put a call into the journal: a caller who presses one key at the first prompt."""
    flow = load_flow(SOUND)
    engine = connect(database)
    upgrade(engine)
    journal, facts, dialogue = Journal(engine), CallFacts(new_call_id(), "wav"), Dialogue(flow)
    journal.begin(facts, flow, language=None, agents=False)
    happened: list[tuple[float, Event]] = [(0.0, Answered()), (1.0, KeyPressed(key)), (4.0, PlayFinished(2))]
    for number, (at, event) in enumerate(happened, 1):
        actions = dialogue.receive(event, Seconds(at))
        journal.append(facts.id, Step(number, Seconds(at), to_json(event), to_json(actions)))
    journal.end(facts.id, "completed")
    journal.close()
    return facts.id


def test_a_call_replays_through_its_own_flow_and_parts_from_another(run: Run, config: Path, tmp_path: Path) -> None:
    call = _call_by_key(f"sqlite:///{config.parent}/var/callwright.db", "3")
    changed = tmp_path / "changed.yaml"
    changed.write_text(SOUND.read_text().replace("from nine to five", "from ten to four"))
    same = run("replay", "--config", config, "--json")
    other = run("replay", call, "--config", config, "--flow", changed, "--json")

    assert same.code == 0
    assert same.objects == [{"call": call, "steps": 3, "same": True, "first_difference": None}]
    assert other.code == 1
    assert other.objects == [{"call": call, "steps": 3, "same": False, "first_difference": 1}]


def test_a_call_that_is_not_in_the_journal_is_told(run: Run, config: Path) -> None:
    run("db", "upgrade", "--config", config)

    assert run("replay", "nobody", "--config", config).code == 78
