"""Who answered a call that we made: a person, a machine, the network. Pure: evidence in, verdicts out."""
