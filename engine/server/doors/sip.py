"""The door for SIP."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from pathlib import Path

import structlog
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from engine.config import SipDoor, TrunkSection
from engine.config.named_files import text_in
from engine.config.section import several
from engine.core.call import CallFacts
from engine.core.errors import ConfigError
from engine.core.units import Seconds
from engine.runtime.engine import Engine
from engine.server.doors.common import Deaths, Door, figures, protection
from engine.server.doors.tls import tls_of
from engine.telephony.handover import new_call_id
from engine.telephony.sip.addresses import number_in, user_in
from engine.telephony.sip.gateway import Admit, Gateway
from engine.telephony.sip.handed import Handing
from engine.telephony.sip.leg import SipLeg
from engine.telephony.sip.settings import FLOW_HEADER, SipSettings, Trunk
from engine.telephony.sip.wire import ComesIn

_log = structlog.get_logger(__name__)


@contextlib.asynccontextmanager
async def opened(engine: Engine, section: SipDoor) -> AsyncIterator[list[Door]]:
    """Open it; it is shut on the way out.

    Raises:
        ConfigError: the address is taken, is none, or nothing protects it.
    """
    protected = protection("doors.sip", section)

    def admit(call: ComesIn) -> CallFacts | None:
        facts = _facts(call, section.flows)
        if not engine.full and engine.live + lines.coming < engine.config.calls.max_calls:
            return facts
        _log.warning("call.refused", call=facts.id, live=engine.live)
        engine.metrics.refused(facts)
        return None

    async with gateway(section, admit, engine.take) as (lines, port):
        with (
            figures(engine, Deaths("callwright_sip_process_deaths", lines.process)),
            figures(engine, _Trunks(lines)),
            _outward(engine, lines),
        ):
            plain = [Door("sip", f"sip:{section.host}:{port}", protected)] if section.transports else []
            tls = [Door("sips", f"sips:{section.host}:{port + 1}", protected)] if section.tls_certificate else []
            yield [*plain, *tls]


@contextlib.asynccontextmanager
async def gateway(
    section: SipDoor, admit: Admit, on_leg: Callable[[SipLeg], Awaitable[object]]
) -> AsyncIterator[tuple[Gateway, int]]:
    """Open the gateway alone; it, and its port.

    Raises:
        ConfigError: the address is taken or is none, or a file is missing.
    """
    handing = Handing({name: several(found) for name, found in section.destinations.items()}, section.screen)
    lines = Gateway(_settings(section), admit, on_leg, handing, in_band_keys=section.in_band_keys)
    try:
        port = await lines.open()
    except ConfigError as error:
        raise ConfigError(f"doors.sip: {error}") from error
    try:
        yield lines, port
    finally:
        await lines.close()


@contextlib.contextmanager
def _outward(engine: Engine, lines: Gateway) -> Iterator[None]:
    """Let the engine call people through this door while it is open."""
    engine.outward = lines
    try:
        yield
    finally:
        engine.outward = None


class _Trunks(Collector):
    """Which are registered."""

    def __init__(self, lines: Gateway) -> None:
        self._lines = lines

    def collect(self) -> Iterator[Metric]:
        """Read it."""
        trunks = GaugeMetricFamily("callwright_sip_trunk_registered", "Whether a trunk is registered", labels=["trunk"])
        for trunk, registered in self._lines.registered.items():
            trunks.add_metric([trunk], registered)
        yield trunks


def _facts(call: ComesIn, flows: Mapping[str, str]) -> CallFacts:
    called = user_in(call.called)
    return CallFacts(
        id=new_call_id(call.call_id),
        door="sip",
        caller_number=number_in(call.headers.get("P-Asserted-Identity", "")) or number_in(call.peer),
        called_number=number_in(call.called),
        peer_id=call.call_id,
        flow=call.headers.get(FLOW_HEADER) or flows.get(called),
    )


def _settings(section: SipDoor) -> SipSettings:
    tls_of("doors.sip", section)  # the stack tells less of what is wrong with them
    return SipSettings(
        host=section.host,
        port=section.port,
        transports=(*section.transports, *(["tls"] if section.tls_certificate else [])),
        peers=tuple(map(str, section.peers)),
        codecs=section.codecs,
        rtp_ports=section.rtp_ports,
        rtp_timeout=Seconds(section.rtp_timeout),
        srtp=section.srtp,
        certificate=_joined(tls_certificate=section.tls_certificate, tls_key=section.tls_key),
        authorities=_joined(tls_clients=section.tls_clients, tls_servers=section.tls_servers),
        verify_peers=section.tls_clients is not None,
        trunks=tuple(trunk(number, it) for number, it in enumerate(section.trunks)),
    )


def trunk(number: int, section: TrunkSection) -> Trunk:
    """One of the configured accounts, its password read.

    Raises:
        ConfigError: the password's file can't be read.
    """
    password = section.password_file and text_in(f"doors.sip.trunks.{number}.password_file", section.password_file)
    return Trunk(
        name=section.name,
        user=section.user,
        domain=section.domain,
        password=password or "",
        auth_user=section.auth_user,
        proxy=section.proxy,
        transport=section.transport,
        expires=section.register_every,
    )


def _joined(**files: Path | None) -> str | None:
    """The contents of PEM files as one: the stack wants certificate and key together."""
    return "\n".join(text_in(f"doors.sip.{name}", file) + "\n" for name, file in files.items() if file is not None) or None
