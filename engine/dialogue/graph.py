"""What the machine walks: a flow as a graph of frozen nodes.

``engine.ivr`` makes these from flow files and from imported key-press menus, and promises what :class:`Flow` says. Field names
are the words of VoiceXML 2.0 and MRCP where those have one (no-input, no-match, barge-in, globals).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NewType, TypeAlias

from engine.asr.protocol import Grammar
from engine.core.units import Confidence, Language, Seconds
from engine.dialogue.bounds import Bounds
from engine.dialogue.results import Recorded

NodeId = NewType("NodeId", str)
SlotName = NewType("SlotName", str)


@dataclass(frozen=True, slots=True)
class Prompt:
    """Something the engine says."""

    id: str
    """Names the recording that takes precedence over the synthetic voice."""

    texts: Mapping[Language, str]
    """In every language of the flow. ``{slot}`` stands for a value; ``{amount:money}`` words it as a sum."""

    @property
    def fixed(self) -> bool:
        """Whether it is the same for every caller, so that it can be rendered before the first call."""
        return not any("{" in text for text in self.texts.values())


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When to jump, when to confirm, when to ask someone else. Per flow, overridden per node, intent and slot."""

    accept: Confidence = Confidence(0.80)
    """Jump at or above this."""

    confirm: Confidence = Confidence(0.45)
    """Read it back at or above this; below it, the next rungs of the ladder."""

    margin: Confidence = Confidence(0.20)
    """Jump only when the second choice is at least this far behind; else let the caller choose between the two."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long and how often the engine waits for the caller."""

    no_input: Seconds = Seconds(5.0)
    """Silence after the prompt's end before the caller is asked again."""

    tries: int = 2
    """Spoken tries at one question, at most; then keys, then the operator."""

    assist: Seconds = Seconds(6.0)
    """How long a silent agent may take; after that the next rung."""

    between_keys: Seconds = Seconds(3.0)
    """Silence on the keypad that ends an entry of open length."""

    take_back: Seconds = Seconds(1.0)
    """A caller who goes on talking this soon after a decision is taken back into the turn; nothing irrevocable happens before."""

    host: Seconds = Seconds(8.0)
    """How long the bank's host may take; after that it counts as failed."""

    hearing: Seconds = Seconds(20.0)
    """How long a voice that has begun may go on before its words are there; after that it counts as not understood."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One way out of a menu: by its key, by its spoken names, or from anywhere by its intent."""

    target: NodeId

    key: str | None = None
    """One key of the pad."""

    intent: str | None = None
    """The intent that leads here; by default the target's own. ``yes`` and ``no`` are a plain yes and no."""

    sets_right_party: bool = False
    """Whether who takes this choice is the person whom the call is for."""


@dataclass(frozen=True, slots=True)
class NodeBase:
    """What every node has."""

    id: NodeId

    prompts: tuple[Prompt, ...] = ()
    """Said on arrival, in order."""

    title: Mapping[Language, str] = field(default_factory=dict)
    """What the node is called when it is read back or offered: "block a card"."""

    synonyms: Mapping[Language, tuple[str, ...]] = field(default_factory=dict)
    """Spoken names that lead here without any example."""

    requires_verified: bool = False
    """Money-moving or identity-bound: nothing but a verified call gets in, whatever was said, corrected or keyed."""

    requires_right_party: bool = False
    """Tells what is nobody else's business: nobody gets in before it is known that the person on the line is the right one."""

    everywhere: bool = False
    """Whether its intent counts at every question, closed menus and values included: "don't call me again"."""

    records: Recorded | None = None
    """What has come of the call once this node is reached."""

    barge_in: bool = True
    """Whether the caller may interrupt the prompts."""

    thresholds: Thresholds | None = None
    """For landing on this node; ``None`` = the flow's."""


@dataclass(frozen=True, slots=True)
class Say(NodeBase):
    """Says something and goes on."""

    then: NodeId = NodeId("")


@dataclass(frozen=True, slots=True)
class Menu(NodeBase):
    """Asks what the caller wants; answered in free speech, by a choice's name, or by a key."""

    choices: tuple[Choice, ...] = ()

    reprompts: tuple[Prompt, ...] = ()
    """Tapered: the n-th is said before the n-th repeated try; the last one spells out the keys."""

    keys_prompt: Prompt | None = None
    """Said when the call falls to the keys: every key with its choice."""

    open: bool = True
    """Whether every intent of the flow is understood here, not only the choices'."""

    otherwise: NodeId | None = None
    """Where those go whom no try has brought on; ``None`` = the operator."""


@dataclass(frozen=True, slots=True)
class Ask(NodeBase):
    """Asks for one value by speech or keys, which may be read back."""

    slot: SlotName = SlotName("")

    type: str = "digits"
    """A slot type of ``Interpretation.slots``."""

    grammar: Grammar = Grammar.FREE

    length: tuple[int, int] | None = None
    """Fewest and most digits, for digit slots."""

    read_back: bool | None = None
    """Always, never, or (``None``) when the confidence is between ``confirm`` and ``accept``."""

    reprompts: tuple[Prompt, ...] = ()

    keys_prompt: Prompt | None = None

    bounds: Bounds | None = None

    off_limits: Prompt | None = None
    """Said to a value out of bounds, with ``{least}`` and ``{most}``."""

    equals: SlotName | None = None
    """The answer must be what this slot holds: a proof."""

    sets_right_party: bool = False
    """Whether who gives it is the person whom the call is for."""

    unasked: bool = False
    """Whether the value is taken from the words that led here, where they hold one."""

    then: NodeId = NodeId("")

    otherwise: NodeId | None = None
    """Where those go who give no value that fits; ``None`` = the operator."""


@dataclass(frozen=True, slots=True)
class Keypad(NodeBase):
    """Takes keys only: card numbers, PINs, codes. Speech is not listened to."""

    slot: SlotName = SlotName("")

    secret: bool = True
    """Whether the digits may exist only on their way to the bank's host."""

    length: tuple[int, int] = (1, 32)
    """Fewest and most digits; the most ends the entry by itself."""

    finish_key: str = "#"

    luhn: bool = False
    """Whether a wrong check digit asks again."""

    reprompts: tuple[Prompt, ...] = ()

    then: NodeId = NodeId("")

    otherwise: NodeId | None = None
    """Where a caller goes who can't do it in ``tries``; ``None`` = the operator."""


@dataclass(frozen=True, slots=True)
class Service(NodeBase):
    """Asks the bank's host something; the answer's values fill slots."""

    operation: str = ""
    """As the host adapter calls it: ``card_block``."""

    arguments: tuple[SlotName, ...] = ()
    """Slots that go into the request; secret ones are put in by the driver, unseen."""

    fills: tuple[SlotName, ...] = ()
    """Slots that the answer ``ok`` fills; no other value of the host's is let through."""

    sets_verified: bool = False
    """Whether a good answer makes the call a verified one."""

    sets_right_party: bool = False
    """Whether a good answer says that the person on the line is the one whom the call is for."""

    outcomes: Mapping[str, NodeId] = field(default_factory=dict)
    """Where to go by the answer's ``outcome``; ``ok`` must be there."""

    failed: NodeId | None = None
    """Where to go when the host does not answer; ``None`` = the operator."""

    safe: bool = False
    """Whether asking changes nothing at the bank (safe as in RFC 9110, section 9.2.1), so that it may be asked at once and the
    caller who goes on talking can still be taken back."""


@dataclass(frozen=True, slots=True)
class Transfer(NodeBase):
    """Hands the call to people, with all that is known so far."""

    destination: str = ""
    """A queue or number as the door's configuration calls it."""

    failed: NodeId | None = None
    """Where to go when nobody takes the call; ``None`` = apologise and hang up. The second such failure of a call ends it."""


@dataclass(frozen=True, slots=True)
class End(NodeBase):
    """Says good-bye and hangs up."""


Node: TypeAlias = Say | Menu | Ask | Keypad | Service | Transfer | End


class Global(StrEnum):
    """What a caller may say anywhere (VoiceXML's universals and the field's usual additions)."""

    HELP = "help"
    REPEAT = "repeat"
    BACK = "back"
    MAIN_MENU = "main_menu"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class FixedPrompts:
    """Wording that is the machine's own, in every language of the flow."""

    confirm: Prompt
    """"You want to {title}, is that right?" """

    choose: Prompt
    """"{first}, or {second}?" """

    filler: tuple[Prompt, ...]
    """Short neutral sounds while a silent agent works: "One moment.\""""

    no_input: Prompt
    no_match: Prompt
    use_keys: Prompt
    to_operator: Prompt
    help: Prompt
    read_back: Prompt
    """"I heard {value}. Is that right?" """
    not_allowed: Prompt
    """Said when a node needs a verified call and this is not one, and the flow has no node that verifies."""
    host_failed: Prompt
    not_transferred: Prompt
    """Said when nobody took the call, before it goes on elsewhere or ends."""


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that must be known of a person before they are called."""

    kind: str = "text"
    """How it is worded; see :class:`engine.tts.wording.Kind`."""

    currency: str | None = None
    """ISO 4217, for sums that come without one."""

    private: bool = False
    """Nobody else's business: only nodes that require the right party may say it."""

    def completed(self, value: str) -> str:
        """``value`` with its currency."""
        return f"{value} {self.currency}" if self.currency and " " not in value else value


@dataclass(frozen=True, slots=True)
class Flow:
    """A whole conversation, checked: every target exists, every node is reachable, every prompt has every language, from
    every node an end can be reached."""

    name: str

    revision: str
    """sha256 of the flow file's bytes, hex."""

    languages: tuple[Language, ...]
    """The first is the default."""

    start: NodeId

    nodes: Mapping[NodeId, Node]

    intents: Mapping[str, NodeId]
    """Where each intent lands."""

    examples: Mapping[str, tuple[str, ...]]
    """Sentences by intent that callers say, in any of the languages; ``out_of_scope`` names what no node serves."""

    operator: NodeId
    """A :class:`Transfer`, the last rung of the ladder."""

    fixed: FixedPrompts

    verify: NodeId | None = None
    """Where a call is verified before a node that requires it; it then goes on to that node."""

    right_party: NodeId | None = None
    """Where it is asked whether the right person is on the line, before a node that requires it."""

    fields: Mapping[SlotName, Field] = field(default_factory=dict)
    """What must be known of the person who is called."""

    listen_first: Seconds | None = None
    """How long to wait for a "hello?" before saying anything; ``None``: the flow begins at once."""

    globals: Mapping[Global, Mapping[Language, tuple[str, ...]]] = field(default_factory=dict)
    """How each global is said. They are intents of the same names as far as the recogniser is concerned."""

    thresholds: Thresholds = Thresholds()

    intent_thresholds: Mapping[str, Thresholds] = field(default_factory=dict)

    patience: Patience = Patience()
