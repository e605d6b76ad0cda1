"""What the designer's pages show works as shown."""

import re
from pathlib import Path

from engine.dialogue.graph import Flow
from engine.ivr.draft import GLOBAL_NAMES
from engine.ivr.menu_import import import_menu
from engine.ivr.parse import parse_flow
from engine.ivr.schema import NODE_PARTS, FlowPart, PatiencePart, WordingPart

DOCS = Path(__file__).resolve().parents[2] / "docs" / "designer"


def blocks(page: str, kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL)


def parsed(text: str) -> Flow:
    return parse_flow(text, "shown.yaml", str)


def test_the_flow_that_is_shown_has_no_problem() -> None:
    (shown,) = blocks("flow-files.md", "yaml")

    assert set(parsed(shown).intents) == {"balance", "opening_hours", "people"}


def test_the_menus_that_are_shown_can_be_imported() -> None:
    (menu,) = blocks("import.md", "menu")
    (table,) = blocks("import.md", "csv")

    assert {"block_a_card", "balance", "operator"} <= set(parsed(import_menu(menu, "menu.txt", ["en"])).nodes)
    assert {"block_a_card", "operator"} <= set(parsed(import_menu(table, "menu.csv", ["en"])).nodes)


def test_every_key_of_the_format_is_explained() -> None:
    page = (DOCS / "flow-files.md").read_text(encoding="utf-8")
    keys = {*FlowPart.model_fields, *PatiencePart.model_fields, *WordingPart.model_fields, *GLOBAL_NAMES, *NODE_PARTS}
    keys |= {key for part in NODE_PARTS.values() for key in part.model_fields}

    assert {key for key in keys if f"`{key}" not in page and f"**{key}**" not in page and f"{key}:" not in page} == set()
