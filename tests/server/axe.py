"""axe-core over a page in Chromium: what a screen reader, a keyboard or weak eyes would stumble over."""

from __future__ import annotations

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page

GRAVE = frozenset({"serious", "critical"})


async def stumbles(page: Page) -> list[str]:
    """Everything that axe calls serious or critical, a line each: the rule, and where."""
    found = (await Axe().run(page)).response["violations"]
    return [
        f"{it['impact']} {it['id']}: {', '.join(' '.join(map(str, node['target'])) for node in it['nodes'][:5])}"
        for it in found
        if it["impact"] in GRAVE
    ]
