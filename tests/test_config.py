from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from engine.config import AudioSocketDoor, Config, load_config
from engine.config.file import place
from engine.core.errors import ConfigError


def written(folder: Path, text: str) -> Path:
    path = folder / "engine.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_relative_paths_count_from_the_file(tmp_path: Path) -> None:
    config = load_config(
        written(tmp_path, '[flow]\npath = "bank.yaml"\n[host]\nurl = "http://127.0.0.1:1"\ntoken_file = "token"')
    )

    assert config.flow is not None
    assert config.flow.path == tmp_path / "bank.yaml"
    assert config.store.recordings == tmp_path / "var/recordings"
    assert config.store.database == f"sqlite:///{tmp_path}/var/callwright.db"
    assert config.host is not None
    assert config.host.token_file == tmp_path / "token"


def test_so_do_those_of_a_list_of_sections(tmp_path: Path) -> None:
    trunk = '[[doors.sip.trunks]]\nname = "p"\nuser = "1"\ndomain = "sip.example"\npassword_file = "password"'
    sip = load_config(written(tmp_path, f'[flow]\npath = "bank.yaml"\n{trunk}')).doors.sip

    assert sip is not None
    assert sip.trunks[0].password_file == tmp_path / "password"


def test_what_is_left_out_of_the_endpointing_keeps_its_measured_default(tmp_path: Path) -> None:
    policy = load_config(written(tmp_path, '[flow]\npath = "f"\n[endpoint]\nincomplete_wait = 2.0')).endpoint.policy

    assert policy.incomplete_wait == 2.0
    assert policy.min_speech == type(policy)().min_speech


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[flow]\npath = 'f'\nadress = 1", r"engine.toml:3: flow.adress: no such setting"),
        ("[flow]\npath = 'f'\n[asr]\nworkers = 0", r"engine.toml:4: asr.workers: .*greater than or equal to 1, found 0"),
        ("[flow]\npath = 'f'\n[doors.http]\nunprotected = 'yes'", r"doors.http.unprotected: .*'i know', found 'yes'"),
        (
            "[flow]\npath = 'f'\n[endpoint]\ncomplete_wait = 3.0",
            r"endpoint: .*expected decode_after <= complete_wait <= incomplete_wait",
        ),
        ("[flow]\npath = 'f'\n[asr]\nvad = 'ears'", r"asr.vad: .*'webrtc', 'silero' or 'both', found 'ears'"),
        ("", r"engine.toml: .*expected \[flow\], or a door that only listens .*, found neither"),
        ("[doors.vosk]\n[doors.audiosocket]\nport = 1", r"expected \[flow\] for doors.audiosocket, found none"),
        ("[doors.vosk]\ntls_key = 'k'", r"doors.vosk: .*expected tls_certificate and tls_key together, found one"),
        ("[flow", r"engine.toml: expected TOML, found"),
    ],
)
def test_a_wrong_file_says_which_field_what_was_expected_and_what_was_found(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        load_config(written(tmp_path, text))


def test_what_is_found_is_not_told_of_a_whole_table_which_may_hold_a_password(tmp_path: Path) -> None:
    text = '[store]\ndatabase = "postgresql://engine:s3cret@db/calls"\n'
    with pytest.raises(ConfigError) as wrong:
        load_config(written(tmp_path, text))

    assert "s3cret" not in str(wrong.value)


@pytest.mark.parametrize(
    ("setting", "line"),
    [
        (("flow",), 2),
        (("flow", "path"), 3),
        (("qa", "inboxes"), 5),
        (("doors", "sip", "trunks", 1, "user"), 13),
        (("doors", "sip", "trunks", 1, "password_file"), 11),
        (("doors", "sip", "flows", "5001"), 9),
        (("asr", "vad"), 14),
        (("nothing",), 0),
    ],
)
def test_the_line_of_a_setting_is_told_or_that_of_the_table_it_is_missing_in(
    setting: tuple[str | int, ...], line: int, tmp_path: Path
) -> None:
    file = tmp_path / "engine.toml"
    file.write_text(
        "# head\n[flow]\npath = '''f'''\n[qa]\ninboxes = [\n  'a',\n]\n[doors.sip]\nflows = { '5001' = 'x' }\n"
        "[[doors.sip.trunks]]\n[[doors.sip.trunks]]\nname = 'b'\nuser = 'u'\n[asr]\nworkers = 1"
    )

    assert place(file, setting).startswith(f"{file}:{line}: " if line else f"{file}: ")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere.toml: expected a configuration file"):
        load_config(tmp_path / "nowhere.toml")


def described(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, str | None]]:
    for name, field in model.model_fields.items():
        kinds = [kind for kind in (field.annotation, *getattr(field.annotation, "__args__", ())) if isinstance(kind, type)]
        sections = [kind for kind in kinds if issubclass(kind, BaseModel)]
        if sections:
            yield from described(sections[0], f"{path}{name}.")
        else:
            yield f"{path}{name}", field.description


def test_every_setting_is_described() -> None:
    assert [name for name, description in described(Config) if not description] == []


def test_what_can_be_switched_off_is_switched_off_by_an_empty_string(tmp_path: Path) -> None:
    config = load_config(
        written(tmp_path, '[flow]\npath = "f"\n[asr]\nsecond = ""\n[store]\nrecordings = ""\n[doors]\naudiosocket = ""')
    )

    assert (config.asr.second, config.store.recordings, config.doors.audiosocket) == (None, None, None)


def test_an_engine_without_a_flow_opens_only_what_the_file_names(tmp_path: Path) -> None:
    doors = load_config(written(tmp_path, "[doors.vosk]\nport = 1")).open_doors

    assert doors.vosk is not None
    assert doors.http is None
    assert doors.audiosocket is None


@pytest.mark.parametrize(
    ("peer", "admitted"), [("10.1.2.3", True), ("::ffff:10.1.2.3", True), ("10.2.0.1", False), ("fd00::1", True), ("x", False)]
)
def test_a_door_admits_the_networks_it_names(peer: str, admitted: bool) -> None:
    door = AudioSocketDoor.model_validate({"peers": ["10.1.0.0/16", "fd00::/8"]})

    assert door.admits(peer) is admitted
    assert AudioSocketDoor().admits(peer)


def test_a_recogniser_may_go_by_a_name_of_the_banks_own_with_its_own_settings(tmp_path: Path) -> None:
    asr = load_config(
        written(tmp_path, "[flow]\npath = 'f'\n[asr.settings.russian]\nrecogniser = 'vosk'\nmodel = '/srv/ru'\nlanguage = 'ru'")
    ).asr

    assert asr.loaded("russian") == ("vosk", {"model": "/srv/ru", "language": "ru"})
    assert asr.loaded("moonshine") == ("moonshine", {})


def test_quality_control_alone_is_some_use_and_its_paths_count_from_the_file(tmp_path: Path) -> None:
    text = '[qa]\ninboxes = ["calls", "s3://bucket/calls"]\n[[qa.cards]]\npath = "card.yaml"\nwhen = { queue = "cards", team = ["a", "b"] }'
    qa = load_config(written(tmp_path, text)).qa
    (card,) = qa.cards

    assert qa.inboxes == (str(tmp_path / "calls"), "s3://bucket/calls")
    assert qa.folder == tmp_path / "var/qa"
    assert (card.path, card.values) == (tmp_path / "card.yaml", {"queue": ("cards",), "team": ("a", "b")})
