"""``callwright keeping status``: how long calls are kept, what is due, what is held."""

from __future__ import annotations

from datetime import UTC, datetime

from engine.access.deeds import Deed
from engine.cli.keeping.shared import ENGINE, AsJson, ConfigFile, opened, say, tell
from engine.cli.output import say_json
from engine.config import Config
from engine.privacy.retention import KeepingClass
from engine.runtime.keeping.deleting import Keeping
from engine.store.audit import Asked


def status(config: ConfigFile = ENGINE, *, json: AsJson = False) -> None:
    """Say how long calls are kept, what is due by now, what is held, and when it was last looked for."""
    known, keeping = opened(config)
    holds, due = keeping.holds.all(), keeping.run(datetime.now(UTC), dry=True)
    if json:
        say_json(
            {
                "classes": [{"name": it.name, "days": {k: v.days for k, v in it.kept.items()}} for it in _classes(known)],
                "due": [{"class": name, "goes": step, "calls": number} for (name, step), number in sorted(due.gone.items())],
                "due_contacts": due.contacts,
                "held": due.held.total(),
                "holds": [{"id": it.id, "kind": it.kind, "why": it.why, "by": it.who, "at": it.at.isoformat()} for it in holds],
                "last_run": _last(keeping),
            }
        )
        return
    for it in _classes(known):
        say(f"{it.name:<16} " + ", ".join(f"{step} {kept.days} days" for step, kept in it.kept.items()))
    if known.keeping is None:
        say("expected [keeping] in the configuration, found none: calls are kept for ever")
    for hold in holds:
        what = "" if hold.kind == "person" else f" {hold.subject}"
        say(f"hold {hold.id}: {hold.kind}{what}, by {hold.who} on {hold.at:%Y-%m-%d}: {hold.why}")
    say(f"last run: {_last(keeping) or 'never'}; due now:")
    tell(due, holds)


def _classes(config: Config) -> list[KeepingClass]:
    return [] if config.keeping is None else list(config.keeping.rules.classes)


def _last(keeping: Keeping) -> str | None:
    return next((it.at for it, _ in keeping.trail.rows(Asked(what=Deed.KEEPING_RAN), most=1)), None)
