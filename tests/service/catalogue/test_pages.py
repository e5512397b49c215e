"""The catalogue as HTML and Markdown: complete, escaped, and sound documents."""

import re
from html.parser import HTMLParser

import pytest

from service.catalogue.guides import MethodCatalogue, MethodGuide, catalogue
from service.catalogue.html_page import HEADERS, catalogue_page, guide_page, stylesheet
from service.catalogue.markdown_page import catalogue_markdown, guide_markdown
from service.catalogue.parameter_rows import parameter_rows, values_of
from service.catalogue.texts import read_texts
from service.languages import LANGUAGES, Language

VOID = {"meta", "link", "br"}
ATTACK = '"><script>alert(1)</script>&<img src=x onerror=y> | `a|b` *b* _c_ [d](e)'


class Reader(HTMLParser):
    """Reads a page; fails on an end tag that does not fit."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def count(self, tag: str) -> int:
        return sum(found == tag for found, _ in self.tags)


def attacked(language: Language = "en") -> tuple[MethodGuide, MethodCatalogue]:
    """A guide and a catalogue of which every text is markup."""
    whole = catalogue(language)
    texts = dict.fromkeys(("title", "idea", "analogy", "cost", "reference", "when", "family_title"), ATTACK)
    properties = {"p": {"enum": [ATTACK, "x"], "default": ATTACK, "description": ATTACK}}
    guide = whole.methods[0].model_copy(update={**texts, "parameters": {"properties": properties}})
    return guide, whole.model_copy(update={"methods": [guide], "columns": dict.fromkeys(whole.columns, ATTACK)})


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_table_is_complete(language: Language) -> None:
    whole = catalogue(language)
    page, times = Reader(catalogue_page(whole)), read_texts(language)["page"]["times"]
    assert ("html", {"lang": language}) in page.tags
    assert page.count("h1") == 1
    assert page.count("section") == page.count("table") == len(whole.families)
    assert sum(attrs.get("scope") == "row" for _, attrs in page.tags) == len(whole.methods) + 1
    assert sum(attrs.get("class") == "generic" for _, attrs in page.tags) == 1
    for guide in (*whole.methods, whole.layer_attribution):
        for field in ("title", "idea", "typical_results", "analogy"):
            assert getattr(guide, field).replace("`", "") in page.text
        assert guide.cost.replace(" x ", f" {times} ") in page.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_method_has_a_page(language: Language) -> None:
    whole = catalogue(language)
    for guide in whole.methods:
        page = Reader(guide_page(guide, whole))
        for text in (guide.idea, guide.when, guide.when_not, guide.reference, guide.family_title):
            assert text in page.text
        assert ("a", {"href": guide.reference_url, "rel": "noreferrer"}) in page.tags
        rows = parameter_rows(guide.parameters, read_texts(language)["page"])
        assert sum(attrs.get("scope") == "row" for _, attrs in page.tags) == len(rows)
        for row in rows:
            assert row.description.replace("`", "") in page.text


def test_markup_in_texts_is_shown_and_not_obeyed() -> None:
    guide, whole = attacked()
    for html in (guide_page(guide, whole, "?lang=en"), catalogue_page(whole)):
        page = Reader(html)
        assert not {"script", "img"} & {tag for tag, _ in page.tags}
        assert "<script>alert(1)</script>" in page.text
        assert not any(name.startswith("on") for _, attrs in page.tags for name in attrs)
    for markdown in (guide_markdown(guide, whole), catalogue_markdown(whole)):
        outside_code = re.sub(r"`[^`]*`", "", markdown)
        assert not re.search(r"(?<!\\)[*_\[]", outside_code.replace("**", "").replace(": [", ": "))
        assert "<script" not in outside_code.replace("\\<", "")


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_obey_their_own_policy(language: Language) -> None:
    whole = catalogue(language)
    for html in (catalogue_page(whole), guide_page(whole.methods[2], whole)):
        page = Reader(html)
        assert not {"script", "style", "iframe", "form"} & {tag for tag, _ in page.tags}
        assert not any("style" in attrs for _, attrs in page.tags)
        sheets = [attrs["href"] for tag, attrs in page.tags if tag == "link" and attrs["rel"] == "stylesheet"]
        assert [str(sheet).removeprefix("../") for sheet in sheets] == ["methods.css"]
    css = stylesheet().decode()
    assert "prefers-color-scheme: dark" in css
    assert "url(" not in css
    assert "unsafe" not in HEADERS["Content-Security-Policy"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_markdown_tables_have_equal_rows(language: Language) -> None:
    whole = catalogue(language)
    pages = [catalogue_markdown(whole), *(guide_markdown(guide, whole) for guide in whole.methods)]
    for page in pages:
        tables = re.findall(r"(?:^\|.*\n)+", page, flags=re.MULTILINE)
        for table in tables:
            assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1
    rows = [line for line in pages[0].splitlines() if line.startswith("| ") and "`" in line.split(" | ")[0]]
    assert len(rows) == len(whole.methods)
    assert whole.layer_attribution.analogy in pages[0]


def test_values_in_words() -> None:
    words = read_texts("en")["page"]
    tensor = {"properties": {"tensor": {"$ref": "#/$defs/Tensor"}}}
    field = {"anyOf": [{"enum": ["a", "b"]}, {"$ref": "#/$defs/Value"}, {"type": "null"}]}
    assert values_of(field, {"Value": tensor}, words) == '"a" | "b" | {"tensor": tensor}'
    assert values_of({"type": "number", "exclusiveMinimum": 0.0, "maximum": 1.0}, {}, words) == "0 < number ≤ 1"
    assert values_of({"type": "integer", "minimum": 2, "exclusiveMaximum": 9}, {}, words) == "2 ≤ integer < 9"
    assert values_of({"type": "array", "items": {"const": "zero"}}, {}, words) == '["zero", …]'
