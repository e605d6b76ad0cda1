"""``callwright qa webhooks``: telling the bank's own systems of scores."""

from __future__ import annotations

import signal
import threading
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.table import Table

from engine.cli.output import console, say_json
from engine.cli.qa.shared import DEFAULT, ConfigFile, database, settings
from engine.config import Config
from engine.core.errors import ConfigError
from engine.qa.announcements import test as tested
from engine.runtime.logs import set_up_logs
from engine.runtime.outbound.webhooks import outcome_receivers
from engine.runtime.quality.webhooks import Receiver, Sender, receivers_of, sending, subscribed
from engine.store.outbox import MessageState, Outbox

app = typer.Typer(help="Telling the bank's own systems of scores.", no_args_is_help=True)
_Name = Annotated[str, typer.Argument(help="The receiver's name in [qa.webhooks], or outbound:NAME of [outbound.webhooks].")]


@app.command()
def send(
    *,
    watch: Annotated[bool, typer.Option("--watch", help="Go on until it is ended.")] = False,
    config: ConfigFile = DEFAULT,
) -> None:
    """Send what is due, once (exit code 75 where a receiver did not take it), or go on and on."""
    set_up_logs()
    found = settings(config)
    if watch:
        with sending(database(found), found.qa.webhooks):
            _until_ended()
        return
    outbox, receivers = _outbox(found)
    untaken = 0
    for receiver in receivers:
        sender = Sender(outbox, receiver)
        console.print(f"{receiver.name}: {sender.send_due()} taken", markup=False)
        untaken += sender.failing
    if untaken:
        raise typer.Exit(75)


@app.command()
def status(
    *, json: Annotated[bool, typer.Option("--json", help="One JSON object a receiver.")] = False, config: ConfigFile = DEFAULT
) -> None:
    """Tell what each receiver has been told, and what waits."""
    outbox, _ = _outbox(settings(config))
    table = Table("receiver", *MessageState, "gone", "last trouble", box=None, padding=(0, 1))
    for it in outbox.standing():
        counts = {state.value: it.states.get(state, 0) for state in MessageState}
        if json:
            say_json({"receiver": it.name, **counts, "stopped_by_410": it.stopped, "last": it.last})
        else:
            table.add_row(it.name, *map(str, counts.values()), "yes" if it.stopped else "", it.last or "")
    if not json:
        console.print(table, markup=False)


@app.command("test")
def try_out(name: _Name, config: ConfigFile = DEFAULT) -> None:
    """Send a receiver a message to try it with (exit code 75 where it does not take it)."""
    outbox, receivers = _outbox(settings(config))
    receiver = _named(name, receivers)
    now = datetime.now(UTC)
    outbox.put(name, tested(now), now)
    if not Sender(outbox, receiver).send_due():
        console.print(f"{name}: not taken; callwright qa webhooks status says why", markup=False)
        raise typer.Exit(75)
    console.print(f"{name}: taken", markup=False)


@app.command()
def resume(name: _Name, config: ConfigFile = DEFAULT) -> None:
    """Begin again with a receiver that was gone (410), and with what was given up."""
    outbox, receivers = _outbox(settings(config))
    _named(name, receivers)
    console.print(f"{name}: {outbox.resume(name, datetime.now(UTC))} messages wait again", markup=False)


def _outbox(found: Config) -> tuple[Outbox, list[Receiver]]:
    outbound = found.outbound.webhooks if found.outbound is not None else {}
    receivers = [*receivers_of(found.qa.webhooks), *outcome_receivers(outbound)]
    return subscribed(database(found), receivers), receivers


def _named(name: str, receivers: list[Receiver]) -> Receiver:
    for it in receivers:
        if it.name == name:
            return it
    known = ", ".join(it.name for it in receivers) or "none at all"
    raise ConfigError(f"expected a receiver of [qa.webhooks] or [outbound.webhooks] ({known}), found {name!r}")


def _until_ended() -> None:
    """Wait for SIGINT or SIGTERM."""
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: over.set())
    over.wait()
