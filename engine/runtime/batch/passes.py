"""Who hears which utterance, and how often.

Rules:

* ``fast`` hears everything once; ``accurate`` with the large model alone; ``both`` gives the large model what the small one is
  least sure of, up to a share of the speech, so that the cost of an hour is known beforehand;
* in ``both``, what is nearly all numbers is heard once more by the ear for digits.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from engine.asr.calibration import shipped_agreement
from engine.asr.digit_turns import instead, sounds_like_digits, sure_digits
from engine.asr.protocol import Grammar, Hints, Recogniser
from engine.asr.registry import load_recogniser
from engine.asr.stretches import Cutting
from engine.asr.two_pass import Agreement, TwoPassPolicy, choose
from engine.core.audio import AudioFrame
from engine.core.speech import CHINESE, ENGLISH, RUSSIAN, Transcript
from engine.core.units import Language, Seconds
from engine.runtime.batch.work import Tier


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

    digits: Named = Named("moonshine")
    """For what is nearly all numbers: as live turns are heard where a question asks for digits."""

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


class Passes:
    """The recognisers of a worker; each is loaded when it is first wanted."""

    def __init__(self, settings: HearingSettings) -> None:
        self._settings = settings

    def words(self, sounds: Sequence[AudioFrame], language: Language, tier: Tier) -> list[Transcript]:
        """What is said in each sound; nothing where no words were understood."""
        hints = [Hints(language)] * len(sounds)
        if tier is Tier.ACCURATE:
            return self.careful.recognise(sounds, hints)
        if language not in self.first.capabilities.languages:
            ear = self.second if tier is Tier.FAST else self.careful
            return ear.recognise(sounds, hints)
        heard = self.first.recognise(sounds, hints)
        return heard if tier is Tier.FAST else self._heard_again(heard, sounds, language)

    def _heard_again(self, heard: list[Transcript], sounds: Sequence[AudioFrame], language: Language) -> list[Transcript]:
        """The first readings, with digits as their own ear hears them, and what the second says of the least sure others."""
        known = heard.copy()
        settled = self._hear_digits(known, dict(enumerate(heard)), sounds)
        unsure = to_hear_twice(known, [sound.duration for sound in sounds], self._settings, settled)
        again = self.second.recognise([sounds[place] for place in unsure], [Hints(language)] * len(unsure)) if unsure else []
        for place, second in zip(unsure, again, strict=True):
            known[place] = choose(known[place], second, sounds[place].duration, self._settings.policy, self._agreement)
        self._hear_digits(known, dict(zip(unsure, again, strict=True)), sounds)
        return known

    def _hear_digits(
        self, known: list[Transcript], readings: Mapping[int, Transcript], sounds: Sequence[AudioFrame]
    ) -> frozenset[int]:
        """Write into ``known`` the digits that are heard where a reading is nearly all numbers; gives where they are believed."""
        places = [place for place, said in readings.items() if sounds_like_digits(said)]
        hints = [Hints(grammar=Grammar.DIGITS)] * len(places)
        told = self.digits.recognise([sounds[place] for place in places], hints) if places else []
        believed = [(place, digits) for place, digits in zip(places, told, strict=True) if sure_digits(digits)]
        for place, digits in believed:
            known[place] = instead(digits, known[place])
        return frozenset(place for place, _ in believed)

    @cached_property
    def _agreement(self) -> Agreement | None:
        return shipped_agreement("two_pass_bulk")

    @cached_property
    def first(self) -> Recogniser:
        """Over everything."""
        return self._settings.first.load()

    @cached_property
    def second(self) -> Recogniser:
        """Where the first is unsure; tells languages apart."""
        return self._settings.second.load()

    @cached_property
    def careful(self) -> Recogniser:
        """With all the care there is."""
        return self._settings.careful.load()

    @cached_property
    def digits(self) -> Recogniser:
        """Knows nothing but digits, when it is asked for them."""
        return self._settings.digits.load()


def to_hear_twice(
    heard: Sequence[Transcript], lengths: Sequence[Seconds], settings: HearingSettings, settled: Collection[int] = ()
) -> list[int]:
    """The places of what is to be heard twice, in order: where a second's hearing mends most, until the share is used up.
    What is ``settled`` is not among them.

    With 55 % heard twice, 4.0 % of the words were wrong where the coefficients were fitted, 4.2 where the least sure turns went
    first; with 40 %, 4.1 and 4.9: a long turn is less likely to be right as a whole, and costs more.
    """
    unsure = (place for place, said in enumerate(heard) if said.confidence is None or said.confidence < settings.policy.sure)
    doubtful = [place for place in unsure if place not in settled]
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
