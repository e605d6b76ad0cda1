"""Real SIP callers and callees: Debian's ``baresip``, a telephone that does as it is told, and ``sipp``, which plays scenarios.

Both listen on loopback, on free ports, with all they need in a folder of their own; nothing of the machine's own configuration is
read. What a telephone says is a recording that is changed while the call goes on; what it hears it writes down, decoded but as it
came.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import shutil
import socket
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np

from engine.audio.files import read, write_wav
from engine.audio.g711 import Law, encode
from engine.audio.recording import Recording
from engine.audio.riff import HEADER_BYTES
from engine.core.audio import TELEPHONY, AudioFrame
from engine.core.errors import ConfigError
from engine.core.units import Seconds

LOOPBACK: Final = "127.0.0.1"
_MODULES: Final = Path("/usr/lib/baresip/modules")  # where Debian puts them, whatever the machine's kind
_STARTS_WITHIN: Final = Seconds(10.0)
_LINE_NOISE: Final = 12.0  # RMS; no telephone line is digitally silent
_TAIL: Final = Seconds(120.0)  # of quiet behind every recording: a baresip whose recording ends hangs up
_CODEC_MODULES: Final = ("g711.so", "g722.so")

Told = Mapping[str, object]
"""What baresip tells: its ``type`` (``CALL_ESTABLISHED``, ``CALL_CLOSED`` ...), and what belongs to it."""


@dataclass(frozen=True, slots=True)
class Secured:
    """TLS for the signals, SRTP for the sound."""

    authorities: Path
    """A PEM file with who may have signed the engine's certificate."""

    certificate: Path
    """A PEM file with a certificate of the telephone's own and its key: the engine says BYE over a connection of its own."""


@dataclass(frozen=True, slots=True)
class PhoneSettings:
    """What a telephone is like."""

    user: str = "caller"

    codec: str = "PCMU/8000/1"

    answers: bool = False
    """Takes every call that comes in."""

    secured: Secured | None = None


class Phone:
    """A baresip. Make it with :meth:`plugged_in`."""

    def __init__(self, folder: Path, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.folder = folder
        self.port = port
        """Of SIP over UDP and TCP."""
        self.told: list[Told] = []
        """Everything it has told, in order."""
        self._reader, self._writer = reader, writer
        self._news = asyncio.Condition()
        self._numbers = itertools.count(1)

    @classmethod
    @contextlib.asynccontextmanager
    async def plugged_in(
        cls, folder: Path, settings: PhoneSettings = PhoneSettings(), port: int | None = None
    ) -> AsyncIterator[Phone]:
        """Start one, on a free port unless it is named; it is stopped on the way out.

        Raises:
            ConfigError: it is not installed, or did not start.
        """
        program = installed("baresip", "baresip-core")
        port, control = port or _sip_port(), free_port(socket.SOCK_STREAM)
        _configure(folder, settings, port, control)
        with _log(folder) as log:
            process = await asyncio.create_subprocess_exec(
                program, "-f", str(folder), "-n", LOOPBACK, "-v", "-s", stdin=asyncio.subprocess.PIPE, stdout=log, stderr=log
            )
        try:
            phone = cls(folder, port, *await _controlled(control, folder))
            listening = asyncio.create_task(phone._listen())
            yield phone
            listening.cancel()
            phone._writer.close()
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()

    async def dial(self, address: str) -> None:
        """Call ``sip:user@host:port`` and wait until it is answered.

        Raises:
            TimeoutError: it was not answered.
        """
        await self.command("dial", address)
        await self.until("CALL_ESTABLISHED")

    async def say(self, sound: AudioFrame) -> tuple[float, float]:
        """Speak a recording (8 kHz), then be quiet; when it began and ended, of ``time.monotonic``, right to some 20 ms."""
        path = self.folder / f"said-{next(self._numbers)}.wav"
        _write_quiet(path, sound)
        await self.command("ausrc", f"aufile,{path}")
        began = time.monotonic()
        await asyncio.sleep(sound.duration)
        return began, time.monotonic()

    async def press(self, keys: str, every: Seconds = Seconds(0.3)) -> None:
        """Press keys: RFC 4733."""
        for key in keys:
            await self.command("sndcode", key)
            await asyncio.sleep(every)

    async def hold(self) -> None:
        """Put the engine on hold: a re-INVITE with ``sendonly``."""
        await self.command("hold")

    async def resume(self) -> None:
        """Take it back."""
        await self.command("resume")

    async def hang_up(self) -> None:
        """Say BYE."""
        await self.command("hangup")

    async def until(self, kind: str, within: Seconds = Seconds(10.0)) -> Told:
        """Wait until it has told this; the last such thing it told.

        Raises:
            TimeoutError: it told no such thing, with what it did tell.
        """
        try:
            async with asyncio.timeout(within), self._news:
                await self._news.wait_for(lambda: kind in self.kinds)
        except TimeoutError:
            raise TimeoutError(f"expected {kind} within {within} s, found {self.kinds}") from None
        return next(one for one in reversed(self.told) if one.get("type") == kind)

    @property
    def kinds(self) -> list[object]:
        """What it has told, by type."""
        return [one.get("type") for one in self.told if one.get("event")]

    @property
    def trace(self) -> str:
        """Every SIP message that came and went, among what else it has logged."""
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")

    @property
    def heard(self) -> AudioFrame:
        """What came in the last call that sounded, once it is over: every packet in order, nothing where none came."""
        dumps = sorted(path for path in self.folder.glob("dump-*-dec.wav") if path.stat().st_size > HEADER_BYTES)
        return read(dumps[-1]).channels[0] if dumps else AudioFrame(np.zeros(0, np.int16))

    async def command(self, name: str, parameters: str = "") -> None:
        """Have it do something.

        Raises:
            TimeoutError: it did not answer.
        """
        token = f"{name} {next(self._numbers)}"
        text = json.dumps({"command": name, "params": parameters, "token": token}).encode("utf-8")
        self._writer.write(b"%d:%s," % (len(text), text))
        async with asyncio.timeout(_STARTS_WITHIN), self._news:
            await self._news.wait_for(lambda: any(one.get("token") == token for one in self.told))

    async def _listen(self) -> None:
        """Take what it tells: JSON in netstrings, over TCP."""
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            while True:
                length = int((await self._reader.readuntil(b":"))[:-1])
                text = await self._reader.readexactly(length + 1)
                async with self._news:
                    self.told.append(json.loads(text[:-1]))
                    self._news.notify_all()


@dataclass(frozen=True, slots=True)
class Played:
    """How a scenario of sipp's went."""

    code: int
    """0: every call went as it says."""

    complaints: str


async def sipp(scenario: str, to: int, folder: Path, *options: str, voice: AudioFrame | None = None) -> Played:
    """Play one of our scenarios (``engine/testing/sipp/<scenario>.xml``) against a port of this machine.

    ``voice`` (8 kHz) is what its callers say, where it plays ``voice.ulaw``. ``options`` are sipp's own, such as ``-m 20``.

    Raises:
        ConfigError: it is not installed.
    """
    program = installed("sipp", "sip-tester")
    _stage(folder, scenario, voice)
    port, media = free_port(socket.SOCK_DGRAM), free_port(socket.SOCK_DGRAM)
    command = [program, f"{LOOPBACK}:{to}", "-sf", "scenario.xml", "-i", LOOPBACK, "-p", str(port), "-mi", LOOPBACK]
    command += ["-mp", str(media), "-nostdin", "-timeout", "40", "-trace_err", *options]
    with _log(folder) as log:
        process = await asyncio.create_subprocess_exec(*command, cwd=folder, stdout=asyncio.subprocess.DEVNULL, stderr=log)
    try:
        return Played(await process.wait(), _complaints(folder))
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def installed(program: str, package: str) -> str:
    """Find a program.

    Raises:
        ConfigError: it is not here.
    """
    found = shutil.which(program)
    if found is None:
        raise ConfigError(f"expected the program {program}, found none (apt install {package})")
    return found


def free_port(kind: socket.SocketKind) -> int:
    """A port that nobody has on loopback right now, with a free one after it (TLS, RTCP)."""
    while True:
        with socket.socket(type=kind) as first, socket.socket(type=kind) as second:
            first.bind((LOOPBACK, 0))
            port = int(first.getsockname()[1])
            with contextlib.suppress(OSError, OverflowError):
                second.bind((LOOPBACK, port + 1))
                return port


def _sip_port() -> int:
    """One that nobody has, over UDP nor TCP; nor the one above, where baresip takes TLS."""
    while True:
        port = free_port(socket.SOCK_DGRAM)
        with contextlib.suppress(OSError), contextlib.ExitStack() as probes:
            for it in (port, port + 1):
                probes.enter_context(socket.socket(type=socket.SOCK_STREAM)).bind((LOOPBACK, it))
            return port


def _stage(folder: Path, scenario: str, voice: AudioFrame | None) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "voice.ulaw").write_bytes(b"" if voice is None else encode(voice.samples, Law.ULAW))
    plan = files("engine.testing").joinpath("sipp", f"{scenario}.xml").read_text(encoding="utf-8")
    (folder / "scenario.xml").write_text(plan, encoding="utf-8")


def _complaints(folder: Path) -> str:
    said = [*folder.glob("*_errors.log"), folder / "log"]
    return "".join(path.read_text(encoding="utf-8", errors="replace") for path in said)


def _log(folder: Path) -> BinaryIO:
    return (folder / "log").open("wb")


def _configure(folder: Path, settings: PhoneSettings, port: int, control: int) -> None:
    """Write what baresip reads: its settings, its account, and its contacts, of which it would make up some."""
    folder.mkdir(parents=True, exist_ok=True)
    secured = settings.secured
    lines = [
        f"module_path {_MODULES}",
        *(f"module {name}" for name in (*_CODEC_MODULES, "aufile.so", "sndfile.so", "ctrl_tcp.so")),
        *(["module srtp.so", f"sip_cafile {secured.authorities}", f"sip_certificate {secured.certificate}"] if secured else []),
        "module_app account.so",
        "module_app menu.so",
        f"ctrl_tcp_listen {LOOPBACK}:{control}",
        f"sip_listen {LOOPBACK}:{port}",
        f"snd_path {folder}",
        f"audio_source aufile,{folder}/quiet.wav",
        f"audio_player aufile,{folder}/unused.wav",
        "statmode_default off",
        "",
    ]
    (folder / "config").write_text("\n".join(lines), encoding="utf-8")
    transport = ";transport=tls" if secured else ""
    parameters = [
        "regint=0",
        f"audio_codecs={settings.codec}",
        *(["mediaenc=srtp-mand"] if secured else []),
        *(["answermode=auto"] if settings.answers else []),
    ]
    account = f"<sip:{settings.user}@{LOOPBACK}:{port}{transport}>;{';'.join(parameters)}\n"
    (folder / "accounts").write_text(account, encoding="utf-8")
    (folder / "contacts").write_text("", encoding="utf-8")
    _write_quiet(folder / "quiet.wav", AudioFrame(np.zeros(0, np.int16)))


def _write_quiet(path: Path, sound: AudioFrame) -> None:
    """A recording with a quiet line behind it."""
    length = TELEPHONY.samples(_TAIL)
    quiet = np.random.default_rng(1).normal(0.0, _LINE_NOISE, length).astype(np.int16)
    write_wav(path, Recording((AudioFrame(np.concatenate([sound.samples, quiet])),), TELEPHONY, "WAV/PCM_16"))


async def _controlled(port: int, folder: Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to where it takes commands, once it does.

    Raises:
        ConfigError: it never does; with what it said.
    """
    until = time.monotonic() + _STARTS_WITHIN
    while time.monotonic() < until:
        with contextlib.suppress(OSError):
            return await asyncio.open_connection(LOOPBACK, port)
        await asyncio.sleep(0.05)
    raise ConfigError(f"expected baresip to start, found:\n{_complaints(folder)[-2000:]}")
