"""The two networks, run greedily over a batch of sounds.

Names and shapes of the tensors (tiny, 6 layers, 8 heads of 36, width 288)::

    encoder  input_values [B, samples] f32, attention_mask [B, samples] i64 -> last_hidden_state [B, T, 288]
    decoder  input_ids [B, n] i64, encoder_hidden_states [B, T, 288],
             encoder_attention_mask [B, samples] i64 (of samples, not of T),
             past_key_values.{layer}.{decoder,encoder}.{key,value} [B, 8, past, 36], use_cache_branch [1] bool
             -> logits [B, n, 32768], present.{layer}.{decoder,encoder}.{key,value}

The first step runs without a past; the encoder's keys and values come out of it and are kept, later steps return empty ones.
Batching does not give the same bits as decoding one by one: rows are padded to the longest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as failures

from engine.asr.backends._moonshine.products import signed_bytes_are_exact
from engine.asr.backends._moonshine.signed import with_signed_weights
from engine.asr.backends._moonshine.sound import Sound
from engine.asr.backends._moonshine.steering import Chosen, Freely, Logprobs, Steering
from engine.asr.backends._moonshine.vocabulary import BEGIN, END
from engine.core.errors import ModelBroken

ENCODER = "encoder_model.ort"
DECODER = "decoder_model_merged.ort"

_LAYERS = 6
_HEADS = 8
_HEAD_WIDTH = 36
_OWN = tuple(f"{layer}.decoder.{part}" for layer in range(_LAYERS) for part in ("key", "value"))
_HEARD = tuple(f"{layer}.encoder.{part}" for layer in range(_LAYERS) for part in ("key", "value"))
_FAILURES = (  # onnxruntime's own; they have no common root
    failures.Fail,
    failures.InvalidArgument,
    failures.InvalidGraph,
    failures.InvalidProtobuf,
    failures.NoSuchFile,
    failures.NotImplemented,
    failures.RuntimeException,
)
_FATAL_ONLY = 4  # onnxruntime's severity: what matters comes as an exception


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """What the encoder made of a batch of sounds."""

    states: npt.NDArray[np.float32]
    """Shape ``(sounds, T, 288)``."""

    mask: npt.NDArray[np.int64]
    """1 where there is sound, shape ``(sounds, samples)``."""

    def frames(self, sound: int) -> npt.NDArray[np.float32]:
        """The states of one sound without those of its padding, shape ``(frames, 288)``."""
        heard = int(np.ceil(self.mask[sound].sum() / self.mask.shape[1] * self.states.shape[1]))
        return self.states[sound, :heard]


@dataclass(slots=True)
class Row:
    """One text in the making: which sound it is of, who leads it, how many tokens it may have."""

    sound: int
    steering: Steering
    longest: int
    chosen: list[Chosen] = field(default_factory=list)

    @property
    def tokens(self) -> tuple[int, ...]:
        """What was said, without the end mark."""
        return tuple(chosen.token for chosen in self.chosen if chosen.token != END)

    @property
    def sum_logprob(self) -> float:
        """Natural, of the whole text with its end."""
        return sum(chosen.logprob for chosen in self.chosen)

    @property
    def mean_logprob(self) -> float:
        """Natural, per token."""
        return self.sum_logprob / max(1, len(self.chosen))

    @property
    def ended(self) -> bool:
        """Whether it came to its own end, or to its length."""
        return len(self.chosen) >= self.longest or (bool(self.chosen) and self.chosen[-1].token == END)

    @property
    def next_input(self) -> int:
        """The token that the decoder is given next."""
        return self.chosen[-1].token if self.chosen else BEGIN


class Network:
    """Encoder and decoder, one thread each; sessions may be shared by threads."""

    def __init__(self, folder: Path, *, signed: bool = False) -> None:
        """``signed``: the encoder's weights as bytes with a sign, where this processor multiplies them exactly."""
        self._encoder = _session(folder / ENCODER, signed=signed and signed_bytes_are_exact())
        self._decoder = _session(folder / DECODER)

    def encode(self, sounds: Sequence[Sound]) -> Encoded:
        """Hear sounds together; shorter ones are padded with masked silence."""
        samples = max(len(sound) for sound in sounds)
        padded = np.zeros((len(sounds), samples), dtype=np.float32)
        mask = np.zeros((len(sounds), samples), dtype=np.int64)
        for row, sound in enumerate(sounds):
            padded[row, : len(sound)] = sound
            mask[row, : len(sound)] = 1
        (states,) = _run(self._encoder, ["last_hidden_state"], {"input_values": padded, "attention_mask": mask})
        return Encoded(states, mask)

    def score(self, encoded: Encoded, sound: int, texts: Sequence[Sequence[int]]) -> list[Row]:
        """How likely each of these whole texts is for one of the sounds: rows as if they had been decoded, in one step."""
        longest = max(map(len, texts)) + 1
        given = np.full((len(texts), longest), END, dtype=np.int64)
        for row, text in enumerate(texts):
            given[row, : len(text) + 1] = (BEGIN, *text)
        of = [sound] * len(texts)
        none = np.zeros((len(texts), _HEADS, 0, _HEAD_WIDTH), dtype=np.float32)
        feed = {
            **{f"past_key_values.{name}": none for name in (*_OWN, *_HEARD)},
            "encoder_hidden_states": encoded.states[of],
            "encoder_attention_mask": encoded.mask[of],
            "input_ids": given,
            "use_cache_branch": np.array([False]),
        }
        (logits,) = _run(self._decoder, ["logits"], feed)
        return [_as_row(sound, (*text, END), scores) for text, scores in zip(texts, logits, strict=True)]

    def decode(self, encoded: Encoded, rows: Sequence[Row]) -> None:
        """Fill every row's ``chosen``, greedily, all rows in step."""
        of = [row.sound for row in rows]
        feed: dict[str, Any] = {"encoder_hidden_states": encoded.states[of], "encoder_attention_mask": encoded.mask[of]}
        none = np.zeros((len(rows), _HEADS, 0, _HEAD_WIDTH), dtype=np.float32)
        past: dict[str, Any] = {f"past_key_values.{name}": none for name in (*_OWN, *_HEARD)}
        while not all(row.ended for row in rows):
            first = not any(row.chosen for row in rows)
            kept = (*_OWN, *_HEARD) if first else _OWN
            inputs = np.array([[row.next_input] for row in rows], dtype=np.int64)
            logits, *present = _run(
                self._decoder,
                ["logits", *(f"present.{name}" for name in kept)],
                {**feed, **past, "input_ids": inputs, "use_cache_branch": np.array([not first])},
            )
            past |= {f"past_key_values.{name}": value for name, value in zip(kept, present, strict=True)}
            _say_next(rows, logits[:, -1])


def _say_next(rows: Sequence[Row], logits: npt.NDArray[np.float32]) -> None:
    for row, scores in zip(rows, logits, strict=True):
        if not row.ended:
            row.chosen.append(row.steering.choose(_logprobs(scores)))


def _as_row(sound: int, text: Sequence[int], logits: npt.NDArray[np.float32]) -> Row:
    scores = logits[: len(text)]
    top = scores.max(axis=1)
    logprobs = scores[np.arange(len(text)), text] - top - np.log(np.exp(scores - top[:, None]).sum(axis=1))
    return Row(sound, Freely(), len(text), [Chosen(token, float(each)) for token, each in zip(text, logprobs, strict=True)])


def _logprobs(logits: npt.NDArray[np.float32]) -> Logprobs:
    shifted = logits - logits.max()
    normalised: Logprobs = shifted - np.log(np.exp(shifted).sum())
    return normalised


def _session(path: Path, *, signed: bool = False) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # more threads cost more processor time than they save, and calls run side by side anyway
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = _FATAL_ONLY
    try:
        network = with_signed_weights(path.read_bytes()) if signed else str(path)
        return onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])
    except _FAILURES as error:
        raise ModelBroken(f"expected a network in {path}, found: {error}") from error


def _run(session: onnxruntime.InferenceSession, outputs: list[str], feed: dict[str, Any]) -> list[npt.NDArray[np.float32]]:
    try:
        return session.run(outputs, feed)  # type: ignore[no-any-return]
    except _FAILURES as error:
        raise ModelBroken(f"expected the network to run on a batch of {len(feed)} tensors, found: {error}") from error
