"""How verbs tell a call's story as it goes."""

from __future__ import annotations

from engine.cli.output import console
from engine.runtime.story import Line

_COLOURS = {"caller": "cyan", "engine": "white", "decision": "yellow", "reply": "green", "end": "bright_black"}


def tell(line: Line) -> None:
    """Print one line of it."""
    note = f"  [dim]{line.note}[/dim]" if line.note else ""
    text = line.text.replace("[", "(").replace("]", ")")
    console.print(f"  {line.at:6.2f}  [{_COLOURS[line.who]}]{line.who:<9}{text}[/]{note}", soft_wrap=True)
