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
        ('host = "10.1.0.5"\npeers = ["10.1.0.0/16"]', False, "in clear beyond loopback"),
        ('host = "10.1.0.5"\nunprotected = "i know"', True, "none: the network around it"),
    ],
)
def test_a_door_beyond_loopback_is_encrypted_or_sick(door: str, fine: bool, said: str, tmp_path: Path) -> None:
    one = found(tmp_path, f"[doors.http]\n{door}\n")["door http"]

    assert (one.fine, said in one.found) == (fine, True)
    assert fine or "doors.http" in one.mend


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ('[doors.http]\nhost = "10.1.0.5"', "7: doors.http", "nothing protects this door"),
        ('[doors.http]\ntls_certificate = "no.pem"\ntls_key = "no.key"', "8: doors.http.tls_certificate", "No such file"),
        (f'[access.oidc]\n{ISSUER}client_secret_file = "nothing"', "12: access.oidc.client_secret_file", "No such file"),
        ('[qa.live]\nmain = "nothing.yaml"', "8: qa.live.main", "No such file"),
        ('[qa.live]\nother = "card.yaml"', "8: qa.live.other", "expected the name of a flow"),
        ('[access]\naudit_key_file = "nothing"', "8: access.audit_key_file", "No such file"),
    ],
)
def test_what_the_settings_name_and_is_not_there_is_a_finding_at_its_line(
    text: str, place: str, said: str, tmp_path: Path
) -> None:
    card = Path(__file__).parents[2] / "examples" / "bank" / "scorecards" / "inbound_service.yaml"
    (tmp_path / "card.yaml").write_bytes(card.read_bytes())
    (one,) = (it for it in found(tmp_path, text).values() if not it.fine and it.what.startswith(str(tmp_path)))

    assert one.what == f"{tmp_path}/engine.toml:{place}"
    assert said in one.found


def test_the_issuer_is_told_and_not_asked(tmp_path: Path) -> None:
    fine = found(tmp_path, f"[access.oidc]\n{ISSUER}")["issuer"]

    assert (fine.fine, "https://voice.bank.example/sign-in/oidc/back" in fine.found) == (True, True)
