"""From sound to words: the recogniser contract, its back ends, voice activity, endpointing, confidence."""
