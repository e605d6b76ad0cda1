"""One module for each question an engineer asks; each prints a table and a machine card, or one JSON object with ``--json``."""
