"""``callwright qa prove``: a masked recording is heard again, to prove that nothing secret is left in it."""

from __future__ import annotations

import json as jsons
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Annotated, BinaryIO, cast

import typer
from sqlalchemy import Engine

from engine.audio.files import read
from engine.audio.recording import Recording
from engine.cli.output import console, say_json
from engine.config import load_config
from engine.core.call import Speaker
from engine.core.errors import MediaError
from engine.core.speech import ENGLISH
from engine.core.units import Language
from engine.runtime.batch.beside import PROOF, Words, kept_beside, said_in, secrets_beside, words_of
from engine.runtime.batch.hearing import BatchTranscriber
from engine.runtime.batch.places import content_of, opened
from engine.runtime.batch.proving import Ear, Proof, keys_left, words_left
from engine.runtime.batch.work import Tier
from engine.runtime.transcribe import SpokenTurn
from engine.store.database import connect
from engine.store.kept_words import kept_words
from engine.store.keys import keys_of


def prove(
    files: Annotated[list[Path], typer.Argument(help="Masked recordings.")],
    language: Annotated[str | None, typer.Option(help="Spoken in them; by default their transcripts', or en.")] = None,
    config: Annotated[
        Path | None, typer.Option(help="With it, what the database keeps of them is searched too, and encrypted ones are read.")
    ] = None,
    *,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a file.")] = False,
) -> None:
    """Hear masked recordings again, by every recogniser, and seek keys, secrets in transcripts, exports and scores.

    The proof is kept beside each, as <name>.proof.json. Exit code 1 where anything is left, 65 where a file can't be read.
    """
    left = refused = 0
    for path in files:
        try:
            proof = _proof(path, Language(language) if language else None, config)
            _keep(path.with_suffix(PROOF), proof)
        except MediaError as error:
            refused += 1
            print(error, file=sys.stderr)
            continue
        left += not proof.clean
        if json:
            say_json(proof.as_json())
        else:
            _print(path, proof)
    if refused or left:
        raise typer.Exit(65 if refused else 1)


def _proof(path: Path, language: Language | None, config: Path | None) -> Proof:
    keys = keys_of(load_config(config).store.key_file) if config else None
    with opened(str(path), keys) as file:
        recording = read(cast("BinaryIO", file))
    beside = list(kept_beside(path))
    kept = [*(words_of(it, keys) for it in beside), *(_kept_in_database(path, config) if config else ())]
    spoken = language or next((turn.said.language for words in kept for turn in words.turns), ENGLISH)
    ears = [_ear(spoken, tier) for tier in (Tier.FAST, Tier.ACCURATE)]
    left = [
        *keys_left(recording),
        *(place for ear in ears for place in words_left(recording, ear)),
        *secrets_beside(kept),
    ]
    checked = ("keys and traces of keys on every channel", *(ear.name for ear in ears), *(words.name for words in kept))
    files = {each.name: content_of(str(each), keys)[0] for each in (path, *beside)}
    return Proof(files, recording.duration, checked, tuple(left))


def _ear(language: Language, tier: Tier) -> Ear:
    return Ear(f"recognition, {tier} ({_ears().revision(tier)})", partial(_heard, language=language, tier=tier))


@cache
def _ears() -> BatchTranscriber:
    return BatchTranscriber()


def _heard(recording: Recording, language: Language, tier: Tier) -> Sequence[SpokenTurn]:
    """Hear all channels, two at a time."""
    channels = recording.channels
    pairs = (replace(recording, channels=channels[first : first + 2]) for first in range(0, len(channels), 2))
    return [turn for pair in pairs for turn in _ears().transcribe(pair, language, tier, Speaker.CALLER).turns]


def _kept_in_database(path: Path, config: Path) -> Iterator[Words]:
    settings = load_config(config)
    folder = settings.qa.folder.resolve()
    if path.resolve().is_relative_to(folder):
        database: Engine = connect(settings.store.database)
        for name, found in kept_words(database, path.resolve().relative_to(folder).as_posix()):
            yield Words(f"{name} in the database", pieces=tuple(said_in(found)))


def _keep(path: Path, proof: Proof) -> None:
    part = path.with_name(f".{path.name}.part")
    part.write_text(jsons.dumps(proof.as_json(), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    part.replace(path)


def _print(path: Path, proof: Proof) -> None:
    verdict = "[green]nothing is left[/green]" if proof.clean else f"[red]{len(proof.left)} left[/red]"
    console.print(f"[bold]{path}[/bold]  {verdict}")
    for place in proof.left:
        time = "" if place.start is None else f"{place.start:8.2f} s"
        console.print(f"  {place.kind:<16} {time:<12} {place.where}", markup=False)
