"""Flow files become graphs; existing key-press menus become flows. Does no I/O but reading the text it is given."""
