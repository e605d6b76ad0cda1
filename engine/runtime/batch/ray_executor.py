"""The executor of many machines: actors of a Ray cluster, each with its own models.

The only file that knows Ray. Ray starts actors and tells when one dies; everything else is the crew's (:mod:`.crew`), so that a
worker of Ray's is lost, replaced and given up exactly as a process of this machine is. Rules:

* a call is never tried again by Ray (``max_restarts`` and ``max_task_retries`` are 0): the ledger alone decides that;
* an actor that finds no machine with room waits for one; it loads its models where it finds one;
* recordings and results are files in folders that every machine sees under the same path;
* nothing goes out: no usage statistics, no dashboard; without an address a Ray of our own is started on the loopback, and no
  other cluster is ever joined, whatever the environment says.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from importlib.util import find_spec
from ipaddress import ip_address
from typing import Any, Self

from engine.core.errors import ConfigError, EngineError, ProtocolError
from engine.core.units import Seconds
from engine.runtime.batch.crew import ALONE, GENEROUS, CannotStart, Crew, Gone, News, Patience, Together
from engine.runtime.batch.local_worker import heard
from engine.runtime.batch.work import Hearer, HearerLoader, Outcome, Work
from engine.runtime.worker import Ready

_NICE = 10
_FETCHING = Seconds(60.0)  # for a transcript that lies on another machine
_SHARED_BYTES = 100 << 20  # of Ray's object store on this machine; a transcript is kilobytes
_QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "token", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
_MACHINE_WENT = ("node has died", "actor's node was")  # in Ray's sentences
_LOOPBACK = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}  # its name for: every door of this machine's Ray is on the loopback


class RayExecutor(Crew):
    """Actors, at most ``workers`` of them, each with one processor to itself.

    ``address`` is the cluster's, ``host:port``; ``None``: a Ray of our own on this machine, which ends with the context.

    Raises:
        ConfigError: Ray is not installed, or ``address`` is none.
    """

    def __init__(
        self,
        loader: HearerLoader,
        workers: int,
        address: str | None = None,
        patience: Patience = GENEROUS,
        together: Together = ALONE,
    ) -> None:
        super().__init__(RayActors(loader, workers, _checked(address)), workers, patience, together)


class Listener:
    """The actor: holds the hearer."""

    def __init__(self) -> None:
        os.nice(_NICE)

    def place(self) -> None:
        """Say that there is a machine for it."""

    def load(self, loader: HearerLoader) -> Ready | CannotStart:
        """Load the models."""
        try:
            self._hearer: Hearer = loader()
        except EngineError as error:
            return CannotStart(f"{error.code}: {error}")
        return Ready(os.getpid())

    def hear(self, works: Sequence[Work]) -> list[Outcome]:
        """Hear recordings."""
        return list(heard(self._hearer, works))


class RayWorker:
    """An actor, as the run sees it."""

    resident_bytes = 0  # Ray's own monitor watches it

    def __init__(self, actors: RayActors) -> None:
        self._actors = actors
        self._actor = actors.remote_class.remote()
        self.placed = False
        actors.awaits(self._actor.place.remote(), self)

    @property
    def name(self) -> str:
        """For the log."""
        return str(self._actor)

    def load(self, loader: HearerLoader) -> None:
        """Once it has found its machine."""
        self.placed = True
        self._actors.awaits(self._actor.load.remote(loader), self)

    def give(self, works: Sequence[Work]) -> None:
        """Hand it the next recordings; only while it is free."""
        self._actors.awaits(self._actor.hear.remote(works), self)

    def kill(self) -> None:
        """End it; its end will be news."""
        self._actors.ray.kill(self._actor)

    def close(self) -> None:
        """End it, and forget it."""
        self._actors.forget(self)
        self.kill()


class RayActors:
    """The workforce of a cluster."""

    def __init__(self, loader: HearerLoader, most: int, address: str | None) -> None:
        self._loader, self._most, self._address = loader, most, address
        self._awaited: dict[Any, RayWorker] = {}

    def __enter__(self) -> Self:
        self.ray = _ray(self._address)
        if self.ray.is_initialized():
            raise ProtocolError("expected a process without a Ray session, found one")
        alone: dict[str, Any] = {"num_cpus": self._most, "include_dashboard": False, "object_store_memory": _SHARED_BYTES}
        here = alone if self._address is None else {}
        try:
            self.ray.init(self._address or "local", log_to_driver=False, configure_logging=False, **here)
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise ConfigError(f"expected a Ray cluster at {self._address or 'this machine'}, found: {error}") from error
        self.remote_class = self.ray.remote(num_cpus=1, max_restarts=0, max_task_retries=0)(Listener)
        return self

    def __exit__(self, *_: object) -> None:
        self._awaited.clear()
        self.ray.shutdown()

    def hire(self) -> RayWorker:
        """Start one, or have it wait for a machine."""
        return RayWorker(self)

    def awaits(self, answer: Any, worker: RayWorker) -> None:
        """A worker has been asked something."""
        self._awaited[answer] = worker

    def forget(self, worker: RayWorker) -> None:
        """Whatever it still says, nobody hears."""
        self._awaited = {answer: asked for answer, asked in self._awaited.items() if asked is not worker}

    def news(self, wait: Seconds) -> Sequence[tuple[RayWorker, News]]:
        """All that the workers have said by now; waits for the first of it, but not for long."""
        if not self._awaited:
            time.sleep(wait)
            return []
        self.ray.wait(list(self._awaited), num_returns=1, timeout=wait)
        answers, _ = self.ray.wait(list(self._awaited), num_returns=len(self._awaited), timeout=0)
        said = [(worker := self._awaited.pop(answer), self._news(answer, worker)) for answer in answers]
        return [(worker, news) for worker, several in said for news in several]

    def _news(self, answer: Any, worker: RayWorker) -> Sequence[News]:
        try:
            said: list[Outcome] | Ready | CannotStart | None = self.ray.get(answer, timeout=_FETCHING)
        except self.ray.exceptions.RayTaskError as error:  # the message may hold what somebody said
            return [Gone(f"broke on it: {type(error.cause).__name__}")]
        except self.ray.exceptions.RayError as error:
            return [Gone(_how(error))]
        if said is None:
            worker.load(self._loader)
            return []
        return said if isinstance(said, list) else [said]


def _checked(address: str | None) -> str | None:
    """An address as we accept it: one that was written down, not one that Ray would find by itself."""
    if find_spec("ray") is None:
        raise ConfigError('expected the package ray for the executor "ray", found none: pip install "callwright[ray]"')
    if address is None:
        return None
    host, _, port = address.rpartition(":")
    if not host or "/" in host or not port.isdigit():
        raise ConfigError(f"expected a Ray cluster's address as host:port, found {address!r}")
    return address


def _ray(address: str | None) -> Any:
    """Import Ray, which reads its environment while it is imported."""
    os.environ.update(_QUIET | (_LOOPBACK if address is None or _is_loopback(address) else {}))
    import ray  # noqa: PLC0415

    ray._private.worker.print_to_stdstream = _unprinted  # noqa: SLF001 -- pages of its daemons' logs, among our JSON on stdout
    return ray


def _unprinted(*_: object, **__: object) -> None:
    """What Ray says of a dead worker; ours is said by the crew."""


def _is_loopback(address: str) -> bool:
    host = address.rpartition(":")[0].strip("[]")
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _how(error: Exception) -> str:
    """In short: Ray's own sentences fill a page."""
    if type(error).__name__ == "ActorUnavailableError":
        return "could not be reached any more"
    return "went with its machine" if any(sign in str(error) for sign in _MACHINE_WENT) else "died"
