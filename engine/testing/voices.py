"""The contract suite of voices, as tests to inherit.

A plug-in's author writes::

    class TestOurVoice(VoiceContract):
        @pytest.fixture(scope="class")
        def voice(self) -> Voice: return load(...)

and pytest does the rest; ``language`` and ``text`` are overridden where it speaks no English.
"""

from __future__ import annotations

import numpy as np

from engine.core.audio import joined
from engine.core.errors import ConfigError
from engine.core.speech import ENGLISH
from engine.core.units import Language, Seconds
from engine.tts.protocol import Voice

_NO_LANGUAGE = Language("xx")
_AUDIBLE = 1_000  # of 32768; a voice that peaks below is not heard on a telephone


class VoiceContract:
    """What every voice must do. Give it the fixture ``voice``."""

    language = ENGLISH

    text = "Good morning. How can I help you today?"

    def test_it_speaks_the_languages_it_says(self, voice: Voice) -> None:
        assert self.language in voice.capabilities.languages

    def test_its_frames_follow_each_other_from_sample_0_at_its_rate(self, voice: Voice) -> None:
        frames = list(voice.say(self.text, self.language))
        ends = np.cumsum([0, *(len(frame.samples) for frame in frames)])

        assert [frame.start for frame in frames] == list(ends[:-1])
        assert {frame.format for frame in frames} == {voice.capabilities.format}
        assert {frame.samples.dtype for frame in frames} == {np.dtype(np.int16)}

    def test_it_is_heard_and_takes_as_long_as_people_do(self, voice: Voice) -> None:
        sound = joined(list(voice.say(self.text, self.language)))
        characters_a_second = len(self.text) / sound.duration

        assert int(np.abs(sound.samples.astype(np.int32)).max()) > _AUDIBLE
        assert 2 < characters_a_second < 40  # Mandarin is written with few characters, and read slowly by machines

    def test_a_longer_text_takes_longer(self, voice: Voice) -> None:
        once, twice = (joined(list(voice.say(text, self.language))).duration for text in (self.text, f"{self.text} {self.text}"))

        assert twice > once + Seconds(0.5)

    def test_a_language_it_does_not_speak_is_refused(self, voice: Voice) -> None:
        try:
            list(voice.say(self.text, _NO_LANGUAGE))
        except ConfigError:
            return
        raise AssertionError("expected a ConfigError for a language it does not speak, found none")

    def test_what_makes_it_sound_as_it_does_has_a_name(self, voice: Voice) -> None:
        assert voice.name
        assert voice.capabilities.revision
