"""Every error the engine raises on purpose.

::

    EngineError                 has a stable ``code``, safe to log and to count
    ├── ConfigError             the operator's: a file, a field, what was expected, what was found
    │   ├── BadPassword         a new password that is none (``engine.store.accounts``)
    │   ├── NameTaken           a name that the bank's issuer gives is somebody else's here (there too)
    │   ├── CampaignRefused     a campaign can't do that as it stands (``engine.outbound.campaign``)
    │   ├── ListRefused         a list of contacts that can't be read as one (there too)
    │   └── WrittenErrors       everything that is wrong with a file people write (``engine.written.problems``)
    │       ├── CampaignErrors  a campaign file (``engine.outbound.campaign``)
    │       ├── FlowErrors      a flow file (``engine.ivr.problems``)
    │       └── ScorecardErrors a scorecard (``engine.qa.card``)
    ├── ModelError              a recogniser's, a voice's or an encoder's
    │   ├── ModelNotFound       its files are not there, or are not the pinned ones
    │   ├── ModelBroken         it was loaded and then failed
    │   └── ModelOverloaded     nothing free in time: try later, or ask another way
    ├── MediaError              the peer's bytes: audio, frames, messages we were sent
    │   ├── AppealRefused       an objection that the rules don't allow (``engine.qa.appeals``)
    │   ├── BadOrder            a message of a vosk client that can't be followed (``engine.telephony.vosk_protocol``)
    │   ├── NotThere            a part of a sound beyond its end (``engine.runtime.kept_sound``)
    │   └── OverrulingRefused   a person's verdict that the rules don't allow (``engine.store.overruling``)
    ├── ProtocolError           our own machine misused: always a bug of ours
    ├── JournalBroken           the journal can't be written (``engine.store.keeper``)
    ├── BoardUnavailable        what keeps the silent agents' board can't be reached (``engine.assist.board``)
    ├── NoPortFree              every UDP port for calls' sound is taken (``engine.telephony.siprec.ports``)
    ├── CarrierLost             whoever carries our calls is away (``engine.outbound.carrier``)
    ├── NotConnected            a call that we made was not answered (``engine.telephony.sip.outcomes``)
    ├── NobodyTalked            somebody answered our call, and no flow began (``engine.runtime.outbound.talking``)
    ├── LineLost                the line was lost in the middle of a talk that had come to nothing yet (there too)
    ├── HostError               the bank's system did not answer, or answered with an error
    └── PrivacyError            refused: it would have shown protected data; never caught below ``runtime``

The message says what was expected, what was found and where. It may hold data of the peer's, so it is never spoken, never sent
to a peer, never in an HTTP body and never logged at INFO: the code is. Each is caught in one place per call and per job.
"""

from __future__ import annotations

from typing import ClassVar


class EngineError(Exception):
    """The root of the tree. Raise one of the others."""

    code: ClassVar[str] = "engine"


class ConfigError(EngineError):
    """The operator's files or settings are wrong; the message names file, line or field."""

    code = "config"


class ModelError(EngineError):
    """A model can't do its work."""

    code = "model"


class ModelNotFound(ModelError):
    """The model's files are not there, or are not the ones that were pinned."""

    code = "model.not_found"


class ModelBroken(ModelError):
    """The model was loaded, or should have been, and failed."""

    code = "model.broken"


class ModelOverloaded(ModelError):
    """No worker was free in time: try later, or ask another way."""

    code = "model.overloaded"


class MediaError(EngineError):
    """The peer sent bytes that are not what was agreed: audio, a frame, a message."""

    code = "media"


class ProtocolError(EngineError):
    """One of our own machines was misused; a bug of ours, never the caller's."""

    code = "protocol"


class HostError(EngineError):
    """The bank's own system did not answer in time, or answered with an error."""

    code = "host"


class PrivacyError(EngineError):
    """Refused, because going on would have shown protected data."""

    code = "privacy"
