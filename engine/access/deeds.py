"""What the audit chain keeps: the names are stable, other systems read them."""

from __future__ import annotations

from enum import StrEnum


class Deed(StrEnum):
    """Something that somebody did, or was refused."""

    SIGNED_IN = "signed_in"
    SIGN_IN_REFUSED = "sign_in.refused"
    SIGNED_OUT = "signed_out"
    REFUSED = "refused"
    """A route, a command, a call of another team: what their roles do not allow."""

    PERSON_ADDED = "person.added"
    PERSON_DISABLED = "person.disabled"
    PERSON_ENABLED = "person.enabled"
    ROLES_CHANGED = "person.roles_changed"
    PASSWORD_CHANGED = "person.password_changed"  # noqa: S105 -- a deed's name
    TOKEN_MADE = "token.made"  # noqa: S105
    TOKEN_REVOKED = "token.revoked"  # noqa: S105

    HEARD = "recording.heard"
    UNMASKED_ASKED = "recording.unmasked.asked"
    UNMASKED_ALLOWED = "recording.unmasked.allowed"
    UNMASKED_HEARD = "recording.unmasked.heard"
    EXPORTED = "exported"
    CHANGED = "changed"
    """Flows, thresholds, scorecards, verdicts, campaigns, settings; the subject says which."""

    ERASED = "erased"
    """What belonged to a call, because its time was over or a person's calls are erased."""
    KEEPING_RAN = "keeping.ran"
    """What was due was looked for, everywhere."""
    HELD = "held"
    """Kept from being erased, or no longer."""

    AUDIT_EXPORTED = "audit.exported"
    AUDIT_PRUNED = "audit.pruned"
