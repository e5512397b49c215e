"""What Compare proposes, and that the boxes show what the button will do."""

import httpx
from playwright.sync_api import expect

from tests.browser.acts import CAT_CLASS, drop_cat, prediction
from tests.browser.conftest import Served
from tests.browser.visit import Visits
from tests.browser.words import word


def test_classes_are_proposed_with_one_method(visits: Visits, served: Served) -> None:
    visit = visits()
    page = visit.open("#/compare")
    drop_cat(visit)
    expect(prediction(visit, CAT_CLASS)).to_be_visible()
    methods = page.get_by_role("radio", name=word("en", "compare.axis.methods"), exact=True)
    classes = page.get_by_role("radio", name=word("en", "compare.axis.targets"), exact=True)
    for _ in range(2):  # to the classes, back to the methods, and to the classes again
        expect(page.get_by_role("checkbox", name="DeepLIFT", exact=True)).to_be_checked()
        classes.check(force=True)
        for name, is_proposed in ((CAT_CLASS, True), ("tiger cat", True), ("lynx", False)):
            expect(page.get_by_role("checkbox", name=name, exact=True)).to_be_checked(checked=is_proposed)
        expect(page.locator("input[name='compared-method']:checked")).to_have_count(1)
        expect(page.get_by_role("radio", name="Saliency", exact=True)).to_be_checked()
        methods.check(force=True)
    classes.check(force=True)
    page.get_by_role("button", name=word("en", "compare.start", count=2)).click()
    expect(page.get_by_role("heading", name=word("en", "agreement.title"))).to_be_visible()
    comparison = httpx.get(f"{served.url}/comparisons/{page.url.rsplit('/', 1)[1]}").json()
    assert [cell["method"]["name"] for cell in comparison["cells"]] == ["saliency", "saliency"]
    assert len({cell["target"][0]["index"] for cell in comparison["cells"]}) == 2
