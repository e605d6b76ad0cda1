"""From words to meaning: intents by example, slots, yes and no, what is out of scope; calibrated. Does no I/O."""
