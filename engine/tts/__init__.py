"""From words to sound: the voice contract, its back ends, recorded prompts, the prompt cache, and how numbers are worded."""
