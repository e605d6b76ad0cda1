"""``/api/v1``: what the pages do, for programs; described by OpenAPI 3.1 at ``/api/v1/openapi.json``.

Rules. Every route declares its permission, shows to those who are bound to teams what belongs to these, and calls the functions
that the page calls: there is one way to do a thing. Lists are given a page at a time with a cursor. Whatever goes wrong is a
problem (:mod:`engine.server.problems`). What changes something may carry a key (:mod:`engine.server.api.repeats`).
"""
