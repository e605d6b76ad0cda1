"""vosk-server's clients at an engine that does nothing but listen: its own process, the real recogniser, real sockets."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from engine.asr.normalise import word_errors
from engine.core.audio import AudioFrame, frames_of, joined, silence
from engine.core.speech import ENGLISH
from engine.core.units import Seconds
from engine.testing.vosk_client import ModVosk, VoskClient
from tests.databases import bare_store
from tests.journeys.bank import ROOT, Voices, recorded

_CONFIG = """
[asr]
workers = 1
[store]
database = "{store}"
recordings = ""
[doors.vosk]
port = 0
metrics = true
"""
PAUSE = silence(Seconds(1.0))
SENTENCES = ("I would like to block my card.", "How much money is on my account?")


@pytest.fixture(scope="module")
def vosk(models: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an engine that has only this door, and no flow."""
    folder = tmp_path_factory.mktemp("vosk")
    config = folder / "engine.toml"
    config.write_text(_CONFIG.format(store=bare_store(folder)), encoding="utf-8")
    command = [sys.executable, "-m", "engine.cli", "serve", "--config", str(config)]
    with (folder / "log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, "COLUMNS": "200"}, stdout=subprocess.PIPE, stderr=log, text=True
        )
    try:
        yield _address(process, folder / "log")
    finally:
        process.terminate()
        process.wait(20)


def _address(process: subprocess.Popen[str], log: Path) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        name, address, *_ = line.split(maxsplit=2)
        if name == "vosk":
            return address
    raise AssertionError(f"expected the door to open, found: {log.read_text(encoding='utf-8')[-3000:]}")


def told(replies: Sequence[dict[str, Any]]) -> list[str]:
    return [reply["text"] for reply in replies if reply.get("text")]


async def heard(vosk: str, sound: AudioFrame) -> list[dict[str, Any]]:
    async with VoskClient.connected(vosk, {"sample_rate": sound.format.rate_hz}) as client:
        return [*await client.say(sound), await client.finish()]


async def test_a_file_is_recognised_phrase_by_phrase(vosk: str, voices: Voices) -> None:
    sound = joined([PAUSE, voices(SENTENCES[0]), PAUSE, voices(SENTENCES[1])])
    replies = await heard(vosk, sound)

    assert len(told(replies)) == 2
    errors = word_errors(" ".join(SENTENCES), " ".join(told(replies)), ENGLISH)
    assert errors.edits <= 2
    words = [word for reply in replies for word in reply.get("result", [])]
    assert " ".join(word["word"] for word in words) == " ".join(told(replies))
    assert [word["start"] for word in words] == sorted(word["start"] for word in words)
    assert 0.5 < words[0]["start"] < 1.5
    assert words[-1]["end"] < sound.duration + 0.1
    assert all(0 < word["conf"] < 1 for word in words)


async def test_a_live_call_through_mod_vosk_has_partial_results_and_then_the_phrase(vosk: str, voices: Voices) -> None:
    found: list[tuple[str, bool]] = []
    async with ModVosk.opened(vosk) as client:
        for frame in frames_of(joined([PAUSE, voices(SENTENCES[0]), PAUSE, PAUSE])):
            await asyncio.gather(client.feed(frame.samples.astype("<i2").tobytes()), asyncio.sleep(0.02))
            if (result := client.results()) is not None:
                found.append(result)

    finals = [json.loads(text)["text"] for text, more in found if not more]
    assert len(finals) == 1
    assert word_errors(SENTENCES[0], finals[0], ENGLISH).edits <= 2
    assert any(more for _, more in found)


@pytest.mark.testdata
async def test_a_real_recording_is_recognised(vosk: str, testdata: Path, manifest: Sequence[Any]) -> None:
    row = next(row for row in manifest if row["path"] == "prompts/en/vm-num-i-have.wav")
    replies = await heard(vosk, joined([PAUSE, recorded(testdata / row["path"]), PAUSE]))

    assert word_errors(row["text"], " ".join(told(replies)), ENGLISH).edits <= 1
