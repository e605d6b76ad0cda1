"""A page in Chromium as people see it, wide and narrow: nothing runs over, nothing is without a name, nothing complains."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Final, Literal

from playwright.async_api import Page

from engine.access.permissions import Role
from tests.server.doubles import EchoEngine, opened
from tests.server.test_desk_page import chromium

WIDTHS: Final = (1280, 390)

_FAULTS: Final = """() => {
  const found = [], wide = document.documentElement.clientWidth;
  const shown = (it) => it.checkVisibility() && it.getBoundingClientRect().width > 1 && !it.closest(".skip, svg");
  const scrolls = (it) => it.closest(".scrolls");
  if (document.documentElement.scrollWidth > wide) found.push(`the page is ${document.documentElement.scrollWidth} wide`);
  for (const it of document.querySelectorAll("body *")) {
    if (!shown(it)) continue;
    const box = it.getBoundingClientRect();
    if (!scrolls(it) && (box.right > wide + 1 || box.left < -1)) found.push(`${it.tagName}.${it.className} runs over`);
    if (it.matches("button, a[href], input, select, textarea, summary")) {
      const label = it.getAttribute("aria-label") || it.innerText || it.labels?.[0]?.innerText || it.title;
      if (!label?.trim()) found.push(`${it.tagName} ${it.name} has no name`);
    }
  }
  const pieces = [...document.querySelectorAll("main :is(h1, h2, p, li, td, th, dt, dd, button, input, select, label)")];
  const boxes = pieces.filter((it) => shown(it) && !scrolls(it)).map((it) => [it, it.getBoundingClientRect()]);
  for (const [a, one] of boxes) for (const [b, other] of boxes) {
    if (a.contains(b) || b.contains(a) || (a.compareDocumentPosition(b) & 2)) continue;
    const across = Math.min(one.right, other.right) - Math.max(one.left, other.left);
    const down = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
    if (across > 2 && down > 2) found.push(`${a.tagName} “${a.innerText}” lies over ${b.tagName} “${b.innerText}”`);
  }
  const light = (colour) => {
    const parts = colour.match(/[\\d.]+/g).map(Number).slice(0, 3).map((it) => it / 255);
    const [r, g, b] = parts.map((it) => (it <= 0.04045 ? it / 12.92 : ((it + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (it) => {
    const colour = getComputedStyle(it).backgroundColor;
    return colour.startsWith("rgba") && colour.endsWith(" 0)") ? (it.parentElement ? behind(it.parentElement) : "rgb(255,255,255)") : colour;
  };
  for (const it of document.querySelectorAll("main *, header *")) {
    const own = [...it.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || !shown(it) || it.matches(":disabled") || it.closest(".over")) continue;
    const [a, b] = [light(getComputedStyle(it).color), light(behind(it))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) found.push(`“${it.textContent.trim().slice(0, 20)}” is pale: ${((a + 0.05) / (b + 0.05)).toFixed(1)}`);
  }
  return [...new Set(found)].slice(0, 20);
}"""
"""Contrast is WCAG 2.2's, 1.4.3: 4.5 to 1."""


async def faults(page: Page) -> list[str]:
    """What runs over its page, lies over its neighbour, has no name, or is too pale to read."""
    found: list[str] = await page.evaluate(_FAULTS)
    return found


@contextlib.asynccontextmanager
async def looked_at(
    engine: EchoEngine,
    path: str,
    roles: Sequence[Role] = tuple(Role),
    *,
    width: int = 1280,
    scheme: Literal["light", "dark"] = "light",
    language: str = "en",
) -> AsyncIterator[Page]:
    """One page of an engine whose doors are opened for it, to somebody with these roles; its complaints fail the test."""
    complaints: list[str] = []
    cookie = engine.signed_in(*roles)["Cookie"]
    async with opened(engine) as doors, chromium() as browser:
        root = doors["phone"].removesuffix("/phone")
        context = await browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        name, _, value = cookie.partition("=")
        await context.add_cookies(
            [{"name": name, "value": value, "url": root}, {"name": "language", "value": language, "url": root}]
        )
        page = await context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.extend([said.text] if said.type in {"error", "warning"} else []))
        await page.goto(root + path)
        yield page
        await context.close()
    assert complaints == []
