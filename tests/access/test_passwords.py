"""What a password must be."""

from __future__ import annotations

import pytest

from engine.access.passwords import Fault, fault


@pytest.mark.parametrize(
    "password", ["correct horse battery", "три белых коня", "今天天气很好我们去公园散步吧", "Tr0ub4dor&3-and-more"]
)
def test_long_ones_are_fine_in_any_script(password: str) -> None:
    assert fault(password, "anna") is None


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("", Fault.SHORT), ("elevenchars", Fault.SHORT), ("x" * 129, Fault.LONG), ("anna.smith.1", Fault.NAME), ("ANNA.SMITHanna.smith", Fault.NAME),
        ("aaaaaaaaaaaaaaaa", Fault.KNOWN), ("123456789012", Fault.KNOWN), ("abcdefghijklm", Fault.KNOWN), ("password1234", Fault.KNOWN),
        ("QwertyQwerty1", Fault.KNOWN), ("пароль123парол", None),
    ],
)  # fmt: skip
def test_what_is_guessed_first_is_none(password: str, why: Fault | None) -> None:
    assert fault(password, "anna.smith") == why
