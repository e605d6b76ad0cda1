"""The conversation as a pure machine: events and the time go in, actions come out. Does no I/O, knows no clock."""
