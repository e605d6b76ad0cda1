"""AudioSocket, for calls from Asterisk: a process of its own that it connects to, one connection a call, and the engine's end.

::

    Asterisk ── AudioSocket ──▶ connection.py (frames.py), porter.py: who may stay; line.py: a call      in process.py
                                    │ one socket pair, frames of engine.telephony.apart.wire and of wire.py
                                gateway.py                                                           in the engine
                                    │
                                leg.py

AudioSocket has no password and no encryption. What can be asked for is asked: that the peer's address is known, that a connection
names its call at once, that somebody has announced that name. What one peer does wrong ends its own connection only; each ends
with a hang-up frame, because Asterisk 18 takes no notice of one that is closed without it.

In the dialplan: ``Dial(AudioSocket/host:9092/${UUID}/c(slin))``. The application ``AudioSocket()`` eats a core a call before
Asterisk 20.5.
"""
