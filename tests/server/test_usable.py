"""What a configuration names is there and can be used, or it is told which line expects what."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from engine.core.errors import ConfigError
from engine.server.usable import everything, load_usable, of_desks, of_engine
from tests.cli.conftest import Run, run
from tests.journeys.bank import SMALL_BANK
from tests.server.test_gate import Authority

__all__ = ["run"]
FLOW = f'[flow]\npath = "{SMALL_BANK}"\n'  # two lines
CARD = Path(__file__).parents[2] / "examples" / "bank" / "scorecards" / "inbound_service.yaml"
SECRET = "Zm9ydHkgYnl0ZXMgb2Yg"
WEBHOOK = 'url = "http://127.0.0.1/"\nsecret_file'


@pytest.fixture
def told(tmp_path: Path) -> Callable[[str], list[str]]:
    """The lines that say what can't be used of a file."""

    def told(text: str) -> list[str]:
        file = tmp_path / "engine.toml"
        file.write_text(text, encoding="utf-8")
        try:
            load_usable(file, everything)
        except ConfigError as error:
            return str(error).replace(f"{tmp_path}/", "").splitlines()
        return []

    return told


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[flow]\npath = "none.yaml"', "engine.toml:2: flow.path: expected a flow that can be used, found:"),
        ('others = { cards = "none.yaml" }', "engine.toml:3: flow.others.cards: expected a flow that can be used, found:"),
        ('[asr]\nrecognisers = { ru = "whisper" }', "engine.toml:2: flow.path: asr.recognisers: expected one for 'en'"),
        (
            '[asr]\nrecognisers = { en = "nobody" }',
            "engine.toml:2: flow.path: asr.recognisers.en: expected one that is installed",
        ),
        ('[tts]\nvoices = { en = "nobody" }', "engine.toml:2: flow.path: tts.voices.en: expected one that is installed"),
        ("speech_alone = []", "engine.toml:2: flow.path: flow small_bank: expected `requires_verified: true`"),
        ('[host]\nurl = "http://h"\ntoken_file = "none"', "engine.toml:5: host.token_file: expected a readable file at none"),
        ('[store]\nkey_file = "none"', "engine.toml:4: store.key_file: none: expected a file of keys"),
        (
            '[access]\naudit_key_file = "short"',
            "engine.toml:4: access.audit_key_file: expected 32 or more bytes in short, found 20",
        ),
        (
            '[doors.http]\ntoken_file = "none"',
            "engine.toml:4: doors.http.token_file: expected a readable file at none, found: No such",
        ),
        (
            '[doors.http]\ntoken_file = "folder"',
            "engine.toml:4: doors.http.token_file: expected a readable file at folder, found: Is a",
        ),
        (
            '[doors.http]\ntoken_file = "bytes"',
            "engine.toml:4: doors.http.token_file: expected text in bytes, found bytes that are",
        ),
        ('[doors.http]\nhost = "10.0.0.1"', "engine.toml:3: doors.http: expected a loopback address, found 10.0.0.1"),
        ('[doors.desk]\nport = 1\ntoken_file = "none"', "engine.toml:5: doors.desk.token_file: expected a readable file at none"),
        (
            "[doors.audiosocket]\nannounced_only = true",
            "engine.toml:4: doors.audiosocket.announced_only: expected doors.http.token",
        ),
        (
            '[doors.sip]\nflows = { "5001" = "cards" }',
            "engine.toml:4: doors.sip.flows.5001: expected the name of a flow (main), found",
        ),
        (
            '[doors.sip]\ntls_servers = "short"',
            "engine.toml:4: doors.sip.tls_servers: expected certificates (PEM) in short, found:",
        ),
        (
            '[[doors.sip.trunks]]\nname = "a"\nuser = "u"\ndomain = "d"\npassword_file = "none"',
            "engine.toml:7: doors.sip.trunks.0.password_file: expected a readable file at none",
        ),
        ("[outbound]\nlines = 1", "engine.toml:3: outbound: expected [doors.sip] for carrier"),
        (
            '[doors.sip]\n[outbound.sip]\ntrunk = "a"',
            "engine.toml:5: outbound.sip.trunk: expected the name of one of doors.sip.trunks",
        ),
        (
            '[outbound]\ncarrier = "asterisk"\n[outbound.asterisk]\nuser = "u"\nsecret_file = "none"',
            "engine.toml:7: outbound.asterisk.secret_file: expected a readable file at none",
        ),
        (
            f'[doors.sip]\n[outbound.webhooks.crm]\n{WEBHOOK} = "none"',
            "engine.toml:6: outbound.webhooks.crm.secret_file: expected a",
        ),
        (
            f'[doors.sip]\n[outbound.follow_up.app]\n{WEBHOOK} = "short"',
            "engine.toml:6: outbound.follow_up.app.secret_file: expected w",
        ),
        (f'[qa.webhooks.crm]\n{WEBHOOK} = "short"', "engine.toml:5: qa.webhooks.crm.secret_file: expected whsec_"),
        (
            f'[qa.webhooks.crm]\nca_file = "none"\n{WEBHOOK} = "short"',
            "engine.toml:4: qa.webhooks.crm.ca_file: expected a readable",
        ),
        ('[[qa.cards]]\npath = "none.yaml"', "engine.toml:4: qa.cards.0.path: expected a scorecard that can be used, found:"),
        (f'[qa.live]\ncards = "{CARD}"', "engine.toml:4: qa.live.cards: expected the name of a flow (main), found 'cards'"),
    ],
)
def test_the_line_is_told_what_it_expects_and_what_was_found_and_never_a_secret(
    text: str, said: str, told: Callable[[str], list[str]], tmp_path: Path
) -> None:
    (tmp_path / "short").write_text(SECRET)
    (tmp_path / "bytes").write_bytes(SECRET.encode() + b"\xff")
    (tmp_path / "folder").mkdir()
    found = told(text if text.startswith("[flow]") else FLOW + text)

    assert found[0].startswith(said)
    assert SECRET not in "".join(found)


def test_a_key_that_is_another_certificates_is_told_at_every_door(told: Callable[[str], list[str]], tmp_path: Path) -> None:
    signed = Authority(tmp_path).signed("localhost")
    (tmp_path / "other").mkdir()
    other = Authority(tmp_path / "other").signed("localhost")
    lines = f'tls_certificate = "{signed[0]}"\ntls_key = "{other[1]}"\n'
    names = ("http", "vosk", "sip", "siprec")
    found = told(FLOW + "".join(f"[doors.{name}]\n{lines}" for name in names))

    expected = {
        f"engine.toml:{5 + 3 * at}: doors.{name}.tls_key: expected the key of the certificate in" for at, name in enumerate(names)
    }
    assert {it.split(f" {signed[0].relative_to(tmp_path)}")[0] for it in found} == expected


def test_what_fits_is_fine(told: Callable[[str], list[str]], tmp_path: Path) -> None:
    certificate, key = Authority(tmp_path).signed("localhost")
    tls = f'tls_certificate = "{certificate}"\ntls_key = "{key}"\ntls_clients = "{certificate}"\n'
    (tmp_path / "token").write_text(SECRET)
    others = f'others = {{ cards = "{SMALL_BANK}" }}\n'
    doors = f'[doors.http]\ntoken_file = "token"\n{tls}[doors.sip]\nflows = {{ "5001" = "cards", "5002" = "main" }}\n{tls}'

    assert told(f'{FLOW}{others}{doors}[qa.live]\ncards = "{CARD}"\n') == []


def test_all_that_is_wrong_is_told_at_once(told: Callable[[str], list[str]]) -> None:
    found = told(f'{FLOW}[doors.http]\ntoken_file = "none"\n[store]\nkey_file = "none"\n')

    assert len(found) == 2


def test_a_process_is_asked_only_for_what_it_uses(tmp_path: Path) -> None:
    file = tmp_path / "engine.toml"
    file.write_text(f'{FLOW}[doors.http]\ntoken_file = "none"\n')
    load_usable(file, of_desks)
    file.write_text(f'{FLOW}[doors.desk]\ntoken_file = "none"\nport = 1\n[[qa.cards]]\npath = "none"\n')
    load_usable(file, of_engine)

    with pytest.raises(ConfigError, match=r"doors\.desk\.token_file"):
        load_usable(file, of_desks)


@pytest.mark.parametrize("verb", [("config", "check"), ("serve",), ("serve", "--only", "desk")])
def test_check_and_serve_refuse_it_with_the_same_words(verb: tuple[str, ...], run: Run, tmp_path: Path) -> None:
    file = tmp_path / "engine.toml"
    file.write_text(f'{FLOW}[assist]\nboard = "database"\n[doors.desk]\nport = 0\n[store]\nkey_file = "none"\n')
    ran = run(*verb, "--config", file)

    assert ran.code == 78
    assert f"{file}:8: store.key_file: {tmp_path}/none: expected a file of keys" in ran.err
