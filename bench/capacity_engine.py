"""The engine that is measured: ``callwright serve`` in processes of its own, and what they use up."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.capacity_stamps import hum, stamped
from engine.audio.files import write_wav
from engine.audio.g711 import Law, decode, encode
from engine.audio.recording import Recording
from engine.core.audio import FRAME, FRAME_SAMPLES, TELEPHONY, AudioFrame

FLOW = Path(__file__).parent / "capacity_flow.yaml"
STUB = "stub"
MAIN, REPLY = 254, 255  # marks of the prompts
PROMPTS: Mapping[str, tuple[int, float]] = {"main.prompt": (MAIN, 12.0), "reply": (REPLY, 1.5)}
"""Their marks and seconds."""

_MIB = 1 << 20
_TICKS, _PAGE = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
_CONFIG = """
[flow]
path = "{flow}"
[asr]
recognisers = {{ en = "{recogniser}" }}
second = "{second}"
[tts]
cache = "{cache}"
recorded = "prompts"
[store]
database = "sqlite:///bench.db"
recordings = "recordings"
[calls]
max_calls = {max_calls}
[doors]
http = {{ port = 0 }}
audiosocket = {{ port = 0 }}
"""
_SIP = "sip = {{ port = 0, rtp_ports = [{}, {}] }}\n"
_PLUG_IN = "bench.capacity_stub:load"


@dataclass(frozen=True, slots=True)
class Wanted:
    """An engine for one door and one recogniser."""

    door: str
    recogniser: str
    second: str = ""
    max_calls: int = 10_000


@dataclass(frozen=True, slots=True)
class Used:
    """What the engine has used so far (CPU seconds) and uses now."""

    at: float
    media: float
    """CPU seconds of the process that holds the media."""
    others: float
    """CPU seconds of its children: recognisers, voices, the SIP stack."""
    load: float
    """CPU seconds of the load."""
    memory_mib: float
    descriptors: int
    threads: int


@dataclass(frozen=True, slots=True)
class Engine:
    """One that runs."""

    folder: Path
    process: subprocess.Popen[str]
    doors: Mapping[str, str]

    def address(self, door: str) -> tuple[str, int]:
        """Where a door listens."""
        host, _, port = re.sub(r"^\w+:(//)?|/.*", "", self.doors[door]).rpartition(":")
        return host, int(port)

    def family(self) -> Sequence[int]:
        """Its processes, itself first."""
        return [self.process.pid, *_descendants(self.process.pid)]

    def used(self) -> Used:
        """Look."""
        family = self.family()
        cpu = [_cpu(pid) for pid in family]
        private, shared = zip(*(_memory(pid) for pid in family), strict=True)
        memory = (sum(private) + max(shared)) / _MIB
        descriptors = sum(_count(pid, "fd") for pid in family)
        threads = sum(_count(pid, "task") for pid in family)
        return Used(time.monotonic(), cpu[0], sum(cpu[1:]), time.process_time(), memory, descriptors, threads)

    def recordings(self) -> Iterator[Path]:
        """What it has recorded, once no recording is still being written."""
        until = time.monotonic() + 10.0
        while any(self.folder.glob("recordings/*.part")) and time.monotonic() < until:
            time.sleep(0.1)
        yield from self.folder.glob("recordings/*.wav")


@contextlib.contextmanager
def engine(folder: Path, wanted: Wanted) -> Iterator[Engine]:
    """Start one; it is stopped on the way out.

    Raises:
        RuntimeError: it did not start; with what it said.
    """
    folder.mkdir(parents=True)
    _record_prompts(folder / "prompts" / "en")
    plug_in(folder / "plug-ins")
    cache = Path.cwd() / "var" / "prompts"
    config = _CONFIG.format(
        flow=FLOW, recogniser=wanted.recogniser, second=wanted.second, cache=cache, max_calls=wanted.max_calls
    )
    config += _SIP.format(*_rtp_ports()) if wanted.door == "sip" else ""
    (folder / "engine.toml").write_text(config, encoding="utf-8")
    path = os.pathsep.join([str(folder / "plug-ins"), str(FLOW.parents[1]), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-m", "engine.cli", "serve", "--config", str(folder / "engine.toml")]
    with (folder / "log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(
            command, env=os.environ | {"PYTHONPATH": path, "COLUMNS": "200"}, stdout=subprocess.PIPE, stderr=log, text=True
        )
    try:
        yield Engine(folder, process, _opened(process, folder / "log", wanted.door))
    finally:
        process.terminate()
        try:
            process.wait(40)
        finally:
            process.kill()
            process.wait()


def _opened(process: subprocess.Popen[str], log: Path, door: str) -> Mapping[str, str]:
    assert process.stdout is not None
    doors: dict[str, str] = {}
    while door not in doors:
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"the engine did not open its door {door!r}:\n{log.read_text(encoding='utf-8')[-3000:]}")
        name, address, _ = line.split(maxsplit=2)
        doors[name] = address
    return doors


def _rtp_ports() -> tuple[int, int]:
    """Two thousand below those the system gives away, another range for every process that measures."""
    first = 12_000 + os.getpid() % 10 * 2_000
    return first, first + 1_999


def _record_prompts(folder: Path) -> None:
    """Prompts whose frames can be counted."""
    folder.mkdir(parents=True)
    for name, (mark, seconds) in PROMPTS.items():
        carrier = np.frombuffer(encode(hum(round(seconds / FRAME)), Law.ULAW), np.uint8).reshape(-1, FRAME_SAMPLES)
        sound = AudioFrame(decode(stamped(carrier, mark).tobytes(), Law.ULAW))
        write_wav(folder / f"{name}.wav", Recording((sound,), TELEPHONY, "WAV/PCM_16"))


def plug_in(folder: Path) -> None:
    """Register the stub as anybody's recogniser is: by an installed package's entry point, here one of two files."""
    package = folder / "capacity_stub-1.dist-info"
    package.mkdir(parents=True)
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: capacity-stub\nVersion: 1\n", encoding="utf-8")
    (package / "entry_points.txt").write_text(f"[engine.recognisers]\n{STUB} = {_PLUG_IN}\n", encoding="utf-8")


def _descendants(pid: int) -> Sequence[int]:
    """Children are listed with the thread that made them."""
    found = []
    for thread in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [int(child) for child in thread.read_text(encoding="ascii").split()]
    return [one for child in found for one in (child, *_descendants(child))]


def _cpu(pid: int) -> float:
    """Seconds."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _memory(pid: int) -> tuple[int, int]:
    """Bytes of its own, and of files it may share with others."""
    try:
        _, resident, shared, *_ = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()
    except OSError:
        return 0, 0
    return (int(resident) - int(shared)) * _PAGE, int(shared) * _PAGE


def _count(pid: int, what: str) -> int:
    try:
        return len(list(Path(f"/proc/{pid}/{what}").iterdir()))
    except OSError:
        return 0
