"""Where the words of a case come from, and how a case is listened to: for :mod:`bench.answering` and its fit."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Final, Protocol

import numpy as np

from bench.answering_cases import Case
from engine.asr.detectors import make_vad
from engine.asr.protocol import Hints, Recogniser
from engine.asr.registry import load_recogniser
from engine.asr.vad import VoiceActivity
from engine.audio.resample import resample
from engine.core.audio import TELEPHONY, WIDEBAND, AudioFrame, frames_of
from engine.core.units import Seconds
from engine.outbound.answering.listener import Listener
from engine.outbound.answering.verdict import Patience, Verdict

DELAY: Final = Seconds(0.4)
LOST: Final = 0.2  # of scripted words
_QUIET: Final = np.zeros(3 * TELEPHONY.rate_hz, np.int16)  # behind a case, so that its deadline comes


class Ears(Protocol):
    """Where the words of a case come from."""

    def words(self, case: Case, sound: AudioFrame, until: Seconds) -> str:
        """What is heard in ``sound``, which ends ``until`` seconds after the greeting's start."""


class Recognised:
    """The recognisers', with a memory on disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def words(self, case: Case, sound: AudioFrame, until: Seconds) -> str:  # noqa: ARG002
        """See :class:`Ears`."""
        key = hashlib.sha1(f"{case.language} {sound.samples.tobytes().hex()}".encode(), usedforsecurity=False).hexdigest()
        file = self._folder / f"{key}.txt"
        if not file.is_file():
            recogniser = _recogniser("moonshine" if case.language == "en" else "whisper")
            file.write_text(recogniser.recognise([resample(sound, WIDEBAND)], [Hints(case.language)])[0].text, "utf-8")
        return file.read_text("utf-8")


class Scripted:
    """What was said until then; a fifth of the words (in Chinese: of the characters) is lost, the same ones at every look."""

    def words(self, case: Case, sound: AudioFrame, until: Seconds) -> str:  # noqa: ARG002
        """See :class:`Ears`."""
        chinese = case.language == "zh"
        words = list(case.text) if chinese else case.text.split()
        said = words[: int(len(words) * min(1.0, until / max(0.1, case.spoken)))]
        draw = np.random.default_rng(zlib.crc32(case.name.encode()))
        return ("" if chinese else " ").join(word for word in said if draw.random() >= LOST)


class Deaf:
    """No words at all."""

    def words(self, case: Case, sound: AudioFrame, until: Seconds) -> str:  # noqa: ARG002
        """See :class:`Ears`."""
        return ""


@cache
def _recogniser(name: str) -> Recogniser:
    return load_recogniser(name, **({"context": "short"} if name == "whisper" else {}))


def follow(case: Case, ears: Ears, patience: Patience) -> Iterator[tuple[Listener, Verdict | None]]:
    """Listen to a case, 20 ms after 20 ms."""
    listener = Listener(_make_vad()(), case.language, patience)
    due: list[tuple[Seconds, AudioFrame]] = []
    for frame in frames_of(AudioFrame(np.concatenate([case.sound.samples, _QUIET]))):
        heard = listener.hear(frame)
        if heard.sound is not None:
            due.append((Seconds(listener.now + DELAY), heard.sound))
        verdict = heard.verdict
        if due and listener.now >= due[0][0]:
            sound = due.pop(0)[1]
            until = Seconds(listener.now - DELAY - case.greeting)
            verdict = listener.words(ears.words(case, sound, until)) or verdict
        yield listener, verdict


@cache
def _make_vad() -> Callable[[], VoiceActivity]:
    return make_vad()
