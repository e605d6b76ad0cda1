"""``callwright campaign unblock``: who may be called again."""

from __future__ import annotations

from typing import Annotated

import typer

from engine.access.deeds import Deed
from engine.cli.campaign.block import Country, ListName, Only, ends_of, keys_of
from engine.cli.campaign.shared import DEFAULT, AsJson, ConfigFile, opened, say
from engine.cli.kept import keep
from engine.cli.output import say_json
from engine.cli.qa.shared import settings
from engine.outbound.campaign import OPT_OUTS
from engine.store.campaigns import Campaigns
from engine.store.lists import Lists


def unblock(
    who: Annotated[list[str], typer.Argument(help="Numbers with their country's code, or the bank's keys of persons.")],
    *,
    list_name: ListName = OPT_OUTS,
    campaign: Only = None,
    country: Country = None,
    json: AsJson = False,
    config: ConfigFile = DEFAULT,
) -> None:
    """Take people off a list. Contacts that were skipped for it stay skipped."""
    engine = opened(config)
    only = None if campaign is None else Campaigns(engine).named(campaign).id
    lists = Lists(engine)
    keys = [key for it in who for key in keys_of(it, country)]
    gone = sum(lists.unblock(list_name, key, only) for key in keys)
    told = {"campaign": campaign, "whom": ends_of(keys)}
    keep(settings(config), engine, Deed.CHANGED, f"list {list_name}", unblocked=gone, **told)
    if json:
        say_json({"list": list_name, "removed": gone})
    else:
        say(f"{list_name}: {gone} removed")
    if not gone:
        raise typer.Exit(1)
