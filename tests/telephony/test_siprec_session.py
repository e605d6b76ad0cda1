"""Who is heard where: the shapes of several vendors, holds, transfers and pauses, without a socket."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.audio.g711 import Law
from engine.core.audio import FRAME, FRAME_SAMPLES, Samples
from engine.core.call import Speaker
from engine.core.errors import MediaError
from engine.core.units import Seconds
from engine.telephony.siprec.feed import DELAY
from engine.telephony.siprec.message import Fields, Request
from engine.telephony.siprec.recording_session import MOST_KEPT, NoteKind, Offered, RecordingSession, Rules, read_offer
from engine.testing.siprec_callers import METADATA, RtpStream, both, describe

_SWAPPED = METADATA.replace("<label>1<", "<label>x<").replace("<label>2<", "<label>1<").replace("<label>x<", "<label>2<")
_PARTLY = METADATA.replace(">complete<", ">partial<")
_CALLER, _AGENT = "sip:+493012345678@carrier.example", "sip:4711@bank.example"


def _request(kind: str, body: bytes, *rows: tuple[str, str]) -> Request:
    return Request("INVITE", "sip:x", Fields((("content-type", kind), *rows)), body)


def _offer(metadata: str = METADATA, ports: tuple[int, ...] = (4000, 4002), direction: str = "sendonly") -> Offered:
    kind, body = both(describe(ports, direction=direction), metadata)
    return read_offer(_request(kind, body))


_PLAIN = Rules()


def _session(metadata: str = METADATA, rules: Rules = _PLAIN, ports: tuple[int, ...] = (4000, 4002)) -> RecordingSession:
    session = RecordingSession(rules)
    session.offered(_offer(metadata, ports), Seconds(0.0))
    return session


def _hear(session: RecordingSession, *streams: tuple[int, RtpStream, int], seconds: float = 1.0) -> tuple[Samples, Samples]:
    """Let each stream send its value on its line."""
    channels: tuple[list[Samples], list[Samples]] = ([], [])
    for n in range(round(seconds / FRAME)):
        now = Seconds(n * FRAME)
        for line, stream, value in streams:
            session.hear(line, stream.packet(np.full(FRAME_SAMPLES, value, np.int16)), now)
        if n * FRAME >= DELAY:
            for channel, samples in zip(channels, session.take(FRAME_SAMPLES, now), strict=True):
                channel.append(samples)
    left, right = (np.concatenate(channel) for channel in channels)
    return left, right


def _loudness(sound: Samples) -> int:
    return round(float(np.abs(sound.astype(np.float64)).mean()), -3)


def test_the_caller_is_left_and_the_agent_right_by_the_order_of_the_lines() -> None:
    left, right = _hear(_session(), (0, RtpStream(ssrc=1), 3000), (1, RtpStream(ssrc=2), 9000))

    assert (_loudness(left), _loudness(right)) == (3000, 9000)


def test_a_codec_that_was_not_offered_is_heard_if_everybody_knows_its_number() -> None:
    session = RecordingSession()
    session.offered(
        read_offer(_request("application/sdp", describe((4000, 4002)).replace(" 18 0 8 ", " 0 ").encode())), Seconds(0.0)
    )

    left, _ = _hear(session, (0, RtpStream(Law.ALAW), 3000))

    assert _loudness(left) == 3000


@pytest.mark.parametrize("metadata", [METADATA, _SWAPPED])
def test_patterns_of_agents_addresses_tell_whatever_the_order(metadata: str) -> None:
    session = _session(metadata, Rules(agents=("sip:47??@bank.example",)))

    assert [one.aor for one in session.who(Speaker.AGENT)] == [_AGENT]
    assert session.speaker(0 if metadata is _SWAPPED else 1) is Speaker.AGENT


def test_the_sbcs_mark_of_who_called_tells_where_no_patterns_do() -> None:
    marked = METADATA.replace("<name>Michelle</name></nameID>", "</nameID><x><apkt:callingParty>true</apkt:callingParty></x>")
    session = _session(marked)

    assert session.speaker(1) is Speaker.CALLER
    assert session.speaker(0) is Speaker.AGENT


@pytest.mark.parametrize("agents", ["sip:nobody@*", "sip:*"])
def test_patterns_that_fit_nobody_or_everybody_never_put_both_on_one_channel(agents: str) -> None:
    session = _session(rules=Rules(agents=(agents,)))

    assert [session.speaker(line) for line in (0, 1)] == [Speaker.CALLER, Speaker.AGENT]


def test_what_is_known_of_one_line_tells_of_the_other() -> None:
    only_agent = METADATA.replace("<label>2<", "<label>9<").replace("<label>1<", "<label>2<").replace("<label>9<", "<label>1<")
    only_agent = only_agent.replace('<stream stream_id="i1Pz', '<other stream_id="i1Pz').replace(
        "</label></stream>", "</label></other>", 1
    )
    session = _session(only_agent, Rules(agents=("sip:4711@*",)))

    assert [session.speaker(line) for line in (0, 1)] == [Speaker.AGENT, Speaker.CALLER]


def test_the_agents_line_stays_on_the_right_when_the_callers_is_switched_off() -> None:
    session = _session()
    session.offered(_offer(ports=(0, 4002)), Seconds(1.0))

    left, right = _hear(session, (1, RtpStream(ssrc=2), 9000))

    assert (_loudness(left), _loudness(right)) == (0, 9000)
    assert not session.mixed


def test_the_configuration_may_say_that_the_agent_is_on_the_first_line() -> None:
    session = _session(rules=Rules(first=Speaker.AGENT))

    assert [session.speaker(line) for line in (0, 1)] == [Speaker.AGENT, Speaker.CALLER]


def test_a_third_line_sounds_together_with_the_agents() -> None:
    session = _session(ports=(4000, 4002, 4004))

    left, right = _hear(session, (0, RtpStream(ssrc=1), 3000), (1, RtpStream(ssrc=2), 2000), (2, RtpStream(ssrc=3), 4000))

    assert (_loudness(left), _loudness(right)) == (3000, 6000)


def test_two_senders_on_one_line_are_the_two_channels() -> None:
    session = _session(ports=(4000,))

    left, right = _hear(session, (0, RtpStream(ssrc=1), 3000), (0, RtpStream(ssrc=2), 9000))

    assert (_loudness(left), _loudness(right)) == (3000, 9000)
    assert not session.mixed


def test_one_sender_for_two_people_is_mixed_and_says_so() -> None:
    session = _session(ports=(4000,))

    left, right = _hear(session, (0, RtpStream(ssrc=1), 3000))

    assert (_loudness(left), _loudness(right)) == (3000, 0)
    assert session.mixed


def test_two_lines_are_never_mixed() -> None:
    session = _session()
    _hear(session, (0, RtpStream(), 3000))

    assert not session.mixed


def test_ciscos_header_fields_tell_who_is_on_which_line() -> None:
    kind, body = "application/sdp", describe((4000, 4002)).encode()
    rows = tuple(("x-cisco-recording-participant", f'{aor};media-index="{n}"') for n, aor in enumerate((_CALLER, _AGENT)))
    session = RecordingSession(Rules(agents=("sip:4711@*",)))
    session.offered(read_offer(_request(kind, body, *rows)), Seconds(0.0))

    assert [session.speaker(line) for line in (0, 1)] == [Speaker.CALLER, Speaker.AGENT]
    assert [one.aor for one in session.who(Speaker.AGENT)] == [_AGENT]


def test_a_pause_is_silence_and_is_noted_for_each_line() -> None:
    session = _session()
    session.offered(_offer(direction="inactive"), Seconds(2.0))
    left, right = _hear(session, (0, RtpStream(), 3000), (1, RtpStream(), 3000))
    session.offered(_offer(), Seconds(3.0))

    assert not left.any()
    assert not right.any()
    assert [(note.at, note.kind, note.speaker, note.who) for note in session.notes if note.kind in ("paused", "resumed")] == [
        (2.0, NoteKind.PAUSED, Speaker.CALLER, _CALLER),
        (2.0, NoteKind.PAUSED, Speaker.AGENT, _AGENT),
        (3.0, NoteKind.RESUMED, Speaker.CALLER, _CALLER),
        (3.0, NoteKind.RESUMED, Speaker.AGENT, _AGENT),
    ]


def test_a_transfer_changes_the_agent_and_is_noted() -> None:
    session = _session()
    news = """<recording><datamode>partial</datamode>
      <participant participant_id="b"><nameID aor="sip:4712@bank.example"/></participant>
      <participantstreamassoc participant_id="b"><send>8zc6e0lYTlWIINA6GR+3ag==</send></participantstreamassoc>
      <participantsessionassoc participant_id="zSfPoSvdSDCmU3A3TRDxAw=="><disassociate-time>1</disassociate-time></participantsessionassoc>
      </recording>"""
    session.offered(read_offer(_request("application/rs-metadata+xml", news.encode())), Seconds(30.0))

    assert [one.aor for one in session.who(Speaker.AGENT)] == ["sip:4712@bank.example"]
    assert [(note.kind, note.who) for note in session.notes if note.at == 30.0] == [
        (NoteKind.LEFT, _AGENT),
        (NoteKind.JOINED, "sip:4712@bank.example"),
    ]
    assert len(session.documents) == 2


def test_a_line_that_is_switched_off_falls_silent_and_comes_back() -> None:
    session = _session()
    session.offered(_offer(ports=(4000, 0)), Seconds(1.0))
    off = set(session.feeds)
    session.offered(_offer(), Seconds(2.0))

    assert off == {0}
    assert set(session.feeds) == {0, 1}


def test_metadata_that_can_not_be_read_costs_the_names_and_not_the_call() -> None:
    session = _session(metadata='<!DOCTYPE x [<!ENTITY a "b">]><recording>&a;</recording>')

    left, right = _hear(session, (0, RtpStream(ssrc=1), 3000), (1, RtpStream(ssrc=2), 9000))

    assert (_loudness(left), _loudness(right)) == (3000, 9000)
    assert session.metadata.participants == {}
    assert b"DOCTYPE" in session.documents[0]


def test_metadata_is_kept_as_received_up_to_a_limit() -> None:
    session = _session()
    for n in range(500):
        session.offered(_offer(_PARTLY), Seconds(float(n)))

    assert sum(map(len, session.documents)) <= MOST_KEPT
    assert len(session.documents) > 50


@given(st.lists(st.tuples(st.sampled_from([METADATA, _SWAPPED, _PARTLY, "", "<x/>"]), st.lists(st.sampled_from([0, 4000]), min_size=1, max_size=4),
                          st.sampled_from(["sendonly", "inactive", "sendrecv"])), max_size=6))  # fmt: skip
def test_any_run_of_offers_leaves_two_channels_on_the_beat(offers: list[tuple[str, list[int], str]]) -> None:
    session = RecordingSession()
    for n, (metadata, ports, direction) in enumerate(offers):
        now = Seconds(float(n))
        session.offered(_offer(metadata, tuple(ports), direction), now)
        session.hear(n % 3, RtpStream(Law.ULAW).packet(np.full(160, 9000, np.int16)), now)
        left, right = session.take(FRAME_SAMPLES, now)

        assert len(left) == len(right) == FRAME_SAMPLES
        assert set(session.feeds) == {place for place, port in enumerate(ports) if port}


def test_a_body_that_can_not_be_read_is_refused() -> None:
    with pytest.raises(MediaError):
        read_offer(_request("multipart/mixed;boundary=b", b"nothing"))
