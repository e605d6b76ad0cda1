"""How long a caller may be silent before the endpointer takes it that they have finished: the settings of ``[endpoint]``, each
with what was measured for it.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from engine.core.units import Confidence, Seconds

_DOUBTFUL, _LIKELY = 0.2, 0.6  # probabilities of having finished: up to the one the longest wait, from the other the shortest


@dataclass(frozen=True, slots=True)
class EndpointPolicy:
    """How long to wait; every length in seconds, counted from the end of the voice.

    The defaults were chosen on ``python -m bench.endpoint --part fit [--heard] [--snr-db 15]`` and ``python -m bench.vad --part
    fit``, for callers who pause for 0.5 to 1.0 s in the middle of a phrase; ``pre_roll`` and ``min_speech`` with the other part
    in view too.
    """

    min_speech: Seconds = Seconds(0.06)
    """Shorter sounds are clicks, not speech. 0.08 delays every barge-in by 20 ms, for hardly fewer false ones."""

    decode_after: Seconds = Seconds(0.14)
    """Silence after which recognition starts speculatively: it takes 0.08 s, and so is done when ``complete_wait`` is over."""

    complete_wait: Seconds = Seconds(0.24)
    """Silence that ends a turn whose words answer the question. Who goes on all the same is taken back."""

    finished_wait: Seconds = Seconds(0.4)
    """Silence that ends a turn whose words sound finished, though they do not answer the question for sure."""

    unknown_wait: Seconds = Seconds(1.0)
    """Silence that ends a turn that can't be judged, or in which no words were heard. Of callers who pause, 0.7 cuts off two in
    three, 0.9 one in three, 1.1 one in fifteen."""

    incomplete_wait: Seconds = Seconds(1.2)
    """Silence that ends a turn whose words do not answer the question yet: the longest pause, 1.0, and what a soft beginning
    takes to be sure, 0.2. Of people who pause, 0.9 cuts off four in ten, 1.1 one in seven, this one in twenty."""

    partial_every: Seconds = Seconds(0.6)
    """How often to recognise while the caller speaks; 0 = never."""

    longest: Seconds = Seconds(15.0)
    """The hard cap of one turn."""

    take_back: Seconds = Seconds(1.0)
    """A voice that returns this soon after an endpoint resumes the same turn."""

    pre_roll: Seconds = Seconds(0.3)
    """How far before the detected voice a decode starts: one caller in ten has spoken for 0.2 s when the detector wakes."""

    def wait_by(self, finished: Confidence) -> Seconds:
        """How long to wait for who has finished with this probability: between two of the waits, by how sure that is."""
        share = min(1.0, max(0.0, (finished - _DOUBTFUL) / (_LIKELY - _DOUBTFUL)))
        return Seconds(self.incomplete_wait - share * max(0.0, self.incomplete_wait - self.finished_wait))

    def __post_init__(self) -> None:
        for field in fields(self):
            if getattr(self, field.name) < 0:
                raise ValueError(f"{field.name} is a length in seconds, 0 or more, got {getattr(self, field.name)}")
        if self.min_speech <= 0:
            raise ValueError("min_speech is more than 0 seconds: no turn begins without a voice")
        if not self.decode_after <= self.complete_wait <= self.incomplete_wait < self.longest:
            raise ValueError(
                "expected decode_after <= complete_wait <= incomplete_wait < longest, "
                f"got {self.decode_after}, {self.complete_wait}, {self.incomplete_wait}, {self.longest}"
            )
        if not self.complete_wait <= self.unknown_wait < self.longest:
            raise ValueError(f"expected complete_wait <= unknown_wait < longest, got unknown_wait {self.unknown_wait}")
