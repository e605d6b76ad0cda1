"""The file of keys: its owner's alone, whole at all times, and no key is forgotten that somebody may still need."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from engine.core.errors import ConfigError
from engine.store.keys import KeyFile, keys_of

NOW = datetime(2030, 3, 4, 12, 0, tzinfo=UTC)


@pytest.fixture
def file(tmp_path: Path) -> KeyFile:
    return KeyFile(tmp_path / "keys")


def test_a_new_key_comes_first_and_the_old_ones_stay(file: KeyFile) -> None:
    first = file.make(NOW)
    second = file.add(NOW + timedelta(days=1))

    assert list(file.keys()) == [second, first]
    assert file.newest == second
    assert file.of(first.id) == first
    assert first.secret != second.secret
    assert file.path.stat().st_mode & 0o777 == 0o600
    assert list(file.path.parent.iterdir()) == [file.path]


def test_a_key_does_not_show_itself(file: KeyFile) -> None:
    key = file.make(NOW)

    assert key.secret.hex() not in repr(key)
    assert repr(key.secret) not in repr(key)


def test_a_key_is_forgotten_once_nobody_needs_it_and_those_who_came_late_are_done(file: KeyFile) -> None:
    old, new = file.make(NOW), file.add(NOW)

    assert file.forget(frozenset(), NOW + timedelta(minutes=59)) == []
    assert file.forget(frozenset({old.id}), NOW + timedelta(minutes=61)) == []
    assert file.forget(frozenset(), NOW + timedelta(minutes=61)) == [old]
    assert file.keys() == [new]


def test_a_file_that_others_may_read_is_refused(file: KeyFile) -> None:
    file.make(NOW)
    file.path.chmod(0o640)

    with pytest.raises(ConfigError, match="its owner alone may read it, found mode 640"):
        keys_of(file.path)


@pytest.mark.parametrize(
    "text", ["", "callwright keys 1\n", "hello", "callwright keys 1\nab 2030-01-01 xx\n", "callwright keys 1\nab\n"]
)
def test_another_file_is_refused(file: KeyFile, text: str) -> None:
    file.path.write_text(text, encoding="ascii")
    file.path.chmod(0o600)

    with pytest.raises(ConfigError, match="callwright keys make"):
        keys_of(file.path)


def test_keys_are_never_written_over(file: KeyFile) -> None:
    key = file.make(NOW)

    with pytest.raises(ConfigError, match="found one"):
        file.make(NOW)
    assert file.keys() == [key]


def test_without_a_file_there_are_no_keys(tmp_path: Path) -> None:
    assert keys_of(None) is None
    with pytest.raises(ConfigError, match="No such file"):
        keys_of(tmp_path / "gone")
