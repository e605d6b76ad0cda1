"""What must not be shown: masking of spoken numbers and keypad entries, consent facts. Does no I/O."""
