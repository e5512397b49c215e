"""What the first view costs: bytes, requests, and how many of them wait for each other. Over loopback, from a service
that has answered before. Milliseconds depend on the machine; docs/page.md has measured ones."""

from typing import Any

import httpx
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.conftest import Served
from tests.browser.words import word

LIMIT_BYTES = 200_000
LIMIT_REQUESTS = 10  # the document, two stylesheets, two scripts, an icon, the models, the methods, a sample
LIMIT_DEPTH = 3  # the document, its script, what the script asks for
LATER = ("views/try/", "parts/", "lib/")  # modules that are loaded when the first view stands
WEIGHT = """
() => {
  const entries = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
  const bytes = entries.reduce((sum, entry) => sum + entry.transferSize, 0);
  return {bytes, names: entries.map((entry) => `${entry.name} ${entry.transferSize}`)};
}
"""


class Waterfall:
    """The requests of a page, each with the request that caused it."""

    def __init__(self, page: Page) -> None:
        self.causes: dict[str, str | None] = {}  # by URL
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        session.on("Network.requestWillBeSent", self._note)

    def _note(self, event: dict[str, Any]) -> None:
        initiator = event["initiator"]
        frames = _frames(initiator.get("stack"))
        cause = initiator.get("url") or next((frame["url"] for frame in frames if frame["url"]), None)
        self.causes.setdefault(event["request"]["url"], cause)

    def depth(self, url: str) -> int:
        """How many requests lead to this one, itself included."""
        seen = [url]
        while (cause := self.causes.get(seen[-1])) is not None and cause in self.causes and cause not in seen:
            seen.append(cause)
        return len(seen)


def _frames(stack: dict[str, Any] | None) -> list[dict[str, Any]]:
    """The calls of a stack, and of those that it was begun by."""
    return [] if stack is None else [*stack["callFrames"], *_frames(stack.get("parent"))]


def test_the_first_view_is_light_and_flat(browser: Browser, served: Served) -> None:
    httpx.get(served.url, headers={"Accept": "text/html"}).raise_for_status()
    context = browser.new_context(locale="en-GB")  # not a `Visit`: one that refuses addresses also keeps no cache
    page = context.new_page()
    waterfall = Waterfall(page)
    page.goto(served.url)
    expect(page.get_by_text(word("en", "picture.hint"))).to_be_visible()
    expect(page.get_by_role("button", name=word("en", "picture.sample"))).to_be_enabled()
    page.wait_for_load_state("networkidle")
    first = page.evaluate(WEIGHT)
    page.reload()
    expect(page.get_by_text(word("en", "picture.hint"))).to_be_visible()
    page.wait_for_load_state("networkidle")
    again = page.evaluate(WEIGHT)
    context.close()
    needed = [url for url in waterfall.causes if not any(f"/composed/{later}" in url for later in LATER)]
    assert any(url.endswith("/first.js") for url in needed)
    assert any(url.endswith("/models") for url in needed)
    assert len(needed) <= LIMIT_REQUESTS, needed
    assert max(map(waterfall.depth, needed)) <= LIMIT_DEPTH, waterfall.causes
    assert 10_000 < first["bytes"] < LIMIT_BYTES, first["names"]
    assert again["bytes"] < first["bytes"] / 2, again["names"]


def test_the_first_view_does_not_wait_for_the_models(browser: Browser, served: Served) -> None:
    """A picture can be chosen before the service has said what it offers; it is explained once it has."""
    context = browser.new_context(locale="en-GB")
    page = context.new_page()
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/models", hold)
    page.goto(served.url)
    page.get_by_role("button", name=word("en", "picture.sample")).click()
    expect(page.get_by_text(word("en", "picture.other"))).to_be_visible()
    assert held
    for route in held:
        route.continue_()
    expect(page.get_by_role("button", name=word("en", "try.explain"), exact=True)).to_be_visible()
    context.close()
