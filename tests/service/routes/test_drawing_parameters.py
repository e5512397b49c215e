"""The overlay's parameters wherever a result can be a picture; and results as SVG and HTML."""

import io
from xml.etree import ElementTree as ET

import httpx
import pytest
from PIL import Image

from broker import JobStore
from tests.service.conftest import finished
from tests.service.validation.refusals import picture, row, text

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("worker")]
PNG = {"Accept": "image/png"}
RESULT = "/explain?wait=15&answer=result"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


async def test_a_result_is_drawn_as_asked(client: httpx.AsyncClient) -> None:
    asked = "style=heatmap&sign=all&size=200&smooth=0.05&lang=es&percentile=90"
    direct = await client.post(f"{RESULT}&{asked}", json=picture(), headers=PNG)
    assert direct.status_code == 200, direct.text
    job = direct.headers["location"]
    for url in (f"{job}/overlay.png?{asked}", f"{job}/result?{asked}"):
        assert (await client.get(url, headers=PNG)).content == direct.content, url
    plain = await client.post(RESULT, json=picture(), headers=PNG)
    assert plain.content != direct.content
    assert Image.open(io.BytesIO(direct.content)).width == 200


@pytest.mark.parametrize("route", ["explain", "result"])
@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("colour=red", "colour"),
        ("style=fancy", "style"),
        ("size=4097", "size"),
        ("lang=fr", "lang"),
        ("smooth=nan", "smooth"),
    ],
)
async def test_unknown_and_wrong_ones_are_refused(
    client: httpx.AsyncClient, store: JobStore, route: str, query: str, field: str
) -> None:
    if route == "explain":
        response = await client.post(f"{RESULT}&{query}", json=picture(), headers=PNG)
        assert (await store.jobs.page())[0] == []  # and nothing is queued
    else:
        response = await client.get(f"/jobs/whichever/result?{query}", headers=PNG)
    assert response.status_code == 422
    assert response.json()["errors"][0]["loc"] == ["query", field]


@pytest.mark.parametrize(
    ("url", "accept"),
    [
        ("/explain?wait=1&style=masked", "image/png"),
        ("/explain?style=masked&answer=job", "image/png"),
        ("/explain?wait=1&answer=result&style=masked", "application/json"),
        ("/explain?wait=1&answer=result&style=masked", "*/*"),
        ("/explain?wait=1&answer=result&style=masked", BROWSER),  # a picture is not available as HTML
        ("/explain?unknown=1", "*/*"),
    ],
)
async def test_those_without_a_picture_are_refused(
    client: httpx.AsyncClient, store: JobStore, url: str, accept: str
) -> None:
    response = await client.post(url, json=picture(), headers={"Accept": accept})
    assert response.status_code == 422
    assert response.json()["errors"][0]["loc"][1] in ("style", "unknown")
    assert (await store.jobs.page())[0] == []


async def test_bars_as_svg(client: httpx.AsyncClient) -> None:
    direct = await client.post(f"{RESULT}&size=500", json=row(), headers={"Accept": "image/svg+xml"})
    assert direct.status_code == 200, direct.text
    assert direct.headers["content-type"].startswith("image/svg+xml")
    assert "sandbox" in direct.headers["content-security-policy"]
    assert ET.fromstring(direct.content).attrib["width"] == "500"
    url = f"{direct.headers['location']}/result"
    again = await client.get(url, params={"size": 500}, headers={"Accept": "image/svg+xml"})
    assert again.content == direct.content
    tag = {"Accept": "image/svg+xml", "If-None-Match": again.headers["etag"]}
    assert (await client.get(url, params={"size": 500}, headers=tag)).status_code == 304
    assert (await client.get(url, params={"size": 400}, headers=tag)).status_code == 200


@pytest.mark.parametrize("accept", ["text/html", BROWSER])
async def test_texts_and_rows_as_html(client: httpx.AsyncClient, accept: str) -> None:
    for body in (text(input={"text": "what a <b>lovely</b> film"}), row()):
        response = await client.post(f"{RESULT}&lang=es", json=body, headers={"Accept": accept})
        assert response.status_code == 200, response.text
        assert response.headers["content-type"].startswith("text/html")
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.text.startswith('<div class="attribution" lang="es"')
        assert "<b>" not in response.text


async def test_what_a_result_is_not_available_as(client: httpx.AsyncClient) -> None:
    browser = await client.post(RESULT, json=picture(), headers={"Accept": BROWSER})
    assert browser.headers["content-type"] == "application/json"
    job_id = await finished(client, picture())
    for accept in ("text/html", "image/svg+xml"):
        response = await client.get(f"/jobs/{job_id}/result", headers={"Accept": accept})
        assert response.status_code == 406
        assert accept not in response.json()["detail"]
    words = await finished(client, text())
    assert (await client.get(f"/jobs/{words}/result", headers={"Accept": "image/svg+xml"})).status_code == 406
    mixed = await client.get(f"/jobs/{job_id}/result", headers={"Accept": "image/svg+xml, image/png;q=0.5"})
    assert mixed.headers["content-type"] == "image/png"


async def test_curves_as_svg(client: httpx.AsyncClient) -> None:
    job_id = await finished(client, row(quality=["deletion_insertion"]))
    response = await client.get(f"/jobs/{job_id}/quality.svg", params={"lang": "es", "size": 640})
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("image/svg+xml")
    assert "sandbox" in response.headers["content-security-policy"]
    assert ET.fromstring(response.content).attrib["width"] == "640"
    assert "inserción" in response.text
    plain = await finished(client, row())
    assert (await client.get(f"/jobs/{plain}/quality.svg")).status_code == 404


async def test_the_language_is_asked_for_in_the_query(client: httpx.AsyncClient) -> None:
    url = f"/jobs/{await finished(client, picture())}/overlay.png"
    asked = await client.get(url, params={"lang": "es"}, headers={"Accept-Language": "en"})
    spanish = await client.get(url, headers={"Accept-Language": "es-MX, en;q=0.5"})
    assert asked.content == spanish.content
    assert asked.content != (await client.get(url)).content
