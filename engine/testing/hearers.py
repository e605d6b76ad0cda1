"""A batch worker's hearer that does what its work says: for tests of executors and of the ledger, without any models."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from engine.audio.recording import Recording
from engine.core.errors import HostError, MediaError, ModelNotFound
from engine.core.units import Seconds
from engine.runtime.batch.decoding import Decoder
from engine.runtime.batch.work import Excluded, Heard, Refused, Tier, Work

_HOARD: list[bytearray] = []


def errand(content: str, path: Path = Path(os.devnull), **facts: str) -> Work:
    """A piece of work for :class:`ObedientHearer`; its facts are orders, by the names of :data:`ORDERS`."""
    return Work(content, path, Path(), Tier.FAST, facts=facts)


@dataclass(frozen=True, slots=True)
class ObedientHearer:
    """Does as the facts of its work say, then has heard one second."""

    def hear(self, work: Work) -> Heard | Refused | Excluded:
        """Obey, in the order in which the orders stand."""
        for order, value in (work.facts or {}).items():
            ORDERS[order](value)
        return Heard(work, {"pid": os.getpid()}, f"{work.content}.json", f"{work.content}.wav", "obedient", Seconds(1.0))


@dataclass(frozen=True, slots=True)
class SociableHearer(ObedientHearer):
    """The same, and hears several together."""

    def hear_together(self, works: Sequence[Work]) -> Iterator[Heard | Refused | Excluded]:
        """Obey for all of them, then answer."""
        yield from [self.hear(work) for work in works]


def _fail_with(error: type[Exception]) -> Callable[[str], None]:
    def fail(value: str) -> None:
        raise error(value)

    return fail


def _die_once(mark: str) -> None:
    """Die, unless the file ``mark`` is there already."""
    if not Path(mark).exists():
        Path(mark).touch()
        os.kill(os.getpid(), signal.SIGKILL)


def _spin_in_native_code(letters: str) -> None:
    """Keep the interpreter's lock for a time that doubles with each letter; 64 are for ever."""
    re.fullmatch("(a+)+", "a" * int(letters) + "b")


ORDERS: Mapping[str, Callable[[str], object]] = {
    "take_s": lambda value: time.sleep(float(value)),
    "die": lambda value: os.kill(os.getpid(), int(value)),
    "die_once": _die_once,
    "exit": lambda value: os._exit(int(value)),
    "swell": lambda value: _HOARD.append(bytearray(b"x") * int(value)),
    "spin": _spin_in_native_code,
    "wait": lambda value: Path(value).read_bytes(),
    "media_error": _fail_with(MediaError),
    "other_error": _fail_with(HostError),
    "bug": _fail_with(ZeroDivisionError),
}


@dataclass(frozen=True, slots=True)
class DecodingHearer:
    """Decodes its work's file as a batch worker does, and hears nothing in it."""

    decode: Callable[[Path], Recording]

    def hear(self, work: Work) -> Heard | Refused | Excluded:
        """Decode it."""
        try:
            recording = self.decode(work.path)
        except MediaError as error:
            return Refused(work, str(error))
        told = {"warnings": recording.warnings, "pid": os.getpid()}
        return Heard(work, told, f"{work.content}.json", f"{work.content}.wav", "decoding", recording.duration)


def decoding() -> DecodingHearer:
    """Load the one that decodes."""
    return DecodingHearer(Decoder().decoded)


def obedient() -> ObedientHearer:
    """Load the double."""
    return ObedientHearer()


def sociable() -> SociableHearer:
    """Load the one that hears several together."""
    return SociableHearer()


def without_files() -> ObedientHearer:
    """Fail to load, as a model without its files does."""
    raise ModelNotFound("expected the model's files at models/x, found nothing")


def stillborn() -> ObedientHearer:
    """Die while loading, without a word."""
    os._exit(3)


def endless() -> ObedientHearer:
    """Never be done with loading."""
    while True:
        time.sleep(60.0)


def _later(marks: Path) -> ObedientHearer:
    mark = marks / "loaded"
    if not mark.exists():
        mark.touch()
        os._exit(3)
    return ObedientHearer()


def loads_the_second_time(marks: Path) -> Callable[[], ObedientHearer]:
    """A loader that dies the first time; ``marks`` is a folder where it remembers."""
    return partial(_later, marks)
