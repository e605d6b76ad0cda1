"""The nouns every other package speaks in: values only, no I/O, nothing of ours imported from above."""
