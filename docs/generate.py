"""Writes the tables of settings and of operations: ``python docs/generate.py``; a test fails where that was forgotten."""  # noqa: INP001

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from pathlib import Path
from types import SimpleNamespace, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from engine.asr.endpoint_policy import EndpointPolicy
from engine.config import Config, QualitySection
from engine.server.api.application import http_api
from engine.server.api.description import described, operations
from engine.server.console.pages.records import Records
from engine.server.playing import Playing
from engine.server.reception import Reception

CONFIGURATION = Path(__file__).with_name("engineer") / "configuration.md"
API = CONFIGURATION.with_name("api.md")
BEGIN_API, END_API = "<!-- operations: written by docs/generate.py -->", "<!-- /operations -->"
BEGIN, END = "<!-- settings: written by docs/generate.py -->", "<!-- /settings -->"
_SIGNS = ((Ge, "ge", "≥"), (Gt, "gt", ">"), (Le, "le", "≤"), (Lt, "lt", "<"))
_KINDS = {
    IPv4Network: "network",
    IPv6Network: "network",
    IPv4Address: "address",
    IPv6Address: "address",
    Path: "path",
    str: "text",
} | {
    int: "whole number",
    float: "number",
    bool: "true or false",
}
_MEASURED = {field.name: field.default for field in fields(EndpointPolicy)}


def settings() -> str:
    """Every setting, a table for each section of the file."""
    tables = filter(None, (_table(name, section) for name, section in _sections(Config)))
    return f"{BEGIN}\n\n" + "\n\n".join(tables) + f"\n\n{END}"


def with_settings(page: str) -> str:
    """The page with its table of settings up to date."""
    before, _, rest = page.partition(BEGIN)
    return before + settings() + rest.partition(END)[2]


def _sections(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, type[BaseModel]]]:
    for name, field in model.model_fields.items():
        section = _section(field)
        if section is not None:
            yield f"[{path}{name}]" if get_origin(field.annotation) is tuple else f"{path}{name}", section
            yield from _sections(section, f"{path}{name}.")


def _section(field: FieldInfo) -> type[BaseModel] | None:
    kinds = (field.annotation, *get_args(field.annotation))
    return next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)


def _table(name: str, section: type[BaseModel]) -> str:
    rows = [_row(name.strip("[]"), key, field) for key, field in section.model_fields.items() if _section(field) is None]
    head = f"### `[{name}]`\n\n{(section.__doc__ or '').strip().replace('``', '`')}"
    return "\n".join([head, "", "| setting | default | allowed | what it is |", "|---|---|---|---|", *rows]) if rows else ""


def _row(section: str, key: str, field: FieldInfo) -> str:
    what = (field.description or "").replace("<", "&lt;")
    return f"| `{section}.{key}` | {_default(section, key, field)} | {_allowed(field)} | {what} |"


def _default(section: str, key: str, field: FieldInfo) -> str:
    if field.is_required():
        return "*must be given*"
    if field.default in (None, (), {}):
        return f"`{_MEASURED[key]:g}` (measured)" if section == "endpoint" else "*none*"
    if isinstance(field.default, bool):
        return f"`{str(field.default).lower()}`"
    if isinstance(field.default, tuple):
        return "`[" + ", ".join(f'"{one}"' if isinstance(one, str) else f"{one:g}" for one in field.default) + "]`"
    if isinstance(field.default, Mapping):
        return "`{ " + ", ".join(f'{name} = "{value}"' for name, value in field.default.items()) + " }`"
    quoted = isinstance(field.default, str | Path)
    return f'`"{field.default}"`' if quoted else f"`{field.default:g}`"


def _allowed(field: FieldInfo) -> str:
    found = {kind: getattr(one, name) for one in field.metadata for kind, name, _ in _SIGNS if isinstance(one, kind)}
    limits = [f"{sign} {found[kind]:g}" for kind, _, sign in _SIGNS if kind in found]
    return ", ".join([_kind(field.annotation), *limits])


def _kind(annotation: Any) -> str:
    origin = get_origin(annotation)
    if origin is tuple:
        return f"list of {_kind(get_args(annotation)[0])}"
    if origin in {Union, UnionType}:
        return _kind(next(one for one in get_args(annotation) if one is not type(None)))
    if origin is Literal:
        return " or ".join(f'`"{one}"`' for one in get_args(annotation))
    if origin is Annotated:
        return _kind(get_args(annotation)[0])
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return " or ".join(f'`"{one}"`' for one in annotation)
    return "table of text" if origin is not None else _KINDS[annotation]


def with_operations(page: str) -> str:
    """The page with its table of operations up to date."""
    before, _, rest = page.partition(BEGIN_API)
    return f"{before}{BEGIN_API}\n\n{_operations()}\n\n{END_API}{rest.partition(END_API)[2]}"


def _operations() -> str:
    """Every operation of the API, by its own description."""
    engine: Any = SimpleNamespace(config=Config(qa=QualitySection()), flows={}, live_calls=None, staffing=None)
    api = http_api(engine, Reception(), Playing(Records.of(engine.config)))
    rows = (_operation(f"{method.upper()} {path}", it) for path, method, it in operations(described(api)))
    return "\n".join(["| operation | what it does | permission |", "|---|---|---|", *rows])


def _operation(name: str, told: Mapping[str, Any]) -> str:
    asked = told["x-permission"]
    return f"| `{name}` | {told['description'].splitlines()[0]} | {f'`{asked}`' if asked else 'any'} |"


def main() -> None:
    """Write the pages anew."""
    API.write_text(with_operations(API.read_text(encoding="utf-8")), encoding="utf-8")
    CONFIGURATION.write_text(with_settings(CONFIGURATION.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
