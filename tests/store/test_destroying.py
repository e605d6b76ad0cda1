"""A destroyed file can't be read by another way to it either."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.core.errors import MediaError
from engine.store.destroying import destroy
from engine.store.keys import KeyFile
from engine.store.sealed_files import opened, write_kept

SAID = b"my number is 8 701 765 43 21" * 3_000


@pytest.mark.parametrize("encrypted", [True, False])
def test_what_was_in_it_is_gone_with_its_name(tmp_path: Path, encrypted: bool) -> None:
    keys = KeyFile(tmp_path / "keys")
    keys.make(datetime.now(UTC))
    path, other = tmp_path / "call.wav", tmp_path / "another-link"
    write_kept(path, SAID, keys if encrypted else None)
    other.hardlink_to(path)

    destroy(path)

    assert not path.exists()
    assert b"701" not in other.read_bytes()
    with opened(other, keys) as file:
        assert b"701" not in file.read()


def test_a_key_that_was_wiped_is_not_found_by_who_has_all_others(tmp_path: Path) -> None:
    keys = KeyFile(tmp_path / "keys")
    keys.make(datetime.now(UTC))
    path, other = tmp_path / "call.wav", tmp_path / "another-link"
    write_kept(path, SAID, keys)
    other.hardlink_to(path)
    destroy(path)
    head = bytearray(other.read_bytes())
    head[:8] = b"CWSEAL01"  # somebody makes it look like a file of ours again
    other.write_bytes(head)

    with pytest.raises(MediaError, match="broken head"):
        opened(other, keys)


def test_what_is_gone_already_is_no_trouble(tmp_path: Path) -> None:
    destroy(tmp_path / "nothing")
