"""SIP over real sockets: calls that come in, calls that we make, keys, transfers, trunks."""

from __future__ import annotations

import asyncio
import re
import time

import numpy as np
import pytest

from engine.audio.g711 import Law, decode
from engine.core.audio import AudioFrame
from engine.core.call import Direction
from engine.core.units import Seconds
from engine.runtime.mouth import Mouth
from engine.telephony.leg import Gone, Key, Sound
from engine.telephony.sip.handed import Handing
from engine.telephony.sip.outcomes import NotConnected, Outcome
from engine.telephony.sip.settings import Trunk
from tests.telephony.sip_line import (
    LOUD,
    comes_true,
    gone,
    heard_by,
    hears,
    is_loud,
    is_loud_sound,
    opened,
    packets_of,
    speaks,
    until,
)
from tests.telephony.sip_peer import HOST, PATIENCE, digest, options, sip_peer

# Calls that come in


async def test_a_call_is_answered_and_both_hear_each_other() -> None:
    async with opened() as line, sip_peer(line.port) as peer:
        answer = await peer.call(more="P-Asserted-Identity: <sip:+4930999@pbx>\r\nX-Callwright-Flow: cards\r\n")
        leg = await line.leg()
        speaking = asyncio.create_task(speaks(peer, 30))
        await until(leg, is_loud)
        for _ in range(10):
            await leg.send(AudioFrame(decode(LOUD, Law.ALAW)))
        await hears(peer, is_loud_sound)
        await speaking
        told = line.came.get_nowait()

        assert answer.status == 200
        assert "m=audio" in answer.body
        assert told.headers == {"P-Asserted-Identity": "<sip:+4930999@pbx>", "X-Callwright-Flow": "cards"}
        assert told.called == "<sip:1234@127.0.0.1>"


async def test_sound_uses_the_ports_that_the_firewall_knows() -> None:
    async with opened(rtp_ports=(61_000, 61_019)) as line, sip_peer(line.port) as peer:
        answer = await peer.call()

        assert 61_000 <= answer.rtp[1] <= 61_019


async def test_wideband_is_taken_where_the_caller_offers_nothing_else() -> None:
    async with opened() as line, sip_peer(line.port) as peer:
        answer = await peer.call(formats="9 101")
        leg = await line.leg()
        for _ in range(10):
            await leg.send(AudioFrame(decode(LOUD, Law.ALAW)))
        await comes_true(lambda: any(packet[1] & 0x7F == 9 and len(packet) == 12 + 160 for packet in packets_of(peer)))
        for _ in range(10):
            peer.speak(bytes(160), kind=9)
            await asyncio.sleep(0.02)
        sound = await until(leg, lambda incoming: isinstance(incoming, Sound) and not incoming.filled)

        assert "a=rtpmap:9 G722/8000" in answer.body
        assert len(sound.frame.samples) == 160  # 8 kHz inside


async def test_tcp_is_spoken_too() -> None:
    async with opened() as line:
        reader, writer = await asyncio.open_connection(HOST, line.port)
        writer.write(options("TCP"))
        answer = await asyncio.wait_for(reader.readline(), PATIENCE)
        writer.close()

        assert answer == b"SIP/2.0 200 OK\r\n"


async def test_nothing_is_asked_of_the_caller_that_it_did_not_ask_for() -> None:
    async with opened() as line, sip_peer(line.port) as peer:
        await peer.call()
        await line.leg()
        await asyncio.sleep(0.4)  # the surplus re-INVITE would come after 100 ms
        await peer.hang_up()

        assert [said.start for said in peer.unread if not said.start.startswith("SIP/2.0")] == []


async def test_a_caller_who_hangs_up_and_an_engine_that_does_both_end_the_call() -> None:
    async with opened() as line, sip_peer(line.port) as first, sip_peer(line.port) as second:
        await first.call()
        left = await line.leg()
        await first.hang_up()
        await second.call()
        kept = await line.leg()
        await kept.hang_up()
        second.reply(await second.asked("BYE"), "200 OK")

        assert await gone(left) == Gone("hung_up")
        assert await gone(kept) == Gone("ended")


async def test_the_offer_may_come_late() -> None:
    async with opened() as line, sip_peer(line.port) as peer:
        answer = await peer.call(offer=False)
        leg = await line.leg()
        speaking = asyncio.create_task(speaks(peer, 20))
        await until(leg, is_loud)
        await speaking

        assert "a=rtpmap:8 PCMA/8000" in answer.body


async def test_a_caller_may_hold_the_line_and_come_back() -> None:
    async with opened() as line, sip_peer(line.port) as peer:
        await peer.call()
        leg = await line.leg()
        directions = []
        for direction in ("sendonly", "sendrecv"):
            peer.send("INVITE", peer.sdp(direction=direction))
            answer = await peer.final()
            peer.send("ACK")
            directions += re.findall(r"a=(sendrecv|recvonly|sendonly|inactive)", answer.body)
            peer.media = answer.rtp
        speaking = asyncio.create_task(speaks(peer, 30))
        await until(leg, is_loud)
        await speaking

        assert directions == ["recvonly", "sendrecv"]


async def test_video_is_declined_and_the_sound_stays() -> None:
    async with opened() as line, sip_peer(line.port) as peer:
        answer = await peer.call(media="m=video 40000 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\n")

        assert answer.status == 200
        assert "m=video 0 " in answer.body


async def test_who_has_no_codec_of_ours_is_told_so() -> None:
    async with opened(codecs=("pcma",)) as line, sip_peer(line.port) as peer:
        answer = await peer.call(formats="0")

        assert answer.status == 488
        assert line.came.empty()


async def test_options_are_answered_whoever_is_asked_for() -> None:
    async with opened() as line, sip_peer(line.port) as peer:
        peer.send("OPTIONS", user="anybody")

        assert (await peer.final()).status == 200


async def test_a_full_engine_is_busy_and_live_calls_go_on() -> None:
    async with opened() as line, sip_peer(line.port) as first, sip_peer(line.port) as second:
        await first.call()
        leg = await line.leg()
        line.full = True
        refused = await second.call()
        speaking = asyncio.create_task(speaks(first, 20))
        await until(leg, is_loud)
        await speaking

        assert refused.status == 486
        assert line.gateway.live == 1


async def test_an_engine_that_does_not_decide_in_time_is_busy() -> None:
    async with opened(decided_within=Seconds(0.2)) as line, sip_peer(line.port) as peer:
        line.gateway._decide = lambda number, call: None  # type: ignore[method-assign]

        assert (await peer.call()).status == 486


async def test_a_caller_who_gives_up_before_the_answer_leaves_nothing() -> None:
    async with opened() as line, sip_peer(line.port) as peer:
        line.gateway._decide = lambda number, call: line.came.put_nowait(call)  # type: ignore[method-assign]
        peer.send("INVITE", peer.sdp())
        await asyncio.wait_for(line.came.get(), PATIENCE)
        peer.cancel()

        assert (await peer.final()).status == 487
        assert line.gateway.live == 0


# Keys


async def test_keys_come_by_rtp_and_by_info_and_a_press_told_twice_counts_once() -> None:
    async with opened() as line, sip_peer(line.port) as peer:
        await peer.call()
        leg = await line.leg()
        await peer.press(1)
        peer.send("INFO", "Signal=2\r\nDuration=100\r\n", kind="application/dtmf-relay")
        await peer.final()
        pressing = asyncio.create_task(peer.press(3))
        await asyncio.sleep(0.05)
        peer.send("INFO", "Signal=3\r\nDuration=100\r\n", kind="application/dtmf-relay")
        await peer.final()
        await pressing
        await asyncio.sleep(0.15)
        await peer.press(11)
        keys = []
        while not keys or keys[-1] != ord("#"):
            keys.append((await until(leg, lambda incoming: isinstance(incoming, Key))).code)

        assert bytes(keys) == b"123#"


async def test_no_key_and_no_number_is_in_what_is_logged(capfd: pytest.CaptureFixture[str]) -> None:
    async with opened() as line, sip_peer(line.port) as peer:
        await peer.call()
        leg = await line.leg()
        for event in (4, 5, 3, 9):
            await peer.press(event)
            await until(leg, lambda incoming: isinstance(incoming, Key))
        peer.send("INFO", "Signal=4539\r\nDuration=junk\r\n", kind="application/dtmf-relay")
        await peer.final()
        peer.send("INFO", "4539", kind="application/dtmf")
        await peer.final()
        await peer.hang_up()
        await gone(leg)
    written = "".join(capfd.readouterr())

    assert "4539" not in written
    assert "30123456" not in written


# What the caller hears


async def test_a_flush_empties_what_lies_ahead_and_what_is_said_next_is_heard_whole() -> None:
    async with opened() as line, sip_peer(line.port) as peer:
        await peer.call()
        leg = await line.leg()
        steady = AudioFrame(np.full(160, 8_031, np.int16))
        for _ in range(50):
            await leg.send(AudioFrame(decode(LOUD, Law.ALAW)))
        await hears(peer, is_loud_sound)
        await leg.flush()
        for _ in range(10):
            await leg.send(steady)
        await asyncio.sleep(0.5)
        sound = heard_by(peer)
        told = np.flatnonzero(np.abs(sound.astype(int) - 8_031) < 300)
        before = sound[: told[0]] if len(told) else sound

        assert np.count_nonzero(np.convolve(np.abs(sound.astype(int) - 8_031) < 300, np.ones(160), "valid") == 160) >= 1_400
        assert np.count_nonzero(np.abs(before) > 100) <= 6 * 160  # what was on its way; a second was thrown away


async def test_a_stall_of_the_engines_loop_makes_no_hole_in_what_the_caller_hears() -> None:
    async with opened() as line, sip_peer(line.port) as peer:
        await peer.call()
        leg = await line.leg()
        mouth, stalled = Mouth(leg.lead), 0
        for place in range(120):
            sound = await until(leg, lambda incoming: isinstance(incoming, Sound))
            if place == 0:
                mouth.start(1, AudioFrame(np.tile(decode(LOUD, Law.ALAW), 100)), sound.frame.end_s, barge_in=True)
            for frame in mouth.due(sound.frame.end_s):
                await leg.send(frame)
            if place in {30, 60, 90}:
                time.sleep(0.15)  # noqa: ASYNC251 -- that is the stall
                stalled += 1
        loud = [is_loud_sound(decode(packet[12:], Law.ALAW)) for packet in packets_of(peer)]
        heard = loud[loud.index(True) : len(loud) - loud[::-1].index(True)]

        assert stalled == 3
        assert len(heard) > 80
        assert all(heard)


# Transfers


async def test_a_blind_transfer_arrives_with_what_is_known() -> None:
    handing = Handing({"cards": ("sip:cards@127.0.0.1:9",)}, "https://screens.example/{call}")
    async with opened(handing) as line, sip_peer(line.port) as peer:
        await peer.call()
        leg = await line.leg()
        transfer = asyncio.create_task(leg.transfer("cards", {"intent": "card_block", "last_words": "I lost 4000"}))
        refer = await peer.asked("REFER")
        peer.reply(refer, "202 Accepted")
        peer.notify("SIP/2.0 200 OK")
        await peer.final()
        peer.reply(await peer.asked("BYE"), "200 OK")
        await transfer

        assert refer.headers["refer-to"].startswith("<sip:cards@127.0.0.1:9?X-Callwright-Call=")
        assert "X-Callwright-Intent=card_block&" in refer.headers["refer-to"]
        assert "X-Callwright-Last-Words=I%20lost%20%E2%80%A2&" in refer.headers["refer-to"]
        assert await gone(leg) == Gone("transferred")


async def test_a_transfer_that_is_declined_is_tried_at_the_next_address() -> None:
    handing = Handing({"cards": ("sip:first@127.0.0.1:9", "sip:second@127.0.0.1:9")})
    async with opened(handing) as line, sip_peer(line.port) as peer:
        await peer.call()
        leg = await line.leg()
        transfer = asyncio.create_task(leg.transfer("cards", {}))
        targets = []
        for _ in range(2):
            refer = await peer.asked("REFER")
            targets.append(refer.headers["refer-to"].partition("?")[0])
            peer.reply(refer, "603 Decline")
        taken = await transfer
        await leg.hang_up()
        peer.reply(await peer.asked("BYE"), "200 OK")

        assert not taken
        assert targets == ["<sip:first@127.0.0.1:9", "<sip:second@127.0.0.1:9"]
        assert await gone(leg) == Gone("ended")


async def test_nobody_can_make_us_call_somewhere_else() -> None:
    async with opened() as line, sip_peer(line.port) as peer:
        await peer.call()
        await line.leg()
        peer.send("REFER", more=f"Refer-To: <sip:premium@{HOST}:{peer.port}>\r\n")
        answer = await peer.final()
        await asyncio.sleep(0.2)

        assert answer.status >= 200
        assert not any(said.start.startswith("INVITE") for said in peer.unread)
        assert line.gateway.live == 1


async def test_a_line_without_a_packet_is_lost() -> None:
    async with opened(rtp_timeout=Seconds(1.0)) as line, sip_peer(line.port) as peer:
        await peer.call()
        leg = await line.leg()

        assert await gone(leg) == Gone("lost")
        assert (await peer.asked("BYE")).method == "BYE"


# Calls that we make


async def test_a_call_that_we_make_is_answered_and_both_hear_each_other() -> None:
    async with opened() as line, sip_peer(line.port) as peer:
        dialling = asyncio.create_task(line.gateway.dial(f"sip:+4930777@{HOST}:{peer.port}", headers={"X-Campaign": "spring"}))
        invite = await peer.asked("INVITE")
        peer.reply(invite, "180 Ringing")
        peer.answer(invite)
        leg = await dialling
        await peer.asked("ACK")
        speaking = asyncio.create_task(speaks(peer, 30))
        await until(leg, is_loud)
        await speaking
        await leg.hang_up()
        peer.reply(await peer.asked("BYE"), "200 OK")

        assert (leg.facts.direction, leg.facts.called_number) == (Direction.OUTBOUND, "+4930777")
        assert invite.headers["x-campaign"] == "spring"
        assert "m=video" not in invite.body
        assert await gone(leg) == Gone("ended")


@pytest.mark.parametrize(
    ("status", "outcome"),
    [("486 Busy Here", Outcome.BUSY), ("603 Decline", Outcome.DECLINED), ("404 Not Found", Outcome.NOT_FOUND), ("503 Full", Outcome.OVERLOADED)],
)  # fmt: skip
async def test_a_call_that_is_not_taken_says_why(status: str, outcome: Outcome) -> None:
    async with opened() as line, sip_peer(line.port) as peer:
        dialling = asyncio.create_task(line.gateway.dial(f"sip:1@{HOST}:{peer.port}"))
        peer.reply(await peer.asked("INVITE"), status)
        with pytest.raises(NotConnected) as failed:
            await dialling

        assert failed.value.outcome is outcome
        assert failed.value.status == int(status[:3])
        assert line.gateway.live == 0


@pytest.mark.parametrize("rings", [["180 Ringing"], []])
async def test_a_call_that_fails_is_known_to_have_rung_or_not(rings: list[str]) -> None:
    async with opened() as line, sip_peer(line.port) as peer:
        dialling = asyncio.create_task(line.gateway.dial(f"sip:1@{HOST}:{peer.port}"))
        invite = await peer.asked("INVITE")
        for status in [*rings, "503 Full"]:
            peer.reply(invite, status)
        with pytest.raises(NotConnected) as failed:
            await dialling

        assert (failed.value.status, failed.value.rang) == (503, bool(rings))


async def test_nobody_at_home_is_no_answer_and_the_ringing_stops() -> None:
    async with opened() as line, sip_peer(line.port) as peer:
        dialling = asyncio.create_task(line.gateway.dial(f"sip:1@{HOST}:{peer.port}", within=Seconds(0.5)))
        peer.reply(await peer.asked("INVITE"), "180 Ringing")
        with pytest.raises(NotConnected) as failed:
            await dialling
        cancelled = await peer.asked("CANCEL")

        assert failed.value.outcome is Outcome.NO_ANSWER
        assert cancelled.headers["cseq"].endswith("CANCEL")


async def test_an_address_that_makes_no_sense_reaches_nobody() -> None:
    async with opened() as line:
        with pytest.raises(NotConnected) as failed:
            await line.gateway.dial("sip:1@999.999.999.999:0")

        assert failed.value.outcome is Outcome.UNREACHABLE


# Trunks


async def test_a_trunk_registers_with_its_password_and_takes_calls() -> None:
    async with sip_peer(0) as peer:
        trunk = Trunk("main", "4000", f"{HOST}:{peer.port}", password="s3cret pass", auth_user="acct")
        async with opened(trunks=(trunk,)) as line:
            peer.engine = line.port
            peer.reply(
                await peer.asked("REGISTER"),
                "401 Unauthorized",
                contact=False,
                more='WWW-Authenticate: Digest realm="bank", nonce="n1"\r\n',
            )
            again = await peer.asked("REGISTER")
            proof = digest(again, "acct", "s3cret pass", re.findall(r'uri="([^"]+)"', again.headers["authorization"])[0])
            peer.accept(again)
            user = re.findall(r"sip:([^@]+)@", again.headers["contact"])[0]
            answer = await peer.call(user=user)

            assert line.gateway.registered == {"main": True}
            assert f'response="{proof}"' in again.headers["authorization"]
            assert answer.status == 200
