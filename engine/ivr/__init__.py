"""Flow files become graphs; existing key-press menus become flows. Does no I/O but reading the text it is given.

``files.load_flow`` and ``files.check`` for files, ``parse.parse_flow`` for text, ``draw`` for pictures,
``menu_import.import_menu`` for menus. A flow file passes through ``engine.written.yaml_tree`` (values with their lines),
``schema`` (each value of its right kind), ``checks`` (the whole file) and ``compiler`` (the graph).
"""
