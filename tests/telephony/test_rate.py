"""A call's messages pass, a flood's do not."""

from __future__ import annotations

import contextlib

import pytest

from engine.core.errors import MediaError
from engine.telephony.rate import A_SECOND, BURST, MessageRate


def test_a_calls_traffic_passes_for_ever() -> None:
    rate = MessageRate(0.0)
    for message in range(60 * 100):
        rate.take(message / 100)

    assert rate._permits > BURST / 2


def test_what_a_network_held_back_passes_at_once() -> None:
    rate = MessageRate(0.0)
    for _ in range(BURST):
        rate.take(5.0)

    with pytest.raises(MediaError, match=f"at most {A_SECOND} messages a second, found more"):
        rate.take(5.0)


def test_a_flood_is_refused_though_it_lasts() -> None:
    rate = MessageRate(0.0)
    taken = 0
    with contextlib.suppress(MediaError):
        while taken < 10 * BURST:
            rate.take(taken / (2 * A_SECOND))
            taken += 1

    assert BURST < taken <= 2 * BURST
