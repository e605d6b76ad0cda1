"""From a line's sound to evidence: 20 ms frames in, verdicts out, and which stretches are worth a recogniser's work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from engine.asr.vad import VoiceActivity
from engine.core.audio import AudioFrame, joined
from engine.core.units import Language, Seconds
from engine.outbound.answering.tones import Signal, Signals
from engine.outbound.answering.verdict import USUAL, Answering, Patience, Verdict, Voice, Words

_FIRST: Final = Seconds(0.6)  # of a greeting, before its words are worth a look; what is shorter, cadence judges alone
_NEWS: Final = Seconds(0.2)  # of voice, since the last look
_PAUSE: Final = Seconds(0.1)  # whoever is silent for so long may be a person who waits: the last look, at all they said
_REST: Final = Seconds(0.1)  # of voice, that makes a last look worth it
_SETTLED: Final = Seconds(0.5)  # of silence, after which there is none
_LATE: Final = Seconds(0.8)  # the same once somebody is talked to: for machines that were taken for people
_ENOUGH: Final = Seconds(7.0)  # of a greeting
_LEAD: Final = Seconds(0.3)
_NEVER: Final = Seconds(1e9)


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of 20 ms."""

    verdict: Verdict | None = None
    signal: Signal | None = None

    sound: AudioFrame | None = None
    """All of the greeting so far, now worth recognising; its words come back by :meth:`Listener.words`."""


class Listener:
    """Listens to one answered line, from its first frame on; whatever number that has, time counts from it."""

    def __init__(self, vad: VoiceActivity, language: Language, patience: Patience = USUAL) -> None:
        self.answering = Answering(language, patience)
        self._vad = vad
        self._signals = Signals()
        self._kept: list[AudioFrame] = []
        self._asking = False
        self._news = Seconds(0.0)
        self._origin: Seconds | None = None
        self.now = Seconds(0.0)

    def hear(self, frame: AudioFrame) -> Heard:
        """Take the newest 20 ms of 8 kHz."""
        if self._origin is None:
            self._origin = frame.start_s
        self.now = Seconds(frame.end_s - self._origin)
        self._keep(frame)
        voice = self._vad.is_speech(frame)
        signal = self._signals.hear(frame, voice_before=self.answering.voice_before)
        voice = voice and not self._signals.sounding
        self._news = Seconds(self._news + frame.duration * voice)
        verdict = self.answering.receive(Voice(voice), self.now)
        if signal is not None:
            verdict = self.answering.receive(signal, self.now) or verdict
        return Heard(verdict, signal, self._worth())

    def words(self, text: str) -> Verdict | None:
        """Take what a recogniser heard in the sound that was given last; only then more is given."""
        self._asking = self.answering.expecting = False
        return self.answering.receive(Words(text), self.now)

    def _keep(self, frame: AudioFrame) -> None:
        began = self.answering.speaking_since
        if began is not None and self.now - began > _ENOUGH:
            self._kept.clear()
            return
        self._kept.append(frame)
        if began is None and len(self._kept) * frame.duration > _LEAD:
            del self._kept[0]

    def _worth(self) -> AudioFrame | None:
        began, silence = self.answering.speaking_since, self.answering.silence(self.now)
        if began is None or self._asking or self.now - silence - began < _FIRST or self.now - began > _ENOUGH:
            return None
        if self._news < self._enough_news(silence):
            return None
        self._asking = self.answering.expecting = True
        self._news = Seconds(0.0)
        return joined(self._kept)

    def _enough_news(self, silence: Seconds) -> Seconds:
        if self.answering.verdict is not None:
            return _LATE
        return _NEWS if silence <= _PAUSE else _REST if silence <= _SETTLED else _NEVER
