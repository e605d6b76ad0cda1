"""What the line over SIP makes of SIP's results."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from engine.config.outbound import SipLineSection
from engine.core.units import Seconds
from engine.outbound.carrier import CarrierLost, Dial, Doubt, Ended
from engine.outbound.contacts import AttemptId, Reached
from engine.runtime.outbound.sip_line import SipLine
from engine.telephony.leg import Leg
from engine.telephony.sip.outcomes import NotConnected, Outcome, outcome_of

DIAL = Dial(AttemptId("a" * 32), "+4930123456", "+493055500", Seconds(25.0), "overdue")


@dataclass
class Lines:
    fails: NotConnected | None = None
    up: bool = True
    dialled: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    async def dial(self, uri: str, **more: Any) -> Leg:
        self.dialled.append((uri, more))
        if self.fails is not None:
            raise self.fails
        return cast("Leg", "the leg")


def line(lines: Lines) -> SipLine:
    section = SipLineSection(trunk="provider", address="sip:{number}@trunk.example;transport=tls")
    return SipLine(lines, section, contextlib.nullcontext)


async def test_the_attempt_goes_with_the_invite() -> None:
    lines = Lines()
    leg: Any = await line(lines).dial(DIAL)

    assert leg == "the leg"
    ((uri, more),) = lines.dialled
    assert uri == "sip:+4930123456@trunk.example;transport=tls"
    assert (more["trunk"], more["within"], more["flow"]) == ("provider", 25.0, "overdue")
    assert more["headers"] == {"X-Callwright-Attempt": "a" * 32, "P-Preferred-Identity": "<tel:+493055500>"}


@pytest.mark.parametrize(
    ("status", "reached"),
    [
        (486, Reached.BUSY), (600, Reached.BUSY), (408, Reached.NO_ANSWER), (480, Reached.NO_ANSWER), (487, Reached.NO_ANSWER),
        (603, Reached.REJECTED), (404, Reached.NO_SUCH_NUMBER), (484, Reached.NO_SUCH_NUMBER), (503, Reached.CONGESTED),
        (403, Reached.FAILED), (488, Reached.FAILED), (502, Reached.FAILED), (None, Reached.FAILED),
    ],
)  # fmt: skip
async def test_every_result_of_sip_has_a_word_of_campaigns(status: int | None, reached: Reached) -> None:
    ended = await line(Lines(NotConnected(outcome_of(status), status, "Said"))).dial(DIAL)

    assert isinstance(ended, Ended)
    assert ended.reached is reached


@pytest.mark.parametrize(
    ("status", "reached"),
    [
        (500, Reached.NO_ANSWER), (503, Reached.NO_ANSWER), (502, Reached.NO_ANSWER), (None, Reached.NO_ANSWER),
        (486, Reached.BUSY), (603, Reached.REJECTED), (404, Reached.NO_SUCH_NUMBER),
    ],
)  # fmt: skip
async def test_what_fails_after_it_has_rung_counts_as_a_call(status: int | None, reached: Reached) -> None:
    ended = await line(Lines(NotConnected(outcome_of(status), status, "Said", rang=True))).dial(DIAL)

    assert isinstance(ended, Ended)
    assert ended.reached is reached


@pytest.mark.parametrize("outcome", [it for it in Outcome if it is not Outcome.LOST])
async def test_no_outcome_is_forgotten(outcome: Outcome) -> None:
    assert isinstance(await line(Lines(NotConnected(outcome))).dial(DIAL), Ended)


async def test_a_sip_process_that_dies_on_the_way_leaves_the_call_in_doubt() -> None:
    with pytest.raises(CarrierLost):
        await line(Lines(NotConnected(Outcome.LOST))).dial(DIAL)


async def test_what_was_never_sent_is_known_to_have_failed() -> None:
    lines = Lines(up=False)

    assert not line(lines).ready
    assert await line(lines).dial(DIAL) == Ended(Reached.FAILED, reason="the SIP process is away")
    assert lines.dialled == []


async def test_sip_remembers_nothing() -> None:
    assert await line(Lines()).known([DIAL.attempt]) == {DIAL.attempt: Doubt.UNKNOWN}


async def test_a_place_is_kept_in_the_engine_while_a_telephone_rings() -> None:
    kept: list[str] = []

    @contextlib.contextmanager
    def expecting() -> Iterator[None]:
        kept.append("kept")
        try:
            yield
        finally:
            kept.append("free")

    await SipLine(Lines(NotConnected(Outcome.BUSY, 486)), SipLineSection(), expecting).dial(DIAL)

    assert kept == ["kept", "free"]
