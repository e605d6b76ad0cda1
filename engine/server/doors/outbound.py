"""The way out: calls that we make for campaigns, over one of the doors."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from engine.config.outbound import OutboundSection
from engine.outbound.breaker import Circuit
from engine.runtime.engine import Engine
from engine.runtime.outbound.dialler import Dialler
from engine.runtime.outbound.service import dialling
from engine.server.doors.common import Door


@contextlib.asynccontextmanager
async def opened(engine: Engine, section: OutboundSection) -> AsyncIterator[Door]:
    """Dial the campaigns that run; no new call is begun on the way out.

    Raises:
        ConfigError: the door that carries the calls is not open.
    """
    async with dialling(engine, section) as dialler:
        figures = _Figures(dialler, section.carrier)
        engine.metrics.registry.register(figures)
        try:
            yield Door("outbound", f"{section.carrier}, {section.lines} lines", "campaigns that were started")
        finally:
            engine.metrics.registry.unregister(figures)


class _Figures(Collector):
    def __init__(self, dialler: Dialler[Any], carrier: str) -> None:
        self._dialling, self._carrier = dialler.dialling, carrier

    def collect(self) -> Iterator[Metric]:
        """Read them."""
        live = GaugeMetricFamily("callwright_outbound_calls_live", "Calls that are being made or go on", labels=["carrier"])
        live.add_metric([self._carrier], self._dialling.live)
        yield live
        breaker = GaugeMetricFamily(
            "callwright_outbound_breaker", "0 = closed, 0.5 = one call probes, 1 = open: nothing is dialled", labels=["carrier"]
        )
        breaker.add_metric([self._carrier], _OPEN[self._dialling.breaker.circuit])
        yield breaker


_OPEN = {Circuit.CLOSED: 0.0, Circuit.HALF_OPEN: 0.5, Circuit.OPEN: 1.0}
