"""Metrics of the doors that only listen: streams, seconds of sound, phrases. Labels are ours, never anything that was said."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge

from engine.core.units import Seconds


class StreamMetrics:
    """For all such doors."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._live = Gauge("callwright_streams_live", "Streams that are listened to", ["door"], registry=registry)
        self._ended = Counter("callwright_streams", "Streams that ended", ["door", "outcome"], registry=registry)
        self._refused = Counter("callwright_streams_refused", "Streams that were turned away", ["door"], registry=registry)
        self._sound = Counter("callwright_streams_sound_seconds", "Sound that was heard", ["door"], registry=registry)
        self._phrases = Counter("callwright_streams_phrases", "Phrases that ended", ["door", "outcome"], registry=registry)

    def began(self, door: str) -> None:
        """One more."""
        self._live.labels(door).inc()

    def ended(self, door: str, outcome: str) -> None:
        """One less: ``completed``, ``hung_up``, ``idle``, ``stalled`` or an error's code."""
        self._live.labels(door).dec()
        self._ended.labels(door, outcome).inc()

    def refused(self, door: str) -> None:
        """One was turned away."""
        self._refused.labels(door).inc()

    def heard(self, door: str, sound: Seconds) -> None:
        """Some sound came in."""
        self._sound.labels(door).inc(sound)

    def phrase(self, door: str, outcome: str) -> None:
        """A phrase ended: ``words``, ``no_words`` or ``lost``."""
        self._phrases.labels(door, outcome).inc()
