"""What the verbs share: the settings, the database, campaign files, and telling a campaign what to do."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Engine

from engine.access.deeds import Deed
from engine.cli.kept import keep
from engine.cli.output import console, say_json
from engine.cli.qa.shared import DEFAULT, ConfigFile, database, settings
from engine.outbound.campaign import Campaign, CampaignErrors, Order
from engine.outbound.campaign_file import parse_campaign
from engine.store.campaigns import Campaigns, KeptCampaign
from engine.written.problems import Problem

__all__ = ["DEFAULT", "AsJson", "ConfigFile", "Name", "load_campaign", "opened", "say", "tell"]

Name = Annotated[str, typer.Argument(help="The campaign's name.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object.")]


def opened(config: Path) -> Engine:
    """The database."""
    return database(settings(config))


def load_campaign(path: Path) -> tuple[Campaign, str]:
    """Read a campaign file; gives what it says, and its text.

    Raises:
        CampaignErrors: it can't be read or can't be used; all problems at once.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise CampaignErrors([_unreadable(path, error.strerror or "an error")]) from error
    except UnicodeDecodeError as error:
        raise CampaignErrors([_unreadable(path, f"the byte 0x{error.object[error.start]:02x} at {error.start}")]) from error
    return parse_campaign(text, str(path)), text


def say(text: str) -> None:
    """Print a line as it is."""
    console.print(text, markup=False, soft_wrap=True)


def tell(name: str, order: Order, config: Path, *, reason: str | None = None, json: bool = False) -> KeptCampaign:
    """Tell a campaign what to do, and say how it stands then.

    Raises:
        CampaignRefused: it can't be done as it stands.
    """
    engine = opened(config)
    kept = Campaigns(engine).tell(name, order, datetime.now(UTC), reason)
    keep(settings(config), engine, Deed.CHANGED, f"campaign {kept.name}", order=str(order), state=kept.state.value, reason=reason)
    if json:
        say_json({"campaign": kept.name, "state": kept.state.value, "reason": kept.reason})
    else:
        say(f"{kept.name}: {kept.state.value}")
    return kept


def _unreadable(path: Path, found: str) -> Problem:
    return Problem(1, 1, "", "a readable file of UTF-8 text", found, file=str(path))
