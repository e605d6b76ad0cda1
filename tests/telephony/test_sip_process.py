"""What becomes of calls when the SIP process dies, hangs, or can't start."""

from __future__ import annotations

import asyncio
import os
import signal
import socket

import pytest

from engine.core.errors import ConfigError
from engine.core.units import Seconds
from engine.telephony.leg import Gone
from engine.telephony.sip.outcomes import NotConnected
from engine.telephony.sip.settings import Trunk
from tests.telephony.sip_line import alive, comes_true, gone, is_loud, opened, speaks, until
from tests.telephony.sip_peer import HOST, PATIENCE, SipPeer, sip_peer


async def test_a_process_that_dies_loses_its_calls_and_comes_back_at_the_same_port() -> None:
    async with opened() as line, sip_peer(line.port) as first, sip_peer(line.port) as second:
        await first.call()
        leg = await line.leg()
        ringing = asyncio.create_task(line.gateway.dial(f"sip:1@{HOST}:{first.port}"))
        await first.asked("INVITE")
        dead = line.gateway.process.pid
        assert dead is not None
        os.kill(dead, signal.SIGKILL)
        lost = await gone(leg)
        with pytest.raises(NotConnected, match="lost"):
            await ringing
        await comes_true(lambda: line.gateway.process.pid not in {None, dead})
        async with asyncio.timeout(PATIENCE):
            while (answer := await _tries(second)) is None:
                pass

        assert lost == Gone("lost")
        assert answer == 200
        assert line.gateway.process.deaths == 1


async def _tries(peer: SipPeer) -> int | None:
    try:
        return (await asyncio.wait_for(peer.call(), 0.5)).status
    except TimeoutError:
        return None


async def test_trunks_are_registered_anew_by_the_next_process() -> None:
    async with sip_peer(0) as registrar:
        trunk = Trunk("main", "4000", f"{HOST}:{registrar.port}")
        async with opened(trunks=(trunk,)) as line:
            registrar.engine = line.port
            for _ in range(2):
                registrar.accept(await registrar.asked("REGISTER"))
                await comes_true(lambda: line.gateway.registered.get("main", False))
                assert line.gateway.process.pid is not None
                os.kill(line.gateway.process.pid, signal.SIGKILL)
                await comes_true(lambda: line.gateway.registered == {"main": False})

            assert line.gateway.process.deaths == 2


async def test_a_service_managers_signal_leaves_calls_to_the_engine() -> None:
    async with opened() as line, sip_peer(line.port) as peer:
        await peer.call()
        leg = await line.leg()
        pid = line.gateway.process.pid
        assert pid is not None
        os.kill(pid, signal.SIGTERM)
        speaking = asyncio.create_task(speaks(peer, 25))
        await until(leg, is_loud)
        await speaking

        assert line.gateway.process.pid == pid


async def test_a_process_that_hangs_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.telephony.apart.supervised.SILENT", Seconds(1.2))
    async with opened() as line:
        hung = line.gateway.process.pid
        assert hung is not None
        os.kill(hung, signal.SIGSTOP)
        await comes_true(lambda: line.gateway.process.deaths > 0)

        assert not alive(hung)


async def test_a_taken_port_is_the_operators_to_mend() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind((HOST, 0))
        port = taken.getsockname()[1]

        with pytest.raises(ConfigError, match=f"expected to listen on 127.0.0.1:{port}"):
            async with opened(port=port):
                pass


async def test_closing_hangs_up_on_everybody_and_leaves_no_process() -> None:
    async with opened() as line, sip_peer(line.port) as peer:
        await peer.call()
        leg = await line.leg()
        pid = line.gateway.process.pid
        closing = asyncio.create_task(line.gateway.process.close())
        peer.reply(await peer.asked("BYE"), "200 OK")
        await closing

        assert await gone(leg) == Gone("lost")
        assert not alive(pid)
