"""``callwright campaign start``."""

from __future__ import annotations

from pathlib import Path

from engine.cli.campaign.shared import DEFAULT, AsJson, ConfigFile, Name, opened, tell
from engine.ivr.files import load_flow
from engine.outbound.campaign import CampaignRefused, Order
from engine.outbound.script import mismatches
from engine.store.campaigns import Campaigns, KeptCampaign


def start(name: Name, *, json: AsJson = False, config: ConfigFile = DEFAULT) -> None:
    """Start calling a campaign's people; from the running engine, within its hours."""
    _can_talk(Campaigns(opened(config)).named(name))
    tell(name, Order.START, config, json=json)


def _can_talk(kept: KeptCampaign) -> None:
    """Whether its flow can be used for it.

    Raises:
        FlowErrors: it can't be used at all.
        CampaignRefused: it can't say what the campaign has.
    """
    problems = list(mismatches(kept.policy, load_flow(Path(kept.place, kept.policy.flow))))
    if problems:
        raise CampaignRefused("\n".join(f"{kept.name}: {it}" for it in problems))
