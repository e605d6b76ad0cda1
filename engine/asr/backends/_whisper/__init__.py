"""The parts of the whisper back end: where to listen, how to decode, when not to believe it."""
