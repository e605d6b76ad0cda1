"""What is wrong with a flow file; see :mod:`engine.written.problems`."""

from __future__ import annotations

from engine.written.problems import Problem, WrittenErrors, did_you_mean, listed

__all__ = ["FlowErrors", "Problem", "did_you_mean", "listed"]


class FlowErrors(WrittenErrors):
    """A flow file, or a menu to import, that can't be used."""

    code = "config.flow"
    subject = "a flow"
