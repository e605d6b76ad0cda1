"""A call's recording lies on the call's timeline, never shows a masked key, and outlives the process."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.audio.files import read
from engine.audio.keytones import KeyToneDetector, make_key_tones
from engine.core.audio import FRAME_SAMPLES, TELEPHONY, WIDEBAND, AudioFrame, frames_of, silence
from engine.core.errors import ConfigError, ProtocolError
from engine.core.units import SampleIndex, Seconds
from engine.store.keys import KeyFile
from engine.store.recorder import Recorder, recover
from engine.store.sealed_files import is_cut, opened

SECOND = TELEPHONY.rate_hz


def level(value: int, seconds: float, start: float = 0.0) -> AudioFrame:
    samples = np.full(TELEPHONY.samples(Seconds(seconds)), value, np.int16)
    return AudioFrame(samples, TELEPHONY, SampleIndex(TELEPHONY.samples(Seconds(start))))


def talk(recorder: Recorder, sound: AudioFrame) -> None:
    for frame in frames_of(sound):
        recorder.caller(frame)


def kept(path: Path) -> tuple[np.ndarray[tuple[int], np.dtype[np.int16]], np.ndarray[tuple[int], np.dtype[np.int16]]]:
    left, right = read(path).channels
    return left.samples, right.samples


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "call.wav"


@pytest.fixture
def recorder(path: Path) -> Iterator[Recorder]:
    recorder = Recorder(path)
    yield recorder
    if not path.exists():
        recorder.close()


def test_both_sides_lie_where_they_were_said(recorder: Recorder) -> None:
    talk(recorder, level(100, 1.0))
    talk(recorder, level(300, 1.0, start=2.0))
    recorder.engine(level(-200, 0.5, start=2.75))
    left, right = kept(recorder.close())

    assert [left[at] for at in (0, SECOND - 1, SECOND, 2 * SECOND - 1, 2 * SECOND, 3 * SECOND - 1)] == [100, 100, 0, 0, 300, 300]
    assert set(right[: int(2.75 * SECOND)]) == {0}
    assert set(right[int(2.75 * SECOND) :]) == {-200}
    assert len(left) == len(right) == 3.25 * SECOND


def test_frames_out_of_order_find_their_places_and_the_later_of_two_wins(recorder: Recorder) -> None:
    first, second, third = frames_of(level(10, 0.06))
    for frame in (first, third, second):
        recorder.caller(frame)
    recorder.caller(AudioFrame(np.full(FRAME_SAMPLES, 99, np.int16), TELEPHONY, second.start))
    left, _ = kept(recorder.close())

    assert left.tolist() == [10] * 160 + [99] * 160 + [10] * 160


def test_a_frame_for_what_is_on_disk_is_dropped_and_counted(recorder: Recorder) -> None:
    talk(recorder, level(5, 4.0))
    recorder.engine(level(7, 0.02, start=0.5))
    left, right = kept(recorder.close())

    assert recorder.too_late == 160
    assert set(left) == {5}
    assert set(right) == {0}


def test_a_long_prompt_put_ahead_does_not_shut_out_the_caller(recorder: Recorder) -> None:
    recorder.engine(level(7, 30.0))
    talk(recorder, level(5, 2.0))
    left, right = kept(recorder.close())

    assert recorder.too_late == 0
    assert set(left[: 2 * SECOND]) == {5}
    assert set(right) == {7}


def test_it_is_a_readable_file_all_through_the_call_and_at_most_a_second_behind(recorder: Recorder, path: Path) -> None:
    part = path.with_name("call.wav.part")
    behind = []
    for place, frame in enumerate(frames_of(level(5, 10.0))):
        recorder.caller(frame)
        if place >= 50:
            recording = read(part)
            assert recording.warnings == ()
            behind.append((place + 1) * 0.02 - recording.duration)

    assert max(behind) <= 1.0
    assert min(behind) >= recorder.hold_back


# --- what must not be heard ---------------------------------------------------------------------------------------------------


def test_a_key_that_is_masked_when_it_is_heard_is_never_on_disk(recorder: Recorder, path: Path) -> None:
    part = path.with_name("call.wav.part")
    said = np.concatenate([level(11, 2.0).samples, make_key_tones(b"4929", Seconds(0.12)).samples, level(11, 2.0).samples])
    detector, on_disk = KeyToneDetector(), KeyToneDetector()
    so_far = 0
    for frame in frames_of(AudioFrame(said)):
        recorder.caller(frame)
        for tone in detector.feed(frame):
            recorder.mask(tone.start, Seconds(tone.start + tone.duration))
        if part.stat().st_size > 44:
            left = read(part).channels[0].samples
            assert on_disk.feed(AudioFrame(left[so_far:], TELEPHONY, SampleIndex(so_far))) == ()
            so_far = len(left)
    left, right = kept(recorder.close())

    assert detector.finish() == ()
    assert KeyToneDetector().feed(AudioFrame(left)) == ()
    assert set(left[: int(1.7 * SECOND)]) == {11}
    assert set(left[int(3.4 * SECOND) :]) == {11}
    assert left[2 * SECOND : int(2.8 * SECOND)].tolist() == right[2 * SECOND : int(2.8 * SECOND)].tolist()
    assert np.abs(left[2 * SECOND : int(2.8 * SECOND)]).max() <= 1_000


def test_a_secret_entry_is_one_flat_tone_on_both_sides_from_before_it_began_until_after_it_ended(recorder: Recorder) -> None:
    recorder.engine(level(7, 6.0))
    talk(recorder, level(5, 2.0))
    recorder.secret(True)
    recorder.secret(True)
    talk(recorder, AudioFrame(make_key_tones(b"12345678").samples, TELEPHONY, SampleIndex(2 * SECOND)))
    recorder.secret(False)
    recorder.secret(False)
    talk(recorder, level(5, 2.4, start=3.6))
    left, right = kept(recorder.close())
    inside = slice(int(1.75 * SECOND), int(3.85 * SECOND))

    assert set(left[: inside.start]) | set(left[inside.stop :]) == {5}
    assert set(right[: inside.start]) | set(right[inside.stop :]) == {7}
    assert left[inside].tolist() == right[inside].tolist()
    moments = np.arange(inside.start, inside.stop) / SECOND
    assert np.abs(left[inside] - 1_000 * np.sin(2 * np.pi * 250 * moments)).max() <= 1


def test_a_mask_may_lie_in_the_future(recorder: Recorder) -> None:
    recorder.mask(Seconds(3.0), Seconds(4.0))
    talk(recorder, level(5, 6.0))
    left, _ = kept(recorder.close())

    assert set(left[: int(2.75 * SECOND)]) | set(left[int(4.25 * SECOND) :]) == {5}
    assert np.abs(left[int(2.75 * SECOND) : int(4.25 * SECOND)].astype(int)).max() == 1_000


def test_a_mask_over_what_is_on_disk_overwrites_it_there(recorder: Recorder, path: Path) -> None:
    talk(recorder, level(5_555, 6.0))
    recorder.mask(Seconds(1.0), Seconds(2.0))
    octets = path.with_name("call.wav.part").read_bytes()
    covered = np.frombuffer(octets[44 + 4 * int(0.75 * SECOND) : 44 + 4 * int(2.25 * SECOND)], "<i2")

    assert np.abs(covered).max() <= 1_000


def test_a_call_that_breaks_off_in_a_secret_entry_shows_nothing_of_it(recorder: Recorder) -> None:
    talk(recorder, level(5, 2.0))
    recorder.secret(True)
    talk(recorder, level(5_555, 1.0, start=2.0))
    left, _ = kept(recorder.close())

    assert 5_555 not in left


# --- encrypted ----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def keys(tmp_path: Path) -> KeyFile:
    file = KeyFile(tmp_path / "keys")
    file.make(datetime(2030, 3, 4, tzinfo=UTC))
    return file


def test_an_encrypted_recording_is_the_plain_one_to_who_has_the_key_and_shows_nothing_to_others(
    recorder: Recorder, tmp_path: Path, keys: KeyFile
) -> None:
    other = Recorder(tmp_path / "sealed.wav", keys=keys)
    for one in (recorder, other):
        talk(one, level(5_555, 4.0))
        one.engine(level(-77, 1.0, start=1.0))
        one.mask(Seconds(1.0), Seconds(2.0))
        talk(one, level(6_666, 3.0, start=4.0))
    plain, sealed = recorder.close(), other.close()
    octets = sealed.read_bytes()
    with opened(sealed, keys) as file:
        same = file.read() == plain.read_bytes()

    assert same
    assert b"RIFF" not in octets
    assert np.int16(5_555).tobytes() * 4 not in octets
    assert sealed.stat().st_mode & 0o077 == 0


def test_what_is_masked_on_disk_is_masked_in_an_encrypted_recording_too(tmp_path: Path, keys: KeyFile) -> None:
    recorder = Recorder(tmp_path / "sealed.wav", keys=keys)
    talk(recorder, level(5_555, 6.0))
    recorder.mask(Seconds(1.0), Seconds(2.0))
    with opened(tmp_path / "sealed.wav.part", keys) as file:
        octets = file.read()
    covered = np.frombuffer(octets[44 + 4 * int(0.75 * SECOND) : 44 + 4 * int(2.25 * SECOND)], "<i2")

    assert len(octets) > 4 * 5 * SECOND
    assert np.abs(covered).max() <= 1_000


@pytest.mark.parametrize("cut", [0, 1, 700, 20_000])
def test_an_encrypted_recording_that_a_crash_left_is_finished(tmp_path: Path, keys: KeyFile, cut: int) -> None:
    recorder = Recorder(tmp_path / "at work.wav", keys=keys)
    talk(recorder, level(5, 10.0))
    octets = (tmp_path / "at work.wav.part").read_bytes()
    (tmp_path / "dead.wav.part").write_bytes(octets[: len(octets) - cut])
    without_keys = recover(tmp_path)
    mended = recover(tmp_path, keys)
    with opened(mended[0], keys) as file:
        recording, cut_off = read(file), is_cut(file)
    recorder.close()

    assert without_keys == []
    assert mended == [tmp_path / "dead.wav"]
    assert not cut_off
    assert recording.warnings == ()
    assert recording.duration >= 9.0 - 2 * (cut > 0)
    assert set(recording.channels[0].samples) == {5}


def test_an_encrypted_recording_without_sound_is_deleted_and_one_of_another_key_left_alone(tmp_path: Path, keys: KeyFile) -> None:
    recorder = Recorder(tmp_path / "silent.wav", keys=keys)
    (tmp_path / "empty.wav.part").write_bytes((tmp_path / "silent.wav.part").read_bytes())
    strange = KeyFile(tmp_path / "strange")
    strange.make(datetime(2030, 3, 4, tzinfo=UTC))
    other = Recorder(tmp_path / "other.wav", keys=strange)
    talk(other, level(5, 3.0))
    (tmp_path / "not ours.wav.part").write_bytes((tmp_path / "other.wav.part").read_bytes())
    mended = recover(tmp_path, keys)
    left = sorted(it.name for it in tmp_path.glob("*.part"))
    for one in (recorder, other):
        one.close()

    assert mended == []
    assert left == ["not ours.wav.part", "other.wav.part", "silent.wav.part"]


def test_without_its_keys_nothing_is_begun(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected a file of keys"):
        Recorder(tmp_path / "call.wav", keys=KeyFile(tmp_path / "gone"))

    assert list(tmp_path.iterdir()) == []


# --- what goes wrong ----------------------------------------------------------------------------------------------------------

CHILD = """
import sys
from pathlib import Path
import numpy as np
from engine.core.audio import AudioFrame, TELEPHONY
from engine.store.keys import KeyFile
from engine.store.recorder import Recorder
recorder = Recorder(Path(sys.argv[1]), keys=KeyFile(Path(sys.argv[2])) if len(sys.argv) > 2 else None)
place = 0
for _ in sys.stdin:
    for _ in range(50):
        recorder.caller(AudioFrame(np.full(160, 1 + place // 50, np.int16), TELEPHONY, place * 160))
        place += 1
    print(place // 50, flush=True)
"""


def test_after_kill_9_everything_but_the_last_second_is_there(tmp_path: Path) -> None:
    path = tmp_path / "call.wav"
    command = [sys.executable, "-c", CHILD, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdin
        assert child.stdout
        for second in range(1, 31):
            child.stdin.write("\n")
            child.stdin.flush()
            assert child.stdout.readline() == f"{second}\n"
        assert recover(tmp_path) == []  # it is still at work
        child.send_signal(signal.SIGKILL)
        child.wait()
    before = read(path.with_name("call.wav.part"))
    mended = recover(tmp_path)
    left, right = kept(path)

    assert before.warnings == ()
    assert mended == [path]
    assert len(left) == len(right) >= 29 * SECOND
    assert left[::SECOND].tolist() == list(range(1, 1 + len(left[::SECOND])))
    assert list(tmp_path.iterdir()) == [path]


def test_after_kill_9_an_encrypted_recording_has_everything_but_the_last_second_too(tmp_path: Path, keys: KeyFile) -> None:
    path = tmp_path / "call.wav"
    command = [sys.executable, "-c", CHILD, str(path), str(keys.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdin
        assert child.stdout
        for second in range(1, 31):
            child.stdin.write("\n")
            child.stdin.flush()
            assert child.stdout.readline() == f"{second}\n"
        at_work = recover(tmp_path, keys)
        child.stdin.write("\n" * 400)  # it is killed in the middle of its work
        child.stdin.flush()
        child.stdout.readline()
        child.send_signal(signal.SIGKILL)
        child.wait()
    mended = recover(tmp_path, keys)
    with opened(path, keys) as file:
        recording = read(file)
    left = recording.channels[0].samples

    assert (at_work, mended, recording.warnings) == ([], [path], ())
    assert len(left) >= 29 * SECOND
    assert left[::SECOND].tolist() == list(range(1, 1 + len(left[::SECOND])))


def test_a_header_that_lags_behind_its_sound_is_mended(tmp_path: Path, recorder: Recorder, path: Path) -> None:
    talk(recorder, level(5, 3.0))
    octets = recorder.close().read_bytes()
    torn = tmp_path / "torn.wav.part"
    torn.write_bytes(octets[:4] + bytes(4) + octets[8:40] + bytes(4) + octets[44:-3])

    assert recover(tmp_path) == [tmp_path / "torn.wav"]
    assert len(kept(tmp_path / "torn.wav")[0]) == 3 * SECOND - 1


def test_recovery_leaves_calls_in_progress_and_strangers_alone_and_deletes_the_empty(tmp_path: Path, recorder: Recorder) -> None:
    talk(recorder, level(5, 3.0))
    stranger = tmp_path / "notes.wav.part"
    stranger.write_bytes(b"this is not a recording, and it is longer than a header of forty-four bytes")
    taken = tmp_path / "taken.wav.part"
    taken.write_bytes(b"RIFF")
    (tmp_path / "taken.wav").write_bytes(b"the finished one")
    for empty in ("a.wav.part", "b.wav.part"):
        (tmp_path / empty).write_bytes((tmp_path / "call.wav.part").read_bytes()[: 44 if empty[0] == "a" else 0])

    assert recover(tmp_path) == []
    assert sorted(left.name for left in tmp_path.iterdir()) == [
        "call.wav.part",
        "notes.wav.part",
        "taken.wav",
        "taken.wav.part",
    ]
    assert len(kept(recorder.close())[0]) == 3 * SECOND


def test_what_a_full_disk_refused_is_written_when_there_is_room_again(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    talk(recorder, level(1, 2.0))
    rest = list(frames_of(level(2, 3.0, start=2.0)))
    with monkeypatch.context() as full:
        full.setattr(os, "pwrite", lambda *_: (_ for _ in ()).throw(OSError(errno.ENOSPC, "No space left on device")))
        refused = 0
        for frame in rest[:100]:
            try:
                recorder.caller(frame)
            except OSError:
                refused += 1
    for frame in rest[100:]:
        recorder.caller(frame)
    left, _ = kept(recorder.close())

    assert refused > 50
    assert left.tolist() == [1] * 2 * SECOND + [2] * 3 * SECOND


def test_nobody_else_may_read_a_recording(recorder: Recorder) -> None:
    assert recorder.close().stat().st_mode & 0o077 == 0


def test_misuse_is_told(tmp_path: Path, recorder: Recorder) -> None:
    (tmp_path / "there.wav").touch()

    with pytest.raises(ProtocolError, match=r"there\.wav, there already"):
        Recorder(tmp_path / "there.wav")
    with pytest.raises(ProtocolError, match=r"no \.wav"):
        Recorder(tmp_path / "call.mp3")
    with pytest.raises(ProtocolError, match="needs as much held back"):
        Recorder(tmp_path / "new.wav", hold_back=Seconds(0.1))
    with pytest.raises(ProtocolError, match="of 8000 Hz was given a frame of 16000 Hz"):
        recorder.caller(silence(Seconds(0.02), WIDEBAND))
    with pytest.raises(ProtocolError, match="3600 s ahead"):
        recorder.engine(level(1, 0.02, start=4_000.0))


@settings(max_examples=40, deadline=None)
@given(
    said=st.lists(st.tuples(st.booleans(), st.integers(0, 20_000), st.integers(1, 900), st.integers(-500, 500)), max_size=25),
    masks=st.lists(st.tuples(st.integers(0, 20_000), st.integers(0, 3_000)), max_size=3),
)
def test_the_file_is_what_was_put_whatever_the_order(
    said: list[tuple[bool, int, int, int]], masks: list[tuple[int, int]]
) -> None:
    timeline = np.zeros((30_000, 2), np.int16)
    with TemporaryDirectory() as folder:
        recorder = Recorder(Path(folder) / "call.wav", hold_back=Seconds(10.0), margin=Seconds(0.0))
        for is_caller, start, count, value in said:
            frame = AudioFrame(np.full(count, value, np.int16), TELEPHONY, SampleIndex(start))
            timeline[start : start + count, 0 if is_caller else 1] = value
            (recorder.caller if is_caller else recorder.engine)(frame)
        for start, count in masks:
            recorder.mask(TELEPHONY.seconds(start), TELEPHONY.seconds(start + count))
        end = max((start + count for _, start, count, _ in said), default=0)
        octets = recorder.close().read_bytes()
    put = np.frombuffer(octets[44:], "<i2").reshape(-1, 2)
    masked = np.zeros(30_000, bool)
    for start, count in masks:
        masked[start : start + count] = True

    assert len(put) == end
    assert (put[~masked[:end]] == timeline[:end][~masked[:end]]).all()
    assert (put[masked[:end], 0] == put[masked[:end], 1]).all()
    assert np.abs(put[masked[:end]].astype(int)).max(initial=0) <= 1_000
