"""What the doctor says of doors, the bank's issuer and cards beside calls; the rest needs models."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.cli.doctor import Finding, _configured
from tests.cli.test_checks import SOUND

ISSUER = 'issuer = "https://login.bank.example"\nclient_id = "c"\naddress = "https://voice.bank.example"\nroles = { g = ["qa_lead"] }\n'


def found(folder: Path, text: str) -> dict[str, Finding]:
    file = folder / "engine.toml"
    file.write_text(f'[flow]\npath = "{SOUND}"\n\n[store]\ndatabase = "sqlite:///{folder}/calls.db"\n\n{text}', encoding="utf-8")
    return {it.what: it for it in _configured(file)}


@pytest.mark.parametrize(
    ("door", "fine", "said"),
    [
        ("", True, "127.0.0.1:8080, loopback only"),
        ('host = "10.1.0.5"', False, "10.1.0.5:8080"),
        ('host = "10.1.0.5"\npeers = ["10.1.0.0/16"]', False, "in clear beyond loopback"),
        ('host = "10.1.0.5"\nunprotected = "i know"', True, "none: the network around it"),
        ('host = "10.1.0.5"\npeers = ["10.1.0.0/16"]\ntls_certificate = "no.pem"\ntls_key = "no.key"', False, "10.1.0.5:8080"),
    ],
)
def test_a_door_beyond_loopback_is_protected_and_encrypted_or_sick(door: str, fine: bool, said: str, tmp_path: Path) -> None:
    one = found(tmp_path, f"[doors.http]\n{door}\n")["door http"]

    assert (one.fine, said in one.found) == (fine, True)
    assert fine or "doors.http" in one.mend


def test_the_issuers_files_are_looked_at_and_the_issuer_is_not_asked(tmp_path: Path) -> None:
    fine = found(tmp_path, f"[access.oidc]\n{ISSUER}")["issuer"]
    sick = found(tmp_path, f'[access.oidc]\n{ISSUER}client_secret_file = "nothing"\n')["issuer"]

    assert (fine.fine, "https://voice.bank.example/sign-in/oidc/back" in fine.found) == (True, True)
    assert (sick.fine, "client_secret_file" in sick.mend) == (False, True)


@pytest.mark.parametrize(
    ("live", "fine"), [('main = "card.yaml"', True), ('main = "nothing.yaml"', False), ('other = "card.yaml"', False)]
)
def test_a_card_beside_calls_is_one_of_a_flow_that_is_there(live: str, fine: bool, tmp_path: Path) -> None:
    card = Path(__file__).parents[2] / "examples" / "bank" / "scorecards" / "inbound_service.yaml"
    (tmp_path / "card.yaml").write_bytes(card.read_bytes())
    [one] = [it for name, it in found(tmp_path, f"[qa.live]\n{live}\n").items() if name.startswith("card of")]

    assert one.fine == fine
