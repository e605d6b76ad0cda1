"""What quality control keeps is given out whole, or not at all."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from engine.core.errors import MediaError
from engine.runtime.kept_files import open_kept, read_transcript
from engine.store.keys import KeyFile
from engine.store.sealed_files import CHUNK, write_kept

WORDS = b"{}" * CHUNK  # two chunks


@pytest.fixture
def keys(tmp_path: Path) -> KeyFile:
    keys = KeyFile(tmp_path / "keys")
    keys.make(datetime.now(UTC))
    return keys


def test_a_file_that_has_lost_its_end_is_not_given_out_and_the_log_says_so(tmp_path: Path, keys: KeyFile) -> None:
    kept = tmp_path / "call.json"
    write_kept(kept, WORDS, keys)
    whole = read_transcript(tmp_path, "call.json", keys)
    kept.write_bytes(kept.read_bytes()[: -(CHUNK + 28)])  # its last chunk, with nonce and tag: what is left is sound

    with capture_logs() as logs, pytest.raises(MediaError, match=r"call\.json, found it without its end"):
        open_kept(tmp_path, "call.json", keys)
    assert whole == WORDS
    assert [(it["event"], it["place"]) for it in logs] == [("kept.cut", "call.json")]


def test_a_file_that_is_not_encrypted_is_given_as_it_is(tmp_path: Path) -> None:
    write_kept(tmp_path / "call.json", WORDS, None)

    assert read_transcript(tmp_path, "call.json") == WORDS
