"""The silent agent: people who hear the one phrase that the engine is unsure of, and answer before the caller notices."""
