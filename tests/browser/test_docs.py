"""`/docs`: the interactive page of the API opens without a network outside, and an operation can be read and tried."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.visit import DESK, PHONE, Visits


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_an_operation_can_be_expanded_and_tried(visits: Visits, width: int) -> None:
    visit = visits(width=width)
    page = visit.open("docs")
    expect(page.get_by_role("heading", name=re.compile("^Attribution"))).to_be_visible()
    operation = page.locator(".opblock").filter(has=page.locator("[data-path='/methods/{name}']"))
    opening = operation.locator(".opblock-summary-control")
    expect(opening).to_have_attribute("aria-expanded", "false")
    opening.click()
    expect(opening).to_have_attribute("aria-expanded", "true")
    operation.get_by_placeholder("name", exact=True).fill("saliency")
    with page.expect_response("**/methods/saliency") as answered:
        operation.get_by_role("button", name="Execute", exact=True).click()
    assert answered.value.status == 200
    answer = operation.locator(".live-responses-table")
    expect(answer.get_by_text("Saliency", exact=False).first).to_be_visible()


def test_every_operation_is_listed(visits: Visits) -> None:
    """As many as the document has, so that none is lost on the way to the page."""
    visit = visits()
    page = visit.open("docs")
    document = page.request.get(f"{visit.url}/openapi.json").json()
    count = sum(len(set(operations) & {"get", "put", "post", "delete"}) for operations in document["paths"].values())
    expect(page.locator(".opblock")).to_have_count(count)
