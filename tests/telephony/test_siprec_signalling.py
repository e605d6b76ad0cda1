"""The SIP user agent, fed messages and times: what it answers, what it repeats, when it gives up."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from engine.core.units import Seconds
from engine.telephony.siprec.message import Fields, Request, Response, parameters, read_message
from engine.telephony.siprec.signalling import GIVE_UP, T1, Outgoing, Peer, Signalling, Verdict
from engine.testing.siprec_callers import ForkingSbc

_UDP = Peer("UDP", "10.0.0.1", 5062)
_TCP = Peer("TCP", "10.0.0.1", 40_000)


@dataclass
class Office:
    """Takes everything, and remembers it."""

    full: bool = False
    verdict: Verdict = Verdict(200, b"v=0\r\n")
    calls: dict[str, list[str]] = field(default_factory=dict)

    def invited(self, dialog: str, request: Request, peer: Peer) -> Verdict:
        if self.full:
            return Verdict(503)
        if self.verdict.status == 200:
            assert dialog not in self.calls
            self.calls[dialog] = ["invited"]
        return self.verdict

    def updated(self, dialog: str, request: Request) -> Verdict:
        assert not self.calls[dialog][-1].startswith("ended")
        self.calls[dialog].append("updated")
        return self.verdict

    def ended(self, dialog: str, reason: str) -> None:
        assert not self.calls[dialog][-1].startswith("ended")
        self.calls[dialog].append(f"ended: {reason}")


class Stage:
    """An SBC, a recorder's signalling, and a clock."""

    def __init__(self, peer: Peer = _UDP) -> None:
        self.office, self.peer, self.now = Office(), peer, 0.0
        names = count(1)
        self.signalling = Signalling(
            self.office, lambda peer: f"sip:recorder@10.0.0.9:5080;transport={peer.transport}", lambda: f"n{next(names)}"
        )
        self.sbc = ForkingSbc(("10.0.0.9", 5080), tcp=peer.reliable)

    def say(self, request: Request) -> Response | None:
        answers = [read_message(out.octets) for out in self.signalling.receive(request, self.peer, Seconds(self.now))]
        assert len(answers) <= 1
        answer = answers[0] if answers else None
        assert not isinstance(answer, Request)
        return answer

    def ask(self, method: str, *rows: tuple[str, str], body: bytes = b"v=0") -> Response:
        self.sbc._sequence += 1
        answer = self.say(self.sbc.request(method, body, "application/sdp", *rows))
        assert answer is not None
        if method == "INVITE" and answer.status == 200:
            self.sbc.to = answer.fields.first("to") or ""
        return answer

    def ack(self) -> None:
        assert self.say(self.sbc.request("ACK")) is None

    def wait(self, length: float) -> list[Outgoing]:
        sent = []
        for _ in range(round(length / 0.1)):
            self.now += 0.1
            sent += self.signalling.tick(Seconds(self.now))
        return sent


def test_an_invite_is_answered_with_who_we_are_and_the_description() -> None:
    answer = Stage().ask("INVITE", ("require", "siprec"))

    assert (answer.status, answer.body) == (200, b"v=0\r\n")
    assert answer.fields.first("contact") == "<sip:recorder@10.0.0.9:5080;transport=UDP>;+sip.srs"
    assert answer.fields.first("content-type") == "application/sdp"
    assert parameters(answer.fields.first("to") or "")["tag"] == "n1"
    assert parameters(answer.fields.first("via") or "")["rport"] == "5062"


def test_what_else_is_required_is_refused_by_name() -> None:
    stage = Stage()

    answer = stage.ask("INVITE", ("require", "siprec, gruu"), ("require", "path"))

    assert (answer.status, answer.fields.first("unsupported")) == (420, "gruu, path")
    assert stage.office.calls == {}


def test_a_request_that_comes_again_gets_the_same_answer_and_changes_nothing() -> None:
    stage = Stage()
    first = stage.ask("INVITE")
    again = stage.say(stage.sbc.request("INVITE", b"v=0", "application/sdp"))
    stage.ack()
    goodbye = stage.ask("BYE")
    goodbye_again = stage.say(stage.sbc.request("BYE", b"v=0", "application/sdp"))

    assert again == first
    assert (goodbye.status, goodbye_again) == (200, goodbye)
    assert stage.office.calls == {"n1": ["invited", "ended: hung_up"]}


def test_the_200_is_repeated_over_udp_until_the_ack_comes() -> None:
    stage = Stage()
    stage.ask("INVITE")

    before = stage.wait(4.0)
    stage.ack()
    after = stage.wait(GIVE_UP)

    assert [read_message(out.octets).body for out in before] == [b"v=0\r\n"] * 3  # after 0.5, 1.5 and 3.5 s
    assert after == []
    assert stage.office.calls == {"n1": ["invited"]}


@pytest.mark.parametrize("peer", [_UDP, _TCP])
def test_a_call_that_is_never_acknowledged_is_hung_up(peer: Peer) -> None:
    stage = Stage(peer)
    stage.ask("INVITE")

    sent = [read_message(out.octets) for out in stage.wait(GIVE_UP + 0.2)]

    assert isinstance(sent[-1], Request)
    assert sent[-1].method == "BYE"
    assert stage.office.calls == {"n1": ["invited", "ended: unacknowledged"]}


def test_our_bye_goes_where_the_invite_came_from_and_is_repeated_until_it_is_answered() -> None:
    stage = Stage()
    stage.ask("INVITE", ("record-route", "<sip:p1;lr>, <sip:p2;lr>"))
    stage.ack()
    (first,) = stage.signalling.hang_up("n1", Seconds(stage.now), "lost")
    again = stage.wait(1.6)
    bye = read_message(first.octets)
    answer = Response(200, "OK", Fields((("via", bye.fields.first("via") or ""),)))
    stage.signalling.receive(answer, _UDP, Seconds(stage.now))
    after = stage.wait(40.0)

    assert isinstance(bye, Request)
    assert (bye.method, bye.uri, first.peer) == ("BYE", "sip:sbc@127.0.0.1", _UDP)
    assert bye.fields.every("route") == ("<sip:p1;lr>", "<sip:p2;lr>")
    assert bye.fields.first("to") == "<sip:sbc@127.0.0.1>;tag=sbc1"
    assert parameters(bye.fields.first("from") or "")["tag"] == "n1"
    assert again == [first, first]
    assert after == []


def test_a_session_that_is_not_refreshed_in_time_is_hung_up_and_one_that_is_goes_on() -> None:
    stage = Stage()
    answer = stage.ask("INVITE", ("session-expires", "90;refresher=uac"), ("supported", "timer"))
    stage.ack()
    stage.wait(80)
    refreshed = stage.ask("UPDATE", ("x", "90"), body=b"")
    stage.wait(5)

    assert (answer.fields.first("session-expires"), answer.fields.first("require")) == ("90;refresher=uac", "timer")
    assert refreshed.status == 200

    stage.ask("UPDATE", ("session-expires", "90"), body=b"")
    stage.wait(91)

    assert stage.office.calls["n1"][-1] == "ended: not_refreshed"


def test_too_short_a_session_is_refused_with_the_least_we_take() -> None:
    answer = Stage().ask("INVITE", ("session-expires", "60"))

    assert (answer.status, answer.fields.first("min-se")) == (422, "90")


def test_when_we_are_full_the_sbc_is_told_to_come_again() -> None:
    stage = Stage()
    stage.office.full = True

    invite, options = stage.ask("INVITE"), stage.ask("OPTIONS")

    assert (invite.status, invite.fields.first("retry-after")) == (503, "10")
    assert options.status == 503


def test_options_are_answered_with_what_we_can() -> None:
    answer = Stage().ask("OPTIONS", body=b"")

    assert answer.status == 200
    assert "application/rs-metadata+xml" in (answer.fields.first("accept") or "")


def test_a_cancel_comes_too_late_and_changes_nothing() -> None:
    stage = Stage()
    stage.ask("INVITE")
    invite = stage.sbc.request("INVITE")
    cancel = Request(
        "CANCEL",
        invite.uri,
        Fields(tuple((n, v.replace("INVITE", "CANCEL") if n == "cseq" else v) for n, v in invite.fields.rows)),
    )

    answer = stage.say(cancel)
    stray = stage.ask("CANCEL")

    assert answer is not None
    assert (answer.status, stray.status) == (200, 481)
    assert stage.office.calls == {"n1": ["invited"]}


def test_a_goodbye_without_our_tag_is_understood_and_one_of_a_stranger_is_not() -> None:
    stage = Stage()
    stage.ask("INVITE")
    tagged, stage.sbc.to = stage.sbc.to, "<sip:recorder@127.0.0.1>"
    stage.sbc.tag = "somebody-else"
    stranger = stage.ask("BYE")
    stage.sbc.tag = "sbc1"
    sloppy = stage.ask("BYE")

    assert (stranger.status, sloppy.status) == (481, 200)
    assert tagged
    assert stage.office.calls == {"n1": ["invited", "ended: hung_up"]}


def test_what_belongs_to_no_call_is_refused_and_what_we_do_not_know_too() -> None:
    stage = Stage()
    stage.sbc.to = "<sip:recorder@127.0.0.1>;tag=gone"

    answers = [stage.ask(method).status for method in ("INVITE", "UPDATE", "BYE", "SUBSCRIBE")]
    broken = stage.signalling.receive(
        Request("INVITE", "sip:x", Fields((("via", "SIP/2.0/UDP h;branch=1"),))), _UDP, Seconds(0.0)
    )

    assert answers == [481, 481, 481, 405]
    assert b"400 Bad Request" in broken[0].octets


def test_an_older_offer_than_the_last_is_refused() -> None:
    stage = Stage()
    stage.ask("INVITE")
    stage.sbc._sequence = 7
    newer = stage.ask("UPDATE")
    stage.sbc._sequence = 3
    older = stage.ask("UPDATE")

    assert (newer.status, older.status) == (200, 500)


def test_without_rport_the_answer_goes_to_the_port_of_the_via_and_over_tcp_the_way_it_came() -> None:
    request = Request("OPTIONS", "sip:x", Fields((("via", "SIP/2.0/UDP sbc.example:5070;branch=z9hG4bKx"), ("from", "<sip:a>;tag=1"), ("to", "<sip:b>"), ("call-id", "c"), ("cseq", "1 OPTIONS"))))  # fmt: skip

    (udp,), (tcp,) = (Stage(peer).signalling.receive(request, peer, Seconds(0.0)) for peer in (_UDP, _TCP))

    assert udp.peer == Peer("UDP", "10.0.0.1", 5070)
    assert tcp.peer == _TCP


class AnySbc(RuleBasedStateMachine):
    """An SBC that does anything in any order; a call is begun once, ended once, and forgotten."""

    def __init__(self) -> None:
        super().__init__()
        self.stage = Stage()
        self.asked = 0

    @rule(
        method=st.sampled_from(["INVITE", "UPDATE", "BYE", "OPTIONS", "CANCEL", "INFO"]),
        tag=st.sampled_from(["", "n1", "n2"]),
        repeat=st.booleans(),
    )
    def ask(self, method: str, tag: str, repeat: bool) -> None:
        self.stage.sbc.to = "<sip:recorder@127.0.0.1>" + (f";tag={tag}" if tag else "")
        self.stage.sbc._sequence += not repeat
        answer = self.stage.say(self.stage.sbc.request(method, b"v=0", "application/sdp"))

        assert answer is not None
        assert answer.status in (200, 400, 405, 481, 500)

    @rule(tag=st.sampled_from(["", "n1"]))
    def ack(self, tag: str) -> None:
        self.stage.sbc.to = "<sip:recorder@127.0.0.1>" + (f";tag={tag}" if tag else "")
        self.stage.ack()

    @rule(length=st.sampled_from([0.1, 1.0, 40.0]))
    def wait(self, length: float) -> None:
        self.stage.wait(length)

    @rule(name=st.sampled_from(["n1", "n2"]))
    def hang_up(self, name: str) -> None:
        self.stage.signalling.hang_up(name, Seconds(self.stage.now), "shutdown")

    @invariant()
    def calls_are_open_or_forgotten(self) -> None:
        going_on = {name for name, story in self.stage.office.calls.items() if not story[-1].startswith("ended")}

        assert set(self.stage.signalling._dialogs) == going_on

    def teardown(self) -> None:
        self.stage.wait(GIVE_UP + 2 * T1)
        for name in tuple(self.stage.signalling._dialogs):
            self.stage.signalling.hang_up(name, Seconds(self.stage.now), "shutdown")
        self.stage.wait(GIVE_UP + 2 * T1)

        assert not self.stage.signalling._answers
        assert not self.stage.signalling._byes


AnySbc.TestCase.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)
TestAnySbc = AnySbc.TestCase
