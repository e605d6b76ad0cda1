"""SIP: a process of its own that speaks it (baresip), and the engine's end of the wire to that process.

::

    peers ── SIP, RTP ──▶ stack.py + pump.py   in process.py, which imports the heavy library
                                │ one socket pair, frames of wire.py
                          gateway.py           in the engine: starts the process, starts it anew, knows which leg is whose
                                │
                          leg.py               a call, under the Leg contract

Why a process: a dead baresip runtime can't be started again in the same one (``docs/adr/0005``), and its native threads keep
sending when the engine's loop is late.
"""
