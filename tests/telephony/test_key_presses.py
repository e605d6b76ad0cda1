"""Keys that are told twice, by RTP and by SIP INFO."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.telephony.key_presses import SHORTEST_PAUSE, KeyPresses

FIVE, SEVEN = ord("5"), ord("7")


def counted(*reports: tuple[float, int | None]) -> list[int]:
    """What is counted of presses (a code) and releases (``None``)."""
    presses = KeyPresses()
    found = []
    for now, code in reports:
        if code is None:
            presses.release(now)
        elif (one := presses.press(code, now)) is not None:
            found.append(one)
    return found


def test_a_press_counts_when_the_key_goes_down() -> None:
    assert counted((0.0, FIVE)) == [FIVE]


def test_the_same_key_twice_is_two_presses() -> None:
    assert counted((0.0, FIVE), (0.1, None), (0.15, FIVE), (0.25, None)) == [FIVE, FIVE]


def test_two_keys_are_two_presses_however_close() -> None:
    assert counted((0.0, FIVE), (0.1, None), (0.1, SEVEN), (0.2, None)) == [FIVE, SEVEN]


def test_an_info_while_the_key_is_held_is_the_same_press() -> None:
    assert counted((0.0, FIVE), (0.03, FIVE), (0.1, None), (0.2, None)) == [FIVE]


def test_an_info_right_after_the_release_is_the_same_press() -> None:
    assert counted((0.0, FIVE), (0.1, None), (0.1 + SHORTEST_PAUSE / 2, FIVE), (0.3, None)) == [FIVE]


def test_a_peer_caught_once_may_be_late_with_the_next_echo() -> None:
    caught = [(0.0, FIVE), (0.03, FIVE), (0.1, None), (0.2, None)]

    assert counted(*caught, (1.0, SEVEN), (1.1, None), (1.3, SEVEN), (1.4, None)) == [FIVE, SEVEN]


def test_a_press_has_one_echo_and_what_comes_then_is_a_press() -> None:
    doubled = [(0.0, FIVE), (0.03, FIVE), (0.1, None), (0.1, None)]

    assert counted(*doubled, (0.25, FIVE), (0.28, FIVE), (0.35, None), (0.35, None)) == [FIVE, FIVE]


def test_a_release_that_nobody_pressed_changes_nothing() -> None:
    assert counted((0.0, None), (0.1, FIVE), (0.2, None)) == [FIVE]


@given(st.lists(st.tuples(st.sampled_from(b"0123456789*#"), st.floats(0.05, 0.3), st.floats(0.05, 2.0)), max_size=12))
def test_whoever_tells_each_press_once_has_each_press_counted(presses: list[tuple[int, float, float]]) -> None:
    now, reports = 0.0, []
    for code, held, pause in presses:
        reports += [(now, code), (now + held, None)]
        now += held + pause

    assert counted(*reports) == [code for code, _, _ in presses]


@given(st.lists(st.tuples(st.sampled_from(b"0123456789*#"), st.floats(0.05, 0.3), st.floats(0.1, 2.0)), max_size=12))
def test_whoever_tells_each_press_twice_at_once_has_each_press_counted_once(presses: list[tuple[int, float, float]]) -> None:
    now, reports = 0.0, []
    for code, held, pause in presses:
        reports += [(now, code), (now + held / 2, code), (now + held, None), (now + held, None)]
        now += held + pause

    assert counted(*reports) == [code for code, _, _ in presses]
