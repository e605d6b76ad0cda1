"""The SIP door: what the configuration says becomes what the network sees."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import generate_latest
from pydantic import ValidationError

from engine.config import DoorsSection, HttpDoor, SipDoor, TrunkSection
from engine.core.call import CallFacts
from engine.core.errors import ConfigError
from engine.core.units import Language
from engine.runtime.watch import Watch
from engine.telephony.leg import Leg
from tests.server.doubles import EchoEngine, opened
from tests.telephony.sip_line import LOUD, NEXT_RTP, comes_true, heard_by, is_loud_sound, needs_the_stack
from tests.telephony.sip_peer import sip_peer


class SipEngine(EchoEngine):
    """The echo, behind a SIP door alone."""

    def __init__(self, **section: Any) -> None:
        super().__init__()
        needs_the_stack()
        start = next(NEXT_RTP)
        door = SipDoor(**{"port": 0, "rtp_ports": (start, start + 99), **section})
        doors = DoorsSection(http=HttpDoor(port=0), audiosocket=None, sip=door)
        self.config = self.config.model_copy(update={"doors": doors})
        self.live = 0
        self.facts: list[CallFacts] = []

    async def take(self, leg: Leg, language: Language | None = None, watch: Watch | None = None) -> str:
        self.facts.append(leg.facts)
        return await super().take(leg, language, watch)


def _port(doors: dict[str, str]) -> int:
    return int(doors["sip"].rpartition(":")[2])


async def test_a_caller_hears_the_engine_and_the_engine_knows_who_calls() -> None:
    engine = SipEngine(flows={"1234": "cards"})
    async with opened(engine) as doors, sip_peer(_port(doors)) as peer:
        await peer.call()
        for place in range(25):
            peer.speak(LOUD, mark=place == 0)
            await asyncio.sleep(0.02)
        await comes_true(lambda: is_loud_sound(heard_by(peer)))
        await peer.hang_up()
        facts = engine.facts[0]

        assert (facts.door, facts.caller_number, facts.flow) == ("sip", "+4930123456", "cards")
        assert facts.peer_id == peer.call_id


async def test_the_caller_may_ask_for_a_flow() -> None:
    engine = SipEngine(flows={"1234": "cards"})
    async with opened(engine) as doors, sip_peer(_port(doors)) as peer:
        await peer.call(more="X-Callwright-Flow: loans\r\n")
        await comes_true(lambda: bool(engine.facts))
        await peer.hang_up()

        assert engine.facts[0].flow == "loans"


async def test_a_full_engine_is_busy_and_says_so_in_its_figures() -> None:
    engine = SipEngine()
    engine.full = True
    async with opened(engine) as doors, sip_peer(_port(doors)) as peer:
        answer = await peer.call()
        figures = generate_latest(engine.metrics.registry).decode()

        assert answer.status == 486
        assert 'callwright_calls_refused_total{door="sip"} 1.0' in figures
        assert "callwright_sip_process_deaths_total 0.0" in figures


async def test_the_figures_go_when_the_door_shuts() -> None:
    engine = SipEngine()
    for _ in range(2):
        async with opened(engine):
            pass

    assert "sip_process" not in generate_latest(engine.metrics.registry).decode()


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({"host": "10.255.255.1", "peers": ["10.0.0.0/8"]}, "expected to listen on 10.255.255.1 at a free"),
        ({"host": "10.255.255.1", "port": 5060, "peers": ["10.0.0.0/8"]}, "expected to listen on 10.255.255.1:5060"),
        ({"host": "192.0.2.1"}, "nothing protects this door"),
        ({"trunks": [TrunkSection(name="a", user="u", domain="d", password_file=Path("/nowhere"))]}, "expected a readable file at /nowhere"),
        ({"trunks": [TrunkSection(name="a", user="u@v", domain="d")]}, "user contains '@'"),
        ({"tls_certificate": "/nowhere.pem", "tls_key": "/nowhere.key"}, "expected a readable file at /nowhere.pem"),
    ],
)  # fmt: skip
async def test_what_can_t_be_opened_is_the_operators_to_mend(section: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        async with opened(SipEngine(**section)):
            pass


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({"tls_certificate": "a.pem"}, "tls_certificate and tls_key together"),
        ({"transports": []}, "expected a transport, or tls_certificate"),
        ({"rtp_ports": [30_000, 20_000]}, "expected rtp_ports to be a range"),
        ({"host": "pbx.example"}, "does not appear to be an IPv4 or IPv6 address"),
        ({"codecs": []}, "at least 1 item"),
        ({"trunks": [{"name": "a", "user": "u", "domain": "d"}] * 2}, "a name of its own for each trunk"),
        ({"codecs": ["opus"]}, "Input should be 'pcma', 'pcmu' or 'g722'"),
    ],
)
def test_settings_that_make_no_sense_are_refused(section: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        SipDoor(**section)


def test_only_client_certificates_on_tls_alone_protect_without_peers() -> None:
    tls: dict[str, Any] = {"tls_certificate": "c", "tls_key": "k", "tls_clients": "ca"}

    assert SipDoor(**tls).protections == ()
    assert SipDoor(transports=[], **tls).protections == ("client certificates",)
    assert SipDoor(peers=["10.0.0.0/8"], **tls).protections == ("peers 10.0.0.0/8",)
