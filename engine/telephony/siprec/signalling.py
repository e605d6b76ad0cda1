"""The SIP user agent that SBCs call: answers, dialogs and their timers (RFC 3261, 3311, 4028, 7866). Pure: time is an argument.

Rules:

* every request is answered at once, so there is no ringing, and a CANCEL always comes too late;
* a request that comes again gets the same answer again, for 32 s (64 x T1): over UDP either may be lost;
* a 200 to an INVITE is repeated over UDP until its ACK comes; when none does, the call is hung up;
* ``Require`` may name what stands in ``KNOWN``; anything else is refused with 420;
* where the SBC promises to refresh the session (RFC 4028) and does not, its BYE was lost, and the call is hung up.

What is said of sound and people is the :class:`Office`'s business.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from engine.core.units import Seconds
from engine.telephony.siprec.message import Fields, Request, Response, address, parameters

T1: Final = Seconds(0.5)  # RFC 3261 section 17.1.1.1
T2: Final = Seconds(4.0)
GIVE_UP: Final = Seconds(64 * T1)
KNOWN: Final = frozenset(
    {"siprec", "timer", "100rel", "replaces"}
)  # 100rel: we send nothing provisional, so it asks nothing of us
ALLOWED: Final = "INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE"
ACCEPTED: Final = "application/sdp, application/rs-metadata+xml, multipart/mixed"
MIN_SESSION: Final = 90  # seconds, RFC 4028 section 4
_MOST_REMEMBERED: Final = 5_000  # answers
_RETRY: Final = "10"  # seconds, for an SBC that we have no room for
_REASONS: Final = {
    200: "OK",
    400: "Bad Request",
    403: "Forbidden",
    405: "Method Not Allowed",
    420: "Bad Extension",
    422: "Session Interval Too Small",
    481: "Call/Transaction Does Not Exist",
    488: "Not Acceptable Here",
    500: "Server Internal Error",
    503: "Service Unavailable",
}


@dataclass(frozen=True, slots=True)
class Peer:
    """Where a message came from, and the answer goes."""

    transport: str
    """``UDP``, ``TCP`` or ``TLS``."""

    host: str
    port: int

    @property
    def reliable(self) -> bool:
        """Whether the transport itself repeats what is lost."""
        return self.transport != "UDP"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to be sent."""

    peer: Peer
    octets: bytes


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the office says to an offer."""

    status: int
    answer: bytes = b""
    """A session description, where there is one."""

    warning: str | None = None


class Office(Protocol):
    """Takes the calls whose signalling this is. ``dialog`` names a call on our side."""

    @property
    def full(self) -> bool:
        """Whether the next call would be refused: OPTIONS ask."""

    def invited(self, dialog: str, request: Request, peer: Peer) -> Verdict:
        """A new call; it exists if the verdict's status is 200, and is refused with 503 where there is no room."""

    def updated(self, dialog: str, request: Request) -> Verdict:
        """The call goes on in another way: hold, transfer, metadata."""

    def ended(self, dialog: str, reason: str) -> None:
        """The call is over; nothing comes after it."""


@dataclass(slots=True)
class _Repeat:
    """A message that is sent again and again until it is heard."""

    outgoing: Outgoing
    due: Seconds
    until: Seconds
    every: Seconds = T1


@dataclass(slots=True)
class _Dialog:
    name: str
    invite: Request
    peer: Peer
    remote_sequence: int
    local_sequence: int = 0
    refresh_by: Seconds | None = None
    unacknowledged: _Repeat | None = None

    @property
    def call_id(self) -> str:
        return self.invite.fields.first("call-id") or ""


@dataclass(slots=True)
class Signalling:
    """All calls of one door. ``contact`` is the URI by which a peer reaches us; ``new_name`` makes unguessable names."""

    office: Office
    contact: Callable[[Peer], str]
    new_name: Callable[[], str]
    _dialogs: dict[str, _Dialog] = field(default_factory=dict)
    _answers: OrderedDict[tuple[str, ...], tuple[Seconds, Outgoing]] = field(default_factory=OrderedDict)
    _byes: dict[str, _Repeat] = field(default_factory=dict)

    @property
    def parting(self) -> bool:
        """Whether a BYE of ours is not answered yet."""
        return bool(self._byes)

    def receive(self, message: Request | Response, peer: Peer, now: Seconds) -> list[Outgoing]:
        """Take a message; give what is to be sent."""
        if isinstance(message, Response):
            via = message.fields.first("via") or ""
            if message.status >= 200:
                self._byes.pop(parameters(via).get("branch", ""), None)
            return []
        if message.method == "ACK":
            self._acknowledged(message)
            return []
        request = _stamped(message, peer)
        key = _transaction(request, peer)
        if key in self._answers:
            return [self._answers[key][1]]
        outgoing = Outgoing(_reply_to(request, peer), bytes(self._answer(request, peer, now)))
        self._remember(key, outgoing, now)
        return [outgoing]

    def tick(self, now: Seconds) -> list[Outgoing]:
        """Give what is to be sent again by now, and end the calls whose time is over. Call it a few times a second."""
        while self._answers and next(iter(self._answers.values()))[0] <= now:
            self._answers.popitem(last=False)
        sent = [out for dialog in tuple(self._dialogs.values()) for out in self._look_after(dialog, now)]
        for branch, repeat in tuple(self._byes.items()):
            if now >= repeat.until:
                del self._byes[branch]
            else:
                sent += _again(repeat, now)
        return sent

    def hang_up(self, name: str, now: Seconds, reason: str) -> list[Outgoing]:
        """End a call from our side; nothing happens where there is none."""
        dialog = self._dialogs.get(name)
        if dialog is None:
            return []
        bye = self._bye(dialog)
        self._close(dialog, reason)
        if not dialog.peer.reliable:
            branch = parameters(bye.fields.first("via") or "")["branch"]
            self._byes[branch] = _Repeat(Outgoing(dialog.peer, bytes(bye)), Seconds(now + T1), Seconds(now + GIVE_UP))
        return [Outgoing(dialog.peer, bytes(bye))]

    def _look_after(self, dialog: _Dialog, now: Seconds) -> list[Outgoing]:
        repeat = dialog.unacknowledged
        if repeat is not None and now >= repeat.until:
            return self.hang_up(dialog.name, now, "unacknowledged")
        if dialog.refresh_by is not None and now >= dialog.refresh_by:
            return self.hang_up(dialog.name, now, "not_refreshed")
        return _again(repeat, now) if repeat is not None and not dialog.peer.reliable else []

    def _answer(self, request: Request, peer: Peer, now: Seconds) -> Response:
        if any(request.fields.first(name) is None for name in ("via", "from", "to", "call-id", "cseq")):
            return _response(request, 400)
        unknown = request.fields.tokens("require") - KNOWN | request.fields.tokens("proxy-require")
        if unknown and request.method != "CANCEL":
            return _response(request, 420, ("unsupported", ", ".join(sorted(unknown))))
        return self._granted(request, peer, now)

    def _granted(self, request: Request, peer: Peer, now: Seconds) -> Response:
        match request.method:
            case "INVITE" | "UPDATE":
                return self._offered(request, peer, now)
            case "BYE":
                return self._said_goodbye(request)
            case "CANCEL":
                return _response(request, 200 if self._cancels(request, peer) else 481)
            case "OPTIONS":
                status = 503 if self.office.full else 200
                return _response(request, status, *self._abilities(peer))
            case _:
                return _response(request, 405, ("allow", ALLOWED))

    def _offered(self, request: Request, peer: Peer, now: Seconds) -> Response:
        dialog = self._dialog(request)
        if dialog is None and (request.method == "UPDATE" or "tag" in parameters(request.fields.first("to") or "")):
            return _response(request, 481)
        interval, refused = _interval(request)
        if refused is not None:
            return refused
        if dialog is None:
            return self._invited(request, peer, interval, now)
        if not _follows(request, dialog):
            return _response(request, 500)
        verdict = self.office.updated(dialog.name, request)
        return self._settled(request, dialog, verdict, interval, now)

    def _invited(self, request: Request, peer: Peer, interval: int | None, now: Seconds) -> Response:
        name = self.new_name()
        verdict = self.office.invited(name, request, peer)
        dialog = _Dialog(name, request, peer, _sequence(request))
        if verdict.status == 200:
            self._dialogs[name] = dialog
        return self._settled(request, dialog, verdict, interval, now)

    def _settled(self, request: Request, dialog: _Dialog, verdict: Verdict, interval: int | None, now: Seconds) -> Response:
        if verdict.status != 200:
            rows = [("warning", f'399 callwright "{verdict.warning}"')] if verdict.warning else []
            rows += [("retry-after", _RETRY)] if verdict.status == 503 else []
            return _response(request, verdict.status, *rows, tag=dialog.name)
        dialog.refresh_by = Seconds(now + interval) if interval else None
        rows = [*self._abilities(dialog.peer), *_timer(request, interval)]
        rows += [("content-type", "application/sdp")] if verdict.answer else []
        response = _response(request, 200, *rows, tag=dialog.name, body=verdict.answer)
        if request.method == "INVITE":
            outgoing = Outgoing(_reply_to(request, dialog.peer), bytes(response))
            dialog.unacknowledged = _Repeat(outgoing, Seconds(now + T1), Seconds(now + GIVE_UP))
        return response

    def _abilities(self, peer: Peer) -> list[tuple[str, str]]:
        contact = f"<{self.contact(peer)}>;+sip.srs"
        return [("contact", contact), ("supported", "siprec, timer"), ("allow", ALLOWED), ("accept", ACCEPTED)]

    def _said_goodbye(self, request: Request) -> Response:
        dialog = self._dialog(request)
        if dialog is None:
            return _response(request, 481)
        self._close(dialog, "hung_up")
        return _response(request, 200)

    def _cancels(self, request: Request, peer: Peer) -> bool:
        """Whether there is an INVITE it means; all of them are answered already, so it changes nothing (RFC 3261 section 9.2)."""
        return _transaction(request, peer, method="INVITE") in self._answers

    def _acknowledged(self, request: Request) -> None:
        dialog = self._dialog(request)
        if dialog is not None:
            dialog.unacknowledged = None

    def _dialog(self, request: Request) -> _Dialog | None:
        """The call a request belongs to. Its name is our tag; some SBCs leave that out of a BYE, so then the caller's will do."""
        call_id, tag = request.fields.first("call-id"), parameters(request.fields.first("to") or "").get("tag")
        if tag is not None:
            dialog = self._dialogs.get(tag)
        else:
            ours = (one for one in self._dialogs.values() if one.call_id == call_id) if request.method == "BYE" else iter(())
            dialog = next(ours, None)
        theirs = parameters(request.fields.first("from") or "").get("tag")
        if (
            dialog is None
            or dialog.call_id != call_id
            or theirs != parameters(dialog.invite.fields.first("from") or "").get("tag")
        ):
            return None
        return dialog

    def _close(self, dialog: _Dialog, reason: str) -> None:
        del self._dialogs[dialog.name]
        self.office.ended(dialog.name, reason)

    def _bye(self, dialog: _Dialog) -> Request:
        """RFC 3261 section 12.2.1.1; it goes where the INVITE came from, whatever its Contact says."""
        fields = dialog.invite.fields
        target = address(fields.first("contact") or fields.first("from") or "")
        dialog.local_sequence += 1
        sent_by = self.contact(dialog.peer).partition(":")[2].partition(";")[0]
        via = f"SIP/2.0/{dialog.peer.transport} {sent_by};rport;branch=z9hG4bK{self.new_name()}"
        rows = [
            ("via", via),
            ("max-forwards", "70"),
            *(("route", route) for route in fields.every("record-route")),
            ("from", f"{fields.first('to')};tag={dialog.name}"),
            ("to", fields.first("from") or ""),
            ("call-id", dialog.call_id),
            ("cseq", f"{dialog.local_sequence} BYE"),
        ]
        return Request("BYE", target or "sip:unknown", Fields(tuple(rows)))

    def _remember(self, key: tuple[str, ...], outgoing: Outgoing, now: Seconds) -> None:
        self._answers[key] = Seconds(now + GIVE_UP), outgoing
        if len(self._answers) > _MOST_REMEMBERED:
            self._answers.popitem(last=False)


def refusal(request: Request, peer: Peer, status: int) -> Outgoing:
    """Answer a request that nobody looks at any closer."""
    return Outgoing(_reply_to(request, peer), bytes(_response(request, status)))


def _stamped(request: Request, peer: Peer) -> Request:
    """Write into the topmost Via where the request really came from (RFC 3581), so that the answer finds its way back."""
    rows = list(request.fields.rows)
    place = next((place for place, (name, _) in enumerate(rows) if name == "via"), None)
    if place is not None and "rport" in parameters(rows[place][1]):
        written = re.sub(r";\s*rport(?=[;,\s]|$)", f";received={peer.host};rport={peer.port}", rows[place][1], count=1)
        rows[place] = "via", written
    return replace(request, fields=Fields(tuple(rows)))


def _again(repeat: _Repeat, now: Seconds) -> list[Outgoing]:
    if now < repeat.due:
        return []
    repeat.every = min(T2, Seconds(2 * repeat.every))
    repeat.due = Seconds(now + repeat.every)
    return [repeat.outgoing]


def _transaction(request: Request, peer: Peer, method: str | None = None) -> tuple[str, ...]:
    """What makes two requests one and the same (RFC 3261 section 17.2.3, and by all fields for older peers)."""
    via = request.fields.first("via") or ""
    names = (request.fields.first(name) or "" for name in ("call-id", "from"))
    number = (request.fields.first("cseq") or "").split(" ")[0]
    return (peer.host, parameters(via).get("branch", ""), *names, number, method or request.method)


def _reply_to(request: Request, peer: Peer) -> Peer:
    """Where the answer goes (RFC 3261 section 18.2.2): over TCP the same way back, over UDP to the port that the Via says."""
    via = next(iter(request.fields.every("via")), "")
    if peer.reliable or "rport" in parameters(via):
        return peer
    sent_by = via.partition(" ")[2].partition(";")[0].strip()
    port = sent_by.rpartition(":")[2] if ":" in sent_by.rpartition("]")[2] else "5060"
    return Peer(peer.transport, peer.host, int(port)) if port.isdigit() and 0 < int(port) < 65_536 else peer


def _response(request: Request, status: int, *rows: tuple[str, str], tag: str = "", body: bytes = b"") -> Response:
    to = request.fields.first("to") or ""
    if "tag" not in parameters(to):
        to += f";tag={tag or 'refused'}"
    copied = [(name, value) for name, value in request.fields.rows if name in ("via", "from", "call-id", "cseq", "record-route")]
    return Response(status, _REASONS[status], Fields((*copied, ("to", to), *rows)), body)


def _sequence(request: Request) -> int:
    number = (request.fields.first("cseq") or "").split(" ")[0]
    return int(number) if number.isascii() and number.isdigit() and len(number) <= 10 else 0


def _follows(request: Request, dialog: _Dialog) -> bool:
    """Whether it is newer than what came before (RFC 3261 section 12.2.2)."""
    number = _sequence(request)
    newer = number > dialog.remote_sequence
    dialog.remote_sequence = max(number, dialog.remote_sequence)
    return newer


def _interval(request: Request) -> tuple[int | None, Response | None]:
    """For how long the SBC promises the session, or the refusal of too short a time; ``None`` where it promises nothing."""
    asked = request.fields.first("session-expires")
    number = (asked or "").partition(";")[0].strip()
    if asked is None or not number.isascii() or not number.isdigit() or parameters(asked).get("refresher") == "uas":
        return None, None  # we send no refreshes; without our word for it, the SBC does (RFC 4028 section 7.2)
    if int(number[:9]) < MIN_SESSION:
        return None, _response(request, 422, ("min-se", str(MIN_SESSION)))
    return int(number[:9]), None


def _timer(request: Request, interval: int | None) -> Sequence[tuple[str, str]]:
    if interval is None:
        return ()
    required = [("require", "timer")] if "timer" in request.fields.tokens("supported") | request.fields.tokens("require") else []
    return [("session-expires", f"{interval};refresher=uac"), *required]
