"""Secret numbers in speech: card numbers, codes, PINs, accounts and phones are found and masked before anything is stored.

Pure. English, Russian and Chinese at once. Doubt masks; only a clear context (a sum, a date, a count) does not.
"""

from engine.privacy.kinds import Kind
from engine.privacy.masking import Masked, mask_call, mask_text, without_numbers
from engine.privacy.spans import MARGIN, Span, TimeSpan, find_spans, time_spans
from engine.privacy.speech import MASK, Turn

__all__ = [
    "MARGIN",
    "MASK",
    "Kind",
    "Masked",
    "Span",
    "TimeSpan",
    "Turn",
    "find_spans",
    "mask_call",
    "mask_text",
    "time_spans",
    "without_numbers",
]
