"""Spoken queries for :mod:`bench.assist_curve`, heard once: what the recognisers made of each is kept in a scratch file.

Two sets, with no sentence in common, nor a near-double of one:

* to **judge** on: the English spoken queries of the set as they are (telephone band and mu-law; two synthetic voices; clean, and
  with noise 10 dB below); if wanted, each clean one once more with a recorded noise 5 dB below;
* to **fit** on: other sentences of the set's ``text/intents.jsonl``, spoken here by Piper over a telephone line, every second one
  with a noise 10 dB below.

A killed run goes on where it was. Synthetic speech, all of it.
"""

from __future__ import annotations

import json
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import zip_longest
from pathlib import Path
from typing import TextIO

import numpy as np

from bench.card import progress
from bench.recordings import Labelled, labelled, noises, noisy, telephone
from engine.assist.learning.doubles import groups
from engine.cli.transcribe import transcriber_for
from engine.core.audio import AudioFormat, AudioFrame
from engine.core.call import Speaker
from engine.core.speech import ENGLISH, Transcript
from engine.core.units import SampleIndex, Seconds
from engine.dialogue.codec import from_json, to_json
from engine.dialogue.events import Heard
from engine.nlu.encoder import Encoder
from engine.nlu.wording import bare
from engine.runtime.transcribe import Transcriber, together
from engine.tts.protocol import Voice
from engine.tts.registry import load_voice

_KIND = "spoken_query"
_HARDER_DB = 5.0
_FITTING_DB = 10.0
_VOICE = "piper"
"""The kind of the manifest, noise in dB below the voice, and who speaks the sentences to fit on."""


@dataclass(frozen=True, slots=True)
class Query:
    """One sentence, in one voice and one noise."""

    name: str
    """In the scratch file."""

    text: str
    intent: str
    condition: str
    sound: Callable[[], AudioFrame]


@dataclass(frozen=True, slots=True)
class HeardQuery:
    """What the recognisers made of it."""

    text: str
    """What was said."""

    intent: str
    condition: str
    heard: Transcript


def to_judge(folder: Path, *, harder: bool = False) -> Iterator[Query]:
    """The spoken queries of a set; ``harder``: the clean ones with more noise, too."""
    facts = _facts(folder)
    rows = labelled(folder)
    background = list(noises(rows))[:-1]  # recorded ones; the last is white
    for row in rows:
        fact = facts[row.file.relative_to(folder).as_posix()]
        if row.kind == _KIND and row.language == ENGLISH:
            voice = row.speaker.split(" ")[0]
            yield Query(row.name, fact["text"], fact["intent"], f"{voice} {fact['condition']}", row.sound)
            if harder and fact["condition"] == "clean" and background:
                noise = background[zlib.crc32(row.name.encode()) % len(background)]
                yield Query(f"{row.name}+5dB", fact["text"], fact["intent"], f"{voice} snr5", _with_noise(row, noise))


def to_fit(folder: Path, judged: Sequence[str], most: int, encoder: Encoder) -> Iterator[Query]:
    """Other sentences, the intents in turn, none that is near one of ``judged``."""
    background, voice = list(noises(labelled(folder))), cache(lambda: load_voice(_VOICE))
    for number, (text, intent) in enumerate(_other_sentences(folder, judged, encoder)[:most]):
        noise = background[number // 2 % len(background)] if number % 2 else None
        yield Query(f"fit/{text}", text, intent, "to fit on", _spoken(voice, text, noise))


def to_teach(folder: Path, judged: Sequence[str], fitted: Sequence[str], encoder: Encoder) -> Mapping[str, Sequence[str]]:
    """Sentences by intent, as written, none of them near one that is judged or fitted on."""
    found: dict[str, list[str]] = defaultdict(list)
    for text, intent in _other_sentences(folder, [*judged, *fitted], encoder):
        found[intent].append(text)
    return found


def hear(queries: Sequence[Query], scratch: Path, recogniser: str) -> list[HeardQuery]:
    """Recognise as a live call does what the scratch file does not hold yet."""
    known = _known(scratch)
    missing = [query for query in queries if query.name not in known]
    if missing:
        scratch.parent.mkdir(parents=True, exist_ok=True)
        with scratch.open("a", encoding="utf-8") as file:
            known |= _newly_heard(missing, transcriber_for(ENGLISH, recogniser), file)
    return [HeardQuery(query.text, query.intent, query.condition, known[query.name]) for query in queries]


def _newly_heard(missing: Sequence[Query], ears: Transcriber, file: TextIO) -> dict[str, Transcript]:
    found: dict[str, Transcript] = {}
    file.write("\n")  # the line before may have been cut off
    for number, query in enumerate(missing, 1):
        heard = found[query.name] = _heard(ears, query.sound())
        file.write(json.dumps({"name": query.name, "heard": to_json(Heard(heard))}, ensure_ascii=False) + "\n")
        file.flush()
        progress(f"{number} of {len(missing)} heard: {query.condition}: {query.text} | {heard.text}")
    return found


def _heard(ears: Transcriber, sound: AudioFrame) -> Transcript:
    return together(tuple(ears.hear(sound, Speaker.CALLER, ENGLISH)), ENGLISH)


def _known(scratch: Path) -> dict[str, Transcript]:
    """A line that was cut off by a kill is heard again."""
    found: dict[str, Transcript] = {}
    for line in scratch.read_text(encoding="utf-8").splitlines() if scratch.exists() else ():
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            continue
        event = from_json(row["heard"])
        if isinstance(event, Heard):
            found[row["name"]] = event.transcript
    return found


def _with_noise(row: Labelled, noise: AudioFrame) -> Callable[[], AudioFrame]:
    return lambda: telephone(noisy(row.sound(), noise, _HARDER_DB, row.name))


def _spoken(voice: Callable[[], Voice], text: str, noise: AudioFrame | None) -> Callable[[], AudioFrame]:
    def say() -> AudioFrame:
        clean = _between_silence(list(voice().say(text, ENGLISH)))
        return telephone(clean if noise is None else noisy(clean, noise, _FITTING_DB, text))

    return say


def _between_silence(frames: Sequence[AudioFrame]) -> AudioFrame:
    line: AudioFormat = frames[0].format
    silence = np.zeros(line.samples(Seconds(0.3)), np.int16)
    return AudioFrame(np.concatenate([silence, *(frame.samples for frame in frames), silence]), line, SampleIndex(0))


def _other_sentences(folder: Path, judged: Sequence[str], encoder: Encoder) -> list[tuple[str, str]]:
    rows = _lines(folder / "text" / "intents.jsonl")
    english = [(row["text"], row["intent"]) for row in rows if row["lang"] == ENGLISH]
    texts = [*judged, *(text for text, _ in english)]
    group = groups([bare(text) for text in texts], encoder)
    taken = set(group[: len(judged)])
    by_intent: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for place, (text, intent) in enumerate(english, len(judged)):
        if group[place] not in taken:
            by_intent[intent].append((text, intent))
    return [one for turn in zip_longest(*by_intent.values()) for one in turn if one is not None]


def _facts(folder: Path) -> Mapping[str, dict[str, str]]:
    return {row["path"]: row for row in _lines(folder / "manifest.jsonl")}


def _lines(file: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
