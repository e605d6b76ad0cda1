"""How a campaign file writes its ``caps:``, its ``retries:``, whom it holds back, and how fast it dials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from engine.core.units import Seconds
from engine.outbound.campaign import Caps, HoldBack, Limit, Missed, Pacing, Purpose, Retries
from engine.outbound.campaign_reading import CampaignReading
from engine.written.yaml_tree import Path, Value

SPANS = {"day": timedelta(days=1), "week": timedelta(days=7), "month": timedelta(days=31)}
PACING_KEYS = ("lines", "calls_a_second", "ring", "operators", "abandoned", "answer_within")
_NONE = "none"
_HOUR = timedelta(hours=1)
_WAITS: Mapping[Missed, Sequence[timedelta]] = {
    Missed.BUSY: (_HOUR / 4, _HOUR),
    Missed.NO_ANSWER: (3 * _HOUR, 24 * _HOUR),
    Missed.REJECTED: (24 * _HOUR,),
    Missed.CONGESTED: (_HOUR / 12, _HOUR / 2),
    Missed.FAILED: (_HOUR / 4, _HOUR),
    Missed.MACHINE: (3 * _HOUR, 24 * _HOUR),
}
"""Where the file says nothing. Who hung up is not called again unless it says so."""

_USUAL_HOLD = timedelta(days=30)


class PolicyReader:
    """Reads them."""

    def __init__(self, reading: CampaignReading, keys: Mapping[str, Value]) -> None:
        self._reading, self._keys = reading, keys

    def caps(self) -> Caps:
        keys = self._reading.part(self._keys, "caps", ("calls", "talks", "gap"), ("calls",))
        return Caps(
            calls=self._limits(keys, "calls"),
            talks=self._limits(keys, "talks"),
            gap=self._reading.span(keys["gap"], ("caps", "gap")) if "gap" in keys else timedelta(),
        )

    def _limits(self, keys: Mapping[str, Value], key: str) -> Sequence[Limit]:
        if key not in keys:
            return ()
        path: Path = ("caps", key)
        found = self._reading.mapping(keys[key], path, SPANS)
        if isinstance(keys[key], dict) and not found:
            self._reading.wrong(path, "a number for day, week or month", "none")
        return [Limit(self._reading.count(it, (*path, name)), SPANS[name]) for name, it in found.items() if name in SPANS]

    def retries(self) -> Retries:
        names = [it.value for it in Missed]
        keys = self._reading.part(self._keys, "retries", ("attempts", "within", *names))
        waits = dict(_WAITS)
        for name in names:
            if name in keys:
                waits[Missed(name)] = self._waits(keys[name], ("retries", name))
        return Retries(
            attempts=self._reading.count(keys["attempts"], ("retries", "attempts")) if "attempts" in keys else 3,
            waits=waits,
            within=self._reading.span(keys["within"], ("retries", "within")) if "within" in keys else timedelta(days=7),
        )

    def _waits(self, value: Value, path: Path) -> Sequence[timedelta]:
        if value == _NONE:
            return ()
        if isinstance(value, list):
            return [
                self._reading.span(it, (*path, n)) for n, it in enumerate(self._reading.items(value, path, "lengths of time"))
            ]
        return [self._reading.span(value, path)]

    def hold_back(self, purpose: Purpose) -> HoldBack:
        offers = purpose is Purpose.OFFER
        keys = self._reading.part(self._keys, "hold_back", ("complaints", "bad_calls"))
        complaints, bad_calls = offers, _USUAL_HOLD if offers else timedelta()
        if "complaints" in keys:
            complaints = self._reading.yes(keys["complaints"], ("hold_back", "complaints"))
        if keys.get("bad_calls") == _NONE:
            bad_calls = timedelta()
        elif "bad_calls" in keys:
            bad_calls = self._reading.span(keys["bad_calls"], ("hold_back", "bad_calls"))
        if offers and not complaints:
            self._reading.wrong(("hold_back", "complaints"), "yes: offers leave alone whose complaint is open", "no")
        if offers and not bad_calls:
            self._reading.wrong(("hold_back", "bad_calls"), "a length of time: offers leave alone who had a bad call", "none")
        return HoldBack(complaints, bad_calls)

    def pacing(self) -> Pacing:
        keys = self._reading.part(self._keys, "pacing", PACING_KEYS)
        read = self._reading
        rate = read.number(keys["calls_a_second"], ("pacing", "calls_a_second"), 100.0) if "calls_a_second" in keys else 1.0
        if not rate and "calls_a_second" in keys:
            read.wrong(("pacing", "calls_a_second"), "a number above 0", "0")
        ring = read.span(keys["ring"], ("pacing", "ring")) if "ring" in keys else timedelta(seconds=30)
        answer = (
            read.span(keys["answer_within"], ("pacing", "answer_within")) if "answer_within" in keys else timedelta(seconds=2)
        )
        return Pacing(
            lines=read.count(keys["lines"], ("pacing", "lines")) if "lines" in keys else 1,
            calls_a_second=rate,
            ring=Seconds(ring.total_seconds()),
            abandoned=read.number(keys["abandoned"], ("pacing", "abandoned"), 1.0) if "abandoned" in keys else 0.03,
            answer_within=Seconds(answer.total_seconds()),
            operators=read.yes(keys["operators"], ("pacing", "operators")) if "operators" in keys else False,
        )
