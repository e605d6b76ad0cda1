"""Calls over an Asterisk's manager interface; a stand-in keeps what the dialplan of the docs would keep."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from uuid import UUID, uuid4

import pytest

from engine.config.outbound import AsteriskSection
from engine.core.call import CallFacts, CallId, Direction
from engine.core.errors import ConfigError, ProtocolError
from engine.core.units import Seconds
from engine.outbound.carrier import CarrierLost, Dial, Doubt, Ended
from engine.outbound.contacts import AttemptId, Reached
from engine.runtime.outbound import asterisk_line
from engine.runtime.outbound.asterisk_line import AsteriskLine, Claim
from engine.runtime.outbound.claimed_leg import ClaimedLeg
from engine.telephony import ami
from engine.telephony.ami import block, written
from engine.telephony.leg import Leg
from engine.testing.asterisk_manager import AsteriskManager

CLARA = "+4930123456"


@dataclass
class Door:
    """Where answered calls arrive."""

    claims: dict[UUID, Claim] = field(default_factory=dict)
    carried: list[asyncio.Task[str]] = field(default_factory=list)

    @contextlib.contextmanager
    def expects(self, name: UUID, number: str, claim: Claim) -> Iterator[None]:
        self.claims[name] = claim
        yield
        del self.claims[name]

    def arrives(self, number: str, attempt: str) -> None:
        claim = cast("Callable[[Leg], Awaitable[str]]", self.claims[UUID(attempt)])

        async def carry() -> str:
            return await claim(cast("Leg", SilentLeg()))

        self.carried.append(asyncio.create_task(carry()))


class SilentLeg:
    facts = CallFacts(CallId("call"), "audiosocket")

    async def hang_up(self) -> None:
        """Nothing to do."""


async def comes_true(wanted: Callable[[], bool]) -> None:
    async with asyncio.timeout(10.0):
        while not wanted():  # noqa: ASYNC110 -- a connection tells nobody
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def lines(tmp_path: Path, door: Door, **more: Any) -> AsyncIterator[tuple[AsteriskLine, AsteriskManager]]:
    (tmp_path / "secret").write_text("s3cret\n")
    async with AsteriskManager.listening("s3cret", answered=door.arrives, **more) as manager:
        section = AsteriskSection(port=manager.port, user="callwright", secret_file=tmp_path / "secret")
        async with AsteriskLine.connected(section, door) as line:
            await comes_true(lambda: line.ready)
            yield line, manager


def dial(attempt: str | None = None, number: str = CLARA) -> Dial:
    return Dial(AttemptId(attempt or uuid4().hex), number, shown="+493055500", ring=Seconds(20.0), flow="overdue")


async def test_who_answers_is_given_to_who_dialled_and_the_door_waits_for_the_end(tmp_path: Path) -> None:
    door = Door()
    async with lines(tmp_path, door) as (line, manager):
        leg = await line.dial(dial())

        assert isinstance(leg, ClaimedLeg)
        assert (leg.facts.direction, leg.facts.called_number, leg.facts.flow) == (Direction.OUTBOUND, CLARA, "overdue")
        assert not door.carried[0].done()
        await leg.hang_up()
        assert await door.carried[0] == "completed"
        assert len(manager.dialled) == 1


@pytest.mark.parametrize(
    ("status", "reached"),
    [
        ("BUSY 17", Reached.BUSY),
        ("NOANSWER 16 0", Reached.NO_ANSWER),
        ("CONGESTION 34", Reached.CONGESTED),
        ("CHANUNAVAIL 38", Reached.FAILED),
        ("CHANUNAVAIL", Reached.FAILED),
        ("CHANUNAVAIL 1", Reached.NO_SUCH_NUMBER),
        ("CHANUNAVAIL 21 0", Reached.REJECTED),
        ("CHANUNAVAIL 38 0", Reached.NO_ANSWER),
        ("CONGESTION 34 4", Reached.NO_ANSWER),
    ],
)
async def test_what_the_dialplan_wrote_says_how_a_call_ended(tmp_path: Path, status: str, reached: Reached) -> None:
    async with lines(tmp_path, Door(), statuses={CLARA: status}) as (line, _):
        assert await line.dial(dial()) == Ended(reached, reason=status)


async def test_the_news_of_a_call_s_end_may_come_before_what_the_dialplan_writes_of_it(tmp_path: Path) -> None:
    attempt = AttemptId(uuid4().hex)
    async with lines(tmp_path, Door(), statuses={CLARA: "dialled"}) as (line, manager):
        dialling = asyncio.create_task(line.dial(dial(attempt)))
        await comes_true(lambda: bool(manager.dialled))
        manager.database[attempt] = "BUSY 17"

        assert await dialling == Ended(Reached.BUSY, reason="BUSY 17")


async def test_what_the_dialplan_never_writes_is_asked_for_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asterisk_line, "_HANGS_UP", 0.05)
    async with lines(tmp_path, Door(), statuses={CLARA: "dialled"}) as (line, _):
        with pytest.raises(CarrierLost):
            await line.dial(dial())


async def test_an_asterisk_that_does_not_even_try_is_a_failure_at_once(tmp_path: Path) -> None:
    async with lines(tmp_path, Door(), refuses="Permission denied") as (line, manager):
        assert await line.dial(dial()) == Ended(Reached.FAILED, reason="Originate: Permission denied")
        assert manager.dialled == []


async def test_an_asterisk_that_says_nothing_any_more_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ami, "_PING_EVERY", 0.01)
    monkeypatch.setattr(ami, "_WITHIN", 0.1)
    async with lines(tmp_path, Door()) as (line, manager):
        manager.mute = manager.deaf = True
        dialling = asyncio.create_task(line.dial(dial()))
        with pytest.raises(CarrierLost):
            await dialling


async def test_what_asterisk_will_not_say_is_not_taken_for_a_call_that_never_was(tmp_path: Path) -> None:
    attempt = AttemptId(uuid4().hex)
    async with lines(tmp_path, Door()) as (line, manager):
        manager.database[attempt] = ""  # as DB() is read by a manager that may not
        with pytest.raises(CarrierLost):
            await line.known([attempt])


async def test_an_id_is_dialled_once(tmp_path: Path) -> None:
    attempt = uuid4().hex
    async with lines(tmp_path, Door(), statuses={CLARA: "BUSY 17"}) as (line, manager):
        await line.dial(dial(attempt))
        again = await line.dial(dial(attempt))

        assert again == Ended(Reached.BUSY, reason="BUSY 17")
        assert len(manager.dialled) == 1


async def test_asterisk_is_asked_what_became_of_attempts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asterisk_line, "_ON_ITS_WAY", 0.01)
    never, busy, live, cut = (AttemptId(uuid4().hex) for _ in range(4))
    async with lines(tmp_path, Door()) as (line, manager):
        manager.database |= {busy: "BUSY", live: "dialled", cut: "dialled"}
        manager.channels.add(live)
        known = await line.known([never, busy, live, cut])

    assert known == {busy: Ended(Reached.BUSY), live: Doubt.GOES_ON, cut: Doubt.UNKNOWN}


async def test_an_id_that_was_asked_for_is_not_dialled_if_it_comes_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asterisk_line, "_ON_ITS_WAY", 0.01)
    attempt = AttemptId(uuid4().hex)
    async with lines(tmp_path, Door()) as (line, manager):
        assert await line.known([attempt]) == {}
        await line.dial(dial(attempt))

        assert manager.dialled == []


async def test_a_call_that_begins_while_it_is_asked_for_is_not_taken_for_one_that_never_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asterisk_line, "_ON_ITS_WAY", 0.01)
    attempt, kept = AttemptId(uuid4().hex), AsteriskLine._kept
    async with lines(tmp_path, Door()) as (line, manager):

        async def then_dialled(self: AsteriskLine, it: AttemptId) -> str | None:
            value = await kept(self, it)
            if value is None:
                manager.database[it] = "dialled"  # by the dialplan, between our look and our mark
                manager.channels.add(it)
            return value

        monkeypatch.setattr(AsteriskLine, "_kept", then_dialled)

        assert await line.known([attempt]) == {attempt: Doubt.GOES_ON}
        manager.channels.clear()
        manager.database[attempt] = "BUSY"
        assert await line.known([attempt]) == {attempt: Ended(Reached.BUSY)}


async def test_a_connection_that_closes_leaves_the_call_in_doubt_and_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asterisk_line, "_AGAIN", 0.01)
    attempt = AttemptId(uuid4().hex)
    async with lines(tmp_path, Door()) as (line, manager):
        manager.mute = True
        dialling = asyncio.create_task(line.dial(dial(attempt)))
        await comes_true(lambda: bool(manager.dialled))
        manager.drop()
        with pytest.raises(CarrierLost):
            await dialling
        await comes_true(lambda: line.ready)

        assert await line.known([attempt]) == {attempt: Doubt.GOES_ON}


async def test_a_wrong_secret_makes_no_line(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("wrong")
    async with AsteriskManager.listening("s3cret") as manager:
        section = AsteriskSection(port=manager.port, user="callwright", secret_file=tmp_path / "secret")
        async with AsteriskLine.connected(section, Door()) as line:
            await asyncio.sleep(0.1)

            assert not line.ready
            with pytest.raises(CarrierLost):
                await line.dial(dial())


async def test_a_secret_that_can_not_be_read_is_said(tmp_path: Path) -> None:
    section = AsteriskSection(user="callwright", secret_file=tmp_path / "nowhere")

    with pytest.raises(ConfigError, match="secret_file"):
        async with AsteriskLine.connected(section, Door()):
            pass


def test_a_value_with_a_line_break_is_no_action_of_its_own() -> None:
    with pytest.raises(ProtocolError, match="one line"):
        written([("Action", "Originate"), ("CallerID", "x\r\nAction: Command")])


def test_a_block_is_read_whatever_is_in_it() -> None:
    assert block(b"Event: Hangup\r\nCause-txt: Normal: Clearing\r\nno colon\r\nEvent: second\r\n\r\n") == {
        "Event": "Hangup",
        "Cause-txt": "Normal: Clearing",
    }
