"""Who may allow another to hear what is not masked."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from engine.access.chain import Entry
from engine.access.deeds import Deed
from engine.access.unmasking import LASTS, WAITS, Asking, NotAllowed, Stage, why_not

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ASKED = Asking(7, "olga", "call-1", "complaint 4711", NOW)


def row(who: str, what: Deed) -> Entry:
    return Entry(1, "", who, what, "boris", "", json.dumps({}))


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([], None),
        ([row("shell:root", Deed.PERSON_ADDED)], None),
        ([row("olga", Deed.PERSON_ADDED)], NotAllowed.TIED),
        ([row("shell:root", Deed.PERSON_ADDED), row("olga", Deed.PASSWORD_CHANGED)], NotAllowed.TIED),
        ([row("olga", Deed.PERSON_ADDED), row("olga", Deed.ROLES_CHANGED)], NotAllowed.TIED),
        ([row("olga", Deed.PERSON_ADDED), row("boris", Deed.PASSWORD_CHANGED)], None),
        ([row("boris", Deed.PASSWORD_CHANGED), row("olga", Deed.PASSWORD_CHANGED)], NotAllowed.TIED),
        ([row("olga", Deed.PASSWORD_CHANGED), row("mei", Deed.PASSWORD_CHANGED)], NotAllowed.TIED),
    ],
)
def test_who_could_be_the_asker_signed_in_as_another_can_not_allow(rows: list[Entry], why: NotAllowed | None) -> None:
    assert why_not(ASKED, "boris", rows, NOW) is why


def test_nobody_allows_themselves_and_nothing_is_allowed_twice_or_too_late() -> None:
    allowed = Asking(7, "olga", "call-1", "complaint 4711", NOW, "mei", NOW)

    assert why_not(ASKED, "olga", [], NOW) is NotAllowed.SAME
    assert why_not(allowed, "boris", [], NOW) is NotAllowed.LATE
    assert why_not(ASKED, "boris", [], NOW + WAITS) is NotAllowed.LATE


def test_the_time_to_hear_ends() -> None:
    allowed = Asking(7, "olga", "call-1", "complaint 4711", NOW - timedelta(hours=1), "boris", NOW)

    assert [allowed.stage(NOW + it) for it in (timedelta(-1), timedelta(0), LASTS - timedelta(seconds=1), LASTS)] == [
        Stage.OVER, Stage.OPEN, Stage.OPEN, Stage.OVER,
    ]  # fmt: skip
    assert [ASKED.stage(NOW), ASKED.stage(NOW + WAITS)] == [Stage.WAITING, Stage.OVER]
