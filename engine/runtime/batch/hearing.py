"""Recordings to turns, in bulk: all that a worker does between a decoded recording and its masking.

Rules:

* the voice is found first; nothing else is ever recognised, and a channel that is silent costs next to nothing;
* utterances are recognised together, in batches, those of both channels and of several recordings: who speaks, and in which
  call, does not matter to a model;
* a long recording is worked off in parts of a few minutes of speech: never more than that of it is held in another form.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from engine.asr.diarizer import Diarizer, load_diarizer
from engine.asr.protocol import TellsLanguages
from engine.asr.stretches import Stretch
from engine.asr.voice_map import VoiceMap
from engine.audio.recording import Recording
from engine.core.call import Speaker
from engine.core.errors import ConfigError
from engine.core.speech import ENGLISH, Transcript, Word
from engine.core.units import Confidence, Language, Seconds
from engine.model_files import pinned
from engine.runtime.batch.acoustics import acoustic_events, sample_of_speech
from engine.runtime.batch.channels import HeardChannel, Utterance, heard_channels
from engine.runtime.batch.heard import NOT_UNDERSTOOD, HeardRecording
from engine.runtime.batch.passes import HearingSettings, Owned, Passes
from engine.runtime.batch.work import Tier
from engine.runtime.transcribe import SpokenTurn

_PART = Seconds(240.0)  # of speech, recognised together
REVISION = 7  # of this code: raised when it hears otherwise with the same models
_NOBODY = "nobody speaks"
_USUAL = HearingSettings()


@dataclass(frozen=True, slots=True)
class Asked:
    """A recording that is to be heard."""

    recording: Recording

    language: Language | None = None
    """``None``: to be detected."""

    tier: Tier = Tier.BOTH

    left: Speaker = Speaker.CALLER
    """Who speaks on the first of two channels."""


@dataclass(frozen=True, slots=True)
class _Found:
    """Where somebody speaks in a recording."""

    asked: Asked
    channels: Sequence[HeardChannel]
    language: Language
    nothing: str | None
    """Why there is nothing to hear."""

    @property
    def kind(self) -> tuple[Language, Tier]:
        """What is alike in recordings that are heard together."""
        return self.language, self.asked.tier

    @property
    def utterances(self) -> list[Utterance]:
        """Of all channels, by the time; none where there is nothing to hear."""
        spoken = [] if self.nothing else [it for channel in self.channels for it in channel.utterances]
        return sorted(spoken, key=lambda it: it.stretch.start)


class BatchTranscriber:
    """The loaded models of one worker."""

    def __init__(self, settings: HearingSettings = _USUAL) -> None:
        """Load nothing yet: each model is loaded when it is first wanted."""
        self._settings = settings
        self._voice = VoiceMap()
        self._passes = Passes(settings)

    def transcribe(
        self,
        recording: Recording,
        language: Language | None = None,
        tier: Tier = Tier.BOTH,
        left: Speaker = Speaker.CALLER,
    ) -> HeardRecording:
        """Hear one recording; without a ``language`` it is detected. ``left``: who speaks on the first of two channels.

        Raises:
            ModelError: a model is not there, or failed.
            ConfigError: nobody here understands the language that was told.
        """
        return self.transcribe_all([Asked(recording, language, tier, left)])[0]

    def transcribe_all(self, asked: Sequence[Asked]) -> list[HeardRecording]:
        """Hear several recordings together; each as if it were heard alone, for less.

        Raises:
            ModelError, ConfigError: as :meth:`transcribe`; then none of them was heard.
        """
        found = [self._found(one) for one in asked]
        heard: list[list[SpokenTurn]] = [[] for _ in found]
        for kind in dict.fromkeys(one.kind for one in found):
            owned = [(owner, it) for owner, one in enumerate(found) if one.kind == kind for it in one.utterances]
            for part in _parts(owned):
                for (owner, _), turn in zip(part, self._turns(part, *kind), strict=True):
                    heard[owner].append(turn)
        return [self._told(one, turns) for one, turns in zip(found, heard, strict=True)]

    def _found(self, asked: Asked) -> _Found:
        voice, cutting = self._voice, self._settings.cutting
        channels = list(heard_channels(asked.recording, asked.left, voice, cutting, self._diarizer))
        language, nothing = (asked.language, None) if asked.language else self._detected(channels)
        return _Found(asked, channels, language or ENGLISH, nothing)

    def _told(self, found: _Found, heard: Sequence[SpokenTurn]) -> HeardRecording:
        turns = [turn for turn in heard if turn.transcript.text != NOT_UNDERSTOOD]
        return HeardRecording(
            found.language,
            tuple(turns),
            tuple(acoustic_events(found.channels, turns)),
            found.asked.recording.duration,
            self.revision(found.asked.tier),
            found.nothing or (None if turns else _NOBODY),
            tuple(turn for turn in heard if turn.transcript.text == NOT_UNDERSTOOD),
        )

    def revision(self, tier: Tier) -> str:
        """Name what would hear a recording: the models' pinned hashes, the settings and the tier, as one short hash."""
        hashes = [file.sha256 for name in self._settings.models for file in pinned(name).files]
        return hashlib.sha256(f"{REVISION} {tier} {self._settings} {hashes}".encode()).hexdigest()[:12]

    def _detected(self, channels: Sequence[HeardChannel]) -> tuple[Language | None, str | None]:
        """The language, or why there is none."""
        sound = sample_of_speech(channels)
        if sound is None:
            return None, _NOBODY
        ear = self._passes.second
        if not isinstance(ear, TellsLanguages):
            raise ConfigError(f"expected a second recogniser that tells languages apart, found {ear.name!r}; tell the language")
        language, sure = ear.languages(sound)[0]
        known = language in self._settings.languages and sure >= self._settings.sure_of_language
        return language, None if known else f"unknown language (most like {language!r}, {sure:.0%})"

    def _turns(self, part: Sequence[tuple[int, Utterance]], language: Language, tier: Tier) -> Iterator[SpokenTurn]:
        owned = [Owned(owner, utterance.sound()) for owner, utterance in part]
        for (_, utterance), said in zip(part, self._passes.words(owned, language, tier), strict=True):
            stretch = utterance.stretch
            told = said.later(utterance.start) if said else _not_understood(stretch, language)
            yield SpokenTurn(utterance.speaker, stretch.start, stretch.end, told)

    @cached_property
    def _diarizer(self) -> Diarizer | None:
        return load_diarizer(self._settings.diarizer) if self._settings.diarizer else None


def _not_understood(stretch: Stretch, language: Language) -> Transcript:
    never = Confidence(0.0)
    return Transcript((Word(NOT_UNDERSTOOD, stretch.start, stretch.end, never),), language, never)


def _parts(owned: Sequence[tuple[int, Utterance]]) -> Iterator[Sequence[tuple[int, Utterance]]]:
    """Utterances, each with whose it is, by the few minutes of speech."""
    begin, length = 0, 0.0
    for place, (_, utterance) in enumerate(owned):
        if length and length + utterance.stretch.duration > _PART:
            yield owned[begin:place]
            begin, length = place, 0.0
        length += utterance.stretch.duration
    if begin < len(owned):
        yield owned[begin:]
