"""A call between people, forked by an SBC to a real engine with a real recogniser."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from engine.audio.files import read
from engine.config import Config, DoorsSection, SiprecDoor
from engine.config.sections import AsrSection, StoreSection
from engine.core.audio import AudioFrame, Samples
from engine.runtime.engine import Engine
from engine.server.serve import doors
from engine.store.database import connect
from engine.store.human_calls import HumanCalls
from engine.testing.siprec_callers import ForkingSbc
from tests.databases import store_in

_FROM, _TO = 0, 20  # seconds of the recording: the agent greets, the caller says what it is about
_SAID = {  # by the draft in the manifest, read through; the words that it has wrong are left out
    "caller": "i'm calling in today because about two weeks ago i got a car from your dealership",
    "agent": "thank you for calling platinum motors i'm michelle how can i help you today",
}
_CLEARLY = 0.15  # of the words; where the stream's frames begin decides what is misheard, at worst a whole phrase of three


def _config(folder: Path) -> Config:
    return Config(
        asr=AsrSection(recognisers={"en": "moonshine"}, second=None, workers=1),
        store=StoreSection(database=store_in(folder), recordings=folder / "recordings"),
        doors=DoorsSection(http=None, audiosocket=None, siprec=SiprecDoor(port=0, rtp_ports=(0, 0), agents=("sip:47??@*",))),
    )


@pytest.mark.model
@pytest.mark.testdata
@pytest.mark.slow
async def test_a_real_call_is_recorded_in_two_channels_and_understood_on_the_right_ones(
    models: None, testdata: Path, tmp_path: Path
) -> None:
    caller, agent = (
        AudioFrame(channel.samples[_FROM * 8_000 : _TO * 8_000])
        for channel in read(testdata / "calls" / "lca_auto_repairs_40_stereo.wav").channels
    )
    config = _config(tmp_path)
    engine = await Engine.start(config)
    try:
        async with doors(engine) as opened:
            port = int(re.findall(r":(\d+);transport=udp", opened[0].address)[0])
            sbc = await ForkingSbc(("127.0.0.1", port)).connect()
            try:
                await sbc.fork()
                await sbc.speak(caller, agent)
                await sbc.ask("BYE")
            finally:
                await sbc.close()
    finally:
        await engine.close()
    (row,) = HumanCalls(connect(config.store.database)).ended()
    folder = tmp_path / "recordings"
    transcript = json.loads((folder / (row.transcript or "")).read_text())
    words = {
        speaker: " ".join(turn["text"] for turn in transcript["turns"] if turn["speaker"] == speaker).lower()
        for speaker in ("caller", "agent")
    }
    left, right = (channel.samples for channel in read(folder / row.recording).channels)

    assert (row.state, row.reason, row.mixed) == ("complete", "hung_up", False)
    assert [(one["name"], one["speaker"], one["labels"]) for one in json.loads(row.participants)] == [
        ("Robert Jones", "caller", ["1"]),
        ("Michelle", "agent", ["2"]),
    ]
    for speaker, other in (("caller", "agent"), ("agent", "caller")):
        assert _found(_SAID[speaker], words[speaker]) > _found(_SAID[speaker], words[other]) + _CLEARLY
    for heard, spoken in ((left, caller.samples), (right, agent.samples)):
        assert _likeness(heard, spoken) > 0.98


def _found(said: str, heard: str) -> float:
    """The share of the words that are there, wherever they stand."""
    there = set(re.findall(r"[a-z']+", heard))
    return float(np.mean([word in there for word in said.split()]))


def _likeness(heard: Samples, spoken: Samples) -> float:
    """The correlation of what was recorded with what was said, at the delay that fits best."""
    size = len(heard) + len(spoken)
    spectrum = np.fft.rfft(heard.astype(np.float64), size) * np.conj(np.fft.rfft(spoken.astype(np.float64), size))
    delay = int(np.fft.irfft(spectrum, size).argmax())
    same = min(len(spoken), len(heard) - delay)
    return float(np.corrcoef(heard[delay : delay + same], spoken[:same])[0, 1])
