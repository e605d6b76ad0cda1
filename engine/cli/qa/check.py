"""``callwright qa check``: cards read, their own tests run, and remarks on what may not be what was meant."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from engine.cli.output import console, say_json
from engine.core.errors import MediaError
from engine.qa.card import CardTest, Scorecard, ScorecardErrors
from engine.qa.card_tests import Difference, differences
from engine.qa.files import load_scorecard, load_transcript
from engine.qa.lint import Linter, Remark
from engine.qa.timeline import Timeline
from engine.qa.transcripts import timeline_of
from engine.written.problems import Problem
from engine.written.yaml_tree import read_tree


@dataclass
class Checked:
    """What came of one card."""

    path: Path

    card: Scorecard | None = None
    """``None``: it can't be used."""

    problems: Sequence[Problem] = ()

    failed: list[tuple[CardTest, Sequence[Difference | str]]] = field(default_factory=list)
    """Tests that found a difference, or whose file can't be read."""

    remarks: list[Remark] = field(default_factory=list)

    @property
    def fine(self) -> bool:
        return not self.problems and not self.failed


def check(
    files: Annotated[list[Path], typer.Argument(help="Cards, YAML files.")],
    calls: Annotated[
        Path | None,
        typer.Option(help="A folder of transcripts (.json): what of the card do they ever need?", exists=True, file_okay=False),
    ] = None,
    *,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a card.")] = False,
) -> None:
    """Say what is wrong with each card, run its own tests, and remark on what it may not mean; exit code 1 where one fails."""
    known = list(_transcripts(calls)) if calls else []
    checked = [_checked(path, known) for path in files]
    for it in checked:
        if json:
            say_json(_as_json(it))
        else:
            _print(it)
    if not all(it.fine for it in checked):
        raise typer.Exit(1)


def _transcripts(folder: Path) -> Iterator[Timeline]:
    for path in sorted(folder.rglob("*.json")):
        try:
            yield load_transcript(path)
        except MediaError as error:
            print(error, file=sys.stderr)


def _checked(path: Path, calls: Sequence[Timeline]) -> Checked:
    try:
        card = load_scorecard(path)
    except ScorecardErrors as error:
        return Checked(path, problems=error.problems)
    checked = Checked(path, card)
    for test in card.tests:
        found = list(_differences(card, test, path))
        if found:
            checked.failed.append((test, found))
    linter = Linter(card, read_tree(path.read_text(encoding="utf-8-sig"), str(path), ScorecardErrors))
    checked.remarks += [*linter.of_the_card(), *linter.of_calls(calls)]
    return checked


def _differences(card: Scorecard, test: CardTest, path: Path) -> Iterator[Difference | str]:
    try:
        yield from differences(card, test, _call(test, path))
    except MediaError as error:
        yield str(error)


def _call(test: CardTest, path: Path) -> Timeline:
    if isinstance(test.transcript, str):
        return load_transcript(path.parent / test.transcript)
    return timeline_of(test.transcript, test.name)


def _print(it: Checked) -> None:
    for problem in it.problems:
        print(problem)
    for test, found in it.failed:
        print(f"{it.path}:{test.line}: test failed: {test.name}")
        for one in found:
            print("\n".join(f"  {line}" for line in str(one).splitlines()))
    for remark in it.remarks:
        print(f"{it.path}:{remark.line}: remark: {remark.path}: {remark.text}")
    if it.card and it.fine:
        counts = f"{len(it.card.questions)} questions, {len(it.card.tests)} tests, {', '.join(it.card.languages)}"
        console.print(f"{it.path}: fine ({counts}; revision {it.card.revision[:12]})", markup=False, soft_wrap=True)


def _as_json(it: Checked) -> dict[str, Any]:
    return {
        "path": str(it.path),
        "scorecard": it.card.name if it.card else None,
        "revision": it.card.revision if it.card else None,
        "fine": it.fine,
        "problems": [{key: value for key, value in asdict(one).items() if key != "file"} for one in it.problems],
        "tests": len(it.card.tests) if it.card else 0,
        "failed": [
            {"test": test.name, "line": test.line, "differences": list(map(_difference, found))} for test, found in it.failed
        ],
        "remarks": [asdict(one) for one in it.remarks],
    }


def _difference(one: Difference | str) -> dict[str, str]:
    if isinstance(one, str):
        return {"told": one}
    return {"question": one.question, "expected": one.expected.value, "got": one.got.verdict.value, "told": str(one)}
