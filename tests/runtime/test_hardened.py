"""What keeps digits in memory out of reach is told as it is."""

from __future__ import annotations

import pytest

from engine.runtime.hardened import Hardness, hardness


@pytest.mark.parametrize(
    ("found", "closed", "swapped_never"),
    [
        (Hardness(dumpable=False, core_bytes=0, locked_bytes=8 << 20, swap=True), True, True),
        (Hardness(dumpable=True, core_bytes=0, locked_bytes=8 << 20, swap=True), False, True),
        (Hardness(dumpable=False, core_bytes=-1, locked_bytes=64 << 10, swap=True), False, False),
        (Hardness(dumpable=False, core_bytes=0, locked_bytes=64 << 10, swap=False), True, True),
        (Hardness(dumpable=False, core_bytes=0, locked_bytes=-1, swap=True), True, True),
    ],
)
def test_a_process_is_shut_where_it_is_neither_dumpable_nor_dumped(found: Hardness, closed: bool, swapped_never: bool) -> None:
    assert (found.closed, found.swapped_never) == (closed, swapped_never)


def test_this_machine_can_be_looked_at() -> None:
    found = hardness()

    assert found.core_bytes >= -1
    assert found.locked_bytes >= -1
