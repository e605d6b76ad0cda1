"""The contract suites: what every plug-in must do, as tests to inherit.

A plug-in's author writes::

    class TestOurRecogniser(RecogniserContract):
        @pytest.fixture(scope="class")
        @classmethod
        def recogniser(cls) -> Recogniser: return load(...)

        @pytest.fixture(scope="class")
        @classmethod
        def speech(cls) -> AudioFrame: ...   # 16 kHz, a few seconds, with words in it

and pytest does the rest.
"""

from __future__ import annotations

from collections.abc import Callable

from engine.asr.protocol import Hints, Recogniser
from engine.core.audio import TELEPHONY, WIDEBAND, AudioFrame, frames_of, silence
from engine.core.errors import ConfigError, MediaError, ProtocolError
from engine.core.speech import Transcript
from engine.core.units import Confidence, Language, Seconds

_NO_LANGUAGE = Language("xx")


class RecogniserContract:
    """What every recogniser must do. Give it the fixtures ``recogniser`` and ``speech``."""

    hints = Hints()
    """Overridden where the recogniser hears no English."""

    def test_silence_has_no_words(self, recogniser: Recogniser) -> None:
        heard = recogniser.recognise([silence(Seconds(3.0), WIDEBAND)], [self.hints])[0]

        assert not heard.words

    def test_an_empty_stream_has_no_words(self, recogniser: Recogniser) -> None:
        heard = recogniser.stream(self.hints).finish()

        assert not heard.words

    def test_words_are_in_order_and_inside_the_sound(self, recogniser: Recogniser, speech: AudioFrame) -> None:
        words = recogniser.recognise([speech], [self.hints])[0].words

        assert words
        assert all(0.0 <= word.start <= word.end <= speech.duration + 1e-6 for word in words)
        assert [word.start for word in words] == sorted(word.start for word in words)

    def test_confidence_is_a_probability_or_unknown_as_the_capabilities_say(
        self, recogniser: Recogniser, speech: AudioFrame
    ) -> None:
        heard = recogniser.recognise([speech], [self.hints])[0]

        given = [heard.confidence, *(word.confidence for word in heard.words)]
        assert all(_is_confidence(value) for value in given)
        assert (heard.confidence is not None) == recogniser.capabilities.confidence

    def test_the_final_transcript_says_its_language_and_who_heard_it(self, recogniser: Recogniser, speech: AudioFrame) -> None:
        heard = recogniser.recognise([speech], [self.hints])[0]

        assert heard.final
        assert heard.language == self.hints.language
        assert heard.recogniser == recogniser.name

    def test_two_streams_share_nothing(self, recogniser: Recogniser, speech: AudioFrame) -> None:
        alone = _stream(recogniser, speech, self.hints)
        speaking, silent = recogniser.stream(self.hints), recogniser.stream(self.hints)
        for frame in frames_of(speech):
            speaking.feed(frame)
            silent.feed(silence(frame.duration, WIDEBAND))

        assert not silent.finish().words
        assert speaking.finish().text == alone.text

    def test_another_rate_is_refused(self, recogniser: Recogniser) -> None:
        refused = _raised(MediaError, lambda: recogniser.stream(self.hints).feed(silence(Seconds(0.02), TELEPHONY)))

        assert refused, "8 kHz was taken for 16 kHz"

    def test_an_unknown_language_is_refused(self, recogniser: Recogniser) -> None:
        refused = _raised(ConfigError, lambda: recogniser.stream(Hints(language=_NO_LANGUAGE)))

        assert refused, "a language that nobody speaks was taken"

    def test_a_stream_is_finished_once(self, recogniser: Recogniser) -> None:
        stream = recogniser.stream(self.hints)
        stream.finish()

        assert _raised(ProtocolError, stream.finish), "it was finished twice"

    def test_nothing_is_heard_after_the_end(self, recogniser: Recogniser) -> None:
        stream = recogniser.stream(self.hints)
        stream.finish()

        assert _raised(ProtocolError, lambda: stream.feed(silence(Seconds(0.02), WIDEBAND))), "it was fed after its end"

    def test_partials_come_only_where_they_are_promised(self, recogniser: Recogniser, speech: AudioFrame) -> None:
        stream = recogniser.stream(self.hints)
        partials = [partial for frame in frames_of(speech) if (partial := stream.feed(frame)) is not None]

        assert bool(partials) == recogniser.capabilities.partials
        assert not any(partial.final for partial in partials)

    def test_a_stream_hears_what_the_whole_utterance_says(self, recogniser: Recogniser, speech: AudioFrame) -> None:
        whole = recogniser.recognise([speech], [self.hints])[0]
        streamed = _stream(recogniser, speech, self.hints)

        different = set(whole.text.lower().split()) ^ set(streamed.text.lower().split())
        assert len(different) <= max(2, 2 * len(whole.words) // 3)  # a word heard as another one counts twice

    def test_utterances_come_back_in_order(self, recogniser: Recogniser, speech: AudioFrame) -> None:
        quiet = silence(Seconds(1.0), WIDEBAND)
        heard = recogniser.recognise([quiet, speech, quiet], [self.hints] * 3)

        assert [bool(transcript.words) for transcript in heard] == [False, True, False]


def _stream(recogniser: Recogniser, sound: AudioFrame, hints: Hints) -> Transcript:
    stream = recogniser.stream(hints)
    for frame in frames_of(sound):
        stream.feed(frame)
    return stream.finish()


def _is_confidence(value: Confidence | None) -> bool:
    return value is None or 0.0 <= value <= 1.0


def _raised(kind: type[Exception], act: Callable[[], object]) -> bool:
    """Whether calling ``act`` raises ``kind``; without pytest, so that this module can be imported anywhere."""
    try:
        act()
    except kind:
        return True
    return False
