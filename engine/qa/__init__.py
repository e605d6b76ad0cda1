"""Scores calls by a bank's own card and shows the proof. Pure: a card's text and a transcript in, verdicts with evidence out.

Everything is a set of spans on the call's timeline. A card (``files.load_scorecard``) is read into expressions (``expressions``;
what is not a phrase is a ``terms.Term``: ``regexes``, ``entities``, ``meaning``, ``happenings``) and checks (``checks``);
``timeline`` is the call; ``evaluate`` finds the spans; ``scoring.score`` makes the result.
Whatever was heard is known only between bounds (``bounds``): what is surely there, and what may be there. A verdict that depends
on which of the two is true is ``unknown``, never a guess.
"""
