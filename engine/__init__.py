"""Callwright: an on-premise, CPU-first speech engine for a bank's call centre.

Read in this order: ``core/speech.py`` (the nouns), ``dialogue/machine.py`` (the decisions),
``runtime/call.py`` (one call, driven).
"""
