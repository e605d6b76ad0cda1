"""Small sounds for the tests, made by :mod:`audio_fixtures.generate`; one card (JSON) beside each."""
