"""What is in deploy/ is taken by the programs it is written for, as far as they are here, and keeps its promises."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import missing
from tests.test_docs import metrics

DEPLOY = Path(__file__).resolve().parents[1] / "deploy"
UNIT = DEPLOY / "systemd" / "callwright.service"
SCRIPTS = sorted(DEPLOY.glob("*.sh"))


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load((DEPLOY / "docker" / "compose.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda it: it.name)
def test_the_shell_reads_every_script(script: Path) -> None:
    assert subprocess.run(["sh", "-n", script], check=False).returncode == 0


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        missing("systemd-analyze")
    unit = tmp_path / UNIT.name  # with a program that is here
    unit.write_text(re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", UNIT.read_text(encoding="utf-8"), flags=re.MULTILINE))
    found = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, check=False)

    assert (found.returncode, [line for line in found.stderr.splitlines() if UNIT.name in line]) == (0, [])


def test_the_unit_lets_no_digit_reach_a_disk_and_waits_for_calls_to_end() -> None:
    unit = UNIT.read_text(encoding="utf-8")

    assert {"LimitCORE=0", "MemorySwapMax=0", "NoNewPrivileges=yes", "ProtectSystem=strict"} <= set(unit.splitlines())
    assert int(re.search(r"TimeoutStopSec=(\d+)", unit)[1]) > 30


def test_the_image_ends_as_nobody_in_particular() -> None:
    lines = (DEPLOY / "docker" / "Dockerfile").read_text(encoding="utf-8").splitlines()
    users = [line for line in lines if line.startswith("USER")]

    assert users == ["USER 10001:10001"]
    assert lines.index(users[0]) < next(at for at, line in enumerate(lines) if line.startswith("ENTRYPOINT"))


def test_every_service_has_a_root_it_cannot_write_and_a_way_up_no_more(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        assert service["read_only"] is True
        assert "no-new-privileges:true" in service["security_opt"]
        assert int(service["stop_grace_period"].removesuffix("s")) > 30


def test_what_services_name_is_there(compose: dict[str, Any]) -> None:
    engine, db = compose["services"]["engine"], compose["services"]["db"]
    volumes = [volume.split(":")[0] for service in (engine, db) for volume in service["volumes"]]
    context = DEPLOY / "docker" / engine["build"]["context"]

    assert {*engine["secrets"], *db["secrets"]} == set(compose["secrets"])
    assert {volume for volume in volumes if not volume.startswith(".")} == set(compose["volumes"])
    assert (context / engine["build"]["dockerfile"]).is_file()
    assert engine["depends_on"]["db"]["condition"] == "service_healthy"
    assert "healthcheck" in db


def test_the_dashboard_asks_for_metrics_that_there_are() -> None:
    board = json.loads((DEPLOY / "grafana" / "callwright.json").read_text(encoding="utf-8"))
    asked = {name for panel in board["panels"] for it in panel["targets"] for name in re.findall(r"callwright_\w+", it["expr"])}
    doors = "".join(it.read_text(encoding="utf-8") for it in (DEPLOY.parent / "engine" / "server" / "doors").glob("*.py"))
    known = {*metrics(), *re.findall(r"\"(callwright_\w+)\"", doors)}

    assert len(asked) > 15
    assert {it for it in asked if not {it, it.removesuffix("_bucket"), it.removesuffix("_total")} & known} == set()
