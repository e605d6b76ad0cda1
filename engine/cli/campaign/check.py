"""``callwright campaign check``: campaign files read, and held against their flows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from engine.cli.campaign.shared import DEFAULT, load_campaign, opened, say
from engine.cli.output import say_json
from engine.ivr.files import load_flow
from engine.ivr.problems import FlowErrors
from engine.outbound.campaign import Campaign, CampaignErrors
from engine.outbound.script import mismatches
from engine.store.lists import Lists
from engine.written.problems import Problem


def check(
    files: Annotated[list[Path], typer.Argument(help="Campaign files, YAML.")],
    *,
    config: Annotated[
        Path | None, typer.Option(help="The configuration: its database says which do-not-call lists are there.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a file.")] = False,
) -> None:
    """Say all that is wrong with each file, and with its flow for it; exit code 1 where anything is."""
    known = _lists(config)
    found = {path: _checked(path, known) for path in files}
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


def _lists(config: Path | None) -> Sequence[str] | None:
    """The lists that are there; ``None`` where there is no configuration, so nobody knows."""
    chosen = config or DEFAULT
    return Lists(opened(chosen)).names() if config is not None or chosen.exists() else None


def _checked(path: Path, known: Sequence[str] | None) -> tuple[Campaign | None, Sequence[Problem]]:
    try:
        policy, text = load_campaign(path)
    except CampaignErrors as error:
        return None, error.problems
    return policy, [*_of_the_lists(path, policy, text, known), *_of_the_flow(path, policy, text)]


def _of_the_lists(path: Path, policy: Campaign, text: str, known: Sequence[str] | None) -> Iterator[Problem]:
    expected = "lists that are there" if not known else f"lists that are there ({', '.join(known)})"
    for name in policy.lists:
        if known is not None and name not in known:
            yield Problem(_line(text, "do_not_call"), 1, "do_not_call", expected, repr(name), file=str(path))


def _line(text: str, key: str) -> int:
    return next((number for number, it in enumerate(text.splitlines(), 1) if it.startswith(f"{key}:")), 1)


def _of_the_flow(path: Path, policy: Campaign, text: str) -> Iterator[Problem]:
    try:
        flow = load_flow(path.parent / policy.flow)
    except FlowErrors as error:
        yield Problem(_line(text, "flow"), 1, "flow", "a flow that can be used", f"{len(error.problems)} faults", file=str(path))
        yield from error.problems
        return
    for it in mismatches(policy, flow):
        key, _, told = it.partition(": ")
        expected, _, found = told.removeprefix("expected ").partition(", found ")
        yield Problem(_line(text, key.split(".", maxsplit=1)[0]), 1, key, expected, found, file=str(path))
