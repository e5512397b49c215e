"""Pages of other sites: names that resolve to this machine, requests across origins, redirects."""

import httpx
import pytest

from broker import JobStore
from service.http.sites import host_of
from service.settings import GatewaySettings
from tests.service.conftest import client_of

pytestmark = pytest.mark.anyio
ORIGIN = "https://app.example.com"


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:8000", "0.0.0.0"])
async def test_a_rebound_name_reaches_nothing(client: httpx.AsyncClient, host: str) -> None:
    for path in ("/models", "/jobs", "/docs", "/openapi.json", "/nowhere"):
        refused = await client.get(path, headers={"Host": host})
        assert refused.status_code == 421
        assert refused.headers["content-type"] == "application/problem+json"
        assert "ATTRIBUTION_HOSTS" in refused.json()["detail"]
    assert (await client.post("/explain", json={}, headers={"Host": host})).status_code == 421


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "localhost.", "127.0.0.1:9", "[::1]:8000"])
async def test_loopback_names_reach_a_service_bound_to_loopback(client: httpx.AsyncClient, host: str) -> None:
    assert (await client.get("/methods", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize("host", ["10.0.0.7:8000", "", "a b"])
async def test_health_checks_pass_by_any_name(client: httpx.AsyncClient, host: str) -> None:
    assert (await client.get("/healthz", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize("host", ["", "a b", "localhost/x", "user@localhost", "localhost:port", "[::1", "localhost,x"])
async def test_a_malformed_host_is_refused(client: httpx.AsyncClient, host: str) -> None:
    assert (await client.get("/methods", headers={"Host": host})).status_code == 400


async def test_two_hosts_are_refused(client: httpx.AsyncClient) -> None:
    headers = [("Host", "localhost"), ("Host", "evil.example")]
    assert (await client.get("/methods", headers=headers)).status_code == 400


async def test_the_operator_lists_hosts(store: JobStore) -> None:
    settings = GatewaySettings(hosts=("api.example.com", "*.example.org"))
    async with client_of(store, settings) as client:
        for host, status in (
            ("api.example.com", 200),
            ("a.b.example.org", 200),
            ("example.org", 421),
            ("localhost", 421),
        ):
            assert (await client.get("/methods", headers={"Host": host})).status_code == status


async def test_bound_to_every_address_any_host_is_allowed(store: JobStore) -> None:
    async with client_of(store, GatewaySettings(host="0.0.0.0")) as client:
        assert (await client.get("/methods", headers={"Host": "anything.example"})).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:3000"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://localhost:3000"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},  # a form that posts
    ],
)
async def test_a_page_of_another_site_submits_nothing(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    refused = await client.post("/explain", data={"model": "m"}, headers=headers)
    assert refused.status_code == 403
    assert "access-control-allow-origin" not in refused.headers
    assert (await client.delete("/jobs/some", headers=headers)).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://localhost"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://public.example"},  # behind a proxy with another name
        {"Sec-Fetch-Site": "none"},
    ],
)
async def test_its_own_pages_and_other_clients_pass(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    assert (await client.delete("/jobs/some", headers=headers)).status_code == 404


async def test_links_from_other_sites_work(client: httpx.AsyncClient) -> None:
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert (await client.get("/healthz", headers=link)).status_code == 200


def preflight(origin: str) -> dict[str, str]:
    return {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type, idempotency-key",
    }


async def test_without_cors_no_preflight_passes(client: httpx.AsyncClient) -> None:
    refused = await client.options("/explain", headers=preflight(ORIGIN))
    assert refused.status_code == 403
    assert not [name for name in refused.headers if name.startswith("access-control")]


async def test_cors_opens_the_service_to_listed_origins(store: JobStore) -> None:
    async with client_of(store, GatewaySettings(cors_origins=(ORIGIN,))) as client:
        allowed = await client.options("/explain", headers=preflight(ORIGIN))
        assert allowed.status_code == 200
        assert allowed.headers["access-control-allow-origin"] == ORIGIN
        assert "POST" in allowed.headers["access-control-allow-methods"]
        read = await client.get("/healthz", headers={"Origin": ORIGIN, "Sec-Fetch-Site": "cross-site"})
        assert read.status_code == 200
        assert read.headers["access-control-allow-origin"] == ORIGIN
        assert "Location" in read.headers["access-control-expose-headers"]
        assert "Origin" in read.headers["vary"]
        other = await client.options("/explain", headers=preflight("https://evil.example"))
        assert other.status_code == 403
        assert "access-control-allow-origin" not in other.headers


async def test_redirects_name_no_host(store: JobStore) -> None:
    async with client_of(store, GatewaySettings(hosts=("*",)), root_path="/prefix") as client:
        moved = await client.get("/prefix/jobs/?limit=2", headers={"Host": "evil.example"})
        assert moved.status_code == 307
        assert moved.headers["location"] == "/prefix/jobs?limit=2"


@pytest.mark.parametrize("path", ["//evil.example/jobs/", "/jobs/%0d%0aLocation:%20evil/", "/%5cevil.example/"])
async def test_no_path_redirects_elsewhere(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(f"http://localhost{path}")
    assert not answer.headers.get("location", "/").startswith(("//", "http", "/\\"))
    assert answer.status_code in {307, 404}


def test_hosts_are_compared_without_port_and_case() -> None:
    assert host_of("API.Example.com:443") == "api.example.com"
    assert host_of("[::1]:80") == "[::1]"
    assert host_of("a" * 300) is None
