"""What the house keeps and has yet to do, for ``/metrics``: read from the database when somebody asks, and not while calls go on.

Where the database can't be read, its figures are left out, and ``callwright_ready`` tells why. Labels are states, and names from
the configuration.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import structlog
from prometheus_client import Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector, CollectorRegistry
from sqlalchemy import Engine as Database
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import InstrumentedAttribute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.outbound.campaign import CampaignState
from engine.outbound.contacts import ContactState
from engine.qa.ledger import State
from engine.runtime.engine import Engine
from engine.store.access_models import AuditHeadRow
from engine.store.outbound_models import CampaignRow, ContactRow
from engine.store.outbox import Outbox
from engine.store.quality_models import RecordingRow

_log = structlog.get_logger(__name__)
_COUNTED: Mapping[str, tuple[str, InstrumentedAttribute[str], Iterable[str]]] = {
    "callwright_recordings": ("Recordings in the ledger of quality control", RecordingRow.state, State),
    "callwright_campaigns": ("Campaigns", CampaignRow.state, CampaignState),
    "callwright_contacts": ("Contacts of all campaigns", ContactRow.state, ContactState),
}
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class HouseGauges(Collector):
    """Those of one engine and its database."""

    def __init__(self, engine: Engine, database: Database) -> None:
        self._engine, self._database = engine, database

    def collect(self) -> Iterator[Metric]:
        """Read them."""
        ready = GaugeMetricFamily("callwright_ready", "Parts that must be right before a call is taken: 1 = is", labels=["part"])
        for part, right in self._engine.ready.items():
            ready.add_metric([part], float(right))
        yield ready
        yield GaugeMetricFamily("callwright_calls_most", "Calls that are carried at a time", self._engine.config.calls.max_calls)
        yield _free({"quality": self._engine.config.qa.folder, "recordings": self._engine.config.store.recordings})
        try:
            yield from list(self._kept())
        except SQLAlchemyError as error:
            _log.warning("metrics.database", error=type(error).__name__)

    def _kept(self) -> Iterator[Metric]:
        with self._database.connect() as connection:
            for name, (about, column, states) in _COUNTED.items():
                rows = connection.execute(select(column, func.count().label("number")).group_by(column))
                found = {row[0]: row.number for row in rows}
                family = GaugeMetricFamily(name, about, labels=["state"])
                for state in states:
                    family.add_metric([str(state)], found.get(str(state), 0))
                yield family
            head = connection.scalar(select(func.max(AuditHeadRow.number))) or 0
            yield GaugeMetricFamily("callwright_audit_head", "Number of the audit chain's last row", head)
        waiting = GaugeMetricFamily("callwright_webhooks", "Messages to the bank's systems", labels=["receiver", "state"])
        for receiver in Outbox(self._database).standing():
            for state, number in receiver.states.items():
                waiting.add_metric([receiver.name, state], number)
        yield waiting


class Counted:
    """An ASGI application whose requests are counted, by the path that is declared and not by what was asked."""

    def __init__(self, app: ASGIApp, registry: CollectorRegistry) -> None:
        self._app = app
        labels = ["method", "path"]
        self._requests = Counter("callwright_api_requests", "Requests to the API", [*labels, "status"], registry=registry)
        self._seconds = Histogram("callwright_api_seconds", "How long they took", labels, buckets=_SECONDS, registry=registry)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand it on."""
        status = 500

        async def answered(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        try:
            await self._app(scope, receive, answered)
        finally:
            path = getattr(scope.get("route"), "path", "none")
            self._requests.labels(scope["method"], path, status).inc()
            self._seconds.labels(scope["method"], path).observe(time.perf_counter() - began)


def _free(folders: Mapping[str, Path | None]) -> Metric:
    family = GaugeMetricFamily("callwright_disk_free_bytes", "Room where it is kept", labels=["folder"])
    for name, folder in folders.items():
        if folder is not None and folder.exists():
            family.add_metric([name], shutil.disk_usage(folder).free)
    return family
