"""Encrypted files are read from any place, survive their writer, and whatever is done to them is noticed."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.errors import MediaError
from engine.store.keys import KeyFile
from engine.store.sealed_files import CHUNK, SealedFile, is_cut, opened, write_sealed
from engine.store.wrapped_keys import rewrap, wrapped_with

NOW = datetime(2030, 3, 4, 12, 0, tzinfo=UTC)
FIRST_CHUNK = 18 * 1024
STEP = CHUNK + 28
WORDS = bytes(range(251)) * 200  # three full chunks and a bit; no two alike


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> KeyFile:
    file = KeyFile(tmp_path_factory.mktemp("keys") / "keys")
    file.make(NOW)
    return file


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scratch") / "sealed"


class Octets(bytes):
    """Thousands of them, told in a line."""

    def __repr__(self) -> str:
        return f"<{len(self)} bytes>"


@pytest.fixture(scope="module")
def whole(keys: KeyFile, scratch: Path) -> bytes:
    return Octets(sealed(WORDS, keys, scratch))


@contextmanager
def writing(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_TRUNC, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def sealed(words: bytes, keys: KeyFile, path: Path) -> bytes:
    with writing(path) as descriptor:
        write_sealed(descriptor, words, keys)
    return path.read_bytes()


def as_read(octets: bytes, keys: KeyFile, path: Path) -> tuple[bytes, bool] | None:
    """What is read of a file of these octets, and whether it says that it is cut; ``None``: it is refused."""
    path.write_bytes(octets)
    try:
        with opened(path, keys) as file:
            return file.read(), is_cut(file)
    except MediaError:
        return None


def is_honest(octets: bytes, keys: KeyFile, path: Path) -> bool:
    """Whether reading gives all of it, or a part that says so, or nothing."""
    told = as_read(octets, keys, path)
    return told is None or told == (WORDS, False) or (told[1] and WORDS.startswith(told[0]))


def test_what_was_written_is_read_and_nothing_of_it_lies_in_the_file(keys: KeyFile, whole: bytes, scratch: Path) -> None:
    assert as_read(whole, keys, scratch) == (WORDS, False)
    assert not any(WORDS[at : at + 8] in whole for at in range(0, len(WORDS), 97))


@given(first=st.integers(0, len(WORDS) + 10), count=st.integers(0, 40_000))
def test_any_part_can_be_read(keys: KeyFile, whole: bytes, scratch: Path, first: int, count: int) -> None:
    scratch.write_bytes(whole)
    with opened(scratch, keys) as file:
        file.seek(first)
        piece = file.read(count)

    assert piece == WORDS[first : first + count]


@given(words=st.sampled_from([0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK]))
def test_any_length_is_kept(keys: KeyFile, scratch: Path, words: int) -> None:
    assert as_read(sealed(WORDS[:words], keys, scratch), keys, scratch) == (WORDS[:words], False)


@given(at=st.integers(0, FIRST_CHUNK + len(WORDS) + 4 * 28 - 1))
def test_a_file_that_was_cut_anywhere_reads_up_to_the_last_whole_chunk_and_says_so(
    keys: KeyFile, whole: bytes, scratch: Path, at: int
) -> None:
    told = as_read(whole[:at], keys, scratch)
    chunks = max(0, at - FIRST_CHUNK) // STEP

    assert told in ([(WORDS[: chunks * CHUNK], True)] if at >= 1024 else [None, (whole[:at], False), (b"", True)])


@given(at=st.integers(0, 10**9), bit=st.integers(0, 7))
def test_no_flipped_bit_changes_a_word(keys: KeyFile, whole: bytes, scratch: Path, at: int, bit: int) -> None:
    octets = bytearray(whole)
    place = at % 68 if at % 3 == 0 else FIRST_CHUNK + at % (len(whole) - FIRST_CHUNK)
    octets[place] ^= 1 << bit
    told = as_read(bytes(octets), keys, scratch)

    assert told is None or told[1] or place < 8  # where it is no sealed file any more
    assert place < 8 or is_honest(bytes(octets), keys, scratch)


@given(one=st.integers(0, 2), other=st.integers(0, 2))
def test_chunks_that_change_places_are_noticed(keys: KeyFile, whole: bytes, scratch: Path, one: int, other: int) -> None:
    octets = bytearray(whole)
    for to, place in ((one, other), (other, one)):
        begin = FIRST_CHUNK + to * STEP
        octets[begin : begin + STEP] = whole[FIRST_CHUNK + place * STEP :][:STEP]
    told = as_read(bytes(octets), keys, scratch)

    assert told == ((WORDS, False) if one == other else None)


@given(left_out=st.integers(0, 3))
def test_a_chunk_that_is_left_out_is_noticed(keys: KeyFile, whole: bytes, scratch: Path, left_out: int) -> None:
    begin = FIRST_CHUNK + left_out * STEP
    told = as_read(whole[:begin] + whole[begin + STEP :], keys, scratch)

    assert told is None or told == (WORDS[: left_out * CHUNK], True)


@given(place=st.integers(0, 3))
def test_a_chunk_of_another_file_is_noticed(keys: KeyFile, whole: bytes, scratch: Path, place: int) -> None:
    other = sealed(WORDS, keys, scratch)
    begin = FIRST_CHUNK + place * STEP
    told = as_read(whole[:begin] + other[begin : begin + STEP] + whole[begin + STEP :], keys, scratch)

    assert told is None or told == (WORDS[: 3 * CHUNK], True)


@given(more=st.binary(min_size=1, max_size=64))
def test_what_was_put_behind_the_end_is_noticed(keys: KeyFile, whole: bytes, scratch: Path, more: bytes) -> None:
    told = as_read(whole + more, keys, scratch)

    assert told is None or told == (WORDS[: 3 * CHUNK], True)


def test_without_its_key_nothing_is_read(keys: KeyFile, whole: bytes, scratch: Path, tmp_path: Path) -> None:
    scratch.write_bytes(whole)
    others = KeyFile(tmp_path / "others")
    others.make(NOW)

    with pytest.raises(MediaError, match=r"expected store\.key_file to be set"):
        opened(scratch, None)
    with pytest.raises(MediaError, match="whose key is in"):
        opened(scratch, others)


def test_a_plain_file_is_read_as_it_is(keys: KeyFile, tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(b"RIFF plain")
    with opened(tmp_path / "plain", keys) as file:
        told = file.read(), is_cut(file)

    assert told == (b"RIFF plain", False)


Writing = st.tuples(st.floats(0, 1), st.integers(1, 2 * CHUNK), st.integers(0, 255))


@given(writings=st.lists(Writing, max_size=8), broken=st.integers(0, 40), short=st.floats(0, 1))
def test_a_writer_that_dies_in_any_writing_loses_that_alone(
    keys: KeyFile, scratch: Path, writings: list[tuple[float, int, int]], broken: int, short: float
) -> None:
    """The ``broken``-th writing to the disk is done in part only, and is the last."""
    real, calls, kept, during = os.pwrite, 0, bytearray(), b""

    def dying(descriptor: int, octets: bytes, at: int) -> int:
        nonlocal calls
        calls += 1
        if calls == broken + 2:  # the first two make the file
            real(descriptor, octets[: int(short * len(octets))], at)
            raise OSError(errno.EIO, "killed")
        return real(descriptor, octets, at)

    with writing(scratch) as descriptor, pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "pwrite", dying)
        file = SealedFile.begun(descriptor, keys)
        try:
            for where, count, value in writings:
                at = int(where * len(kept))
                after = kept[:at] + bytes([value]) * count + kept[at + count :]
                during = bytes(after)
                file.write(bytes([value]) * count, at)
                kept, during = after, b""
        except OSError:
            pass
    with opened(scratch, keys) as reading:
        words, cut = reading.read(), is_cut(reading)
    with scratch.open("r+b") as again:
        resumed = SealedFile.resumed(again.fileno(), keys)
        resumed.finish()
    with opened(scratch, keys) as reading:
        finished, unfinished = reading.read(), is_cut(reading)

    assert (cut, unfinished) == (True, False)
    for left in (words, finished):
        assert len(left) >= len(kept)
        assert all(here in {was, will} for here, was, will in zip(left, kept, during or kept, strict=False))


def test_no_nonce_is_used_twice_when_a_place_is_written_anew(keys: KeyFile, scratch: Path) -> None:
    seen = set()
    with writing(scratch) as descriptor:
        file = SealedFile.begun(descriptor, keys)
        for _ in range(50):
            file.write(b"the same words", 0)
            seen.add(os.pread(descriptor, 12, FIRST_CHUNK))

    assert len(seen) == 50


def test_what_a_full_disk_refused_can_be_written_later(keys: KeyFile, scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with writing(scratch) as descriptor:
        file = SealedFile.begun(descriptor, keys)
        file.write(WORDS[:100], 0)
        with monkeypatch.context() as full:
            real = os.pwrite
            full.setattr(
                os, "pwrite", lambda descriptor, octets, at: real(descriptor, octets[: len(octets) // 2], at) and _full()
            )
            with pytest.raises(OSError, match="No space"):
                file.write(WORDS[100:40_000], 100)
        file.write(WORDS[100:20_000], 100)
        file.write(WORDS[20_000:], 20_000)
        file.finish()

    assert as_read(scratch.read_bytes(), keys, scratch) == (WORDS, False)


def _full() -> int:
    raise OSError(errno.ENOSPC, "No space left on device")


# --- rotation -----------------------------------------------------------------------------------------------------------------


def test_rotation_changes_the_head_alone_and_the_old_key_opens_nothing_any_more(tmp_path: Path) -> None:
    keys, path = KeyFile(tmp_path / "keys"), tmp_path / "sealed"
    old = keys.make(NOW)
    before = sealed(WORDS, keys, path)
    old_file = KeyFile(tmp_path / "old")
    old_file.path.write_bytes(keys.path.read_bytes())
    old_file.path.chmod(0o600)
    os.utime(path, ns=(5, 7))
    new = keys.add(NOW)
    changed = rewrap(path, keys), rewrap(path, keys)
    after = path.read_bytes()

    assert changed == (True, False)
    assert old.id not in after
    assert wrapped_with(path) == new.id
    assert after[1024:] == before[1024:]
    assert path.stat().st_mtime_ns == 7
    assert as_read(after, keys, tmp_path / "copy") == (WORDS, False)
    assert as_read(after, old_file, tmp_path / "copy") is None


def test_rotation_that_is_killed_between_any_two_writings_leaves_a_readable_file(tmp_path: Path) -> None:
    keys, path = KeyFile(tmp_path / "keys"), tmp_path / "sealed"
    keys.make(NOW)
    whole = sealed(WORDS, keys, path)
    keys.add(NOW)
    for dies_at in range(1, 3):
        path.write_bytes(whole)
        left = dies_at

        def dying(descriptor: int, octets: bytes, at: int, real: object = os.pwrite) -> int:
            nonlocal left
            left -= 1
            if not left:
                os.pwritev(descriptor, [octets[: len(octets) // 2]], at)
                raise OSError(errno.EIO, "killed")
            return os.pwritev(descriptor, [octets], at)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(os, "pwrite", dying)
            with pytest.raises(OSError, match="killed"):
                rewrap(path, keys)
        torn = path.read_bytes()
        rewrap(path, keys)

        assert as_read(torn, keys, tmp_path / "copy") == (WORDS, False)
        assert wrapped_with(path) == keys.newest.id
        assert as_read(path.read_bytes(), keys, tmp_path / "copy") == (WORDS, False)


def test_a_file_that_is_being_written_can_be_rotated(tmp_path: Path) -> None:
    keys, path = KeyFile(tmp_path / "keys"), tmp_path / "sealed"
    keys.make(NOW)
    with writing(path) as descriptor:
        file = SealedFile.begun(descriptor, keys)
        file.write(WORDS[:30_000], 0)
        keys.add(NOW)
        rewrap(path, keys)
        file.write(WORDS[30_000:], 30_000)
        file.finish()

    assert wrapped_with(path) == keys.newest.id
    assert as_read(path.read_bytes(), keys, path) == (WORDS, False)
