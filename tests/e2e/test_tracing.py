"""Traces of a running service, as a real receiver of OTLP gets them: from a client's `traceparent` to the passes."""

import json
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from tests.e2e.running import RunningService
from tests.e2e.toy_repository import write_repository
from tests.e2e.watching import LIMIT_S, ended, job, logged, until, worker_pids
from tests.otlp import Received, Receiver

CLIENT = "b7ad6b7169203331"  # the span in which each client sends its request
STEPS = 200  # of 16 rows a pass, which takes 20 ms
SECRET = 0.8271537  # of every input
RAISES = 13.0
STAGES = ["prepare", "explain", "finish"]


def trace_of(number: int) -> str:
    return f"{0xABC0 + number:032x}"


def sent(number: int) -> dict[str, str]:
    return {"traceparent": f"00-{trace_of(number)}-{CLIENT}-01"}


def body(value: float = SECRET, method: Any = None) -> dict[str, Any]:
    return {
        "model": "slow",
        "input": {"tensor": {"shape": [1, 4], "data": [value, SECRET, 0.5, 2.0]}},
        "method": method or {"name": "integrated_gradients", "n_steps": STEPS},
        "target": 1,
    }


class Traced(NamedTuple):
    """A service, a client of it, and the receiver of its spans."""

    service: RunningService
    client: httpx.Client
    receiver: Receiver

    def explain(self, number: int, **given: Any) -> str:
        """The id of a job of the trace of this number, after its end."""
        answer = self.client.post("/explain?wait=60", json=body(**given), headers=sent(number))
        assert answer.status_code == 200, answer.text
        return str(answer.json()["id"])

    def trace(self, number: int, *names: str) -> list[Received]:
        """The spans of a trace, in the order of their beginning, once they hold those of these names and the request.
        The request ends last of the gateway's, `process` last of the worker's."""
        awaited = {"POST /explain", "process", *names}

        def mine(spans: Sequence[Received]) -> list[Received]:
            return [span for span in spans if span.trace == trace_of(number)]

        spans = self.receiver.wait_for(lambda spans: awaited <= {span.name for span in mine(spans)})
        return sorted(mine(spans), key=lambda span: span.start_ns)


@contextmanager
def running(folder: Path, receiver: Receiver, **more: str) -> Iterator[Traced]:
    models = write_repository(folder / "models")
    variables = {
        "ATTRIBUTION_THREADS": "1",
        "ATTRIBUTION_BATCH_ROWS": "16",
        "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url,
        "OTEL_BSP_SCHEDULE_DELAY": "100",
        **more,
    }
    service = RunningService(folder / "log", "--models", str(models), "--workers", "1", variables=variables)
    try:
        service.wait_until_ready()
        with httpx.Client(base_url=service.url, timeout=LIMIT_S, headers={"Cache-Control": "no-store"}) as client:
            yield Traced(service, client, receiver)
    finally:
        service.stop()


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traced]:
    with Receiver() as receiver, running(tmp_path_factory.mktemp("traced"), receiver) as one:
        yield one


def named(spans: Sequence[Received], name: str) -> Received:
    (found,) = [span for span in spans if span.name == name]
    return found


def test_one_trace_from_the_client_to_the_passes(traced: Traced) -> None:
    job_id = traced.explain(1)
    spans = traced.trace(1)
    request, submit, process = named(spans, "POST /explain"), named(spans, "submit"), named(spans, "process")
    queued, explain = named(spans, "queued"), named(spans, "explain")
    passes = [span for span in spans if span.name == "pass"]
    assert (request.parent, request.kind) == (CLIENT, "server")
    assert [span.name for span in spans if span.parent == request.span] == ["receive", "validate", "submit"]
    assert [span.name for span in spans if span.parent == submit.span] == ["queued", "process"]
    assert [span.name for span in spans if span.parent == process.span] == STAGES
    assert {span.parent for span in passes} == {explain.span}
    assert all(span.links == [(explain.trace, explain.span)] for span in passes)
    assert (process.kind, submit.attributes["messaging.message.id"]) == ("consumer", job_id)
    assert process.attributes["messaging.message.id"] == job_id
    assert process.attributes["attribution.outcome"] == "succeeded"
    assert request.resource["service.name"] == "attribution-gateway"
    assert process.resource["service.name"] == "attribution-worker"
    assert queued.end_ns == process.start_ns
    assert process.start_ns <= explain.start_ns <= passes[0].start_ns <= passes[-1].end_ns <= explain.end_ns
    assert not any(span.failed for span in spans)


def test_result_job_and_log_name_the_trace(traced: Traced) -> None:
    job_id = traced.explain(2)
    result = traced.client.get(f"/jobs/{job_id}/result").json()
    assert (result["trace_id"], job(traced.client, job_id)["trace_id"]) == (trace_of(2), trace_of(2))
    passes = [span for span in traced.trace(2) if span.name == "pass"]
    assert len(passes) == result["timing"]["passes"]
    assert sum(span.attributes["attribution.rows"] for span in passes) == result["timing"]["rows"]
    (line,) = [one for one in logged(traced.service, "job succeeded") if one["job"] == job_id]
    assert line["trace_id"] == trace_of(2)
    requests = [one for one in logged(traced.service, "request") if one.get("trace_id") == trace_of(2)]
    assert [one["route"] for one in requests] == ["/explain"]


def test_a_pass_is_linked_with_every_job_whose_rows_it_held(traced: Traced) -> None:
    numbers = [10, 11, 12, 14]  # the model raises at 13
    with ThreadPoolExecutor(len(numbers)) as pool:
        list(pool.map(lambda number: traced.explain(number, value=float(number)), numbers))
    traces = {number: traced.trace(number, "finish") for number in numbers}
    explains = {(span.trace, span.span): span for spans in traces.values() for span in spans if span.name == "explain"}
    passes = [span for spans in traces.values() for span in spans if span.name == "pass"]
    assert len(explains) == len(numbers)
    assert max(len(span.links) for span in passes) > 1, "no pass held rows of two jobs"
    for one in passes:
        assert len(one.links) == len(set(one.links)) == one.attributes["attribution.jobs"]
        assert set(one.links) <= explains.keys()
        first, *others = [explains[link] for link in one.links]
        assert (one.trace, one.parent) == (first.trace, first.span)
        assert all((one.trace, one.span) in other.links for other in others)
    held = {link for one in passes for link in one.links}
    assert held == explains.keys(), "every job has its passes"


def test_jobs_of_the_solo_lane_have_passes(traced: Traced) -> None:
    traced.explain(20, method="layer_activation")
    spans = traced.trace(20)
    (solo,) = [span for span in spans if span.attributes.get("attribution.lane") == "solo"]
    assert (solo.name, solo.attributes["attribution.rows"]) == ("pass", 1)
    assert solo.links == [(solo.trace, named(spans, "explain").span)]


def test_a_job_that_fails_is_an_error_without_its_message(traced: Traced) -> None:
    answer = traced.client.post("/explain?wait=60", json=body(RAISES, "saliency"), headers=sent(30))
    assert answer.json()["status"] == "failed"
    spans = traced.trace(30)
    failed = {span.name: span.attributes["error.type"] for span in spans if span.failed}
    assert failed.pop("pass") == "ValueError"
    assert failed == {"explain": "job_failed", "process": "job_failed"}
    assert named(spans, "process").attributes["attribution.outcome"] == "failed"
    assert {span.message for span in spans} == {""}
    problem = traced.client.get(f"/jobs/{answer.json()['id']}/result", headers=sent(31)).json()
    assert problem["trace_id"] == trace_of(31)
    lines = [one for one in logged(traced.service, "the model raised") if one.get("trace_id") == trace_of(30)]
    assert {(line["error"], line["job"]) for line in lines} == {("ValueError", answer.json()["id"])}


def test_no_span_holds_anything_of_an_input(traced: Traced) -> None:
    refused = traced.client.post("/explain", json=body(method={"name": f"hunter{SECRET}"}), headers=sent(40))
    assert refused.status_code == 422
    traced.explain(41)
    traced.trace(41)
    text = json.dumps([span._asdict() for span in traced.receiver.spans])
    assert str(SECRET) not in text
    assert "hunter" not in text
    assert "no such luck" not in text


def test_a_job_whose_worker_is_killed_goes_on_in_the_same_trace(traced: Traced) -> None:
    until(lambda: logged(traced.service, "standby ready"), "the standby")
    steps = {"name": "integrated_gradients", "n_steps": 2 * STEPS}
    job_id = traced.client.post("/explain", json=body(3.0, steps), headers=sent(50)).json()["id"]
    until(lambda: job(traced.client, job_id)["progress"]["done"] > STEPS // 4, "progress")
    killed = worker_pids(traced.service)[0]
    os.kill(killed, signal.SIGKILL)
    assert ended(traced.client, job_id)["status"] == "succeeded"
    process = named(traced.trace(50), "process")  # the other died with its process
    assert process.attributes["attribution.attempt"] == 2
    assert process.resource["process.pid"] != killed, "the process that stood by sends its own"


def test_nothing_is_sent_where_the_operator_switches_tracing_off(tmp_path: Path) -> None:
    with Receiver() as receiver:
        with running(tmp_path, receiver, OTEL_SDK_DISABLED="true") as off:
            job_id = off.explain(60)
            assert job(off.client, job_id)["trace_id"] == trace_of(60), "the client's trace is named all the same"
            assert not logged(off.service, "tracing is on")
        assert off.service.process.returncode == 0
        assert not receiver.requests


def test_a_receiver_that_hangs_disturbs_no_job_and_no_stop(tmp_path: Path) -> None:
    release = threading.Event()
    with Receiver(lambda _: release.wait()) as receiver:
        with running(tmp_path, receiver, OTEL_BSP_MAX_QUEUE_SIZE="8", OTEL_BSP_MAX_EXPORT_BATCH_SIZE="4") as hanging:
            receiver.wait_for(lambda spans: bool(spans) or bool(hanging.explain(70)))
            for number in range(71, 75):
                hanging.explain(number, method="saliency")
        assert hanging.service.process.returncode == 0
        assert not logged(hanging.service, "killed"), "gateway and worker ended within their time"
        release.set()
