"""SIPREC: records calls between people that a session border controller (SBC) forks to us (RFC 7865, 7866).

``message``, ``multipart``, ``metadata``, ``description``, ``srtp`` and ``rtp`` read what comes; ``signalling`` is the SIP user
agent, ``feed`` puts one stream's packets on the call's timeline, ``recording_session`` knows who is heard where. All of these are
pure. ``server`` holds the beat, ``sockets`` and ``ports`` what the network needs.

The SIP layer is our own, because the pure Python one that there is (aiosipua 0.7.1, tried here) answers a repeated INVITE whose
200 was lost with 481, which ends the call at the SBC, and does not answer at all over TCP where the Via has no ``rport``.
"""
