"""What doors share: how one is described, how an address is taken, figures, and the refusal to stand open to strangers."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass

from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from engine.config import ListeningDoor
from engine.core.errors import ConfigError
from engine.runtime.engine import Engine
from engine.telephony.apart.supervised import Supervised


@dataclass(frozen=True, slots=True)
class Door:
    """One that is open."""

    name: str
    address: str
    protection: str


def protection(setting: str, door: ListeningDoor) -> str:
    """Say what keeps strangers out.

    Raises:
        ConfigError: nothing does, beyond loopback, and the configuration does not say that this is meant.
    """
    if not door.loopback and not door.protections and door.unprotected is None:
        raise ConfigError(
            f"{setting}: expected a loopback address, found {door.host}: nothing protects this door. "
            f'Name its {_means(door)}; or, where the network around it is safe, say unprotected = "i know"'
        )
    nothing = "loopback only" if door.loopback else "none: the network around it"
    return ", ".join([*(door.protections or (nothing,)), *(["TLS"] if door.encrypted else [])])


def _means(door: ListeningDoor) -> str:
    return " or ".join(name for name in ("token_file", "tls_clients", "peers") if name in type(door).model_fields)


def bound(setting: str, host: str, port: int) -> socket.socket:
    """Take a TCP address.

    Raises:
        ConfigError: it is taken, or is none of this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise ConfigError(f"{setting}: expected to listen on {host}:{port}, found: {error.strerror}") from error
    return listening


@contextlib.contextmanager
def figures(engine: Engine, of: Collector) -> Iterator[None]:
    """Show figures of a door's own beside the engine's, while it is open."""
    engine.metrics.registry.register(of)
    try:
        yield
    finally:
        engine.metrics.registry.unregister(of)


class Deaths(Collector):
    """How often the process of a door has died, by a name of its own."""

    def __init__(self, name: str, process: Supervised) -> None:
        self._name, self._process = name, process

    def collect(self) -> Iterator[Metric]:
        """Read it."""
        yield CounterMetricFamily(self._name, "Deaths of the process that holds its connections", value=self._process.deaths)
