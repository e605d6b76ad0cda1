"""The proof that keyed secrets are nowhere: numbers made up for it are keyed on every road, and sought in every place.

``shapes`` knows what digits look like in bytes, ``memory`` reads what processes hold, ``places`` names what is searched, ``ways``
finds the keys to a flow's secret entries, ``bank`` and ``running`` are the installation, ``roads`` the callers, ``proof`` brings
all of it together.
"""
