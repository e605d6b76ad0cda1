"""Who hears which utterance, and how often.

Rules:

* ``fast`` hears everything once; ``accurate`` with the large model alone; ``both`` gives the large model what the small one is
  least sure of, up to a share of the speech, so that the cost of an hour is known beforehand;
* the large model never hears two calls in one window: a word at a seam may land on the wrong side, which must not be a
  stranger's call;
* in ``both``, what is nearly all numbers is heard once more by the ear for digits.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from engine.asr.calibration import shipped_agreement
from engine.asr.digit_turns import instead, sounds_like_digits, sure_digits, surer_digits
from engine.asr.protocol import Grammar, HearsApart, Hints, Recogniser
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

    second_share: float = 0.62
    """Of the seconds of speech, at most, that tier ``both`` hears twice, each utterance with the silence behind it ..."""

    silence: Seconds = Seconds(0.6)
    """... which is this much: windows are filled with both ..."""

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


@dataclass(frozen=True, slots=True, eq=False)
class Owned:
    """An utterance's sound."""

    call: int
    """Which of the calls that are heard together it belongs to."""

    sound: AudioFrame
    """At 16 kHz."""


class Passes:
    """The recognisers of a worker; each is loaded when it is first wanted."""

    def __init__(self, settings: HearingSettings) -> None:
        self._settings = settings

    def words(self, utterances: Sequence[Owned], language: Language, tier: Tier) -> list[Transcript]:
        """What is said in each utterance; nothing where no words were understood."""
        if tier is Tier.ACCURATE:
            return _apart(self.careful, utterances, language)
        if language not in self.first.capabilities.languages:
            return _apart(self.second if tier is Tier.FAST else self.careful, utterances, language)
        heard = self.first.recognise([it.sound for it in utterances], [Hints(language)] * len(utterances))
        return heard if tier is Tier.FAST else self._heard_again(heard, utterances, language)

    def _heard_again(self, heard: list[Transcript], utterances: Sequence[Owned], language: Language) -> list[Transcript]:
        """The first readings, with digits as their own ear hears them, and what the second says of the least sure others."""
        lengths = [it.sound.duration for it in utterances]
        digits = self._hear_digits(dict(enumerate(heard)), utterances)
        settled = {place: instead(said, heard[place]) for place, said in digits.items() if sure_digits(said)}
        known = [settled.get(place, said) for place, said in enumerate(heard)]
        unsure: list[int] = []
        for call in dict.fromkeys(it.call for it in utterances):
            own = [place for place, it in enumerate(utterances) if it.call == call]
            unsure += to_hear_twice(known, lengths, self._settings, own, settled)
        again = _apart(self.second, [utterances[place] for place in unsure], language) if unsure else []
        for place, second in zip(unsure, again, strict=True):
            known[place] = choose(known[place], second, lengths[place], self._settings.policy, self._agreement)
        digits |= self._hear_digits(
            {place: it for place, it in zip(unsure, again, strict=True) if place not in digits}, utterances
        )
        for place, said in digits.items():
            if place not in settled and surer_digits(said, known[place]):
                known[place] = instead(said, known[place])
        return known

    def _hear_digits(self, readings: Mapping[int, Transcript], utterances: Sequence[Owned]) -> dict[int, Transcript]:
        """What the ear for digits hears, by their places, where a reading is nearly all numbers."""
        places = [place for place, said in readings.items() if sounds_like_digits(said)]
        hints = [Hints(grammar=Grammar.DIGITS)] * len(places)
        told = self.digits.recognise([utterances[place].sound for place in places], hints) if places else []
        return dict(zip(places, told, strict=True))

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
    heard: Sequence[Transcript],
    lengths: Sequence[Seconds],
    settings: HearingSettings,
    own: Sequence[int],
    settled: Collection[int] = (),
) -> list[int]:
    """The places of one call's utterances (``own``) that are to be heard twice, in order: where a second's hearing mends most,
    until the share is used up. What is ``settled`` is not among them.

    With 55 % heard twice, 4.0 % of the words were wrong where the coefficients were fitted, 4.2 where the least sure turns went
    first; with 40 %, 4.1 and 4.9: a long turn is less likely to be right as a whole, and costs more.
    """
    doubtful = [place for place in own if place not in settled and _doubtful(heard[place], settings.policy)]
    doubtful.sort(key=lambda place: wrong_words(heard[place]) / lengths[place], reverse=True)
    left = max(settings.second_share * sum(lengths[place] for place in own), settings.window)
    chosen = []
    for place in doubtful:
        if lengths[place] <= left:
            chosen.append(place)
            left -= lengths[place] + settings.silence
    return sorted(chosen)


def _doubtful(said: Transcript, policy: TwoPassPolicy) -> bool:
    return said.confidence is None or said.confidence < policy.sure


def _apart(ear: Recogniser, utterances: Sequence[Owned], language: Language) -> list[Transcript]:
    """Heard together, but never in one window with another call."""
    sounds, hints = [it.sound for it in utterances], [Hints(language)] * len(utterances)
    if isinstance(ear, HearsApart):
        return ear.recognise_apart(sounds, hints, [it.call for it in utterances])
    return ear.recognise(sounds, hints)


def wrong_words(said: Transcript) -> float:
    """How many words of it are wrong, by their confidences; without end where nothing was understood or nobody knows."""
    known = [1.0 - word.confidence for word in said.words if word.confidence is not None]
    return sum(known) if known and len(known) == len(said.words) else math.inf
