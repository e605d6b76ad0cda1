"""The engine's settings: one TOML file, checked on reading."""
