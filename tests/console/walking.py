"""What is looked for on every page: words in the wrong language, and what axe finds."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

from console.houses import AXE

UNTRANSLATED = """(wrong) => {
  const bad = new RegExp(wrong, "u"), found = [];
  const walk = document.createTreeWalker(document.documentElement, NodeFilter.SHOW_ALL);
  for (let node = walk.currentNode; node; node = walk.nextNode()) {
    const element = node.nodeType === 1 ? node : node.parentElement;
    if (!element || element.closest('[translate="no"], script, style, svg, kbd, time')) continue;
    const texts = node.nodeType === 3 ? [node.data] : node.nodeType === 1
      ? ["title", "aria-label", "placeholder", "alt"].map((name) => node.getAttribute(name) ?? "") : [];
    for (const text of texts) if (bad.test(text)) found.push(text.trim());
  }
  return found;
}"""

WRONG = {"zh": r"[A-Za-z]{2,}", "en": r"\p{Script=Han}"}
"""What no text on a page in that language holds, but for what is marked ``translate="no"``."""

NAMES = ("CNY", "App", "QR")


def untranslated(page: Page, language: str) -> list[str]:
    """Texts that stand there in the other language."""
    found: list[str] = page.evaluate(UNTRANSLATED, WRONG[language])
    if language == "zh":
        found = [text for text in found if text not in NAMES]
    return found


def faults(page: Page) -> list[str]:
    """What axe finds that is serious or critical, with where."""
    if not page.evaluate("typeof axe === 'object'"):
        # By the debugger, not as an element: the page's policy lets no other script in.
        page.evaluate(AXE.read_text("utf-8") + "; undefined")
    # A part that is being refreshed is dimmed meanwhile.
    page.wait_for_selector(".htmx-request", state="detached")
    # Only what it finds: to tell at length of all that is well takes axe as long as to look.
    found: list[dict[str, Any]] = page.evaluate(
        """axe.run(document, {
          runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'], resultTypes: ['violations'],
        }).then((results) => results.violations)"""
    )
    return [
        f"{rule['id']}: {node['html'][:160]} {node['failureSummary']}"
        for rule in found
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
    ]
