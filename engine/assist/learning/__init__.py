"""What the answers of silent agents teach: pure, from labels to a proposal with proof. ``engine.cli.learn`` is its skin."""
