"""What tests need that a machine may not have."""

from __future__ import annotations

import os

import pytest


def missing(what: str) -> None:
    """Skip for want of ``what``; in CI, where everything is there, fail."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} is missing, and with CI set nothing may be skipped")
    pytest.skip(f"{what} is not here")
