"""The interactive page: offline, under a strict policy."""

import re

import httpx
import pytest

from broker import JobStore
from service.openapi.page import ASSETS
from tests.service.conftest import client_of

pytestmark = pytest.mark.anyio
LOADED = re.compile(r'(?:src|href)="([^"]+)"')


async def test_everything_the_page_loads_is_ours(client: httpx.AsyncClient) -> None:
    page = await client.get("/docs")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    loaded = LOADED.findall(page.text)
    assert {f"docs/{name}" for name in ASSETS} | {"openapi.json"} == set(loaded)
    for reference in loaded:
        answer = await client.get(str(httpx.URL("http://localhost/docs").join(reference)))
        assert answer.status_code == 200
        assert len(answer.content) > 100
    assert "://" not in page.text + (await client.get("/docs/start.js")).text


async def test_the_policy_allows_nothing_else(client: httpx.AsyncClient) -> None:
    for path in ("/docs", "/docs/start.js"):
        answer = await client.get(path)
        policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
        assert policy["frame-ancestors"] == "'none'"
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
    text = (await client.get("/docs")).text
    assert re.findall(r"<script(?![^>]* src=)", text) == []
    assert re.findall(r"<style| style=| on[a-z]+=", text) == []


@pytest.mark.parametrize("name", ["page.html", "__init__.py", "..%2f__init__.py", "%2e%2e/main.py", "a" * 200])
async def test_no_other_file_is_served(client: httpx.AsyncClient, name: str) -> None:
    assert (await client.get(f"/docs/{name}")).status_code in {404, 422}


async def test_the_page_works_behind_a_prefix(store: JobStore) -> None:
    async with client_of(store, root_path="/attribution") as client:
        for reference in LOADED.findall((await client.get("/attribution/docs")).text):
            url = httpx.URL("http://localhost/attribution/docs").join(reference)
            assert (await client.get(url)).status_code == 200
