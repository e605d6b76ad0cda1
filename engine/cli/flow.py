"""``callwright flow``: check, draw and import call flows."""

from __future__ import annotations

import sys
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from engine.cli.output import console, say_json
from engine.core.errors import ConfigError
from engine.ivr.draw import to_mermaid, to_svg
from engine.ivr.files import check as problems_in
from engine.ivr.files import load_flow
from engine.ivr.menu_import import import_menu

app = typer.Typer(help="Call flows: checked, drawn, imported from key-press menus.", no_args_is_help=True)


class Drawing(StrEnum):
    """What a drawing is made of."""

    SVG = "svg"
    MERMAID = "mermaid"


@app.command()
def check(files: list[Path], *, json: Annotated[bool, typer.Option("--json", help="One JSON object a problem.")] = False) -> None:
    """Say what is wrong, each problem with its line, what was expected and what was found; exit code 1 where there is any."""
    found = 0
    for path in files:
        problems = problems_in(path)
        found += len(problems)
        for problem in problems:
            if json:
                say_json(
                    {"file": problem.file or str(path), **{key: value for key, value in asdict(problem).items() if key != "file"}}
                )
            else:
                print(problem)
        if not problems and not json:
            flow = load_flow(path)
            console.print(f"{path}: fine ({len(flow.nodes)} nodes, {len(flow.intents)} intents, {', '.join(flow.languages)})")
    if found:
        raise typer.Exit(1)


@app.command()
def draw(path: Path, form: Annotated[Drawing, typer.Option("--as", help="svg or mermaid.")] = Drawing.SVG) -> None:
    """Draw a flow as a graph, to stdout."""
    flow = load_flow(path)
    sys.stdout.write(to_svg(flow) if form is Drawing.SVG else to_mermaid(flow))


@app.command("import")
def import_(
    path: Path,
    name: Annotated[str | None, typer.Option(help="The flow's name; by default the file's.")] = None,
    languages: Annotated[str, typer.Option(help="Comma-separated; the labels are in the first.")] = "en",
) -> None:
    """Turn a key-press menu (CSV: keys, label, target; or indented text) into a flow that understands speech, to stdout."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: expected a readable file of UTF-8 text, found: {error}") from error
    sys.stdout.write(import_menu(text, name or str(path), languages.split(",")))
