"""What doors share whose sockets live in a process of their own.

::

    peers ── their protocol ──▶ process.py of the door: speaks it, keeps the beat for all its callers
                                    │ link.py
                                    │ one socket pair, frames of wire.py
                                    │ supervised.py: starts the process, starts it anew
                                gateway.py of the door, in the engine: knows which leg is whose
                                    │
                                leg.py: a call, under the Leg contract

Why: such a process does little, so it is on time; what lies ahead of a caller goes out on the beat while the engine's loop is
late. And the engine wakes for all callers at once, not for each.
"""
