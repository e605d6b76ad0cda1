"""A stranger's file is decoded as by the engine itself, or refused with a reason, and costs little either way."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.audio.files import read
from engine.audio.recording import Limits
from engine.core.errors import MediaError, ModelBroken
from engine.core.units import Seconds
from engine.runtime.batch.decoding import Cost, Decoder, decoded
from engine.runtime.batch.local import LocalExecutor
from engine.runtime.batch.work import Heard, Outcome, Refused
from engine.store.keys import KeyFile
from engine.store.sealed_files import write_sealed
from engine.testing.hearers import decoding, errand
from engine.testing.hostile import HostileFile, good_wav, hostile_files

HOSTILE = tuple(hostile_files())
MOST_BYTES = 512_000_000


@pytest.fixture(scope="module")
def decoder() -> Iterator[Decoder]:
    with Decoder() as decoder:
        yield decoder


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "good.wav"
    path.write_bytes(good_wav())
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All hostile files, and an honest one behind each."""
    folder = tmp_path_factory.mktemp("hostile")
    for number, file in enumerate(HOSTILE):
        (folder / file.name).write_bytes(file.made())
        (folder / f"{number}.wav").write_bytes(good_wav(1 + number % 3))
    return folder


def test_an_encrypted_recording_of_ours_is_decoded_by_who_has_the_key_alone(good: Path, decoder: Decoder, tmp_path: Path) -> None:
    keys, sealed = KeyFile(tmp_path / "keys"), tmp_path / "sealed.wav"
    keys.make(datetime(2030, 3, 4, tzinfo=UTC))
    with sealed.open("x+b", buffering=0) as file:
        write_sealed(file.fileno(), good.read_bytes(), keys)
    with Decoder(keys=keys) as knowing:
        channels = knowing.decoded(sealed).channels

    assert [it.samples.tolist() for it in channels] == [it.samples.tolist() for it in read(good).channels]
    with pytest.raises(MediaError, match=r"store\.key_file"):
        decoder.decoded(sealed)


def said_of(path: Path, decoder: Decoder) -> str:
    try:
        return " ".join(decoder.decoded(path).warnings)
    except MediaError as error:
        return str(error)


@pytest.mark.testdata
def test_every_file_is_decoded_to_what_the_engine_itself_decodes(
    decoder: Decoder, testdata: Path, manifest: Sequence[Mapping[str, Any]]
) -> None:
    odd = [row for row in manifest if row["kind"] == "odd_file" and "zero" not in row["path"] and "text" not in row["path"]]
    others = [{"path": path} for path in ("speech/yes.m4a", "odd/имя с пробелом №1.wav")]
    for row in [row for row in odd if row["channels"]] + others:
        if row["path"].endswith(".ulaw"):
            continue
        here, there = read(testdata / row["path"]), decoder.decoded(testdata / row["path"])

        assert (here.format, here.encoding, here.warnings) == (there.format, there.encoding, there.warnings)
        assert len(here.channels) == len(there.channels)
        assert all((a.samples == b.samples).all() for a, b in zip(here.channels, there.channels, strict=True))


def test_there_are_enough_hostile_files_and_no_two_of_a_name() -> None:
    assert len(HOSTILE) >= 75
    assert len({file.name for file in HOSTILE}) == len(HOSTILE)


@pytest.mark.parametrize("file", HOSTILE, ids=lambda file: file.name)
def test_a_hostile_file_is_refused_or_mended_with_its_reason_within_its_means(
    file: HostileFile, decoder: Decoder, folder: Path
) -> None:
    said = said_of(folder / file.name, decoder)

    assert re.search(file.says, said), said
    assert 0 < decoder.last.memory_bytes < MOST_BYTES


def test_hostile_files_do_not_touch_their_siblings_in_a_run(folder: Path) -> None:
    bad = [errand(file.name, folder / file.name) for file in HOSTILE]
    good = [errand(f"good {number}", folder / f"{number}.wav") for number in range(len(HOSTILE))]
    with LocalExecutor(decoding, 2) as executor:
        mixed = (work for pair in zip(bad, good, strict=True) for work in pair)
        outcomes = {outcome.work.content: outcome for outcome in executor.outcomes(mixed)}
    workers = {outcome.transcript["pid"] for outcome in outcomes.values() if isinstance(outcome, Heard)}

    assert len(outcomes) == len(bad) + len(good)
    assert len(workers) <= 2  # none had to be replaced
    for number, file in enumerate(HOSTILE):
        outcome, sibling = outcomes[file.name], outcomes[f"good {number}"]
        assert re.search(file.says, outcome.reason if isinstance(outcome, Refused) else warnings_of(outcome))
        assert isinstance(sibling, Heard)
        assert sibling.seconds == 1 + number % 3


def warnings_of(outcome: Outcome) -> str:
    assert isinstance(outcome, Heard)
    return " ".join(outcome.transcript["warnings"])


def test_what_is_no_file_is_refused_at_once(decoder: Decoder, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "ring").symlink_to(tmp_path / "ring")

    for odd in (tmp_path, tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(MediaError, match="expected a regular file, found a folder, pipe or device"):
            decoder.decoded(odd)
    for gone in ("gone.wav", "ring"):
        with pytest.raises(MediaError, match=f"{gone}: expected a readable file, found: "):
            decoder.decoded(tmp_path / gone)


def test_a_name_that_is_no_text_is_told_as_well_as_can_be(decoder: Decoder, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"call\xff.wav")
    path.write_bytes(b"<html>")

    with pytest.raises(MediaError, match=r"call�\.wav: expected a sound file"):
        decoder.decoded(path)


def test_a_very_long_name_is_told_whole(decoder: Decoder, tmp_path: Path) -> None:
    folder = tmp_path
    while len(os.fsencode(folder)) < 3_500:
        folder /= "запись" * 20
    folder.mkdir(parents=True)
    path = folder / "звонок.wav"
    path.write_bytes(b"<html>")

    with pytest.raises(MediaError, match="expected a sound file, found a text") as refusal:
        decoder.decoded(path)
    assert str(path) in str(refusal.value)


def test_the_limits_are_the_callers(good: Path) -> None:
    with pytest.raises(MediaError, match="expected at most 1 s"):
        decoded(good, Limits(longest=Seconds(1.0)))


def test_a_recording_of_the_very_last_sample_allowed_is_whole(tmp_path: Path) -> None:
    path, count = tmp_path / "a.wav", 16_000
    path.write_bytes(good_wav())
    whole = decoded(path, Limits(most_samples=count))

    assert (whole.channels[0].samples == read(path).channels[0].samples).all()


def test_sound_can_be_written_over_without_touching_another_reading(decoder: Decoder, good: Path) -> None:
    first, second = decoder.decoded(good), decoder.decoded(good)
    first.channels[0].samples[:] = 0

    assert np.abs(second.channels[0].samples).max() > 8_000


# --- children that go wrong ---------------------------------------------------------------------------------------------------

PATCHED = """
import os, signal, time, engine.runtime.batch.decoding_children as it
whole = it.pour
def pour(stream, take, limits):
    if "good" in stream.raw.name or stream.raw.name == "probe":
        return whole(stream, take, limits)
    {act}
it.pour = pour
it.main()
"""


@pytest.fixture
def wrong(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    path = tmp_path / "wrong.wav"
    path.write_bytes(good_wav())
    return path


def patched(act: str, monkeypatch: pytest.MonkeyPatch) -> Decoder:
    monkeypatch.setattr("engine.runtime.batch.decoding._BEGIN", PATCHED.format(act=act))
    return Decoder()


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        ("import ctypes; ctypes.string_at(0)", r"found one that crashes the decoder \(SIGSEGV\)"),
        ("while True: pass", r"decoded in 1\.1 s of computing, as its 32044 bytes allow, found that it takes longer"),
        ("bytearray(1 << 30)", "expected to be decoded within 201 MB of memory, found that it needs more"),
        ("os.write(5, b'x' * 40000)", "made its decoder say what can't be"),
        ("os.write(5, bytes(60000))", "made its decoder say what can't be"),
        ("os.write(5, b'\\xff' * 60000)", "made its decoder say what can't be"),
        ("os.write(5, b'[]'); os._exit(0)", "made its decoder say what can't be"),
        ("os.write(5, b'{}'); os._exit(0)", "made its decoder say what can't be"),
        ("""os.write(5, b'{"rate_hz": 8000, "channels": 1, "frames": 999999999}'); os._exit(0)""", "say what can't be"),
        ("""os.write(5, b'{"rate_hz": 8000, "channels": 9, "frames": 9}'); os._exit(0)""", "say what can't be"),
    ],
)
def test_a_file_that_breaks_its_decoder_is_refused_and_the_next_is_decoded(
    act: str, reason: str, monkeypatch: pytest.MonkeyPatch, wrong: Path, good: Path
) -> None:
    with patched(act, monkeypatch) as decoder:
        with pytest.raises(MediaError, match=reason):
            decoder.decoded(wrong)

        assert decoder.decoded(good).duration == 2


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        ("os.open('/etc/passwd', 0)", "found: Operation not permitted"),
        ("os.ftruncate(4, 0)", "found: Operation not permitted"),
        ("1 / 0", "found status 1: killed from outside, or a bug of ours"),
    ],
)
def test_what_is_not_the_files_fault_is_an_error_of_ours(
    act: str, reason: str, monkeypatch: pytest.MonkeyPatch, wrong: Path, good: Path
) -> None:
    with patched(act, monkeypatch) as decoder:
        with pytest.raises(ModelBroken, match=reason):
            decoder.decoded(wrong)

        assert decoder.decoded(good).duration == 2


def test_a_child_that_waits_for_ever_is_killed(monkeypatch: pytest.MonkeyPatch, wrong: Path, good: Path) -> None:
    with patched("lock = __import__('_thread').allocate_lock(); lock.acquire(); lock.acquire()", monkeypatch) as decoder:
        assert decoder.decoded(good).duration == 2
        monkeypatch.setattr(Cost, "patience", Seconds(-10.0))
        with pytest.raises(MediaError, match=r"expected to be decoded within 1 s, found no end of it"):
            decoder.decoded(wrong)
        monkeypatch.undo()

        assert decoder.decoded(good).duration == 2


def test_a_decoder_whose_process_died_says_so_and_starts_another(monkeypatch: pytest.MonkeyPatch, good: Path) -> None:
    with Decoder() as decoder:
        decoder.decoded(good)
        assert decoder._process is not None
        decoder._process.kill()
        decoder._process.wait()

        assert decoder.decoded(good).duration == 2
        decoder._process.kill()
        decoder._process.wait()
        monkeypatch.setattr(decoder._process, "poll", lambda: None)  # it dies between being looked at and being asked
        with pytest.raises(ModelBroken, match="expected the decoding process to answer, found"):
            decoder.decoded(good)
        assert decoder.decoded(good).duration == 2


def test_nothing_is_left_of_a_decoder(good: Path) -> None:
    before = sorted(path.name for path in Path("/proc/self/fd").iterdir())
    with Decoder() as decoder:
        recording = decoder.decoded(good)
        assert decoder._process is not None
        pid = decoder._process.pid

    assert not Path(f"/proc/{pid}").exists()
    del recording
    assert sorted(path.name for path in Path("/proc/self/fd").iterdir()) == before


def test_where_calls_can_not_be_filtered_files_are_decoded_behind_the_other_fences(
    monkeypatch: pytest.MonkeyPatch, good: Path
) -> None:
    without = "import engine.runtime.batch.fence as it; it._AUDIT_ARCH = {}\n"
    monkeypatch.setattr(
        "engine.runtime.batch.decoding._BEGIN", without + "from engine.runtime.batch.decoding_children import main; main()"
    )
    with Decoder() as decoder:
        assert decoder.decoded(good).duration == 2
        assert not decoder._filter_calls
