"""Recording metadata in the published shape, in the drafts' shapes that SBCs still send, and in shapes that nobody should send."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.errors import MediaError
from engine.telephony.siprec.metadata import (
    DEEPEST,
    LARGEST,
    MOST_ELEMENTS,
    MOST_OF_EACH,
    NOTHING,
    Metadata,
    Participant,
    merged,
    read_metadata,
)
from engine.testing.siprec_callers import METADATA

_ORACLE = b"""<?xml version='1.0' encoding='UTF-8'?>
<recording xmlns='urn:ietf:params:xml:ns:recording'>
  <dataMode>complete</dataMode>
  <session id="s=="><associate-time>2026-11-22T09:30:00</associate-time></session>
  <participant id="p1" session="s==">
    <nameID aor="sip:+4930555@10.0.0.5"><name>+4930555</name></nameID>
    <send>st1</send><associate-time>2026-11-22T09:30:00</associate-time>
    <extensiondata xmlns:apkt="http://acmepacket.com/siprec/extensiondata"><apkt:callingParty>false</apkt:callingParty></extensiondata>
  </participant>
  <participant id="p2" session="s==">
    <nameID aor="sip:4711@10.0.0.6"><name>4711</name></nameID>
    <send>st2</send>
    <extensiondata xmlns:apkt="http://acmepacket.com/siprec/extensiondata"><apkt:callingParty>true</apkt:callingParty></extensiondata>
  </participant>
  <stream id="st1" session="s=="><label>16777227</label><mode>separate</mode></stream>
  <stream id="st2" session="s=="><label>16777228</label><mode>separate</mode></stream>
</recording>"""

_BROADWORKS = b"""
<recording_metadata xmlns="urn:ietf:params:xml:ns:siprec">
  <dataMode>complete</dataMode>
  <session id="urn:uuid:s"><start-time>2026-11-22T09:30:00+00:00</start-time></session>
  <participant id="urn:uuid:a"><aor>sip:7722@10.0.0.7;user=phone</aor><send><id>urn:uuid:1</id></send></participant>
  <participant id="urn:uuid:b"><aor>sip:agent9@bank.example</aor><send><id>urn:uuid:2</id></send></participant>
  <stream id="urn:uuid:1"><label>1</label></stream>
  <stream id="urn:uuid:2"><label>2</label></stream>
  <extensiondata><broadWorksRecordingMetadata><callType><termCall>
    <callingPartyNumber>sip:7722@10.0.0.7</callingPartyNumber><calledPartyNumber>sip:agent9@bank.example</calledPartyNumber>
  </termCall></callType></broadWorksRecordingMetadata></extensiondata>
</recording_metadata>"""


def _names(metadata: Metadata, label: str) -> list[str | None]:
    return [one.aor for one in metadata.speakers(label)]


def test_the_published_shape_says_who_speaks_on_which_line() -> None:
    metadata = read_metadata(METADATA.encode())

    assert _names(metadata, "1") == ["sip:+493012345678@carrier.example"]
    assert _names(metadata, "2") == ["sip:4711@bank.example"]
    assert [one.name for one in metadata.participants.values()] == ["Robert Jones", "Michelle"]
    assert (metadata.session, metadata.started) == ("hVpd7YQgRW2nD22h7q60JQ==", "2026-11-22T09:30:00Z")


def test_oracles_draft_shape_says_so_too_and_marks_who_called() -> None:
    metadata = read_metadata(_ORACLE)

    assert _names(metadata, "16777227") == ["sip:+4930555@10.0.0.5"]
    assert [one.calling for one in metadata.participants.values()] == [False, True]
    assert metadata.session == "s=="


def test_broadworks_shape_names_the_number_that_called() -> None:
    metadata = read_metadata(_BROADWORKS)

    assert _names(metadata, "2") == ["sip:agent9@bank.example"]
    assert [one.calling for one in metadata.participants.values()] == [True, False]


def test_numbers_without_a_scheme_are_told_apart() -> None:
    bare = _BROADWORKS.replace(b"sip:7722@10.0.0.7", b"7722").replace(b"sip:agent9@bank.example", b"agent9")

    assert [one.calling for one in read_metadata(bare).participants.values()] == [True, False]


def test_undeclared_prefixes_and_unknown_elements_do_no_harm() -> None:
    metadata = read_metadata(
        b'<recording><ac:UCID>1</ac:UCID><rs:participant participant_id="a"><x/></rs:participant></recording>'
    )

    assert list(metadata.participants) == ["a"]


def test_a_partial_document_changes_what_it_names_and_nothing_else() -> None:
    known = read_metadata(METADATA.encode())
    news = read_metadata(
        b"""<recording><datamode>partial</datamode>
        <participant participant_id="new"><nameID aor="sip:4712@bank.example"/></participant>
        <participantsessionassoc participant_id="zSfPoSvdSDCmU3A3TRDxAw==" session_id="s"><disassociate-time>x</disassociate-time>
        </participantsessionassoc>
        <participantstreamassoc participant_id="new"><send>8zc6e0lYTlWIINA6GR+3ag==</send></participantstreamassoc></recording>"""
    )

    after = merged(known, news)

    assert _names(after, "1") == ["sip:+493012345678@carrier.example"]
    assert _names(after, "2") == ["sip:4712@bank.example"]
    assert after.participants["zSfPoSvdSDCmU3A3TRDxAw=="].left
    assert after.participants["zSfPoSvdSDCmU3A3TRDxAw=="].name == "Michelle"


def test_a_complete_document_replaces_everything() -> None:
    after = merged(read_metadata(METADATA.encode()), read_metadata(_BROADWORKS))

    assert list(after.participants) == ["urn:uuid:a", "urn:uuid:b"]


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"no xml",
        b"<recording>",
        b"<html/>",
        b"<recording>&unknown;</recording>",
        b'<!DOCTYPE recording [<!ENTITY a "aaaa">]><recording>&a;</recording>',
        b'<!DOCTYPE recording SYSTEM "http://attacker.example/x.dtd"><recording/>',
        b"<recording>" + b"<a>" * DEEPEST + b"</a>" * DEEPEST + b"</recording>",
        b"<recording>" + b"<a/>" * MOST_ELEMENTS + b"</recording>",
        b"<recording>" + b" " * LARGEST + b"</recording>",
        b'<?xml version="1.0" encoding="no-such"?><recording/>',
    ],
)
def test_a_hostile_or_broken_document_is_refused(document: bytes) -> None:
    with pytest.raises(MediaError):
        read_metadata(document)


def test_a_flood_of_participants_is_cut_off() -> None:
    many = b"".join(
        b'<participant participant_id="%d"/><stream stream_id="%d"><label>1</label></stream>' % (n, n) for n in range(500)
    )
    metadata = read_metadata(b"<recording>" + many + b"</recording>")

    assert len(metadata.participants) == len(metadata.labels) == MOST_OF_EACH


@given(st.binary(max_size=300), st.integers(0, 3000), st.integers(0, 40))
def test_any_document_is_read_or_refused(noise: bytes, place: int, cut: int) -> None:
    whole = METADATA.encode()
    damaged = whole[:place] + noise[:cut] + whole[place + cut :]
    for document in (noise, damaged):
        with contextlib.suppress(MediaError):
            merged(NOTHING, read_metadata(document))


_PERSON = st.builds(
    Participant, st.sampled_from("abc"), aor=st.sampled_from([None, "x", "y"]), sends=st.sampled_from([None, (), ("s",)])
)
_PEOPLE = st.lists(_PERSON, max_size=3).map(lambda people: {one.id: one for one in people})


@given(st.lists(st.builds(Metadata, complete=st.just(False), participants=_PEOPLE), max_size=5))
def test_what_is_known_of_somebody_is_never_forgotten_by_a_partial_document(news: list[Metadata]) -> None:
    known = NOTHING
    for document in news:
        before, known = known, merged(known, document)

        assert set(known.participants) == set(before.participants) | set(document.participants)
        assert all(known.participants[name].aor or not one.aor for name, one in before.participants.items())
