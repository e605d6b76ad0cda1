"""What kinds of spoken numbers are secrets, and how little of each is already too much."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """What a masked number is taken for."""

    CARD = "card_number"
    SECURITY_CODE = "security_code"
    PIN = "pin"
    ONE_TIME_CODE = "one_time_code"
    ACCOUNT = "account_number"
    IDENTITY = "identity_number"
    PHONE = "phone_number"
    UNKNOWN = "digits"

    @property
    def short(self) -> bool:
        """Whether so few digits make it up that each of them is a secret."""
        return self in {Kind.PIN, Kind.SECURITY_CODE, Kind.ONE_TIME_CODE}
