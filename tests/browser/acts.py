"""What a visitor does with the page, by the names that they see."""

import base64
import re
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.browser.visit import Visit
from tests.browser.words import pattern, word
from tests.paths import MODELS

CAT = MODELS / "efficientnet-lite0" / "chelsea.jpg"
CAT_CLASS = "Egyptian cat"
# The browser hands files to a page only from a real drag; the events are the same.
DROP = """
([data, name, type]) => {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([bytes], name, {type}));
  for (const kind of ["dragenter", "dragover", "drop"]) {
    document.body.dispatchEvent(new DragEvent(kind, {dataTransfer, bubbles: true, cancelable: true}));
  }
}
"""


def drop(page: Page, content: bytes, name: str, media_type: str) -> None:
    """Drop a file on the page."""
    page.evaluate(DROP, [base64.b64encode(content).decode(), name, media_type])


def drop_cat(visit: Visit) -> None:
    """Drop the photograph of the cat, as soon as the page takes one."""
    ready = visit.page.get_by_text(word(visit.language, "picture.hint"))
    expect(ready).to_be_visible()
    drop(visit.page, CAT.read_bytes(), CAT.name, "image/jpeg")


def choose_kind(visit: Visit, kind: str) -> None:
    """Choose what to explain: `image`, `text` or `features`."""
    visit.page.get_by_role("radio", name=word(visit.language, f"kind.{kind}")).check(force=True)


def choose_method(visit: Visit, name: str) -> None:
    """Choose a method by its name in the API."""
    visit.page.get_by_role("combobox", name=word(visit.language, "method"), exact=True).select_option(name)


def prediction(visit: Visit, label: str) -> Locator:
    """The bar of a class."""
    bars = visit.page.get_by_role("group", name=word(visit.language, "predictions.label"))
    return bars.get_by_role("button", name=re.compile(f"^{re.escape(label)}"))


def explain(visit: Visit) -> None:
    """Press the button, once it can be pressed."""
    visit.page.get_by_role("button", name=word(visit.language, "try.explain"), exact=True).click()


def the_map(visit: Visit) -> Locator:
    """The picture of an explanation."""
    return visit.page.get_by_role("img", name=pattern(visit.language, "try.map"))


def is_drawn(picture: Locator) -> None:
    """Wait until an `<img>` shows pixels."""
    expect(picture).to_be_visible()
    expect(picture).to_have_js_property("complete", True)
    assert picture.evaluate("(image) => image.naturalWidth") > 0


def guess(visit: Visit, step: str) -> None:
    """Answer the question of a step of Learn, and wait for all that it shows."""
    page, language = visit.page, visit.language
    page.get_by_role("radio", name=word(language, f"learn.{step}.a"), exact=True).check(force=True)
    page.get_by_role("button", name=word(language, "learn.guess.show"), exact=True).click()
    expect(page.get_by_role("heading", name=word(language, "learn.happened"))).to_be_visible()
    expect(page.get_by_role("group", name=word(language, "progress.label"))).to_have_count(0)
    expect(page.get_by_role("alert")).to_have_count(0)
    for picture in page.get_by_role("main").locator("img").all():
        is_drawn(picture)


def has_no_sideways_scroll(page: Page) -> bool:
    """Whether the page is as narrow as the window."""
    wide: bool = page.evaluate("() => document.documentElement.scrollWidth > innerWidth")
    return not wide


def tab_to(page: Page, target: Locator, limit: int = 80) -> None:
    """Press Tab until `target` has the focus."""
    for _ in range(limit):
        if target.evaluate("(element) => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{limit} presses of Tab do not reach {target}")


WITHOUT_RING = """
() => {
  const element = document.activeElement;
  const shown = [element, element.nextElementSibling, element.parentElement].filter(Boolean);
  const seen = shown.some((one) => {
    const style = getComputedStyle(one);
    const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
    return outlined || style.boxShadow !== "none";
  });
  return seen || element === document.body ? null : element.outerHTML.slice(0, 120);
}
"""


def without_ring(page: Page) -> str | None:
    """The element that has the focus, if nothing shows that; None where one sees it, or where nothing has the focus."""
    element: str | None = page.evaluate(WITHOUT_RING)
    return element


def saved(folder: Path, page: Page, press: Locator) -> Path:
    """The file that a press downloads."""
    with page.expect_download() as download:
        press.click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path
