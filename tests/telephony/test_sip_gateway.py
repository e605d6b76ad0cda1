"""The gateway's book-keeping, with a SIP process that the test plays: whatever it says, in whatever order, nothing is left behind."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from engine.core.call import CallFacts, CallId
from engine.core.units import Seconds
from engine.telephony.apart.wire import Frame, Kind
from engine.telephony.leg import Gone
from engine.telephony.sip import wire
from engine.telephony.sip.gateway import Gateway
from engine.telephony.sip.leg import SipLeg
from engine.telephony.sip.outcomes import NotConnected, Outcome
from engine.telephony.sip.settings import SipSettings

INBOUND, OUTBOUND = (1, 3, 5), (2, 4, 6)
FROM_THE_PROCESS = [
    wire.ComesIn("sip:a@b", "sip:c@d", "id", {}), wire.Closed(486, "Busy Here"), wire.Closed(None, "Connection reset by peer [104]"),
    wire.Closed(None, "rtp stream error"), wire.NotTransferred(603, "Decline"), wire.Registered("main", None, ""),
]  # fmt: skip
SAID = st.one_of(
    st.builds(lambda told, call: told.frame(call), st.sampled_from(FROM_THE_PROCESS), st.sampled_from([*INBOUND, *OUTBOUND])),
    st.builds(
        Frame, st.sampled_from([Kind.RINGS, Kind.ANSWERED, Kind.HELD, Kind.RESUMED]), st.sampled_from([*INBOUND, *OUTBOUND])
    ),
    st.builds(Frame, st.just(Kind.SOUND), st.sampled_from([*INBOUND, *OUTBOUND]), st.just(bytes(320))),
    st.builds(Frame, st.just(Kind.KEY), st.sampled_from([*INBOUND, *OUTBOUND]), st.sampled_from([b"5", b"#", b"x"])),
)
STEPS = st.lists(st.one_of(SAID, st.sampled_from(["dial", "cancel", "hang up", "die"])), max_size=25)


class Process:
    """Stands for the SIP process."""

    pid = 1

    def __init__(self) -> None:
        self.told: list[Frame] = []

    def tell(self, frame: Frame) -> None:
        self.told.append(frame)


class Office:
    """A gateway, its calls, and those it is making."""

    def __init__(self, *, admits: bool = True) -> None:
        self.process = Process()
        self.legs: list[SipLeg] = []
        self.dialling: list[asyncio.Task[SipLeg]] = []
        self.gateway = Gateway(SipSettings(), lambda call: CallFacts(CallId(call.call_id), "sip") if admits else None, self.carry)
        self.gateway.process = self.process  # type: ignore[assignment]

    async def carry(self, leg: SipLeg) -> None:
        self.legs.append(leg)
        while not isinstance(await leg.receive(), Gone):
            pass

    def dial(self, within: float = 60.0) -> None:
        self.dialling.append(asyncio.create_task(self.gateway.dial("sip:a@b", within=Seconds(within))))

    @property
    def commands(self) -> list[tuple[Kind, int]]:
        return [(frame.kind, frame.call) for frame in self.process.told]


async def turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


@given(STEPS)
def test_nothing_is_left_behind_whatever_happens_in_whatever_order(steps: Sequence[Frame | str]) -> None:
    async def happen() -> Office:
        office = Office()
        for step in steps:
            match step:
                case Frame():
                    office.gateway._take(step)
                case "dial":
                    office.dial()
                case "cancel" if office.dialling:
                    office.dialling[-1].cancel()
                case "hang up" if office.legs:
                    await office.legs[-1].hang_up()
                case "die":
                    office.gateway._lose_all()
            await turns(3)
        for task in office.dialling:
            task.cancel()
        await turns()
        office.gateway._lose_all()
        async with asyncio.timeout(2.0):
            await asyncio.gather(*office.gateway._carried, *office.dialling, return_exceptions=True)
        return office

    office = asyncio.run(happen())

    assert (office.gateway.live, office.gateway.coming, office.gateway._dialled) == (0, 0, {})
    assert not office.gateway._carried


async def test_a_call_that_is_not_admitted_is_refused_and_never_answered() -> None:
    office = Office(admits=False)
    office.gateway._take(FROM_THE_PROCESS[0].frame(1))

    assert office.commands == [(Kind.REFUSE, 1)]
    assert office.gateway.coming == 0


async def test_a_call_counts_as_coming_until_it_is_answered() -> None:
    office = Office()
    office.gateway._take(FROM_THE_PROCESS[0].frame(1))
    before = office.gateway.coming, office.gateway.live
    office.gateway._take(Frame(Kind.ANSWERED, 1))
    after = office.gateway.coming, office.gateway.live
    office.gateway._lose_all()
    await turns()

    assert (before, after) == ((1, 0), (0, 1))


async def test_an_answer_that_comes_when_nobody_waits_any_more_is_hung_up_on() -> None:
    office = Office()
    office.dial(within=0.01)
    with contextlib.suppress(NotConnected):
        await office.dialling[0]
    office.gateway._take(Frame(Kind.ANSWERED, 2))

    assert office.commands[1:] == [(Kind.HANG_UP, 2), (Kind.HANG_UP, 2)]


async def test_nobody_is_called_while_the_process_is_dead() -> None:
    office = Office()
    office.process.pid = None  # type: ignore[assignment]
    office.dial()
    await asyncio.wait(office.dialling)
    error = office.dialling[0].exception()

    assert isinstance(error, NotConnected)
    assert error.outcome is Outcome.LOST
    assert office.commands == []


async def test_a_trunk_counts_as_registered_until_the_registrar_or_the_process_says_otherwise() -> None:
    office = Office()
    seen = []
    for reason in ("", "Forbidden", ""):
        office.gateway._take(wire.Registered("main", None, reason).frame())
        seen.append(office.gateway.registered["main"])
    office.gateway._lose_all()

    assert seen == [True, False, True]
    assert office.gateway.registered == {"main": False}
