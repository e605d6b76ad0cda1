"""``callwright privacy``: what a security officer asks."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from engine.audio.resample import resample
from engine.cli.output import console, progress, say_json
from engine.config import load_config
from engine.core.audio import TELEPHONY, AudioFrame, joined
from engine.core.speech import ENGLISH
from engine.testing.canaries.proof import Proof
from engine.testing.canaries.proof import prove as proved
from engine.testing.canaries.roads import Say
from engine.tts.registry import load_voice

BANK = Path(__file__).resolve().parents[2] / "examples" / "bank" / "engine.toml"

app = typer.Typer(help="What a security officer asks.", no_args_is_help=True, add_completion=False)


@app.callback()
def privacy() -> None:
    """What a security officer asks."""


@app.command()
def prove(
    config: Annotated[Path, typer.Option(help="Whose flow and models to run; by default the demo bank's.")] = BANK,
    *,
    json: Annotated[bool, typer.Option("--json", help="The proof as one JSON object.")] = False,
) -> None:
    """Key made-up card numbers and PINs on every road into an engine of its own, and seek them in all that it writes, serves and
    holds in memory. Takes root (it reads the memory of processes that are shut) and five minutes or so.

    Exit code 1 where a number is found, or where one did not arrive at the bank.
    """
    with progress.status("starting ...") as status:
        proof = asyncio.run(proved(load_config(config), _voice(), lambda told: status.update(f"{told} ...")))
    if json:
        say_json(proof.as_json())
    else:
        _print(proof)
    if not proof.clean:
        raise typer.Exit(1)


def _voice() -> Say:
    voice = load_voice("piper")

    def say(text: str) -> AudioFrame:
        return resample(joined(list(voice.say(text, ENGLISH))), TELEPHONY)

    return say


def _print(proof: Proof) -> None:
    console.print(f"{len(proof.roads)} roads: {', '.join(proof.roads)}")
    for place in proof.searched:
        notes = "".join(f", {count} {name}" for name, count in place.notes.items())
        found = f"[red]{len(place.hits)} found[/red]" if place.hits else "nothing"
        console.print(f"  {place.place:<28} {place.count:>4} searched, {place.octets / 1e6:>9.1f} MB  {found}{notes}")
    for told in proof.as_json()["found"]:
        console.print(
            f"[red]{told['number']}[/red] as {told['shape']} in {told['place']}: {told['where']}, {told['times']} times"
        )
    for name, why in proof.void.items():
        console.print(f"[red]{name}[/red] proves nothing: {why}")
    for name in proof.not_open:
        print(f"{name}: this engine has no such door; not tried", file=sys.stderr)
    console.print("[green]no digit was found anywhere[/green]" if proof.clean else "[red]the proof has failed[/red]")
