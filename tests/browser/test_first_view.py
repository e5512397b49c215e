"""What the first view costs: bytes and time, over loopback, from a service that has answered before."""

import httpx
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Served
from tests.browser.words import word

LIMIT_BYTES = 200_000
HANG_MS = 10_000  # a page that takes longer hangs; the aim, 300 ms, is measured on an idle machine
WEIGHT = """
() => {
  const entries = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
  const bytes = entries.reduce((sum, entry) => sum + entry.transferSize, 0);
  return {bytes, names: entries.map((entry) => `${entry.name} ${entry.transferSize}`)};
}
"""


def test_bytes_and_time_of_the_first_view(browser: Browser, served: Served) -> None:
    httpx.get(served.url, headers={"Accept": "text/html"}).raise_for_status()
    context = browser.new_context(locale="en-GB")  # not a `Visit`: one that refuses addresses also keeps no cache
    page = context.new_page()
    page.goto(served.url)
    expect(page.get_by_text(word("en", "picture.hint"))).to_be_visible()
    shown_ms: float = page.evaluate("() => performance.now()")
    page.wait_for_load_state("networkidle")
    first = page.evaluate(WEIGHT)
    page.reload()
    expect(page.get_by_text(word("en", "picture.hint"))).to_be_visible()
    page.wait_for_load_state("networkidle")
    again = page.evaluate(WEIGHT)
    context.close()
    print(f"first view: {first['bytes']} bytes, {len(first['names'])} files, {shown_ms:.0f} ms; again {again['bytes']}")
    assert 10_000 < first["bytes"] < LIMIT_BYTES, first["names"]
    assert again["bytes"] < first["bytes"] / 2, again["names"]
    assert shown_ms < HANG_MS
