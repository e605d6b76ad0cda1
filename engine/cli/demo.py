"""``callwright demo``: the whole story on this machine, in a few minutes.

Starts the demo bank's host and an engine, lets four callers call over a real door in real time, prints each call as it goes,
proves that the card's digits are in no file that was written, and leaves the browser phone open.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import secrets
import shutil
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import structlog
import typer
from rich.progress import Progress

from engine.access.permissions import PEOPLES_ROLES
from engine.access.principal import PersonId, Principal
from engine.audio.files import read
from engine.audio.keytones import KeyToneDetector
from engine.audio.resample import resample
from engine.cli.output import console
from engine.cli.telling import tell
from engine.config import Config, HttpDoor, load_config
from engine.core.audio import TELEPHONY, AudioFrame, joined
from engine.core.errors import ConfigError
from engine.core.hardened import harden
from engine.core.speech import ENGLISH
from engine.core.units import Seconds
from engine.runtime.engine import Engine
from engine.runtime.story import Story
from engine.server.serve import doors
from engine.store.accounts import Actor
from engine.store.database import connect
from engine.store.house import House
from engine.testing.twilio_caller import TwilioCaller
from engine.tts.registry import load_voice

BANK = Path(__file__).resolve().parents[2] / "examples" / "bank"
CARD, PIN = "4000001234567899", "2580"  # Alex Morgan's, of examples/bank/host.py; issued by nobody
_PIECES = {CARD[start : start + 6] for start in range(len(CARD) - 5)}
_FRACTION = re.compile(rb"(?<=[0-9])\.[0-9]+")  # of times and confidences: sixteen digits each, and any six of them among so many
# Six digits of the card anywhere else; the PIN where it stands alone, for four digits are found within many a longer number.
_DIGITS = re.compile("|".join([*sorted(_PIECES), rf"(?<![0-9.]){PIN}(?![0-9])"]).encode())


_NAME = "demo"  # of who signs in
_SURE, _SHORT, _BALANCE = "I would like to change my address.", "I lost my card.", "What is my account balance?"
_MUMBLES = ("The one with the thing from before.", "Well, you know, that other stuff.")
_SENTENCES = (_SURE, _SHORT, _BALANCE, *_MUMBLES)


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody who calls, and what happens then."""

    title: str
    calls: Callable[[TwilioCaller, Callable[[str], AudioFrame]], Awaitable[None]]


async def _sure(caller: TwilioCaller, voice: Callable[[str], AudioFrame]) -> None:
    await caller.answered()
    await caller.say(voice(_SURE))
    await caller.answered()


async def _interrupts(caller: TwilioCaller, voice: Callable[[str], AudioFrame]) -> None:
    await caller.hears(Seconds(0.0))
    await asyncio.sleep(1.0)
    await caller.say(voice(_SHORT))
    await caller.answered()


async def _unsure(caller: TwilioCaller, voice: Callable[[str], AudioFrame]) -> None:
    for mumble in _MUMBLES:
        await caller.answered()
        await caller.say(voice(mumble))
    await caller.hears(caller.now)
    await asyncio.sleep(1.0)
    await caller.press("6")
    await caller.answered()
    await caller.press("1")
    await caller.answered()


async def _keys_a_card(caller: TwilioCaller, voice: Callable[[str], AudioFrame]) -> None:
    await caller.answered()
    await caller.say(voice(_BALANCE))
    for secret in (CARD, PIN):
        await caller.answered()
        await caller.press(secret)
    await caller.answered()


GUESTS = (
    Guest("A caller who knows what she wants", _sure),
    Guest("A caller who does not wait for the end of the greeting", _interrupts),
    Guest("A caller who does not know how to say it, and ends on the keys", _unsure),
    Guest("A caller who keys a card number and a PIN", _keys_a_card),
)


def demo(
    *,
    once: Annotated[bool, typer.Option(help="End by itself, instead of leaving the browser phone open.")] = False,
    folder: Annotated[Path, typer.Option(help="Where the demo writes; emptied first, the rendered prompts aside.")] = Path(
        "var/demo"
    ),
) -> None:
    """Recorded callers call the demo bank; then talk to it yourself in the browser."""
    harden()
    asyncio.run(_demo(folder, once=once))


async def _demo(folder: Path, *, once: bool) -> None:
    _clear(folder)
    _log_to(folder / "engine.log")
    said = _rendered()
    async with _host(folder) as url, _engine(_config(folder, url)) as engine:
        password = _added(engine.config.store.database)
        await _shown(folder, engine, said, None if once else password)


async def _shown(folder: Path, engine: Engine, said: Mapping[str, AudioFrame], password: str | None) -> None:
    """The guests' calls and the proof; then, for who has a password, the browser phone."""
    async with doors(engine) as opened:
        address = next(door.address for door in opened if door.name == "twilio")
        for number, guest in enumerate(GUESTS, 1):
            console.print(f"\n[bold]{number}. {guest.title}[/bold]  [dim](a synthetic voice, over {address})[/dim]")
            async with TwilioCaller.calling(address) as caller:
                await guest.calls(caller, said.__getitem__)
            await _all_over(engine)
        if not _prove(folder):
            raise typer.Exit(1)
        if password is not None:
            await _leave_open(next(door.address for door in opened if door.name == "phone"), password)


def _clear(folder: Path) -> None:
    for leftover in ("callwright.db", "callwright.db-wal", "callwright.db-shm", "engine.log"):
        (folder / leftover).unlink(missing_ok=True)
    shutil.rmtree(folder / "recordings", ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)


def _log_to(path: Path) -> None:
    structlog.configure(
        processors=[structlog.processors.add_log_level, structlog.processors.JSONRenderer()],
        logger_factory=structlog.WriteLoggerFactory(path.open("w", encoding="utf-8")),
    )


def _config(folder: Path, host: str) -> Config:
    config = load_config(BANK / "engine.toml")
    store = {"database": f"sqlite:///{(folder / 'callwright.db').resolve()}", "recordings": folder / "recordings"}
    return config.model_copy(
        update={
            "store": config.store.model_copy(update=store),
            "host": config.host and config.host.model_copy(update={"url": host, "token_file": folder / "host.token"}),
            "doors": config.doors.model_copy(update={"http": HttpDoor(port=_free_port(8080)), "audiosocket": None}),
        }
    )


@contextlib.asynccontextmanager
async def _host(folder: Path) -> AsyncIterator[str]:
    """The bank's own system, in a process of its own."""
    token, port = secrets.token_urlsafe(32), _free_port(8090)
    (folder / "host.token").write_text(token, encoding="utf-8")
    command = (sys.executable, str(BANK / "host.py"), "--port", str(port))
    process = await asyncio.create_subprocess_exec(*command, env={**os.environ, "BANK_HOST_TOKEN": token})
    try:
        await _listening(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


@contextlib.asynccontextmanager
async def _engine(config: Config) -> AsyncIterator[Engine]:
    with Progress(transient=True) as bar:
        task = bar.add_task("loading models, rendering prompts (the first time takes a while)", total=None)
        engine = await Engine.start(config, [Story(tell)], lambda done, total: bar.update(task, completed=done, total=total))
    try:
        yield engine
    finally:
        await engine.close(Seconds(1.0))


async def _listening(port: int, process: asyncio.subprocess.Process) -> None:
    for _ in range(200):
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        if process.returncode is not None:
            break
        await asyncio.sleep(0.05)
    raise ConfigError(f"expected the demo bank's host to listen on 127.0.0.1:{port}, found it did not")


def _free_port(wanted: int) -> int:
    for port in (wanted, 0):
        with socket.socket() as trial, contextlib.suppress(OSError):
            trial.bind(("127.0.0.1", port))
            return int(trial.getsockname()[1])
    raise ConfigError("expected a free port on 127.0.0.1, found none")


def _rendered() -> dict[str, AudioFrame]:
    """Everything the guests say, made before the first call: a voice at work would hold up the engine's loop."""
    voice = load_voice("piper")
    return {text: resample(joined(list(voice.say(text, ENGLISH))), TELEPHONY) for text in _SENTENCES}


async def _all_over(engine: Engine) -> None:
    while engine.live:  # noqa: ASYNC110 -- the caller has hung up; the engine notices in a moment
        await asyncio.sleep(0.05)


def _prove(folder: Path) -> bool:
    """Search everything the demo wrote for the digits that were keyed, as text and as tones."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    found = [f"{path}: the digits as text" for path in files if _DIGITS.search(_FRACTION.sub(b".", path.read_bytes()))]
    recordings = [path for path in files if path.suffix == ".wav"]
    found += [f"{path}: {count} key tones" for path in recordings if (count := _key_tones(path))]
    console.print(
        f"\n[bold]Are the digits anywhere?[/bold]  searched {len(files)} files, {len(recordings)} recordings with a tone decoder:"
    )
    console.print("  " + ("nowhere" if not found else "\n  ".join(found)))
    return not found


def _key_tones(path: Path) -> int:
    heard = 0
    for channel in read(path).channels:
        detector = KeyToneDetector(channel.format)
        heard += len(detector.feed(channel)) + len(detector.finish())
    return heard


def _added(database: str) -> str:
    """Add somebody who may open every page; their password."""
    store, password = connect(database), secrets.token_urlsafe(12)
    House.of(store).accounts.add(Actor("shell:demo"), Principal(PersonId(_NAME), PEOPLES_ROLES), password)
    store.dispose()
    return password


async def _leave_open(address: str, password: str) -> None:
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    console.print(f"\nNow you: [bold]{address}[/bold]  (Ctrl-C ends the demo)")
    console.print(f"Sign in as [bold]{_NAME}[/bold] with the password [bold]{password}[/bold]", soft_wrap=True)
    await stop.wait()
