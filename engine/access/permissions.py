"""What can be done, and which role may do it. Denied by default: what is not listed for a role, it may not."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Permission(StrEnum):
    """One thing that a route or a command does."""

    WATCH_LIVE = "live.watch"
    """See the calls that go on now, with their masked words."""
    ANSWER_PHRASES = "desk.answer"
    """Sit at the silent agent's desk."""
    FIND_CALLS = "calls.find"
    """Search calls, read their masked words, decisions and verdicts."""
    HEAR_CALLS = "calls.hear"
    """Play masked recordings."""
    HEAR_UNMASKED = "calls.hear_unmasked"
    """Ask for, or allow another, to hear what is not masked; takes a reason and a second person."""
    EXPORT = "calls.export"
    """Take scores, outcomes and words out of the house."""
    REVIEW = "quality.review"
    """Overrule verdicts, score samples, answer appeals, promote cards."""
    APPEAL = "quality.appeal"
    SEE_SCORES = "quality.see"
    SEE_FLOWS = "flows.see"
    CHANGE_FLOWS = "flows.change"
    """Put a flow, examples or thresholds into force."""
    TALK_TO_FLOWS = "flows.talk"
    """Use the phone in the page."""
    RUN_CAMPAIGNS = "campaigns.run"
    """Import, start, pause, stop campaigns; keep lists of those who must not be called."""
    SEE_CAMPAIGNS = "campaigns.see"
    STOP_CAMPAIGNS = "campaigns.stop"
    MANAGE_PEOPLE = "people.manage"
    """Users, roles, teams, tokens."""
    READ_AUDIT = "audit.read"
    MANAGE_KEEPING = "keeping.manage"
    """Retention, legal holds, erasure, keys."""
    ANNOUNCE_CALLS = "api.announce"
    """What a dialplan does over the API."""
    SEND_RECORDINGS = "api.recordings"
    READ_METRICS = "metrics.read"


class Role(StrEnum):
    """What a person or a machine is here for. One may have several."""

    DESIGNER = "designer"
    SILENT_AGENT = "silent_agent"
    QA_LEAD = "qa_lead"
    SUPERVISOR = "supervisor"
    CAMPAIGN_MANAGER = "campaign_manager"
    SECURITY_OFFICER = "security_officer"
    MACHINE = "machine"


PEOPLES_ROLES: Final = frozenset(Role) - {Role.MACHINE}


_P = Permission
GRANTS: Final[Mapping[Role, frozenset[Permission]]] = MappingProxyType(
    {
        Role.DESIGNER: frozenset({_P.SEE_FLOWS, _P.CHANGE_FLOWS, _P.TALK_TO_FLOWS, _P.WATCH_LIVE}),
        Role.SILENT_AGENT: frozenset({_P.ANSWER_PHRASES}),
        Role.QA_LEAD: frozenset(
            {_P.FIND_CALLS, _P.HEAR_CALLS, _P.EXPORT, _P.REVIEW, _P.SEE_SCORES, _P.SEE_FLOWS, _P.SEE_CAMPAIGNS, _P.WATCH_LIVE}
        ),
        Role.SUPERVISOR: frozenset(
            {_P.WATCH_LIVE, _P.FIND_CALLS, _P.HEAR_CALLS, _P.SEE_SCORES, _P.APPEAL, _P.SEE_CAMPAIGNS, _P.STOP_CAMPAIGNS}
        ),
        Role.CAMPAIGN_MANAGER: frozenset({_P.RUN_CAMPAIGNS, _P.SEE_CAMPAIGNS, _P.STOP_CAMPAIGNS, _P.WATCH_LIVE, _P.SEE_FLOWS}),
        Role.SECURITY_OFFICER: frozenset(
            {_P.MANAGE_PEOPLE, _P.READ_AUDIT, _P.MANAGE_KEEPING, _P.HEAR_UNMASKED, _P.STOP_CAMPAIGNS, _P.READ_METRICS}
        ),
        Role.MACHINE: frozenset({_P.ANNOUNCE_CALLS, _P.SEND_RECORDINGS, _P.READ_METRICS}),
    }
)


def granted(roles: Collection[Role]) -> frozenset[Permission]:
    """Everything these roles may do together."""
    return frozenset().union(*(GRANTS[role] for role in roles))
