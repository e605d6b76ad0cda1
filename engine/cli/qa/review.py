"""``callwright qa review``: sheets for people, and what they filled in."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Engine

from engine.access.deeds import Deed
from engine.cli.kept import keep
from engine.cli.output import console
from engine.cli.qa.opening import opened
from engine.cli.qa.shared import DEFAULT, ConfigFile
from engine.core.errors import ConfigError, MediaError
from engine.qa.promotion import Demands
from engine.qa.sampling import part_for_two
from engine.qa.sheets import Asked, Known, Sheet, read_sheet, write_sheet
from engine.store.reviews import Reviewer, Reviews
from engine.store.samples import DrawnCall, KeptDraw, Samples

_FOR_TWO = 0.2  # of a draw; and no fewer calls than are needed as a measure


def review(
    sheet: Annotated[Path | None, typer.Argument(help="A sheet that somebody filled in (CSV, or JSON lines).")] = None,
    by: Annotated[str | None, typer.Option(help="Who filled it in.")] = None,
    export: Annotated[Path | None, typer.Option(help="Write an empty sheet instead.")] = None,
    sample: Annotated[int | None, typer.Option(help="The draw that the empty sheet is for.")] = None,
    config: ConfigFile = DEFAULT,
    *,
    second: Annotated[bool, typer.Option("--second", help="Only the part that a second person scores too.")] = False,
    shown: Annotated[bool, typer.Option("--shown", help="Show the engine's verdicts; such a sheet proves nothing.")] = False,
) -> None:
    """Take what people found in the drawn calls; or, with --export, write the sheet that they fill in."""
    known, engine = opened(config)
    if export is not None and sheet is None and sample is not None:
        keep(known, engine, Deed.EXPORTED, f"sample {sample}", to=str(export))
        rows = _asked(engine, known.qa.folder, sample, second=second, shown=shown)
        export.write_text(write_sheet(rows), encoding="utf-8-sig", newline="")  # spreadsheets know UTF-8 by its mark
        console.print(f"{export}: {len({it.call for it in rows})} calls, {len(rows)} rows, {'not ' if shown else ''}blind")
    elif sheet is not None and by and export is None:
        keep(known, engine, Deed.CHANGED, "reviews", sheet=str(sheet), by=by.strip())
        _take(engine, sheet, by.strip())
    else:
        raise typer.BadParameter("expected a sheet with --by, or --export with --sample")


def _asked(engine: Engine, folder: Path, number: int, *, second: bool, shown: bool) -> list[Asked]:
    samples = Samples(engine)
    draw = next((it for it in samples.draws() if it.id == number), None)
    if draw is None:
        raise ConfigError(f"--sample: expected the number of a draw, found {number}")
    calls = samples.calls(draw)
    chosen = _second(calls, draw) if second else {it.call for it in calls}
    return [row for it in calls if it.call in chosen for row in _rows(number, it, folder, shown=shown)]


def _second(calls: list[DrawnCall], draw: KeptDraw) -> frozenset[str]:
    share = max(_FOR_TWO, min(1.0, Demands().scored_by_two / max(1, len(calls))))
    return part_for_two((it.call for it in calls), draw.seed, share)


def _rows(sample: int, call: DrawnCall, folder: Path, *, shown: bool) -> list[Asked]:
    recording = call.name if call.audio is None else str(folder / call.audio)
    return [
        Asked(sample, call.call, it["id"], it.get("text", ""), recording, it["verdict"] if shown else None)
        for it in call.result["questions"]
    ]


def _take(engine: Engine, path: Path, by: str) -> None:
    reviews = Reviews(engine)
    sheet = read_sheet(_text(path), str(path), _known(engine, reviews, by))
    taken = reviews.add(sheet.filled, Reviewer(by, sheet.blind), datetime.now(UTC))
    console.print(f"{path}: {taken} verdicts of {by} taken{_rest(sheet)}")
    for problem in sheet.problems:
        print(problem, file=sys.stderr)
    if sheet.problems:
        raise typer.Exit(65)


def _rest(sheet: Sheet) -> str:
    rest = {"known already": sheet.again, "left empty": sheet.empty, "refused": len(sheet.problems)}
    told = "".join(f", {number} {what}" for what, number in rest.items() if number)
    return told + (
        "" if sheet.blind else "; the engine's verdicts were on the sheet, so they count for the score and prove nothing"
    )


def _known(engine: Engine, reviews: Reviews, by: str) -> Known:
    samples = Samples(engine)
    drawn = {
        draw.id: {it.call: tuple(one["id"] for one in it.result["questions"]) for it in samples.calls(draw)}
        for draw in samples.draws()
    }
    return Known(drawn, reviews.said_by(by))


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise MediaError(f"{path}: expected a readable sheet, found: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise MediaError(f"{path}: expected UTF-8 text, found the byte 0x{error.object[error.start]:02x}") from error
