"""Who answered. Evidence comes in, in any order; a verdict falls as early as it allows, and never later than a deadline.

Rules:

* tones decide at once: SIT and busy are the network's, fax is fax, and a beep is a machine's;
* words decide next: a machine once they lean far enough, less far where a piece of a machine's own words is among them and
  further where there is none, and then none may be a person's (:mod:`engine.outbound.answering.leaning`);
* silence behind words that lean to no machine makes a person (:mod:`engine.outbound.answering.weights`); behind others it says
  nothing before the deadline, since their beep may come;
* cadence alone never makes a machine before the talk, for offices that answer speak for three seconds too; whoever goes on for
  nearly five is one where the words lean a little and none is a person's;
* at the deadline, which is later where a voice goes on that is no person's by the odds, what is not surely a machine is a
  person: **unsure means person**;
* nobody says anything: silence, which is spoken to as a person is;
* a person or a silence may turn out to be a machine later, on strong evidence only: a beep after a long greeting, the network's
  tones, or several pieces of a machine's words. That is told once; a machine never turns into a person.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, TypeAlias

from engine.core.units import Confidence, Language, Seconds
from engine.outbound.answering.cadence import Cadence
from engine.outbound.answering.tones import Signal
from engine.outbound.answering.weights import features, log_odds, probability
from engine.outbound.answering.wording import NOTHING, Said, Speaker, heard


class Answerer(StrEnum):
    """Who can answer; what the attempt keeps."""

    PERSON = "person"
    MACHINE = "machine"
    """Takes messages."""
    NETWORK = "network"
    """An announcement: nobody can be reached at this number now."""
    SCREENING = "screening"
    """A robot that asks who calls and why, with a person behind it."""
    FAX = "fax"
    SILENCE = "silence"


_GREETING: Final = Seconds(2.5)  # a phrase of a machine; people who are spoken to say shorter ones
_BETWEEN_RINGS: Final = Seconds(4.0)  # the longest pause there is (E.180)
MACHINES: Final = frozenset({Answerer.MACHINE, Answerer.NETWORK, Answerer.FAX})
"""To whom nothing is said. A screening robot is spoken to: the person behind it listens."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Who answered, as far as it can be told."""

    answerer: Answerer

    confidence: Confidence
    """Of its being this one, by the odds that were fitted; of tones 1."""

    at: Seconds

    unsure: bool = False
    """Fell to a person because nothing better was known in time."""

    late: bool = False
    """Overturns a verdict that has been acted upon."""


@dataclass(frozen=True, slots=True)
class Voice:
    """The verdict of the voice detector on the 20 ms that end now."""

    voice: bool


@dataclass(frozen=True, slots=True)
class Words:
    """All the words of the greeting so far, as a recogniser heard them."""

    text: str
    confidence: Confidence | None = None


Evidence: TypeAlias = Voice | Words | Signal


@dataclass(frozen=True, slots=True)
class Patience:
    """How long what may take."""

    wait: Seconds = Seconds(0.6)
    """A person waits so long behind what they have said; a machine's breath is shorter."""

    short_wait: Seconds = Seconds(0.5)
    """The same behind one short phrase."""

    short: Seconds = Seconds(1.2)
    """The longest of those: "Hello?", "Да, слушаю вас"."""

    heard: Seconds = Seconds(0.9)
    """The same at the longest, where words of theirs are still being recognised."""

    greeting: Seconds = Seconds(3.3)
    """From the first voice to a verdict ..."""

    doubtful: Seconds = Seconds(4.8)
    """... and where the voice goes on and the odds are above ``doubt``: such a greeting has its own words soon."""

    doubt: float = 0.0

    nobody: Seconds = Seconds(2.2)
    """From the answer, if nobody speaks; ringing begins it anew."""

    longest: Seconds = Seconds(8.0)
    """From the answer to a verdict, whatever comes."""

    told: float = 1.5
    """How far the words of a machine lean, where there are pieces among them that only machines say ..."""

    leant: float = 3.0
    """... and where there are none; people in offices lean less far."""

    going_on: float = 1.0
    """The same at the later deadline, if the voice still goes on."""

    late: float = 4.0
    """The same once somebody is talked to, with pieces."""

    person: float = -1.0
    """Log-odds below which somebody who waits is one."""

    unheeded: Confidence = Confidence(0.3)
    """Words of less confidence say nothing."""


USUAL: Final = Patience()


class Answering:
    """Judges one answered call. ``now`` is seconds since the answer and never goes back."""

    def __init__(self, language: Language, patience: Patience = USUAL) -> None:
        self._language = language
        self._patience = patience
        self.cadence = Cadence()
        self.said: Said = NOTHING
        self.expecting = False
        """Whether words are being recognised; set by whoever has them recognised."""
        self._waits_from = Seconds(0.0)
        self.verdict: Verdict | None = None

    @property
    def voice_before(self) -> bool:
        """Whether anybody has spoken."""
        return self.cadence.began is not None

    @property
    def speaking_since(self) -> Seconds | None:
        """When the greeting began."""
        return self.cadence.began

    def silence(self, now: Seconds) -> Seconds:
        """For how long nobody has spoken, since somebody did."""
        return self.cadence.silence(now)

    def receive(self, evidence: Evidence, now: Seconds) -> Verdict | None:
        """Take what comes; the verdict if it has just fallen, or has just been overturned."""
        found = self._taken(evidence, now)
        if self.verdict is not None:
            return self._overturned(found or self._by_words_alone(now))
        found = found or self._weighed(now)
        self.verdict = found
        return found

    def _taken(self, evidence: Evidence, now: Seconds) -> Verdict | None:
        match evidence:
            case Voice(voice):
                self.cadence.hear(now, voice=voice)
                return None
            case Words(text, confidence):
                if confidence is None or confidence >= self._patience.unheeded:
                    self.said = heard(text, self._language)
                return None
            case Signal():
                return self._signalled(evidence, now)

    def _signalled(self, signal: Signal, now: Seconds) -> Verdict | None:
        match signal:
            case Signal.SIT | Signal.BUSY:
                return Verdict(Answerer.NETWORK, Confidence(1.0), now)
            case Signal.FAX:
                return Verdict(Answerer.FAX, Confidence(1.0), now)
            case Signal.BEEP:
                return Verdict(Answerer.MACHINE, Confidence(1.0), now)
            case Signal.RINGING:
                self._waits_from = Seconds(now + _BETWEEN_RINGS)
                return None

    def _weighed(self, now: Seconds) -> Verdict | None:
        began, patience = self.cadence.began, self._patience
        if began is None:
            waited = now >= min(self._waits_from + patience.nobody, patience.longest)
            return Verdict(Answerer.SILENCE, Confidence(1.0), now) if waited else None
        odds = log_odds(features(self.cadence, self.said, now))
        if self._said_so():
            return self._machine(odds, now)
        if odds <= patience.person and self._waits(now):
            return Verdict(Answerer.PERSON, Confidence(1 - probability(odds)), now)
        in_doubt = odds > patience.doubt and self.cadence.silence(now) < patience.wait
        if now < min(began + (patience.doubtful if in_doubt else patience.greeting), patience.longest):
            return None
        if in_doubt and self.said.leaning >= patience.going_on and not self.said.of_people:
            return self._machine(odds, now)
        return Verdict(Answerer.PERSON, Confidence(1 - probability(odds)), now, unsure=odds > patience.person)

    def _waits(self, now: Seconds) -> bool:
        patience, silence = self._patience, self.cadence.silence(now)
        short = self.cadence.phrases == 1 and self.cadence.first_phrase <= patience.short
        wait = patience.heard if self.expecting else patience.short_wait if short else patience.wait
        return silence >= wait - 1e-6

    def _said_so(self) -> bool:
        """Whether words are a machine's: a piece of its own, or all of them lean so far and none is a person's."""
        said, patience = self.said, self._patience
        return said.leaning >= (patience.told if said.of_machines else patience.leant) and bool(
            said.of_machines or not said.of_people
        )

    def _machine(self, odds: float, now: Seconds) -> Verdict:
        named = {Speaker.SCREENING: Answerer.SCREENING, Speaker.NETWORK: Answerer.NETWORK}
        answerer = named.get(self.said.machine, Answerer.MACHINE) if self.said.of_machines else Answerer.MACHINE
        return Verdict(answerer, probability(odds), now)

    def _by_words_alone(self, now: Seconds) -> Verdict | None:
        said = self.said
        if said.of_people or not said.of_machines or said.leaning < self._patience.late:
            return None
        return self._machine(log_odds(features(self.cadence, self.said, now)), now)

    def _overturned(self, found: Verdict | None) -> Verdict | None:
        known = self.verdict
        if found is None or known is None or known.late or known.answerer not in (Answerer.PERSON, Answerer.SILENCE):
            return None
        if self.said.of_machines == 0 and self.cadence.longest < _GREETING and known.answerer is Answerer.PERSON:
            return None  # something else beeps in a person's kitchen
        self.verdict = replace(found, late=True)
        return self.verdict
