"""``callwright campaign status``: how campaigns stand, and that the account agrees."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from engine.cli.campaign.shared import DEFAULT, ConfigFile, opened, say
from engine.cli.output import say_json
from engine.store.campaign_account import CampaignAccount, account
from engine.store.campaigns import Campaigns, KeptCampaign


def status(
    name: Annotated[str | None, typer.Argument(help="The campaign's name; by default all of them.")] = None,
    *,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a campaign.")] = False,
    config: ConfigFile = DEFAULT,
) -> None:
    """Say how every contact stands, and prove that the account agrees (exit code 1 where it does not)."""
    engine = opened(config)
    campaigns = Campaigns(engine)
    chosen = campaigns.all() if name is None else [campaigns.named(name)]
    agrees = True
    for kept in chosen:
        drawn = account(engine, kept.id)
        agrees = agrees and not drawn.disagreements
        if json:
            say_json(_as_json(kept, drawn))
        else:
            _print(kept, drawn)
    if not agrees:
        raise typer.Exit(1)


def _print(kept: KeptCampaign, drawn: CampaignAccount) -> None:
    say(f"{kept.name}: {kept.state.value}{f', {kept.reason}' if kept.reason else ''}")
    for state, number in drawn.states.items():
        say(f"  {state.value:<12}{number:>8}")
        for reason, times in drawn.reasons[state].items() if number else ():
            say(f"  {'':<12}{times:>8}  {reason}")
    say(f"  {'together':<12}{sum(drawn.states.values()):>8}  of {drawn.contacts} contacts")
    for what, counts in (("outcomes", drawn.outcomes), ("network", drawn.reached), ("attempts", drawn.attempts)):
        if counts:
            say(f"  {what}: " + ", ".join(f"{it.value} {number}" for it, number in counts.items()))
    say(f"  talked {drawn.talked / 60:.1f} min" + (f"; next due {drawn.next_at:%Y-%m-%d %H:%M} UTC" if drawn.next_at else ""))
    say("\n".join(f"  DOES NOT AGREE: {it}" for it in drawn.disagreements) or "  the account agrees")


def _as_json(kept: KeptCampaign, drawn: CampaignAccount) -> dict[str, Any]:
    return {
        "campaign": kept.name,
        "state": kept.state.value,
        "reason": kept.reason,
        "contacts": drawn.contacts,
        "states": {it.value: number for it, number in drawn.states.items()},
        "outcomes": {it.value: number for it, number in drawn.outcomes.items()},
        "reasons": {it.value: dict(found) for it, found in drawn.reasons.items()},
        "attempts": {it.value: number for it, number in drawn.attempts.items()},
        "reached": {it.value: number for it, number in drawn.reached.items()},
        "talked": round(drawn.talked, 1),
        "next_at": drawn.next_at.isoformat() if drawn.next_at else None,
        "disagreements": list(drawn.disagreements),
        "agrees": not drawn.disagreements,
    }
