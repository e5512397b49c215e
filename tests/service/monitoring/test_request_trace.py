"""Requests in a trace: the client's `traceparent`, with and without a tracer of the gateway's own."""

from collections.abc import Iterator

import httpx
import pytest
import structlog

from broker import JobStore
from cli.tracing.sdk_tracer import SdkTracer
from schemas.telemetry.trace_context import parse_traceparent
from service.openapi.examples import NUCLEI
from tests.otlp import Received, Receiver
from tests.service.conftest import client_of
from tests.service.double import WorkerDouble
from tests.service.validation.refusals import row, text

pytestmark = pytest.mark.anyio
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SENT = {"traceparent": f"00-{TRACE}-{SPAN}-01"}
SECRET = "my private words"


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with Receiver() as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        yield receiver


async def traceparent_of(store: JobStore, job_id: str) -> str | None:
    return (await store.jobs.get(job_id)).spec.traceparent


def named(spans: list[Received], name: str) -> Received:
    (found,) = [span for span in spans if span.name == name]
    return found


@pytest.mark.usefixtures("idle_worker")
async def test_a_client_s_trace_is_kept_with_the_job_and_shown(client: httpx.AsyncClient, store: JobStore) -> None:
    with structlog.testing.capture_logs([structlog.contextvars.merge_contextvars]) as logs:
        job = (await client.post("/explain", json=row(), headers=SENT)).json()
    assert await traceparent_of(store, job["id"]) == SENT["traceparent"]
    assert job["trace_id"] == TRACE
    assert (await client.get(f"/jobs/{job['id']}")).json()["trace_id"] == TRACE, "of the job, not of the request"
    assert [line["trace_id"] for line in logs] == [TRACE]


@pytest.mark.usefixtures("idle_worker")
@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("traceparent", "hunter2")],
        [("traceparent", f"00-{TRACE}-{SPAN}-01-more")],
        [("traceparent", SENT["traceparent"]), ("traceparent", f"00-{TRACE[::-1]}-{SPAN}-01")],
    ],
)
async def test_a_header_that_is_not_of_the_standard_is_ignored(
    client: httpx.AsyncClient, store: JobStore, headers: list[tuple[str, str]]
) -> None:
    await client.get("/nothing", headers=SENT)  # whose trace must not last
    with structlog.testing.capture_logs([structlog.contextvars.merge_contextvars]) as logs:
        answer = await client.post("/explain", json=row(), headers=headers)
        refused = await client.post("/explain", json=row(model="unknown"), headers=headers)
    assert answer.status_code == 202
    assert await traceparent_of(store, answer.json()["id"]) is None
    assert "trace_id" not in answer.json()
    assert "trace_id" not in refused.json()
    assert not any("trace_id" in line for line in logs)


@pytest.mark.parametrize("path", ["/nothing", "/jobs/AAAAAAAAAAAAAAAAAAAAAA"])
async def test_a_problem_names_the_trace(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path, headers=SENT)).json()["trace_id"] == TRACE


async def test_the_trace_is_no_part_of_what_equal_requests_are(client: httpx.AsyncClient, worker: WorkerDouble) -> None:
    first = await client.post("/explain?wait=15", json=row(), headers=SENT)
    other = {"traceparent": f"00-{TRACE[::-1]}-{SPAN}-00"}
    again = await client.post("/explain?wait=15", json=row(), headers=other)
    result = await client.get(f"/jobs/{again.json()['id']}/result")
    assert worker
    assert (first.json()["trace_id"], again.json()["trace_id"]) == (TRACE, TRACE[::-1])
    assert result.json()["cache"] == "hit"


async def test_the_histogram_of_requests_shows_a_trace_that_is_recorded(client: httpx.AsyncClient) -> None:
    await client.get("/methods", headers=SENT)
    await client.get("/methods", headers={"traceparent": f"00-{TRACE[::-1]}-{SPAN}-00"})
    openmetrics = (await client.get("/metrics", headers={"Accept": "application/openmetrics-text"})).text
    (line,) = [one for one in openmetrics.splitlines() if 'route="/methods"' in one and TRACE in one]
    assert TRACE[::-1] not in openmetrics
    assert line.startswith("attribution_http_request_seconds_bucket{")
    assert f'# {{trace_id="{TRACE}"}}' in line


async def test_the_spans_of_a_request(store: JobStore, worker: WorkerDouble, receiver: Receiver) -> None:
    async with client_of(store, tracer=SdkTracer("attribution-gateway")) as client:
        url = "/explain?wait=15&answer=result"
        answer = await client.post(url, json=text(input={"text": SECRET}), headers=SENT)
        assert answer.status_code == 200, answer.text
        job_id = answer.headers["Location"].removeprefix("/jobs/")
        context = parse_traceparent(await traceparent_of(store, job_id))
    assert worker
    spans = receiver.wait_for(lambda spans: any(span.name == "POST /explain" for span in spans))
    request, submit = named(spans, "POST /explain"), named(spans, "submit")
    assert (request.trace, request.parent, request.kind) == (TRACE, SPAN, "server")
    assert request.attributes == {
        "url.scheme": "http",
        "http.request.method": "POST",
        "http.route": "/explain",
        "http.response.status_code": 200,
    }
    below = [span for span in spans if span.parent == request.span]
    assert [span.name for span in sorted(below, key=lambda span: span.start_ns)] == [
        "receive",
        "validate",
        "submit",
        "render",
    ]
    assert all(span.trace == TRACE and span.start_ns <= span.end_ns and not span.failed for span in spans)
    assert context is not None
    assert (context.trace_id, context.span_id, context.is_sampled) == (TRACE, submit.span, True)
    assert submit.kind == "producer"
    assert submit.attributes["messaging.message.id"] == job_id
    assert submit.attributes["attribution.submit.outcome"] == "created"
    assert not any(word in str(spans) for word in SECRET.split())


async def test_a_request_without_a_trace_begins_one(store: JobStore, receiver: Receiver) -> None:
    async with client_of(store, tracer=SdkTracer("attribution-gateway")) as client:
        problem = (await client.post("/explain", content=b"{", headers={"Content-Type": "application/json"})).json()
        await client.get("/no/such/path")
        await client.request("HUNTER2", "/jobs")
        await client.get("/healthz")
        await client.get("/metrics")
    spans = receiver.wait_for(lambda spans: len(spans) >= 4)
    request, receive = named(spans, "POST /explain"), named(spans, "receive")
    assert (request.trace, request.parent) == (problem["trace_id"], "")
    assert (receive.parent, receive.failed, receive.attributes["error.type"]) == (request.span, True, "malformed_body")
    assert (receive.message, request.failed) == ("", False), "a client's mistake is none of the server"
    others = {span.name: span for span in spans if span not in (request, receive)}
    assert set(others) == {"GET", "HTTP /jobs"}, "probes have no span"
    assert others["GET"].attributes["http.response.status_code"] == 404
    assert not any(word in str(spans) for word in ("HUNTER2", "such"))


async def test_each_job_of_a_comparison_is_a_span(store: JobStore, worker: WorkerDouble, receiver: Receiver) -> None:
    methods = ["saliency", "input_x_gradient"]
    compared = {"models": ["breast-cancer-mlp"], "input": {"features": NUCLEI}, "methods": methods}
    async with client_of(store, tracer=SdkTracer("attribution-gateway")) as client:
        answer = await client.post("/compare?wait=15", json=compared, headers=SENT)
        jobs = [cell["job"] for cell in answer.json()["cells"]]
        kept = [parse_traceparent(await traceparent_of(store, job_id)) for job_id in jobs]
    assert worker
    spans = receiver.wait_for(lambda spans: any(span.name == "POST /compare" for span in spans))
    submits = {span.attributes["messaging.message.id"]: span for span in spans if span.name == "submit"}
    assert [context.span_id for context in kept if context] == [submits[job_id].span for job_id in jobs]
    assert {span.parent for span in submits.values()} == {named(spans, "POST /compare").span}


async def test_dialects_are_traced_alike(store: JobStore, worker: WorkerDouble, receiver: Receiver) -> None:
    path = "/v1/models/breast-cancer-mlp:explain"
    async with client_of(store, tracer=SdkTracer("attribution-gateway")) as client:
        answer = await client.post(path, json={"instances": [NUCLEI, NUCLEI]}, headers=SENT)
        assert answer.status_code == 200, answer.text
        refused = await client.post(path, json={"instances": "none"}, headers=SENT)
    assert worker
    assert refused.status_code == 400
    spans = receiver.wait_for(lambda spans: sum(span.kind == "server" for span in spans) == 2)
    (submit,) = [span for span in spans if span.name == "submit"]
    job_id = answer.headers["Location"].removeprefix("/jobs/")
    context = parse_traceparent(await traceparent_of(store, job_id))
    assert context is not None
    assert (context.trace_id, context.span_id) == (TRACE, submit.span)
    assert {span.trace for span in spans} == {TRACE}
