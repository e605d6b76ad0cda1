"""Drives calls: model workers, admission, one task per call."""
