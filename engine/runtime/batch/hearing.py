"""Recordings to turns, in bulk: all that a worker does between a decoded recording and its masking.

Rules:

* the voice is found first; nothing else is ever recognised, and a channel that is silent costs next to nothing;
* utterances are recognised together, in batches, those of both channels and of several recordings: who speaks, and in which
  call, does not matter to a model; short recordings share the windows of the large one;
* ``fast`` hears everything once; ``accurate`` with the large model alone; ``both`` gives the large model what the small one is
  least sure of, up to a share of the speech, so that the cost of an hour is known beforehand;
* a long recording is worked off in parts of a few minutes of speech: never more than that of it is held in another form.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from engine.asr.calibration import shipped_agreement
from engine.asr.diarizer import Diarizer, load_diarizer
from engine.asr.protocol import Hints, Recogniser, TellsLanguages
from engine.asr.registry import load_recogniser
from engine.asr.stretches import Cutting, Stretch
from engine.asr.two_pass import Agreement, TwoPassPolicy, choose
from engine.asr.voice_map import VoiceMap
from engine.audio.recording import Recording
from engine.core.audio import AudioFrame
from engine.core.call import Speaker
from engine.core.errors import ConfigError
from engine.core.speech import CHINESE, ENGLISH, RUSSIAN, Transcript, Word
from engine.core.units import Confidence, Language, Seconds
from engine.model_files import pinned
from engine.runtime.batch.acoustics import acoustic_events, sample_of_speech
from engine.runtime.batch.channels import HeardChannel, Utterance, heard_channels
from engine.runtime.batch.heard import NOT_UNDERSTOOD, HeardRecording
from engine.runtime.batch.work import Tier
from engine.runtime.transcribe import SpokenTurn

_PART = Seconds(240.0)  # of speech, recognised together
REVISION = 3  # of this code: raised when it hears otherwise with the same models
_NOBODY = "nobody speaks"


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


@dataclass(frozen=True, slots=True)
class Named:
    """A recogniser of the registry, with its own settings."""

    name: str
    settings: Mapping[str, object] = field(default_factory=dict)

    def load(self) -> Recogniser:
        """Load it."""
        return load_recogniser(self.name, **self.settings)


@dataclass(frozen=True, slots=True)
class HearingSettings:
    """Who hears, and how much of it twice. Picklable."""

    first: Named = Named("moonshine", {"bulk": True})
    """Over everything, where it knows the language."""

    second: Named = Named("whisper", {"context": "packed"})
    """Where the first is unsure, and for other languages in tier ``fast``."""

    careful: Named = Named("whisper", {"context": "packed_full"})
    """For tier ``accurate``, and for other languages in tier ``both``."""

    second_share: float = 0.55
    """Of the seconds of speech, at most, that tier ``both`` hears twice ..."""

    window: Seconds = Seconds(14.5)
    """... but this much always: what the second hears for the price of one short utterance."""

    policy: TwoPassPolicy = TwoPassPolicy(surer_by=0.2)
    """Cross-validated where the coefficients were fitted: 3.8 % of words wrong at 0.1 to 0.3, 3.9 at 0.0, 4.3 at 0.5."""

    cutting: Cutting = Cutting()

    languages: tuple[Language, ...] = (ENGLISH, RUSSIAN, CHINESE)
    """That may be detected; another is an unknown one."""

    sure_of_language: float = 0.35
    """Below it, not even the likeliest language is known: seconds of speech that are too few, or no speech at all."""

    diarizer: str | None = None
    """For recordings of one channel; ``None``: nobody knows who speaks."""

    models: tuple[str, ...] = ("moonshine-tiny-en", "whisper-base", "silero-vad-v6")
    """Of the manifest, whose hashes make the revision."""


class BatchTranscriber:
    """The loaded models of one worker."""

    def __init__(self, settings: HearingSettings = HearingSettings()) -> None:
        """Load nothing yet: each model is loaded when it is first wanted."""
        self._settings = settings
        self._voice = VoiceMap()

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
        """Hear several recordings together; whose words are whose is not mixed up, but what is heard twice is shared out.

        Raises:
            ModelError, ConfigError: as :meth:`transcribe`; then none of them was heard.
        """
        found = [self._found(one) for one in asked]
        heard: list[list[SpokenTurn]] = [[] for _ in found]
        for kind in dict.fromkeys(one.kind for one in found):
            owned = [(owner, it) for owner, one in enumerate(found) if one.kind == kind for it in one.utterances]
            for part in _parts(owned):
                for (owner, _), turn in zip(part, self._turns([it for _, it in part], *kind), strict=True):
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
        ear = self._second
        if not isinstance(ear, TellsLanguages):
            raise ConfigError(f"expected a second recogniser that tells languages apart, found {ear.name!r}; tell the language")
        language, sure = ear.languages(sound)[0]
        known = language in self._settings.languages and sure >= self._settings.sure_of_language
        return language, None if known else f"unknown language (most like {language!r}, {sure:.0%})"

    def _turns(self, part: Sequence[Utterance], language: Language, tier: Tier) -> Iterator[SpokenTurn]:
        for utterance, said in zip(part, self._words(part, Hints(language), tier), strict=True):
            stretch = utterance.stretch
            told = said.later(utterance.start) if said else _not_understood(stretch, language)
            yield SpokenTurn(utterance.speaker, stretch.start, stretch.end, told)

    def _words(self, part: Sequence[Utterance], hints: Hints, tier: Tier) -> list[Transcript]:
        sounds = [utterance.sound() for utterance in part]
        if tier is Tier.ACCURATE:
            return self._careful.recognise(sounds, [hints] * len(sounds))
        if hints.language not in self._first.capabilities.languages:
            ear = self._second if tier is Tier.FAST else self._careful
            return ear.recognise(sounds, [hints] * len(sounds))
        heard = self._first.recognise(sounds, [hints] * len(sounds))
        return heard if tier is Tier.FAST else self._heard_again(heard, sounds, hints)

    def _heard_again(self, heard: list[Transcript], sounds: Sequence[AudioFrame], hints: Hints) -> list[Transcript]:
        unsure = to_hear_twice(heard, [sound.duration for sound in sounds], self._settings)
        again = self._second.recognise([sounds[place] for place in unsure], [hints] * len(unsure)) if unsure else []
        seconds = dict(zip(unsure, again, strict=True))
        return [
            choose(first, seconds[place], sounds[place].duration, self._settings.policy, self._agreement)
            if place in seconds
            else first
            for place, first in enumerate(heard)
        ]

    @cached_property
    def _diarizer(self) -> Diarizer | None:
        return load_diarizer(self._settings.diarizer) if self._settings.diarizer else None

    @cached_property
    def _agreement(self) -> Agreement | None:
        return shipped_agreement("two_pass_bulk")

    @cached_property
    def _first(self) -> Recogniser:
        return self._settings.first.load()

    @cached_property
    def _second(self) -> Recogniser:
        return self._settings.second.load()

    @cached_property
    def _careful(self) -> Recogniser:
        return self._settings.careful.load()


def _not_understood(stretch: Stretch, language: Language) -> Transcript:
    never = Confidence(0.0)
    return Transcript((Word(NOT_UNDERSTOOD, stretch.start, stretch.end, never),), language, never)


def to_hear_twice(heard: Sequence[Transcript], lengths: Sequence[Seconds], settings: HearingSettings) -> list[int]:
    """The places of what is to be heard twice, in order: where a second's hearing mends most, until the share is used up.

    With 55 % heard twice, 4.0 % of the words were wrong where the coefficients were fitted, 4.2 where the least sure turns went
    first; with 40 %, 4.1 and 4.9: a long turn is less likely to be right as a whole, and costs more.
    """
    doubtful = [place for place, said in enumerate(heard) if said.confidence is None or said.confidence < settings.policy.sure]
    doubtful.sort(key=lambda place: wrong_words(heard[place]) / lengths[place], reverse=True)
    left = max(settings.second_share * sum(lengths), settings.window)
    chosen = []
    for place in doubtful:
        if lengths[place] <= left:
            chosen.append(place)
            left -= lengths[place]
    return sorted(chosen)


def wrong_words(said: Transcript) -> float:
    """How many words of it are wrong, by their confidences; without end where nothing was understood or nobody knows."""
    known = [1.0 - word.confidence for word in said.words if word.confidence is not None]
    return sum(known) if known and len(known) == len(said.words) else math.inf


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
