"""Learn: from a drop to the last step, with a guess at each; the path as a slider; a step restored by its address."""

import re

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.acts import CAT_CLASS, drop_cat, guess, has_no_sideways_scroll, prediction
from tests.browser.conftest import Served
from tests.browser.visit import DESK, PHONE, Visit, Visits
from tests.browser.words import pattern, word

STEPS = ["question", "saliency", "path", "baseline", "layers", "deeplift", "shap", "choose"]
METHODS = {
    "saliency": {"saliency"},
    "path": {"integrated_gradients"},
    "baseline": {"integrated_gradients"},
    "layers": {"layer_grad_cam"},
    "deeplift": {"deep_lift"},
    "shap": {"gradient_shap"},
}


def go_on(visit: Visit, step: str) -> None:
    """Follow the link to the next step."""
    name = f"{word(visit.language, 'learn.next')} {word(visit.language, f'learn.{step}.short')}"
    visit.page.get_by_role("link", name=name, exact=True).click()
    title = visit.page.get_by_role("heading", name=word(visit.language, f"learn.{step}.title"), level=1)
    expect(title).to_be_focused()


def jobs_of(visit: Visit, served: Served) -> set[str]:
    """The methods of the jobs that the address names."""
    ids = re.findall(r"[\w-]{22}", visit.page.url)
    return {httpx.get(f"{served.url}/jobs/{one}").json()["method"]["name"] for one in ids}


@pytest.mark.parametrize(("language", "width"), [("en", DESK), ("es", PHONE)])
def test_from_a_drop_to_the_last_step(visits: Visits, served: Served, language: str, width: int) -> None:
    visit = visits(language=language, width=width)
    page = visit.open("#/learn")
    drop_cat(visit)
    expect(prediction(visit, CAT_CLASS)).to_be_visible()
    guess(visit, STEPS[0])
    for step in STEPS[1:-1]:
        go_on(visit, step)
        guess(visit, step)
        assert jobs_of(visit, served) == METHODS[step]
        assert has_no_sideways_scroll(page)
    go_on(visit, STEPS[-1])
    page.get_by_role("radio", name=word(language, "learn.choose.detail.regions"), exact=True).check(force=True)
    page.get_by_role("radio", name=word(language, "learn.choose.sum.no"), exact=True).check(force=True)
    expect(page.get_by_text(word(language, "learn.choose.why.cam"))).to_be_visible()
    expect(page.get_by_role("table").get_by_role("rowheader")).to_have_count(5)
    assert has_no_sideways_scroll(page)


def test_the_slider_walks_the_path(visits: Visits, served: Served) -> None:
    visit = visits()
    page = visit.open("#/learn/path")
    drop_cat(visit)
    guess(visit, "path")
    slider = page.get_by_role("slider", name=word("en", "learn.path.slider"))
    (job,) = re.findall(r"[\w-]{22}", page.url)
    points = httpx.get(f"{served.url}/jobs/{job}/path").json()["examples"][0]
    assert len(points["alphas"]) == int(slider.get_attribute("max") or "") + 1
    slider.press("End")
    light = page.get_by_role("img", name=re.compile(re.escape(word("en", "learn.path.lit", alpha="")) + ".*%"))
    expect(light.first).to_have_attribute("aria-label", re.compile(f"{points['alphas'][-1]:.0%}"))
    total = f"{points['sums'][-1]:+#.3g}"
    expect(page.get_by_role("img", name=pattern("en", "learn.path.map", sum=total))).to_be_visible()


def test_an_address_restores_a_step(visits: Visits) -> None:
    visit = visits()
    page = visit.open("#/learn/saliency")
    drop_cat(visit)
    guess(visit, "saliency")
    address = page.url.split("/", 3)[-1]
    again = visits()
    again.open(address)
    expect(again.page.get_by_text(word("en", "learn.restored"))).to_be_visible()
    guess(again, "saliency")
