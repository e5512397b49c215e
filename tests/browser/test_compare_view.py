"""Compare: from a drop to the agreement, a pair, the sheet and the arrays."""

import base64
import io
import json
import re
import subprocess
import zipfile
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, expect

from tests.browser.acts import (
    CAT,
    CAT_CLASS,
    choose_kind,
    drop_cat,
    has_no_sideways_scroll,
    is_drawn,
    prediction,
    saved,
)
from tests.browser.conftest import Served
from tests.browser.interruption import LOST, Interruption
from tests.browser.visit import DESK, PHONE, Visit, Visits
from tests.browser.words import pattern, word

QUICK = {"saliency", "input_x_gradient", "layer_grad_cam"}


def titles(served: Served, language: str) -> dict[str, str]:
    """The titles of the quick methods, by name."""
    methods = httpx.get(f"{served.url}/methods", headers={"Accept-Language": language}).json()["methods"]
    return {method["name"]: method["title"] for method in methods if method["name"] in QUICK}


def choose_methods(visit: Visit, wanted: set[str]) -> None:
    """Choose the methods with these titles and no other."""
    boxes = visit.page.get_by_role("group").get_by_role("checkbox")
    expect(boxes.first).to_be_visible()
    for box in boxes.all():
        name = box.evaluate("(box) => box.labels[0].innerText.trim()")
        box.set_checked(name in wanted)


def compare(visit: Visit, count: int = 3) -> None:
    visit.page.get_by_role("button", name=word(visit.language, "compare.start", count=count)).click()


def maps(visit: Visit) -> Locator:
    return visit.page.get_by_role("img", name=pattern(visit.language, "compare.map"))


def compare_the_cat(visit: Visit, served: Served) -> None:
    visit.open("#/compare")
    drop_cat(visit)
    expect(prediction(visit, CAT_CLASS)).to_be_visible()
    choose_methods(visit, set(titles(served, visit.language).values()))
    compare(visit)
    expect(visit.page.get_by_role("heading", name=word(visit.language, "agreement.title"))).to_be_visible()
    for number in range(3):
        is_drawn(maps(visit).nth(number))


@pytest.mark.parametrize(("language", "width"), [("en", DESK), ("es", PHONE)])
def test_from_a_drop_to_a_pair(visits: Visits, served: Served, language: str, width: int) -> None:
    visit = visits(language=language, width=width)
    compare_the_cat(visit, served)
    page = visit.page
    expect(page).to_have_url(re.compile(r"#/compare/.+"))
    expect(page.get_by_role("heading", name=word(language, "compare.why", target=CAT_CLASS))).to_be_visible()
    told = httpx.get(f"{served.url}/comparisons/{page.url.rsplit('/', 1)[-1]}").json()
    assert {cell["method"]["name"] for cell in told["cells"]} == QUICK
    names = [titles(served, language)[cell["method"]["name"]] for cell in told["cells"]]
    first = next(one for one in told["agreement"] if one["cells"] == [0, 1])
    shown = f"{first['spearman']:.2f}".replace(".", "," if language == "es" else ".")
    label = re.escape(word(language, "agreement.pair", first=names[0], second=names[1]))
    figure = page.get_by_role("button", name=re.compile(f"^{label}: {re.escape(shown)}$")).first
    figure.click()
    pair = page.get_by_role("region", name=re.compile(label))
    expect(pair).to_be_focused()
    expect(pair.get_by_role("img", name=pattern(language, "difference.alt", first=names[0]))).to_be_visible()
    expect(pair).to_contain_text(shown)
    assert has_no_sideways_scroll(page)
    pair.get_by_role("button", name=word(language, "agreement.close")).click()
    expect(pair).to_have_count(0)


def test_a_place_is_shown_in_all_maps(visits: Visits, served: Served) -> None:
    visit = visits()
    compare_the_cat(visit, served)
    page = visit.page
    told = httpx.get(f"{served.url}/comparisons/{page.url.rsplit('/', 1)[-1]}").json()
    one = page.get_by_role("application", name=pattern("en", "compare.map.label", name="Saliency"))
    one.focus()
    page.keyboard.press("ArrowRight")  # from the middle to 0.54, 0.5
    here = page.get_by_text(re.compile(f"^{pattern('en', 'compare.value').pattern}$"))
    expect(here).to_have_count(3)
    job = next(cell["job"] for cell in told["cells"] if cell["method"]["name"] == "saliency")
    value = array(served, job).sum(axis=(0, 1))[112, int(0.54 * 224)]
    shown = float(here.nth([cell["job"] for cell in told["cells"]].index(job)).inner_text().split()[-1])
    assert shown == pytest.approx(value, rel=0.01)


def array(served: Served, job: str) -> np.ndarray:
    """What the API gives as the job's attributions."""
    answer = httpx.get(f"{served.url}/jobs/{job}/result", headers={"Accept": "application/x-npy"}).raise_for_status()
    loaded: np.ndarray = np.load(io.BytesIO(answer.content), allow_pickle=False)
    return loaded


def test_the_sheet_and_the_arrays(visits: Visits, served: Served, tmp_path: Path) -> None:
    visit = visits()
    compare_the_cat(visit, served)
    page = visit.page
    sheet = saved(tmp_path, page, page.get_by_role("button", name=word("en", "export.sheet")))
    with Image.open(sheet) as picture:
        assert picture.format == "PNG"
        assert picture.width > 900
    archive = saved(tmp_path, page, page.get_by_role("button", name=word("en", "export.arrays")))
    with zipfile.ZipFile(archive) as opened:
        assert opened.testzip() is None
        manifest = json.loads(opened.read("manifest.json"))
        for cell in manifest["cells"]:
            found = np.load(io.BytesIO(opened.read(cell["file"])), allow_pickle=False)
            np.testing.assert_array_equal(found, array(served, cell["job"]))
    assert len(manifest["cells"]) == 3
    assert len(manifest["agreement"]) == 3


def test_an_address_restores_the_comparison(visits: Visits, served: Served) -> None:
    first = visits()
    compare_the_cat(first, served)
    second = visits(language="es")
    page = second.open(first.page.url.removeprefix(first.url + "/"))
    for number in range(3):
        is_drawn(maps(second).nth(number))
    expect(page.get_by_role("heading", name=word("es", "agreement.title"))).to_be_visible()


def test_a_comparison_that_is_gone(visits: Visits) -> None:
    visit = visits()
    visit.expect("status of 404")
    page = visit.open("#/compare/AAAAAAAAAAAAAAAAAAAAAA")
    expect(page.get_by_role("alert")).to_contain_text(word("en", "compare.gone"))


@pytest.mark.parametrize("kind", ["text", "features"])
def test_words_and_columns(visits: Visits, kind: str) -> None:
    visit = visits(language="es", width=PHONE)
    page = visit.open("#/compare")
    choose_kind(visit, kind)
    if kind == "text":
        page.get_by_role("group", name=word("es", "samples")).get_by_role("button").first.click()
    else:
        page.get_by_role("button", name=word("es", "row.sample"), exact=True).click()
    page.get_by_role("button", name=re.compile("^" + word("es", "compare.start", count="").partition("(")[0])).click()
    expect(page.get_by_role("heading", name=word("es", "agreement.title"))).to_be_visible()
    page.get_by_role("radio", name=word("es", "compare.scale.shared"), exact=True).check(force=True)
    if kind == "text":
        expect(page.get_by_text(pattern("es", "text.strongest")).first).to_be_attached()
    else:
        expect(page.get_by_role("table").first.get_by_role("row")).to_have_count(11)
    assert has_no_sideways_scroll(page)


def test_the_words_of_a_pair_and_the_copied_line(visits: Visits, tmp_path: Path) -> None:
    visit = visits()
    page = visit.open("#/compare")
    choose_kind(visit, "text")
    page.get_by_role("textbox", name=word("en", "text.label")).fill('It\'s "bad" \\ but @fun <ok> 100%.')
    page.get_by_role("button", name=re.compile(r"^Compare \(")).click()
    expect(page.get_by_role("heading", name=word("en", "agreement.title"))).to_be_visible()
    page.get_by_role("button", name=re.compile(rf"^{pattern('en', 'agreement.pair').pattern}: [\d.,-]+$")).first.click()
    table = page.get_by_role("region", name=word("en", "difference.words")).get_by_role("table")
    expect(table.get_by_role("columnheader")).to_have_count(3)
    expect(table.get_by_role("row")).to_have_count(7)
    page.get_by_role("button", name=word("en", "copy.curl"), exact=True).click()
    shown = page.get_by_label(word("en", "copy.curl")).last.inner_text()
    ran = subprocess.run(["bash", "-c", shown], capture_output=True, text=True, timeout=60, cwd=tmp_path, check=False)
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    here = httpx.get(f"{visit.url}/comparisons/{page.url.rsplit('/', 1)[-1]}").json()
    assert [cell["method"] for cell in told["cells"]] == [cell["method"] for cell in here["cells"]]
    assert told["status"] == "succeeded"


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_a_refused_cell_does_not_spoil_the_others(visits: Visits, served: Served, width: int) -> None:
    """It says why within its own cell, and has no part in what tells the cells apart."""
    too_large = {"name": "occlusion", "sliding_window_shapes": [3, 300, 300], "strides": [3, 16, 16]}
    body = {
        "models": ["efficientnet-lite0"],
        "input": {"image": base64.b64encode(CAT.read_bytes()).decode()},
        "methods": ["saliency", too_large, "input_x_gradient"],
    }
    told = httpx.post(f"{served.url}/compare?wait=60", json=body, timeout=90).raise_for_status().json()
    visit = visits(width=width)
    page = visit.open(f"#/compare/{told['id']}")
    for number in range(2):
        is_drawn(maps(visit).nth(number))
    expect(maps(visit)).to_have_count(2)
    expect(page.get_by_role("img", name=word("en", "compare.map", name="Saliency"))).to_be_visible()
    expect(page.get_by_text("sliding_window_shapes")).to_be_visible()
    assert has_no_sideways_scroll(page)


def test_the_map_is_told_in_words(visits: Visits, served: Served) -> None:
    visit = visits()
    compare_the_cat(visit, served)
    page = visit.page
    grad_cam = titles(served, "en")["layer_grad_cam"]
    where = pattern("en", "compare.map.where").pattern
    name = re.compile(f"^{re.escape(word('en', 'compare.map', name=grad_cam))} {where}$")
    expect(page.get_by_role("img", name=name)).to_be_visible()
    page.get_by_role("application", name=pattern("en", "compare.map.label", name=grad_cam)).focus()
    page.keyboard.press("ArrowUp")
    said = page.get_by_role("status").filter(has_text=re.compile(rf"{grad_cam}: -?[\d.]+"))
    expect(said).to_contain_text("; ")


@pytest.mark.parametrize("kind", ["text", "features"])
def test_only_a_picture_is_shown_as_one(visits: Visits, kind: str) -> None:
    visit = visits()
    page = visit.open("#/compare")
    drop_cat(visit)
    picture = page.get_by_alt_text(word("en", "compare.chosen"), exact=True)
    expect(picture).to_be_visible()
    choose_kind(visit, kind)
    expect(picture).to_have_count(0)


def test_an_outage_while_it_is_computed(visits: Visits, served: Served) -> None:
    address = urlsplit(served.url)
    with Interruption((address.hostname or "", address.port or 0)) as way:
        visit = visits(way.url)
        visit.expect(LOST)
        page = visit.open("#/compare")
        choose_kind(visit, "text")
        page.get_by_role("textbox", name=word("en", "text.label")).fill("An outage is no reason to lose one's work.")
        button = page.get_by_role("button", name=re.compile(r"^Compare \("))
        expect(button).to_be_enabled()
        with page.expect_response(re.compile("/compare$")) as answered:
            button.click()
        answered.value.finished()  # it has arrived with its body
        way.cut()
        way.mend()
        expect(page.get_by_role("heading", name=word("en", "agreement.title"))).to_be_visible()
