"""One call's sound on disk: two channels on the call's own timeline, the caller on the left, the engine or agent on the right.

Rules:

* A frame lies where its ``start`` says, whenever it comes: gaps are silence, of two frames on one place the later wins.
* The caller's frames are the clock: the leg gives one every 20 ms. The engine's may run ahead of them; give what was sent, not
  what is planned, or an interrupted prompt stays on the recording.
* Sound is held in memory for ``hold_back`` before it goes to disk, so that a key heard in it can still be masked: what is masked
  in time never reaches the disk. What comes for a place that is on disk already is dropped, and counted in ``too_late``.
* A mask covers both channels with one steady low tone, from ``margin`` before to ``margin`` after, so that neither the keys nor
  their number nor their rhythm can be heard. While :meth:`Recorder.secret` is on, everything is masked. A mask over what is on
  disk overwrites it there (a journalling file system or a snapshot may still have the old block: mask in time).
* The file, ``<name>.wav.part``, is a valid WAV at all times: every half second the sound is written, then the header. After
  ``kill -9`` all is there but the last ``hold_back`` and half second: with the defaults at most one second is missing. After a
  power failure the file system decides; only :meth:`Recorder.close` waits for the disk (fsync), because the media loop must not.
* ``close`` renames it to ``<name>.wav``. :func:`recover` does so for what a crash left; a lock keeps it off calls in progress.
* With ``keys`` the same bytes lie encrypted in a sealed file. What masks sound on disk is encrypted anew; the header comes last.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from engine.audio.masks import mask_tone
from engine.audio.riff import HEADER_BYTES, wav_header
from engine.core.audio import TELEPHONY, AudioFormat, AudioFrame, Samples
from engine.core.errors import ConfigError, MediaError, ProtocolError
from engine.core.units import Seconds
from engine.store.keys import KeyFile, sync_folder
from engine.store.sealed_files import SealedFile
from engine.store.wrapped_keys import is_sealed, put

_LEFT, _RIGHT = 0, 1
_PART = ".part"
_FRAME_BYTES = 4  # two 16-bit channels
_WRITE_EVERY = Seconds(0.5)
_FURTHEST = Seconds(3600.0)  # a frame further ahead of the caller than this is not of this call

_Stereo = npt.NDArray[np.int16]
"""Shape ``(n, 2)``."""


@dataclass(slots=True)
class _Mask:
    """A span in samples; ``end`` is ``None`` while it is not known yet."""

    start: int
    end: int | None


class Recorder:
    """Records one call. Not for two threads; every call but :meth:`close` takes microseconds to a millisecond."""

    def __init__(
        self,
        path: Path,
        format: AudioFormat = TELEPHONY,
        *,
        hold_back: Seconds = Seconds(0.5),
        margin: Seconds = Seconds(0.25),
        keys: KeyFile | None = None,
    ) -> None:
        """Begin ``<path>.part``; it becomes ``path`` (``.wav``) on :meth:`close`. Without ``keys`` it is not encrypted.

        Raises:
            ProtocolError: ``path`` exists already or is no ``.wav``, or the margin is longer than what is held back.
            ConfigError: the keys can't be read.
        """
        if margin > hold_back:
            raise ProtocolError(f"a margin of {margin} s needs as much held back, found {hold_back} s")
        if path.suffix != ".wav" or path.exists() or _part(path).exists():
            raise ProtocolError(f"expected the name of a new .wav, found {path.name}, there already or no .wav")
        self._path, self._format = path, format
        self._hold, self._margin = format.samples(hold_back), format.samples(margin)
        self._write_every, self._furthest = format.samples(_WRITE_EVERY), format.samples(_FURTHEST)
        self._window: _Stereo = np.zeros((0, 2), np.int16)
        self._unplaced: tuple[list[AudioFrame], list[AudioFrame]] = ([], [])  # not in the window yet, by channel
        self._written = 0  # samples on disk; the window begins here
        self._end = 0  # of all sound so far, in samples
        self._heard = 0  # end of the caller's sound so far: the clock
        self._masks: list[_Mask] = []
        self.too_late = 0
        """Samples that came for a place already on disk."""
        descriptor = os.open(_part(path), os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)  # nobody else's business
        self._file = os.fdopen(descriptor, "r+b", buffering=0)
        fcntl.flock(self._file, fcntl.LOCK_EX)
        self._sealed = self._begun(keys) if keys else None
        self._put(wav_header(format.rate_hz, 2, 0), at=0)

    @property
    def hold_back(self) -> Seconds:
        """How long sound stays in memory before it goes to disk: what can be masked without a trace."""
        return self._format.seconds(self._hold)

    def caller(self, frame: AudioFrame) -> None:
        """Put what the caller said; this moves the clock on.

        Raises:
            ProtocolError: the frame is of another rate, or an hour ahead.
            OSError: the disk is full or gone; the sound stays in memory, and is written with the next frame if it is back.
        """
        self._take(_LEFT, frame)
        self._heard = max(self._heard, frame.start + len(frame.samples))
        ready = self._heard - self._hold
        if ready - self._written >= self._write_every:
            self._write(ready)

    def engine(self, frame: AudioFrame) -> None:
        """Put what the engine, or later the agent, said; it may lie ahead of the caller.

        Raises:
            ProtocolError: the frame is of another rate, or an hour ahead.
        """
        self._take(_RIGHT, frame)

    def mask(self, start: Seconds, end: Seconds) -> None:
        """Cover both channels from ``start`` to ``end`` with the mask, margins added; the span may lie in the future."""
        span = _Mask(self._format.samples(start) - self._margin, self._format.samples(end) + self._margin)
        self._masks.append(span)
        self._mask_on_disk(span)

    def secret(self, on: bool) -> None:
        """A secret entry begins, a margin before now; or it ends, a margin from now. Saying it twice changes nothing."""
        open_masks = [mask for mask in self._masks if mask.end is None]
        if on and not open_masks:
            span = _Mask(self._heard - self._margin, None)
            self._masks.append(span)
            self._mask_on_disk(span)
        for mask in open_masks if not on else []:
            mask.end = self._heard + self._margin

    def close(self) -> Path:
        """Write what is held, wait for the disk, give the file its name. Takes milliseconds: not for the media loop."""
        self._write(max(self._end, self._written))
        self._finish()
        self._file.close()
        _part(self._path).rename(self._path)
        sync_folder(self._path.parent)
        return self._path

    def _take(self, channel: int, frame: AudioFrame) -> None:
        """Keep a frame until the next writing: on the media loop, to place many at once costs a tenth of one by one."""
        if frame.format is not self._format and frame.format != self._format:
            raise ProtocolError(f"a recorder of {self._format.rate_hz} Hz was given a frame of {frame.format.rate_hz} Hz")
        end = frame.start + len(frame.samples)
        if end > self._heard + self._furthest:
            raise ProtocolError(
                f"expected a frame of this call, found one {_FURTHEST:.0f} s ahead of it, at {frame.start_s:.1f} s"
            )
        self._end = max(self._end, end)
        self._unplaced[channel].append(frame)

    def _place_all(self) -> None:
        """Lay what came since the last writing where it belongs."""
        room = self._end - self._written - len(self._window)
        if room > 0:
            self._window = np.concatenate([self._window, np.zeros((room, 2), np.int16)])
        for channel, frames in enumerate(self._unplaced):
            for start, samples in _stretches(frames):
                self._place(channel, start, samples)
            frames.clear()

    def _place(self, channel: int, start: int, samples: Samples) -> None:
        first = start - self._written
        late = min(max(-first, 0), len(samples))
        self.too_late += late
        self._window[first + late : first + len(samples), channel] = samples[late:]

    def _write(self, upto: int) -> None:
        """Bring the timeline up to sample ``upto`` to disk, masked; sound first, then the header that counts it."""
        self._place_all()
        block = self._window[: upto - self._written]
        for mask in self._masks:
            self._cover(block, mask)
        self._put(block.astype("<i2").tobytes(), at=HEADER_BYTES + self._written * _FRAME_BYTES)
        if self._sealed is None:  # a sealed one can be read once it is finished, and not before
            self._put(wav_header(self._format.rate_hz, 2, upto * _FRAME_BYTES), at=0)
        self._window, self._written = self._window[len(block) :], upto
        self._masks = [mask for mask in self._masks if mask.end is None or mask.end > upto]

    def _put(self, octets: bytes, at: int) -> None:
        """Write all of it; the file's end may lie before, at or after."""
        if self._sealed is not None:
            self._sealed.write(octets, at)
        else:
            put(self._file.fileno(), octets, at)

    def _begun(self, keys: KeyFile) -> SealedFile:
        try:
            return SealedFile.begun(self._file.fileno(), keys)
        except (OSError, ConfigError):
            self._file.close()
            _part(self._path).unlink()
            raise

    def _finish(self) -> None:
        """Wait for the disk."""
        if self._sealed is None:
            os.fsync(self._file.fileno())
            return
        self._sealed.write(wav_header(self._format.rate_hz, 2, self._written * _FRAME_BYTES), 0)
        self._sealed.finish()

    def _cover(self, block: _Stereo, mask: _Mask) -> None:
        """Put the mask over that part of the block it covers; the block begins at ``self._written``."""
        first = max(mask.start - self._written, 0)
        last = len(block) if mask.end is None else min(mask.end - self._written, len(block))
        if first < last:
            block[first:last] = self._tone(self._written + first, last - first)

    def _mask_on_disk(self, span: _Mask) -> None:
        first = max(span.start, 0)
        last = self._written if span.end is None else min(span.end, self._written)
        if first < last:
            self._put(self._tone(first, last - first).astype("<i2").tobytes(), at=HEADER_BYTES + first * _FRAME_BYTES)

    def _tone(self, first: int, count: int) -> _Stereo:
        tone = mask_tone(first, count, self._format.rate_hz)
        return np.stack([tone, tone], axis=1)


def _stretches(frames: Sequence[AudioFrame]) -> Iterator[tuple[int, Samples]]:
    """Frames that follow each other, in one piece, and where it begins."""
    stretch: list[Samples] = []
    start = end = 0
    for frame in frames:
        if stretch and frame.start != end:
            yield start, np.concatenate(stretch)
            stretch.clear()
        start, end = start if stretch else frame.start, frame.start + len(frame.samples)
        stretch.append(frame.samples)
    if stretch:
        yield start, np.concatenate(stretch)


def recover(folder: Path, keys: KeyFile | None = None) -> list[Path]:
    """Finish the recordings a crash left in ``folder``: mend each header by what is there, give each its name.

    Calls in progress, of this process or another, are left alone, and so is what is not ours, whose name is taken, or whose key
    is not there. A recording without any sound is deleted. Returns the mended, sorted.
    """
    mended = [final for part in sorted(folder.glob(f"*.wav{_PART}")) if (final := _recovered(part, keys))]
    sync_folder(folder)
    return mended


def _recovered(part: Path, keys: KeyFile | None) -> Path | None:
    final = part.with_name(part.name.removesuffix(_PART))
    with part.open("r+b") as file:
        if final.exists() or not _locked(file):
            return None
        sound = _mended_sealed(file.fileno(), keys) if is_sealed(file.fileno()) else _mended(file)
        if sound is None:
            return None
        if sound <= 0:
            part.unlink()
            return None
    return part.rename(final)


def _mended_sealed(descriptor: int, keys: KeyFile | None) -> int | None:
    """The same as :func:`_mended` of a sealed file, whose sound is whole as far as it is there."""
    if keys is None:
        return None
    try:
        sealed = SealedFile.resumed(descriptor, keys)
    except MediaError:
        return None
    header, sound = sealed.read(HEADER_BYTES, 0), sealed.size - HEADER_BYTES
    if not _is_ours(header):
        return None
    if sound > 0:
        sealed.write(wav_header(_rate_hz(header), 2, sound), 0)
        sealed.finish()
    return sound


def _locked(file: BinaryIO) -> bool:
    """Whether the recording is ours to touch; a recorder at work holds the lock, and a dead one has lost it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_ours(header: bytes) -> bool:
    """Whether it is a header of ours, sizes aside, or as much of one as could be written."""
    ours = wav_header(min(_rate_hz(header), 48_000), 2, 0)
    return all(ours[part].startswith(header[part]) for part in (slice(0, 4), slice(8, 40)))


def _rate_hz(header: bytes) -> int:
    return int.from_bytes(header[24:28], "little")


def _mended(file: BinaryIO) -> int | None:
    """Make header and length agree; gives the bytes of sound, or ``None`` where it is not ours."""
    header = file.read(HEADER_BYTES)
    if not _is_ours(header):
        return None
    sound = (os.fstat(file.fileno()).st_size - HEADER_BYTES) // _FRAME_BYTES * _FRAME_BYTES
    if sound > 0:
        file.truncate(HEADER_BYTES + sound)
        file.seek(0)
        file.write(wav_header(_rate_hz(header), 2, sound))
        file.flush()
        os.fsync(file.fileno())
    return sound


def _part(path: Path) -> Path:
    return path.with_name(path.name + _PART)
