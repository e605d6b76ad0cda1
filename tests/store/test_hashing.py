"""What a password costs who guesses."""

from __future__ import annotations

from argon2 import extract_parameters

from engine.store import hashing


def test_a_password_costs_at_least_what_owasp_asks_for_and_nobodys_as_much() -> None:
    ours, nobodys = extract_parameters(hashing.hashed("correct horse battery")), extract_parameters(hashing._NOBODYS)

    assert (ours.type.name, ours.memory_cost >= 19 * 1024, ours.time_cost >= 2) == ("ID", True, True)
    assert (nobodys.memory_cost, nobodys.time_cost, nobodys.parallelism) == (ours.memory_cost, ours.time_cost, ours.parallelism)
    assert not hashing.fits("correct horse battery", None)
