"""`/methods` as HTML and Markdown over HTTP, by `Accept`, `Accept-Language` and `?lang=`."""

import httpx
import pytest

from schemas.methods import METHOD_NAMES

pytestmark = pytest.mark.anyio
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.mark.parametrize("path", ["/methods", "/methods/occlusion"])
@pytest.mark.parametrize(
    ("accept", "media"),
    [
        (BROWSER, "text/html; charset=utf-8"),
        ("text/markdown", "text/markdown; charset=utf-8"),
        ("text/markdown;q=0.4, text/html;q=0.5", "text/html; charset=utf-8"),
        ("*/*", "application/json"),
        ("text/*;q=0.1, application/json", "application/json"),
    ],
)
async def test_the_media_type_is_negotiated(client: httpx.AsyncClient, path: str, accept: str, media: str) -> None:
    response = await client.get(path, headers={"Accept": accept})
    assert response.status_code == 200
    assert response.headers["content-type"] == media
    assert response.headers["vary"].startswith("Accept, Accept-Language")
    assert response.headers["content-language"] == "en"


@pytest.mark.parametrize("path", ["/methods", "/methods/occlusion"])
async def test_what_is_not_offered(client: httpx.AsyncClient, path: str) -> None:
    response = await client.get(path, headers={"Accept": "image/png"})
    assert response.status_code == 406
    assert response.headers["content-type"] == "application/problem+json"
    unknown = await client.get(path, params={"lang": "<b>"})
    assert unknown.status_code == 422
    assert unknown.json()["errors"][0]["loc"] == ["query", "lang"]


@pytest.mark.parametrize("accept", ["text/html", "text/markdown", "application/json"])
async def test_lang_goes_before_the_header(client: httpx.AsyncClient, accept: str) -> None:
    headers = {"Accept": accept, "Accept-Language": "en"}
    for path, words in (("/methods", "Iluminar un cuadro"), ("/methods/integrated_gradients", "Cuándo no")):
        spanish = await client.get(path, params={"lang": "es"}, headers=headers)
        assert spanish.headers["content-language"] == "es"
        if accept != "application/json" or path == "/methods":
            assert words in spanish.text
        assert (await client.get(path, headers=headers)).headers["content-language"] == "en"


async def test_the_page_and_all_it_links_to(client: httpx.AsyncClient) -> None:
    page = await client.get("/methods", params={"lang": "es"}, headers={"Accept": BROWSER})
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.text.startswith("<!doctype html>")
    for name in METHOD_NAMES:
        assert f'href="methods/{name}?lang=es"' in page.text
        one = await client.get(f"/methods/{name}", params={"lang": "es"}, headers={"Accept": BROWSER})
        assert one.status_code == 200
        assert 'href="../methods?lang=es"' in one.text
        assert f'href="{name}?lang=en"' in one.text
    style = await client.get("/methods.css")
    assert style.headers["content-type"] == "text/css; charset=utf-8"
    assert 'href="methods.css"' in page.text


async def test_an_unknown_method_is_a_problem_for_browsers_too(client: httpx.AsyncClient) -> None:
    response = await client.get("/methods/%3Cscript%3E", headers={"Accept": BROWSER})
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"
