"""Try: from a drop of a file, a text or a row to the explanation, in both languages and at two widths."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.acts import (
    CAT,
    CAT_CLASS,
    choose_kind,
    choose_method,
    drop,
    drop_cat,
    explain,
    has_no_sideways_scroll,
    is_drawn,
    prediction,
    the_map,
)
from tests.browser.visit import DESK, PHONE, Visits
from tests.browser.words import pattern, word

LANGUAGES = ["en", "es"]
LIMIT_S = 60.0
SENTENCE = "The acting is superb, but the plot is a mess."


@pytest.mark.parametrize("width", [DESK, PHONE])
@pytest.mark.parametrize("language", LANGUAGES)
def test_from_a_drop_to_the_map(visits: Visits, language: str, width: int) -> None:
    visit = visits(language=language, width=width)
    page = visit.open()
    assert page.locator("html").get_attribute("lang") == language
    drop_cat(visit)
    expect(prediction(visit, CAT_CLASS)).to_have_attribute("aria-pressed", "true")
    expect(prediction(visit, CAT_CLASS)).to_contain_text(re.compile(r"77\s?%|77[,.]\d+\s?%"))
    explain(visit)
    expect(page).to_have_url(re.compile(r"#/try/.+"))
    is_drawn(the_map(visit))
    expect(the_map(visit)).to_have_accessible_name(pattern(language, "try.map.where"))
    expect(page.get_by_text(word(language, "completeness.title"))).to_be_visible()
    assert has_no_sideways_scroll(page)


def test_another_class_and_method(visits: Visits) -> None:
    visit = visits()
    page = visit.open()
    drop_cat(visit)
    prediction(visit, "tabby").click()
    choose_method(visit, "saliency")
    explain(visit)
    is_drawn(the_map(visit))
    expect(the_map(visit)).to_have_accessible_name(re.compile("Saliency.+tabby"))
    is_absent = page.get_by_text(word("en", "completeness.title"))
    expect(is_absent).to_have_count(0)  # Saliency promises no sum


def test_a_control_draws_the_map_anew_without_a_pass(visits: Visits) -> None:
    visit = visits()
    page = visit.open()
    drop_cat(visit)
    choose_method(visit, "saliency")
    explain(visit)
    is_drawn(the_map(visit))
    before = the_map(visit).get_attribute("src")
    with page.expect_response(re.compile(r"/overlay\.png\?.*style=heatmap")) as drawn:
        page.get_by_role("radio", name=word("en", "style.heatmap")).check(force=True)
    assert drawn.value.ok
    expect(the_map(visit)).not_to_have_attribute("src", before or "")
    with page.expect_response(re.compile(r"/overlay\.png\?.*sign=all")):
        page.get_by_role("radio", name=word("en", "sign.all")).check(force=True)
    smoothing = page.get_by_role("slider", name=re.compile(re.escape(word("en", "overlay.smooth"))))
    with page.expect_response(re.compile(r"/overlay\.png\?.*smooth=0\.0")):
        smoothing.press("ArrowRight")
    is_drawn(the_map(visit))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_text(visits: Visits, language: str) -> None:
    visit = visits(language=language)
    page = visit.open()
    choose_kind(visit, "text")
    page.get_by_role("textbox", name=word(language, "text.label")).fill(SENTENCE)
    expect(prediction(visit, "positive")).to_be_visible()
    explain(visit)
    expect(page.get_by_text(word(language, "facts.title"))).to_be_visible()
    strongest = page.get_by_text(pattern(language, "text.strongest"))
    expect(strongest).to_have_count(1)
    expect(page.get_by_role("figure")).to_contain_text("superb")
    page.get_by_role("checkbox", name=word(language, "try.tokens")).check()
    expect(page.get_by_role("figure")).to_contain_text("superb")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_row_of_a_table(visits: Visits, language: str) -> None:
    visit = visits(language=language, width=PHONE)
    page = visit.open()
    choose_kind(visit, "features")
    page.get_by_role("button", name=word(language, "row.sample"), exact=True).click()
    page.get_by_role("spinbutton", name="mean texture").fill("31.5")
    expect(prediction(visit, "malignant")).to_be_visible()
    explain(visit)
    table = page.get_by_role("table")
    expect(table.get_by_role("columnheader", name=word(language, "features.score"))).to_be_visible()
    expect(table.get_by_role("row")).to_have_count(11)  # the ten strongest, and the head
    everything = page.get_by_role("button", name=word(language, "row.all", count=30), exact=True).last
    everything.click()
    expect(table.get_by_role("row")).to_have_count(31)
    row = table.get_by_role("row", name=re.compile("^mean texture"))
    expect(row).to_contain_text("31,5" if language == "es" else "31.5")
    assert has_no_sideways_scroll(page)


def test_a_sample_is_one_click_away(visits: Visits) -> None:
    visit = visits()
    page = visit.open()
    page.get_by_role("button", name=word("en", "picture.sample")).click()
    expect(prediction(visit, CAT_CLASS)).to_be_visible()
    choose_kind(visit, "text")
    page.get_by_role("group", name=word("en", "samples")).get_by_role("button").first.click()
    expect(prediction(visit, "negative")).to_be_visible()


@pytest.mark.parametrize(
    ("content", "name", "media_type", "key"),
    [
        (b"I am a text.", "letter.png", "image/png", "file.broken"),
        (b"I am a text.", "letter.txt", "text/plain", "file.type"),
        (bytes(13 * 2**20), "huge.png", "image/png", "file.size"),
        (b"", "nothing.png", "image/png", "file.broken"),
        (b"<svg><script>console.error(1)</script></svg>", "drawing.svg", "image/svg+xml", "file.type"),
    ],
)
def test_a_wrong_file_is_said(visits: Visits, content: bytes, name: str, media_type: str, key: str) -> None:
    visit = visits(language="es")
    page = visit.open()
    expect(page.get_by_text(word("es", "picture.hint"))).to_be_visible()
    drop(page, content, name, media_type)
    expect(page.get_by_role("alert")).to_have_text(pattern("es", key, name=name))
    drop_cat(visit)  # a right one afterwards is taken, and the message goes
    expect(prediction(visit, CAT_CLASS)).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)


@pytest.mark.parametrize(("language", "told"), [("en", "JPEG"), ("es", "el archivo JPEG está dañado o incompleto")])
def test_a_picture_that_only_the_service_finds_broken(visits: Visits, language: str, told: str) -> None:
    visit = visits(language=language)
    visit.expect("status of 422")
    page = visit.open()
    expect(page.get_by_text(word(language, "picture.hint"))).to_be_visible()
    drop(page, CAT.read_bytes()[:5000], "half.jpg", "image/jpeg")  # a browser shows its upper part
    expect(page.get_by_role("alert")).to_contain_text(told)


def test_a_name_of_a_file_is_only_text(visits: Visits) -> None:
    visit = visits()
    page = visit.open()
    expect(page.get_by_text(word("en", "picture.hint"))).to_be_visible()
    drop(page, b"x", '<img src=x onerror="console.error(1)">.txt', "text/plain")
    expect(page.get_by_role("alert")).to_contain_text("<img src=x onerror=")


def test_the_copied_program_gives_the_same_result(visits: Visits, tmp_path: Path) -> None:
    visit = visits()
    page = visit.open()
    choose_kind(visit, "text")
    page.get_by_role("textbox", name=word("en", "text.label")).fill('It\'s "bad" \\ but @fun <ok> 100%.')
    explain(visit)
    for name, command in (("curl", ["bash", "-c"]), ("python", [sys.executable, "-c"])):
        page.get_by_role("button", name=word("en", f"copy.{name}"), exact=True).click()
        shown = page.get_by_label(word("en", f"copy.{name}")).last.inner_text()
        ran = subprocess.run(
            [*command, shown], capture_output=True, text=True, timeout=LIMIT_S, cwd=tmp_path, check=False
        )
        assert ran.returncode == 0, ran.stderr
        assert ("succeeded" if name == "curl" else "positive") in ran.stdout


def test_an_address_restores_the_view(visits: Visits) -> None:
    first = visits()
    first.open()
    drop_cat(first)
    choose_method(first, "saliency")
    explain(first)
    is_drawn(the_map(first))
    address = first.page.url.removeprefix(first.url + "/")
    second = visits(language="es")
    page = second.open(address)
    is_drawn(the_map(second))
    expect(prediction(second, CAT_CLASS)).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("combobox", name=word("es", "method"), exact=True)).to_have_value("saliency")
    expect(page.get_by_text(word("es", "try.restored.image"))).to_be_visible()


def test_an_address_whose_job_is_gone_says_so(visits: Visits) -> None:
    visit = visits(language="es")
    visit.expect("status of 404")
    page = visit.open("#/try/AAAAAAAAAAAAAAAAAAAAAA")
    expect(page.get_by_role("alert")).to_be_visible()
    drop_cat(visit)
    explain(visit)
    is_drawn(the_map(visit))
