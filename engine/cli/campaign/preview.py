"""``callwright campaign preview``: what starting would do."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from engine.cli.campaign.shared import DEFAULT, AsJson, ConfigFile, Name, say
from engine.cli.output import say_json
from engine.cli.qa.shared import database, settings
from engine.outbound.forecast import Forecast, Pace
from engine.runtime.outbound.previewing import Preview
from engine.runtime.outbound.previewing import preview as draw_up
from engine.store.campaigns import Campaigns, KeptCampaign

_SHOWN = 5  # rows of each reason


def preview(
    name: Name,
    *,
    report: Annotated[Path | None, typer.Option(help="A CSV file for every row that will be skipped, with its reason.")] = None,
    hear: Annotated[
        Path | None, typer.Option(help="A WAV file for what the first calls say, one language after another.")
    ] = None,
    json: AsJson = False,
    config: ConfigFile = DEFAULT,
) -> None:
    """Say who will be skipped and why, how long it will take, and what the first call says; nobody is called."""
    known = settings(config)
    engine = database(known)
    kept = Campaigns(engine).named(name)
    found = draw_up(engine, kept, datetime.now(UTC), report)
    if json:
        say_json(_as_json(found, kept))
    else:
        _print(found, kept)
    if hear is not None:
        from engine.runtime.outbound.first_sound import hear as render  # noqa: PLC0415  loads voices

        seconds = render(found.words, known.tts, hear)
        say(f"{hear}: {seconds:.1f} s")


def _print(found: Preview, kept: KeptCampaign) -> None:
    whom = f"{found.waiting} wait; {found.called} will be called, {found.at_once} of them at once"
    say(f"{kept.name} ({kept.state.value}): {whom}")
    for why, rows in sorted(found.skipped.items(), key=lambda it: -len(it[1])):
        shown = ", ".join(map(str, rows[:_SHOWN])) + ("…" if len(rows) > _SHOWN else "")
        say(f"{len(rows):>8} skipped: {why} (rows {shown})")
    for why, number in found.later.most_common():
        say(f"{number:>8} later: {why}")
    if found.forecast is not None and found.pace is not None:
        say(_told(found.forecast, found.pace, kept))
    for it in found.words:
        say(f"{it.language}: " + " ".join(text for _, text in it.spoken))


def _told(found: Forecast, pace: Pace, kept: KeptCampaign) -> str:
    by = f"measured on {pace.measured} calls" if pace.measured else "assumed, as too little was measured"
    costs = f"{kept.policy.pacing.lines} lines, {pace.talk:.0f} s a talk, {pace.answered:.0%} answered: {by}"
    if found.ends is None:
        return f"not done in time: none left for {found.left} contacts ({costs})"
    hours = found.on_the_phone.total_seconds() / 3600
    return (
        f"done by {found.ends:%Y-%m-%d %H:%M} UTC, {hours:.1f} h of it on the phone; waits between attempts come on top ({costs})"
    )


def _as_json(found: Preview, kept: KeptCampaign) -> dict[str, Any]:
    plan, pace = found.forecast, found.pace
    return {
        "campaign": kept.name,
        "state": kept.state.value,
        "waiting": found.waiting,
        "called": found.called,
        "at_once": found.at_once,
        "skipped": {why: {"contacts": len(rows), "rows": rows[:_SHOWN]} for why, rows in found.skipped.items()},
        "later": dict(found.later),
        "ends": plan.ends.isoformat() if plan and plan.ends else None,
        "hours_on_the_phone": round(plan.on_the_phone.total_seconds() / 3600, 2) if plan else None,
        "no_time_for": plan.left if plan else None,
        "pace": {"talk": pace.talk, "ring": pace.ring, "answered": pace.answered, "measured_on": pace.measured} if pace else None,
        "first_words": {it.language: [text for _, text in it.spoken] for it in found.words},
    }
