"""``callwright campaign block``: who must not be called, from this very moment on."""

from __future__ import annotations

import getpass
import re
import unicodedata
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from engine.access.deeds import Deed
from engine.cli.campaign.shared import DEFAULT, AsJson, ConfigFile, opened, say
from engine.cli.kept import keep
from engine.cli.output import say_json
from engine.cli.qa.shared import settings
from engine.core.errors import ConfigError
from engine.outbound.campaign import OPT_OUTS, ListRefused
from engine.outbound.list_file import Row, read_list
from engine.outbound.numbers import COUNTRIES, Number, read_number
from engine.runtime.outbound.importing import read
from engine.store.campaigns import Campaigns
from engine.store.lists import Entry, Lists

Who = Annotated[list[str] | None, typer.Argument(help="Numbers with their country's code, or the bank's keys of persons.")]
Country = Annotated[str | None, typer.Option(help="Whose numbers are meant where none is written: KZ.")]
ListName = Annotated[str, typer.Option("--list", help="Which list: opt_outs, complaints, bad_calls, or one of the bank's.")]
Only = Annotated[str | None, typer.Option("--campaign", help="For this campaign only.")]

_TOLD: Final = 20  # people whom the audit chain names by their ends
_DIALLED: Final = re.compile(r"[\d\s().,/\-‐-―]+")  # digits, and what people write between those of a number


def block(
    who: Who = None,
    *,
    list_name: ListName = OPT_OUTS,
    file: Annotated[
        Path | None, typer.Option(help="A list, CSV or .xlsx; its column `phone`, or else the first, is taken.")
    ] = None,
    empty: Annotated[
        bool, typer.Option("--empty", help="Have the list, be anybody on it or not: campaigns can name it.")
    ] = False,
    campaign: Only = None,
    country: Country = None,
    reason: Annotated[str | None, typer.Option(help="Why; people read it.")] = None,
    json: AsJson = False,
    config: ConfigFile = DEFAULT,
) -> None:
    """Put people on a list of those who must not be called. Whoever is not being called yet is not called any more."""
    engine = opened(config)
    only = None if campaign is None else Campaigns(engine).named(campaign).id
    keys = [*(key for it in who or () for key in keys_of(it, country)), *(_of_file(file, country) if file else ())]
    if not keys and not empty:
        raise typer.BadParameter("expected numbers or persons, --file, or --empty, found none of them")
    source, lists = file.name if file else f"by {getpass.getuser()}", Lists(engine)
    if empty:
        lists.make(list_name, datetime.now(UTC))
    new = lists.block((Entry(list_name, it, source, reason, only) for it in dict.fromkeys(keys)), datetime.now(UTC))
    told = {"campaign": campaign, "file": file.name if file else None, "reason": reason, "whom": ends_of(keys)}
    keep(settings(config), engine, Deed.CHANGED, f"list {list_name}", blocked=new, found=len(set(keys)), **told)
    if json:
        say_json({"list": list_name, "found": len(set(keys)), "new": new})
    else:
        say(f"{list_name}: {len(set(keys))} found, {new} of them new")


def ends_of(keys: Sequence[str]) -> list[str]:
    """Who was meant, for the audit chain: enough to know them again by, and no number; of a whole list its file tells."""
    return [f"…{it[-3:]}" for it in dict.fromkeys(keys)] if len(keys) <= _TOLD else []


def keys_of(written: str, country: str | None, *, number: bool = False) -> Sequence[str]:
    """Whom it names: a number in E.164, or a person's key as it is; digits alone that could be either name both.

    Raises:
        ConfigError: it looks like a number, or has to be one, and is none.
    """
    text = unicodedata.normalize("NFKC", written).strip()
    if country is not None and country not in COUNTRIES:
        raise typer.BadParameter(f"--country: expected two capital letters such as KZ, found {country!r}")
    dialled = number or text.startswith("+") or (country is not None and _DIALLED.fullmatch(text) is not None)
    found = read_number(text if dialled else f"+{text}", country)
    if not dialled:
        key = written.strip()
        return (key, found.e164) if text.isdigit() and isinstance(found, Number) else (key,)
    if isinstance(found, Number):
        return (found.e164,)
    raise ConfigError(f"expected a telephone number, found {found}")


def _of_file(path: Path, country: str | None) -> Iterator[str]:
    """Everybody on a list that came as a file; one that can't be read is refused whole.

    Raises:
        ListRefused: it is no list, or a row of it is no number.
    """
    head, rows = read_list(read(path), path.name)
    named = next((at for at, it in enumerate(head) if it.casefold() == "phone"), None)
    place = named or 0
    first = () if named is not None or not any(map(str.isdigit, head[0])) else (Row(1, head),)  # a list without a head
    for row in (*first, *rows):
        cell = row.cells[place] if place < len(row.cells) else ""
        if cell.strip():
            try:
                yield from keys_of(cell, country, number=named is not None)
            except ConfigError as error:
                raise ListRefused(f"{path.name}: row {row.number}: {error}") from error
