"""The options that choose calls, the same in every verb."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from engine.core.errors import ConfigError
from engine.store.quality_reading import Selection

Since = Annotated[str | None, typer.Option(help="The first day, or moment: 2026-09-01, 2026-09-01T08:00.")]
Until = Annotated[str | None, typer.Option(help="The last day, which counts; or the first moment that does not.")]
Card = Annotated[str | None, typer.Option(help="Only scores by the card of this name.")]
Team = Annotated[str | None, typer.Option(help="Only calls of this team.")]
Zone = Annotated[str, typer.Option(help="The time zone that days are counted in, such as Asia/Shanghai.")]


def selection(since: str | None, until: str | None, card: str | None, team: str | None, zone: tzinfo) -> Selection:
    """What was chosen on the command line.

    Raises:
        ConfigError: a day or a moment can't be read.
    """
    first = None if since is None else _moment("--since", since, zone, timedelta(0))
    last = None if until is None else _moment("--until", until, zone, timedelta(days=1))
    return Selection(first, last, card, team)


def zone_of(name: str) -> tzinfo:
    """The time zone of that name.

    Raises:
        ConfigError: there is none here.
    """
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigError(f"--zone: expected a time zone such as Europe/Moscow, found {name!r}") from error


def _moment(option: str, written: str, zone: tzinfo, day: timedelta) -> datetime:
    """A moment; of a day, its beginning and ``day`` more."""
    try:
        if len(written) == len("2026-09-01"):
            return datetime.combine(date.fromisoformat(written) + day, datetime.min.time(), zone).astimezone(UTC)
        found = datetime.fromisoformat(written)
    except (ValueError, OverflowError) as error:
        raise ConfigError(f"{option}: expected a day such as 2026-09-01 or a moment, found {written!r}") from error
    return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
