"""One contestant of ``bench.batch`` in its own process: ``python -m bench.batch_contestants NAME FILE... [-- FILE...]``.

The engine takes the files between two ``--`` as a batch worker does, several short ones together; the others hear one after the
other. Prints a JSON object for each file as it is done: what it heard, the CPU seconds it took (of those heard together each by
its length), and the most memory the process had so far.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import TypeAlias

from engine.audio.files import read
from engine.core.speech import ENGLISH
from engine.model_files import ready
from engine.runtime.batch.crew import ALONE, Together
from engine.runtime.batch.hearing import Asked, BatchTranscriber
from engine.runtime.batch.work import Tier, Work

DEFAULT_PEER = "faster-whisper"
BATCHED_PEER = "faster-whisper batched"
_BY_CHANNEL = " by channel"
_BATCH = 8
_KIBIBYTE = 1024

Ear: TypeAlias = Callable[[Sequence[Path]], list[str]]


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

    def ear(paths: Sequence[Path]) -> list[str]:
        return [heard.text for heard in transcriber.transcribe_all([Asked(read(path), ENGLISH, tier) for path in paths])]

    return ear


def _peer(*, batched: bool, by_channel: bool) -> Ear:
    from faster_whisper import BatchedInferencePipeline, WhisperModel  # noqa: PLC0415 - only this contestant's process pays for it
    from faster_whisper.audio import decode_audio  # noqa: PLC0415

    model = WhisperModel(str(ready("whisper-base")), device="cpu", compute_type="int8", cpu_threads=1, local_files_only=True)
    hear = partial(BatchedInferencePipeline(model).transcribe, batch_size=_BATCH) if batched else model.transcribe

    def hear_one(path: Path) -> str:
        several = by_channel and len(read(path).channels) == 2
        channels = decode_audio(str(path), split_stereo=True) if several else (decode_audio(str(path)),)
        segments = [segment for channel in channels for segment in hear(channel, language=ENGLISH)[0]]
        return " ".join(segment.text for segment in sorted(segments, key=lambda it: it.start))

    return lambda paths: [hear_one(path) for path in paths]


CONTESTANTS: Mapping[str, Callable[[], Ear]] = {
    **{tier.value: partial(_engine, tier) for tier in (Tier.FAST, Tier.BOTH, Tier.ACCURATE)},
    DEFAULT_PEER: partial(_peer, batched=False, by_channel=False),
    BATCHED_PEER: partial(_peer, batched=True, by_channel=False),
    DEFAULT_PEER + _BY_CHANNEL: partial(_peer, batched=False, by_channel=True),
    BATCHED_PEER + _BY_CHANNEL: partial(_peer, batched=True, by_channel=True),
}


def main() -> None:
    """Hear the files that are named."""
    name, *rest = sys.argv[1:]
    groups = [[Path(it) for it in files] for apart, files in groupby(rest, lambda it: it == "--") if not apart]
    ear = CONTESTANTS[name]()
    ear(groups[0][:1])  # the first decode is slower
    together = Together() if name in set(Tier) else ALONE
    for paths in (paths for group in groups for paths in _taken(group, together)):
        for result in _heard(ear, paths):
            print(json.dumps(asdict(result)), flush=True)


def _taken(paths: Sequence[Path], together: Together) -> Iterator[list[Path]]:
    """As a run hands them out."""
    works = (Work(str(path), path, Path(), Tier.BOTH) for path in paths)
    while taken := together.taken(works):
        yield [work.path for work in taken]


def _heard(ear: Ear, paths: Sequence[Path]) -> Iterator[Result]:
    seconds = [read(path).duration for path in paths]
    began = time.process_time()
    texts = ear(paths)
    cpu = time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _KIBIBYTE
    for path, text, length in zip(paths, texts, seconds, strict=True):
        yield Result(str(path), text, length, cpu * length / sum(seconds), peak)


if __name__ == "__main__":
    main()
