"""Voice activity by Silero's network (MIT), version 6, as it lies in the wheel of faster-whisper.

The network hears 36 ms of 16 kHz at a time and carries an LSTM's state from one window to the next. The file has no 8 kHz mode,
so a telephone's sound is doubled in rate first. Silero means the windows to lie 32 ms apart; ours lie one frame, 20 ms, apart
and overlap. That needs no re-framing, and on the ``fit`` part of ``python -m bench.vad`` a voice was noticed 10 ms sooner and
its end 40 ms sooner (80 ms at the 95th percentile), with fewer false alarms in noise, for 5 instead of 3 ms of CPU a second.

One session serves all legs: it has no state, the legs do.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine.asr.vad import checked
from engine.core.audio import AudioFrame
from engine.model_files import ready

Floats = npt.NDArray[np.float32]

MODEL = "silero-vad-v6"
_FILE = "silero_vad_v6.onnx"
WINDOW = 576  # samples of 16 kHz the network hears at a time: 512 that Silero calls new, and the 64 before
_STEP = 320  # samples of 16 kHz from one window to the next
STATE = (1, 1, 128)  # shape of each of the LSTM's two states

VOICE = 0.4  # a voice begins at this probability ...
STILL_VOICE = 0.2  # ... and lasts while it is not below this one
# Chosen on the fit parts of ``bench.vad`` and ``bench.endpoint``. Noise of an office, 15 dB down, woke the line after one call in
# four at 0.3, one in seven at 0.4, one in fourteen at 0.5; but 0.5 misses soft words after a pause and cuts more callers off.

_HALF_TAPS = 8  # samples of 8 kHz on each side of an interpolated one; they delay the sound by 1 ms


class SileroModel:
    """The loaded network, shared by all legs; safe to call from several threads."""

    def __init__(self, path: Path | None = None) -> None:
        import onnxruntime  # noqa: PLC0415 - who only names this class needs no network

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(
            str(path or ready(MODEL) / _FILE), options, providers=["CPUExecutionProvider"]
        )

    def hear_on(self, windows: Floats, h: Floats, c: Floats) -> tuple[Floats, Floats, Floats]:
        """The probabilities of a voice in windows that follow each other, and the two states after the last.

        ``windows`` has shape ``(n, WINDOW)`` and values in [-1, 1], the states have shape ``STATE``. Many at once are a third of
        the work of one by one.
        """
        probabilities, h, c = self._session.run(None, {"input": np.ascontiguousarray(windows), "h": h, "c": c})
        return probabilities.reshape(-1), h, c


class _Doubler:
    """8 kHz to 16 kHz: the samples between are interpolated by a windowed sinc (Kaiser, beta 5).

    The network does not mind a short filter, and this one takes 6 us a frame where :class:`engine.audio.resample.LiveResampler`
    takes 44, on every leg and every frame.
    """

    def __init__(self) -> None:
        reach = np.arange(-_HALF_TAPS, _HALF_TAPS) + 0.5
        taps = np.sinc(reach) * np.kaiser(2 * _HALF_TAPS, 5.0)
        self._taps = (taps / taps.sum()).astype(np.float32)
        self._past = np.zeros(2 * _HALF_TAPS - 1, np.float32)

    def double(self, sound: Floats) -> Floats:
        heard = np.concatenate([self._past, sound])
        self._past = heard[len(sound) :]
        doubled = np.empty(2 * len(sound), np.float32)
        doubled[0::2] = heard[_HALF_TAPS - 1 : _HALF_TAPS - 1 + len(sound)]
        doubled[1::2] = np.convolve(heard, self._taps, mode="valid")
        return doubled


class SileroVoiceActivity:
    """One leg's detector."""

    lag_s = 0.04

    def __init__(self, model: SileroModel) -> None:
        self._model = model
        self._doubler = _Doubler()
        self._sound = np.zeros(WINDOW, np.float32)
        self._h, self._c = np.zeros(STATE, np.float32), np.zeros(STATE, np.float32)
        self._speech = False

    def is_speech(self, frame: AudioFrame) -> bool:
        """Whether the newest 20 ms (8 kHz) hold a voice.

        Raises:
            MediaError: the frame is not 20 ms of 8 kHz.
        """
        return self.catch_up((frame,))

    def catch_up(self, frames: Sequence[AudioFrame]) -> bool:
        """Hear frames that follow each other (20 ms of 8 kHz each); whether the last of them holds a voice.

        Raises:
            MediaError: a frame is not 20 ms of 8 kHz.
        """
        heard = np.concatenate([checked(frame) for frame in frames]).astype(np.float32) / np.float32(32768)
        sound = np.concatenate([self._sound, self._doubler.double(heard)])
        self._sound = sound[-WINDOW:]
        step = _STEP * sound.itemsize  # bytes; sliding_window_view would take as long as a third of the network
        windows = np.ndarray((len(frames), WINDOW), np.float32, sound, step, (step, sound.itemsize))
        probabilities, self._h, self._c = self._model.hear_on(windows, self._h, self._c)
        for probability in probabilities.tolist():
            self._speech = probability >= (STILL_VOICE if self._speech else VOICE)
        return self._speech
