"""Links between the pages of the documentation, and the index of them."""

import re
from pathlib import Path

import pytest

from tests.paths import ROOT

PAGES = sorted(
    page
    for page in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "models").rglob("*.md"))
    if not page.is_relative_to(ROOT / ".venv")
)
LINK = re.compile(r"\]\((?!https?://|#)([^)#\s]+)(?:#([^)\s]+))?\)")
MAX_README_LINES = 150


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as Git hosts make them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target, anchor in LINK.findall(page.read_text()):
        found = page.parent / target
        assert found.exists(), f"{target} is not there"
        assert not anchor or anchor in anchors(found), f"{target} has no heading {anchor}"


def test_the_index_names_every_page() -> None:
    docs = ROOT / "docs"
    named = {(docs / target).resolve() for target, _ in LINK.findall((docs / "README.md").read_text())}
    pages = {page.resolve() for page in docs.glob("*.md")} - {docs / "README.md"}
    assert pages <= named, sorted(page.name for page in pages - named)


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) < MAX_README_LINES
