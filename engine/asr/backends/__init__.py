"""One file per engine; each imports its heavy library itself, and nobody else does."""
