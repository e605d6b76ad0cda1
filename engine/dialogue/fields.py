"""The fields of a call that we make: what its flow says about the person who is called."""

from __future__ import annotations

from collections.abc import Mapping

from engine.core.errors import ConfigError
from engine.core.units import Language
from engine.dialogue.graph import Flow
from engine.tts.wording import word


def unfit_fields(flow: Flow, fields: Mapping[str, str], language: Language | None = None) -> tuple[str, ...]:
    """Name the fields that ``flow`` needs and that are missing, or that no voice could say; never their values."""
    spoken = language if language in flow.languages and language is not None else flow.languages[0]
    needed = {name: of.completed(fields.get(name, "").strip()) for name, of in flow.fields.items()}
    return tuple(str(name) for name, value in needed.items() if not _can_be_said(value, flow.fields[name].kind, spoken))


def _can_be_said(value: str, kind: str, language: Language) -> bool:
    try:
        return bool(value) and bool(word(value, kind, language))
    except ConfigError:
        return False
