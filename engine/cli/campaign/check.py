"""``callwright campaign check``: campaign files read, and held against their flows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from engine.cli.campaign.shared import load_campaign, say
from engine.cli.output import say_json
from engine.ivr.files import load_flow
from engine.ivr.problems import FlowErrors
from engine.outbound.campaign import Campaign, CampaignErrors
from engine.outbound.script import mismatches
from engine.written.problems import Problem


def check(
    files: Annotated[list[Path], typer.Argument(help="Campaign files, YAML.")],
    *,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a file.")] = False,
) -> None:
    """Say all that is wrong with each file, and with its flow for it; exit code 1 where anything is."""
    found = {path: _checked(path) for path in files}
    for path, (policy, problems) in found.items():
        if json:
            told = [{key: value for key, value in asdict(it).items() if key != "file"} for it in problems]
            name, revision = (policy.name, policy.revision) if policy else (None, None)
            say_json({"path": str(path), "campaign": name, "revision": revision, "fine": not problems, "problems": told})
            continue
        for it in problems:
            print(it)
        if policy is not None and not problems:
            say(f"{path}: fine ({policy.purpose.value}, {', '.join(policy.languages)}; revision {policy.revision[:12]})")
    if any(problems for _, problems in found.values()):
        raise typer.Exit(1)


def _checked(path: Path) -> tuple[Campaign | None, Sequence[Problem]]:
    try:
        policy, text = load_campaign(path)
    except CampaignErrors as error:
        return None, error.problems
    return policy, list(_of_the_flow(path, policy, text))


def _of_the_flow(path: Path, policy: Campaign, text: str) -> Iterator[Problem]:
    lines = text.splitlines()

    def line(key: str) -> int:
        return next((number for number, it in enumerate(lines, 1) if it.startswith(f"{key}:")), 1)

    try:
        flow = load_flow(path.parent / policy.flow)
    except FlowErrors as error:
        yield Problem(line("flow"), 1, "flow", "a flow that can be used", f"{len(error.problems)} problems", file=str(path))
        yield from error.problems
        return
    for it in mismatches(policy, flow):
        key, _, told = it.partition(": ")
        expected, _, found = told.removeprefix("expected ").partition(", found ")
        yield Problem(line(key.split(".", maxsplit=1)[0]), 1, key, expected, found, file=str(path))
