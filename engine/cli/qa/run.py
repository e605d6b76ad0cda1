"""``callwright qa run``: every recording heard, scored and accounted for."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Self

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from sqlalchemy.exc import SQLAlchemyError

from engine.cli.output import console, say_json
from engine.cli.output import progress as stderr
from engine.cli.qa.shared import DEFAULT, ConfigFile, database, settings
from engine.config import QualitySection
from engine.core.errors import ConfigError
from engine.qa.ledger import State
from engine.runtime.batch.order import Settled
from engine.runtime.batch.run import Desk, Run
from engine.runtime.batch.wiring import cards_of, executor_of, inboxes, order_of, sources_of
from engine.runtime.logs import set_up_logs
from engine.runtime.quality.webhooks import sending
from engine.store.keys import keys_of

_BAD_DATA, _TRY_LATER = 65, 75


def run(
    inbox: Annotated[
        list[str] | None, typer.Argument(help="Folders, or fsspec addresses; by default the configured ones.")
    ] = None,
    card: Annotated[list[Path] | None, typer.Option(help="A card for every call, besides the configured ones.")] = None,
    tier: Annotated[str | None, typer.Option(help="fast, accurate or both.")] = None,
    language: Annotated[str | None, typer.Option(help="Of calls that say none, nor their queue; else it is detected.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Worker processes.")] = None,
    *,
    watch: Annotated[bool, typer.Option("--watch", help="Go on and wait for more.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Hear again what another model heard.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a recording.")] = False,
    config: ConfigFile = DEFAULT,
) -> None:
    """Hear and score every recording that needs it. May be stopped, or killed, at any time: the next run goes on.

    Exit codes: 65 where a recording failed or could not be read (the others are done), 75 where it was stopped before the end.
    """
    set_up_logs()
    found = settings(config)
    qa = _with(found.qa, tier=tier, language=language, workers=workers)
    cards = cards_of(qa, card or ())
    if not cards:
        raise ConfigError("expected a scorecard, by --card or [[qa.cards]], found none")
    engine = database(found)
    sources = inboxes(inbox, qa) if inbox else sources_of(found, engine)
    order = order_of(qa, cards, keys_of(found.store.key_file), again=again, watch=watch)
    with sending(engine, qa.webhooks), executor_of(found.model_copy(update={"qa": qa})) as executor, _Screen(json=json) as screen:
        work = Run(Desk(engine, sources, executor, screen), order)
        with _interruptible(work):
            try:
                work.work_off()
            except KeyboardInterrupt:
                work.stop()
            except SQLAlchemyError as error:
                stderr.print(f"the database can't be used ({type(error).__name__}); nothing is lost, run it again", markup=False)
                raise typer.Exit(_TRY_LATER) from None
    screen.sum_up()
    if work.stopped and not watch:
        raise typer.Exit(_TRY_LATER)
    if screen.bad:
        raise typer.Exit(_BAD_DATA)


def _with(qa: QualitySection, **chosen: object) -> QualitySection:
    """The settings with what the command line says; checked as the file is."""
    said = {name: value for name, value in chosen.items() if value is not None}
    try:
        return QualitySection.model_validate(qa.model_dump() | said)
    except ValueError as error:
        raise ConfigError(f"expected settings of [qa], found {said}: {error}") from None


@contextmanager
def _interruptible(work: Run) -> Iterator[None]:
    """The first Ctrl-C lets it finish what is being heard; the second, or a SIGTERM, ends it at once."""

    def interrupted(*_: object) -> None:
        if work.stopped:
            raise KeyboardInterrupt
        stderr.print("finishing what is being heard; Ctrl-C again ends at once, and nothing is lost by it")
        work.stop()

    def ended(*_: object) -> None:
        raise KeyboardInterrupt

    before = {signal.SIGINT: signal.signal(signal.SIGINT, interrupted), signal.SIGTERM: signal.signal(signal.SIGTERM, ended)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Screen:
    """Progress on stderr, by bytes, since a long call takes longer; each recording on stdout."""

    def __init__(self, *, json: bool) -> None:
        self._json = json
        self._states = Counter[State]()
        self._unread = 0
        self._done = 0  # bytes
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:3.0f} %"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=stderr,
            speed_estimate_period=900.0,
        )
        self._task = self._progress.add_task("looking", total=None)
        self._expected = 0

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    @property
    def bad(self) -> bool:
        """Whether anything failed, or could not even be read."""
        return bool(self._states[State.FAILED] or self._unread)

    def found(self, recordings: int, size: int) -> None:
        """Know how much is left."""
        self._expected = self._states.total() + recordings
        self._progress.update(self._task, total=self._done + size, description=self._count())

    def settled(self, it: Settled) -> None:
        """Count it, and say it."""
        if it.entry.state is State.WAITING:  # a suspect, which comes up once more
            stderr.print(f"lost with its worker, to be tried alone: {_address(it)}", markup=False)
            return
        self._states[it.entry.state] += 1
        self._done += it.claimed.size
        self._progress.update(self._task, completed=self._done, description=self._count())
        if self._json:
            say_json(_as_json(it))

    def unread(self, address: str, reason: str) -> None:
        """Complain."""
        self._unread += 1
        stderr.print(f"not read: {address}: {reason}", markup=False)

    def sum_up(self) -> None:
        """Say what was done, to people."""
        if not self._json:
            parts = [f"{number} {state}" for state, number in sorted(self._states.items())]
            unread = [f"{self._unread} not read"] if self._unread else []
            console.print(", ".join([*parts, *unread]) or "nothing to do")

    def _count(self) -> str:
        return f"{self._states.total()} of {self._expected} recordings"


def _as_json(it: Settled) -> dict[str, object]:
    scores = [{name: result[name] for name in ("scorecard", "revision", "score", "fatal")} for result in it.results]
    line = {"state": it.entry.state.value, "reason": it.entry.reason}
    return {"path": _address(it), "content": it.claimed.content, **line, "scores": scores}


def _address(it: Settled) -> str:
    return next(iter(it.claimed.addresses), it.claimed.content)
