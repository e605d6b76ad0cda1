"""Everything an engine writes, says, serves and holds, to be searched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final

import httpx
import numpy as np
import numpy.typing as npt

from engine.audio.files import read
from engine.audio.keytones import KeyToneDetector
from engine.audio.recording import Recording
from engine.core.audio import AudioFrame
from engine.core.call import CallId
from engine.runtime.batch.masking import key_spans
from engine.store.database import connect
from engine.store.journal import Journal
from engine.testing.canaries.memory import Process
from engine.testing.canaries.running import Running
from engine.testing.canaries.shapes import Found, Shapes, keys_apart

_TORN: Final = 0.3  # seconds beside a tone in which a trace is its own
_SAME_SOUND: Final = 0.3  # of a perfect match; another sound of the same length has a tenth
PAGES: Final = ("/", "/calls", "/healthz", "/readyz", "/phone", "/desk", "/api/v1/calls", "/docs", "/openapi.json")
_DATABASE: Final = ("calls.db", "calls.db-wal", "calls.db-shm")


@dataclass(frozen=True, slots=True)
class Hit:
    """Something is there."""

    place: str
    where: str
    slot: str
    """Which number, as ``road/slot``; ``?`` where only its traces can be told."""

    shape: str


@dataclass(slots=True)
class Searched:
    """One place, searched."""

    place: str
    count: int = 0
    """How many files, pages, processes."""

    octets: int = 0
    hits: list[Hit] = field(default_factory=list)
    notes: dict[str, int] = field(default_factory=dict)

    def take(self, shapes: Shapes, where: str, octets: bytes) -> None:
        """Search one text or file."""
        self.count, self.octets = self.count + 1, self.octets + len(octets)
        self.hits += [_hit(self.place, where, found) for found in shapes.sought(octets)]


def written(running: Running, shapes: Shapes) -> list[Searched]:
    """Search its files, as bytes."""
    folder = running.folder
    everything = {path for path in folder.rglob("*") if path.is_file()}
    places = {
        "log": [folder / "engine.log"],
        "database": [folder / name for name in _DATABASE if name != "calls.db-wal"],
        "database WAL": [folder / "calls.db-wal"],
        "recordings": list((folder / "recordings").glob("*")),
        "temporary files": [path for path in (folder / "tmp").rglob("*") if path.is_file()],
        "prompt cache": list(running.cache.rglob("*")),
    }
    known = {path for paths in places.values() for path in paths}
    places["other files"] = sorted(everything - known)
    return [_files(place, paths, shapes) for place, paths in places.items()]


def told(running: Running, shapes: Shapes) -> Searched:
    """Search what was understood of each call, as its transcript tells it."""
    searched = Searched("transcripts")
    journal = Journal(connect(f"sqlite:///{running.folder}/calls.db"))
    try:
        for row in journal.calls():
            steps = journal.steps(CallId(row.id))
            searched.take(shapes, row.id, "\n".join(f"{it.event} {it.actions}" for it in steps).encode())
    finally:
        journal.close()
    return searched


def heard(folder: Path, choices: int, spoken: Mapping[str, Sequence[AudioFrame]]) -> Searched:
    """Listen to every recording, for keys, traces of keys, and what callers spoke (by ``road/slot``).

    ``choices``: how many keys a caller presses to choose, which may be heard.
    """
    searched = Searched("recordings, listened to")
    for path in sorted(folder.glob("*.wav")):
        recording = read(path)
        searched.count, searched.octets = searched.count + 1, searched.octets + path.stat().st_size
        searched.hits += [Hit(searched.place, path.name, "?", shape) for shape in _keys_on(recording, choices)]
        for slot, sounds in spoken.items():
            if any(likeness(channel, sound) > _SAME_SOUND for channel in recording.channels for sound in sounds):
                searched.hits.append(Hit(searched.place, path.name, slot, "the caller's voice"))
    return searched


def served(address: str, shapes: Shapes, signed_in: Mapping[str, str] = MappingProxyType({})) -> list[Searched]:
    """Search what it serves to somebody who has signed in with every role."""
    metrics, pages = Searched("metrics"), Searched("pages and API")
    with httpx.Client(base_url=address, headers=signed_in, timeout=10.0) as client:
        metrics.take(shapes, "/metrics", client.get("/metrics").content)
        for page in PAGES:
            pages.take(shapes, page, client.get(page).content)
    return [metrics, pages]


def sent(messages: Mapping[str, str], shapes: Shapes) -> Searched:
    """Search what callers were sent beside sound."""
    searched = Searched("sent to callers")
    for road, text in messages.items():
        searched.take(shapes, road, text.encode())
    return searched


def held(processes: Iterable[Process], shapes: Shapes) -> list[Searched]:
    """Search the memory of processes. Takes root, and some twenty seconds a gigabyte."""
    return [_memory(process, shapes) for process in processes]


def likeness(recorded: AudioFrame, sound: AudioFrame) -> float:
    """How much of a recorded sound is ``sound``, wherever it is: 1 = all of it."""
    long, short = _normal(recorded), _normal(sound)
    if len(short) > len(long) or not short.any():
        return 0.0
    size = 1 << (len(long) + len(short)).bit_length()
    crossed = np.fft.irfft(np.fft.rfft(long, size) * np.conj(np.fft.rfft(short, size)), size)[: len(long)]
    power = np.concatenate([[0.0], np.cumsum(long**2)])
    last = len(long) - len(short) + 1
    there = np.sqrt(np.maximum(power[len(short) : len(short) + last] - power[:last], 1e-9))
    return float(np.max(np.abs(crossed[:last]) / np.maximum(there, 0.05 * there.max()) / np.linalg.norm(short)))


def _normal(frame: AudioFrame) -> npt.NDArray[np.float64]:
    samples = frame.samples.astype(np.float64)
    return samples - samples.mean() if len(samples) else samples


def _keys_on(recording: Recording, choices: int) -> Iterator[str]:
    """What shows more keys than ``choices``; a tone that the network tore apart is one key."""
    for channel in recording.channels:
        detector = KeyToneDetector(channel.format)
        tones = [*detector.feed(channel), *detector.finish()]
        whole = [(tone.start - _TORN, tone.start + tone.duration + _TORN) for tone in tones]
        spans = [(span.start, span.end) for span in key_spans(channel)]
        traces = [span for span in spans if not any(start < span[1] and span[0] < end for start, end in whole)]
        if len(tones) > choices:
            yield "key tones"
        elif len(tones) + len(traces) > choices:
            yield "traces of key tones"


def _files(place: str, paths: Iterable[Path], shapes: Shapes) -> Searched:
    searched = Searched(place)
    for path in paths:
        try:
            searched.take(shapes, path.name, path.read_bytes())
        except OSError:  # a folder, or it has just gone
            continue
    return searched


def _memory(process: Process, shapes: Shapes) -> Searched:
    searched = Searched(f"memory of {process.name}", count=1)
    apart = 0
    for piece in process.pieces():
        searched.octets += len(piece)
        apart += len(keys_apart(piece))
        searched.hits += [_hit(searched.place, f"process {process.pid}", found) for found in shapes.in_memory(piece)]
    searched.notes = {"messages of one key": apart}
    return searched


def _hit(place: str, where: str, found: Found) -> Hit:
    return Hit(place, where, found.slot, found.shape)
