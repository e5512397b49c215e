"""`/` and `/static` over HTTP: what browsers and other clients get, caching, compression and headers."""

import gzip
import re
from importlib.resources import files
from pathlib import Path

import httpx
import pytest

from service.web.files import page_files, page_version, served_files
from tests.service.conftest import client_of

pytestmark = pytest.mark.anyio
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"}
STATIC = Path(str(files("service.web"))) / "static"
FIRST_VIEW_BYTES = 60_000  # compressed, without the answers of the API


async def test_browsers_get_the_page(client: httpx.AsyncClient) -> None:
    answer = await client.get("/", headers=BROWSER)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    assert 'src="static/' in answer.text
    assert "{{" not in answer.text


@pytest.mark.parametrize(
    "accept",
    [None, "*/*", "application/json", "application/json, text/html;q=0.5", "application/*", "text/html;q=0, */*"],
)
async def test_other_clients_get_a_sign_of_life(client: httpx.AsyncClient, accept: str | None) -> None:
    client.headers.pop("accept")
    answer = await client.get("/", headers={} if accept is None else {"Accept": accept})
    assert answer.json() == {"status": "alive"}
    assert "Accept" in answer.headers["vary"]


async def test_what_is_neither_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.get("/", headers={"Accept": "image/png", "Accept-Language": "es"})
    assert answer.status_code == 406
    assert answer.json()["detail"].startswith("La página está disponible como")


async def test_the_page_works_behind_a_prefix() -> None:
    async with client_of(None, root_path="/attribution") as client:
        text = (await client.get("/", headers=BROWSER)).text
    links = re.findall(r'(?:src|href)="([^"]+)"', text)
    assert len(links) >= 5
    assert not [link for link in links if link.startswith(("/", "http"))]


async def test_every_link_of_the_page_leads_to_a_file(client: httpx.AsyncClient) -> None:
    text = (await client.get("/", headers=BROWSER)).text
    for link in re.findall(r'(?:src|href)="(static/[^"]+)"', text):
        assert (await client.get(f"/{link}")).status_code == 200, link


async def test_only_files_of_this_service_may_run(client: httpx.AsyncClient) -> None:
    page = await client.get("/", headers=BROWSER)
    icon = await client.get(f"/static/{page_version()}/icon.svg")
    for answer in (page, icon):
        policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
        assert policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
        assert answer.headers["x-content-type-options"] == "nosniff"
    inline = re.findall(r"<style|<script(?![^>]* src=)|\son\w+=|\sstyle=", page.text)
    assert inline == []


@pytest.mark.parametrize("path", sorted(page_files()))
async def test_every_file_is_sent_as_it_is(client: httpx.AsyncClient, path: str) -> None:
    url = f"/static/{page_version()}/{path}"
    answer = await client.get(url)  # httpx accepts gzip and decodes it
    assert answer.status_code == 200
    assert answer.content == (STATIC / path).read_bytes()
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    plain = await client.get(url, headers={"Accept-Encoding": "identity"})
    assert plain.content == answer.content
    assert "content-encoding" not in plain.headers
    assert "Accept-Encoding" in plain.headers["vary"]


def test_every_file_of_the_page_has_a_media_type() -> None:
    found = {str(file.relative_to(STATIC)) for file in STATIC.rglob("*") if file.is_file()}
    assert set(page_files()) == found - {"index.html"}


async def test_a_large_file_is_compressed(client: httpx.AsyncClient) -> None:
    url = f"/static/{page_version()}/css/base.css"
    async with client.stream("GET", url) as answer:
        raw = b"".join([part async for part in answer.aiter_raw()])
    assert answer.headers["content-encoding"] == "gzip"
    assert int(answer.headers["content-length"]) == len(raw) < 6_000
    assert gzip.decompress(raw) == (STATIC / "css" / "base.css").read_bytes()
    refused = await client.get(url, headers={"Accept-Encoding": "gzip;q=0, br"})
    assert "content-encoding" not in refused.headers


@pytest.mark.parametrize("url", ["/", "/static/now/main.js", "/static/now/samples/cat.jpg"])
async def test_what_a_client_holds_is_not_sent_again(client: httpx.AsyncClient, url: str) -> None:
    first = await client.get(url, headers=BROWSER)
    held = {**BROWSER, "If-None-Match": first.headers["etag"]}
    again = await client.get(url, headers=held)
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    other = await client.get(url, headers={**held, "Accept-Encoding": "identity"})
    assert other.status_code == (200 if url.endswith(".js") else 304), "another representation has another tag"


async def test_a_page_of_another_version_gets_files_that_are_not_kept(client: httpx.AsyncClient) -> None:
    answer = await client.get("/static/0123456789abcdef/main.js")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "path",
    ["nothing.js", "index.html", "..%2ffiles.py", "vendor", "vendor/", "%2e%2e/page.py", "main.js/"],
)
async def test_what_is_no_file_of_the_page_is_not_found(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(f"/static/{page_version()}/{path}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


async def test_head_says_what_get_would(client: httpx.AsyncClient) -> None:
    for url in ("/", f"/static/{page_version()}/main.js"):
        got, head = await client.get(url, headers=BROWSER), await client.head(url, headers=BROWSER)
        assert head.status_code == 200
        assert head.headers["etag"] == got.headers["etag"]


def test_the_first_view_is_small() -> None:
    styles = ["css/base.css", "css/try.css", "icon.svg", "samples/cat-small.jpg"]
    scripts = ["first.js", "vendor/htm-preact.js"]
    sent = [served_files()[f"composed/{path}"] for path in (*scripts, *styles)]
    assert sum(len(file.compressed or file.body) for file in sent) < FIRST_VIEW_BYTES
