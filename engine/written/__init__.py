"""Files that people write, read with places: YAML values that remember their lines, and problems that name them.

Flows (``engine.ivr``) and scorecards (``engine.qa``) are read this way. Does no I/O.
"""
