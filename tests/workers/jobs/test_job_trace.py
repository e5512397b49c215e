"""The spans of jobs in a worker: alone, coalesced, failed, and of a trace that nobody has begun."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch

from cli.tracing.sdk_tracer import SdkTracer
from schemas.errors import JobCancelled, JobFailed
from schemas.methods import IntegratedGradients, Saliency
from schemas.telemetry.trace_context import TraceContext
from tests.otlp import Received, Receiver
from tests.workers.jobs.claims import QUEUED_MS, claimed
from tests.workers.jobs.net import RAISES_AT, spec
from workers.engine.engine import Engine
from workers.jobs.coalesce import run_coalesced
from workers.jobs.explaining import explaining
from workers.jobs.job import ClaimedJob, FailedJob, JobResult
from workers.jobs.job_trace import stage
from workers.jobs.single import run_single
from workers.models.resident import ResidentModel

SUBMIT = TraceContext("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", is_sampled=True)
IG = IntegratedGradients(n_steps=20)


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with Receiver() as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        yield receiver


@pytest.fixture
def tracer(receiver: Receiver) -> Iterator[SdkTracer]:
    assert receiver.url
    tracer = SdkTracer("attribution-worker")
    yield tracer
    tracer.close()


def job(number: int, tracer: SdkTracer, method: Any = IG, value: float = 0.5, **given: Any) -> ClaimedJob:
    """A job of a trace of its own."""
    submit = SUBMIT._replace(trace_id=f"{number + 1:032x}")
    tensor = torch.full((1, 4), value, dtype=torch.float64)
    given = {"traceparent": submit.traceparent, **given}
    one = claimed(spec(method, 1, **given), {"input.0": tensor}, f"job {number}")
    one.record(tracer)
    return one


def trace(receiver: Receiver, one: ClaimedJob) -> dict[str, Received]:
    """The spans of a job by their names, without those of its passes."""
    assert one.trace is not None
    spans = [span for span in receiver.spans if span.trace == one.trace.span.context.trace_id and span.name != "pass"]
    found = {span.name: span for span in spans}
    assert len(found) == len(spans)
    return found


def test_a_job_is_a_span_below_that_which_submitted_it(
    model: ResidentModel, tracer: SdkTracer, receiver: Receiver
) -> None:
    one = job(0, tracer)
    assert one.trace is not None
    result = run_single(model, one)
    with stage(one.trace, "finish"):
        pass
    one.trace.end("succeeded", rows=one.task.rows, passes=one.task.passes)
    one.trace.end("lost")
    tracer.close()
    spans = trace(receiver, one)
    assert set(spans) == {"queued", "process", "prepare", "explain", "finish"}
    process, queued = spans["process"], spans["queued"]
    assert (process.parent, queued.parent) == (SUBMIT.span_id, SUBMIT.span_id)
    assert (queued.end_ns, process.start_ns - queued.start_ns) == (process.start_ns, QUEUED_MS * 1_000_000)
    assert {spans[name].parent for name in ("prepare", "explain", "finish")} == {process.span}
    assert process.attributes["attribution.outcome"] == "succeeded"
    assert process.attributes["attribution.rows"] == result.meta.timing.rows
    assert process.attributes["messaging.destination.name"] == "net@1"
    assert process.attributes["attribution.method"] == "integrated_gradients"
    assert result.meta.trace_id == one.trace.span.context.trace_id


def test_a_job_that_nobody_has_traced_begins_a_trace(tracer: SdkTracer, receiver: Receiver) -> None:
    one = job(0, tracer, traceparent=None)
    assert one.trace is not None
    one.trace.end("failed", error="job_failed")
    tracer.close()
    spans = trace(receiver, one)
    assert set(spans) == {"process"}
    assert (spans["process"].parent, spans["process"].failed) == ("", True)
    assert spans["process"].attributes["error.type"] == "job_failed"
    assert one.task.names == {"job": "job 0", "trace_id": one.trace.span.context.trace_id}


def test_coalesced_jobs_are_each_linked_with_the_passes(
    model: ResidentModel, tracer: SdkTracer, receiver: Receiver
) -> None:
    jobs = [job(number, tracer, value=number / 10) for number in range(3)]
    engine = Engine(model.engine.view, batch_rows=model.engine.batch_rows, tracer=tracer).start()
    ends = run_coalesced(replace(model, engine=engine), jobs)
    engine.stop()
    assert all(isinstance(end, JobResult) for end in ends)
    tracer.close()
    explains = [trace(receiver, one)["explain"] for one in jobs]
    passes = [span for span in receiver.spans if span.name == "pass"]
    assert passes
    assert all(span.attributes["attribution.coalesced_jobs"] == 3 for span in explains)
    assert all(sorted(one.links) == sorted((span.trace, span.span) for span in explains) for one in passes)
    assert {one.parent for one in passes} == {explains[0].span}
    for explain in explains[1:]:
        assert set(explain.links) == {(one.trace, one.span) for one in passes}
    assert all(one.task.spans == () for one in jobs)


def test_of_coalesced_jobs_one_fails_alone(model: ResidentModel, tracer: SdkTracer, receiver: Receiver) -> None:
    jobs = [job(0, tracer), job(1, tracer, value=RAISES_AT), job(2, tracer)]
    ends = run_coalesced(model, jobs)
    assert [end.job.id for end in ends if isinstance(end, FailedJob)] == ["job 1"]
    tracer.close()
    again = [
        [
            span
            for span in receiver.spans
            if span.name == "explain" and one.trace and span.trace == one.trace.span.context.trace_id
        ]
        for one in jobs
    ]
    assert [[span.failed for span in sorted(spans, key=lambda span: span.start_ns)] for spans in again] == [
        [True, False],
        [True, True],
        [True, False],
    ], "together, then one by one"
    assert not any(span.message for span in receiver.spans)


def test_an_error_s_message_is_not_recorded(tracer: SdkTracer, receiver: Receiver) -> None:
    one = job(0, tracer, Saliency())
    with pytest.raises(ZeroDivisionError), stage(one.trace, "prepare"):
        raise ZeroDivisionError("a secret")
    with pytest.raises(JobFailed), explaining([one], one.task):
        raise JobFailed("a secret")
    tracer.close()
    spans = trace(receiver, one)
    assert spans["prepare"].attributes["error.type"] == "ZeroDivisionError"
    assert spans["explain"].attributes["error.type"] == "job_failed"
    assert "secret" not in str(receiver.spans)


def test_of_a_job_that_is_not_recorded_no_span_is_made(
    model: ResidentModel, tracer: SdkTracer, receiver: Receiver
) -> None:
    recorded, dropped = job(0, tracer), job(1, tracer, traceparent=SUBMIT._replace(is_sampled=False).traceparent)
    engine = Engine(model.engine.view, batch_rows=model.engine.batch_rows, tracer=tracer).start()
    ends = run_coalesced(replace(model, engine=engine), [recorded, dropped])
    engine.stop()
    for one in (recorded, dropped):
        assert one.trace is not None
        one.trace.end("succeeded")
    tracer.close()
    assert all(isinstance(end, JobResult) for end in ends)
    assert dropped.task.trace_id == SUBMIT.trace_id
    assert {span.trace for span in receiver.spans} == {f"{1:032x}"}
    explain = trace(receiver, recorded)["explain"]
    passes = [span for span in receiver.spans if span.name == "pass"]
    assert passes
    assert all(one.links == [(explain.trace, explain.span)] for one in passes)


def test_a_cancelled_job_is_no_failure(tracer: SdkTracer, receiver: Receiver) -> None:
    one = job(0, tracer)
    assert one.trace is not None
    with pytest.raises(JobCancelled), explaining([one], one.task):
        raise JobCancelled("the job was cancelled")
    one.trace.end("cancelled")
    tracer.close()
    assert not any(span.failed for span in receiver.spans)


def test_without_a_tracer_nothing_is_recorded(model: ResidentModel) -> None:
    tensor = torch.zeros((1, 4), dtype=torch.float64)
    one = claimed(spec(IG, 1, traceparent=SUBMIT.traceparent), {"input.0": tensor})
    result = run_single(model, one)
    assert (one.trace, one.task.spans) == (None, ())
    assert result.meta.trace_id == SUBMIT.trace_id, "the client's trace is named all the same"
    assert one.task.names["trace_id"] == SUBMIT.trace_id
