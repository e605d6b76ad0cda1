"""One contestant of ``bench.batch`` in its own process: ``python -m bench.batch_contestants NAME FILE...``.

Prints a JSON object for each file as it is done: what it heard, the CPU seconds it took, and the most memory it had so far.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias

from engine.audio.files import read
from engine.core.speech import ENGLISH
from engine.model_files import ready
from engine.runtime.batch.hearing import BatchTranscriber
from engine.runtime.batch.work import Tier

DEFAULT_PEER = "faster-whisper"
BATCHED_PEER = "faster-whisper batched"
_BY_CHANNEL = " by channel"
_BATCH = 8
_KIBIBYTE = 1024

Ear: TypeAlias = Callable[[Path], str]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one file."""

    path: str
    text: str
    seconds: float
    cpu: float
    peak_mb: float


def _engine(tier: Tier) -> Ear:
    transcriber = BatchTranscriber()
    return lambda path: transcriber.transcribe(read(path), ENGLISH, tier).text


def _peer(*, batched: bool, by_channel: bool) -> Ear:
    from faster_whisper import BatchedInferencePipeline, WhisperModel  # noqa: PLC0415 - only this contestant's process pays for it
    from faster_whisper.audio import decode_audio  # noqa: PLC0415

    model = WhisperModel(str(ready("whisper-base")), device="cpu", compute_type="int8", cpu_threads=1, local_files_only=True)
    hear = partial(BatchedInferencePipeline(model).transcribe, batch_size=_BATCH) if batched else model.transcribe

    def ear(path: Path) -> str:
        several = by_channel and len(read(path).channels) == 2
        channels = decode_audio(str(path), split_stereo=True) if several else (decode_audio(str(path)),)
        segments = [segment for channel in channels for segment in hear(channel, language=ENGLISH)[0]]
        return " ".join(segment.text for segment in sorted(segments, key=lambda it: it.start))

    return ear


CONTESTANTS: Mapping[str, Callable[[], Ear]] = {
    **{tier.value: partial(_engine, tier) for tier in (Tier.FAST, Tier.BOTH, Tier.ACCURATE)},
    DEFAULT_PEER: partial(_peer, batched=False, by_channel=False),
    BATCHED_PEER: partial(_peer, batched=True, by_channel=False),
    DEFAULT_PEER + _BY_CHANNEL: partial(_peer, batched=False, by_channel=True),
    BATCHED_PEER + _BY_CHANNEL: partial(_peer, batched=True, by_channel=True),
}


def main() -> None:
    """Hear the files that are named."""
    name, *files = sys.argv[1:]
    ear = CONTESTANTS[name]()
    ear(Path(files[0]))  # the first decode is slower
    for file in files:
        seconds = read(Path(file)).duration
        began = time.process_time()
        text = ear(Path(file))
        cpu = time.process_time() - began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _KIBIBYTE
        print(json.dumps(asdict(Result(file, text, seconds, cpu, peak))), flush=True)


if __name__ == "__main__":
    main()
