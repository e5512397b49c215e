"""Spans of passes: linked with every job whose rows they held, in the trace of the first that is recorded."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from cli.tracing.sdk_tracer import SdkTracer
from schemas.telemetry.spans import Span
from tests.otlp import Received, Receiver
from tests.workers.toys import view_of
from workers.engine.executor import Executor
from workers.engine.shared.block import Block, Part
from workers.engine.shared.shared_pass import SharedPass
from workers.engine.task import Task

BAD = 99.0


class Doubles(nn.Module):
    """Has memory for two rows, and refuses `BAD`."""

    def forward(self, x: Tensor) -> Tensor:
        if len(x) > 2:
            raise torch.OutOfMemoryError("a secret")
        if bool((x == BAD).any()):
            raise ValueError("a secret")
        return 2 * x


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with Receiver() as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        yield receiver


def block(value: float, *spans: Span, task: Task | None = None) -> Block:
    task = task or Task("job", spans=spans)
    return Block(task, "forward", (torch.tensor([[value]]),), (), None)


def passes(receiver: Receiver, tracer: SdkTracer, *blocks: Block) -> list[Received]:
    """The spans of a pass over these blocks, in the order of their beginning."""
    work = SharedPass([Part(one, 0, one.size) for one in blocks])
    Executor(view_of(Doubles()), 16, tracer).run(work)
    tracer.close()
    return sorted((span for span in receiver.spans if span.name == "pass"), key=lambda span: span.start_ns)


def test_a_pass_and_its_jobs_are_linked_both_ways(receiver: Receiver) -> None:
    tracer = SdkTracer("test")
    first, second = tracer.start("explain", None), tracer.start("explain", None)
    task = Task("twice", spans=(second,))
    blocks = [block(1.0, first), block(2.0, task=task)]
    work = SharedPass([Part(one, 0, one.size) for one in blocks])
    Executor(view_of(Doubles()), 16, tracer).run(work)
    first.end()
    second.end()
    tracer.close()
    (one,) = [span for span in receiver.spans if span.name == "pass"]
    ours = [(span.context.trace_id, span.context.span_id) for span in (first, second)]
    assert (one.trace, one.parent) == ours[0]
    assert one.links == ours
    assert one.attributes == {"attribution.lane": "shared", "attribution.jobs": 2, "attribution.rows": 2}
    explains = {span.span: span for span in receiver.spans if span.name == "explain"}
    assert explains[second.context.span_id].links == [(one.trace, one.span)]
    assert explains[first.context.span_id].links == [], "it is the parent"


def test_a_job_with_several_blocks_is_linked_once(receiver: Receiver) -> None:
    tracer = SdkTracer("test")
    span = tracer.start("explain", None)
    task = Task("job", spans=(span,))
    (one,) = passes(receiver, tracer, block(1.0, task=task), block(2.0, task=task))
    assert one.links == [(span.context.trace_id, span.context.span_id)]
    assert (one.attributes["attribution.jobs"], one.attributes["attribution.rows"]) == (1, 2)


def test_each_try_is_a_span_and_its_error_a_class(receiver: Receiver) -> None:
    tracer = SdkTracer("test")
    spans = [tracer.start("explain", None) for _ in range(3)]
    values = (1.0, BAD, 3.0)
    found = passes(receiver, tracer, *(block(value, span) for value, span in zip(values, spans, strict=True)))
    # Three rows do not fit; of the pieces of one row that follow, one fails.
    errors = [(len(one.links), one.attributes["attribution.rows"], one.attributes.get("error.type")) for one in found]
    assert errors == [(3, 3, "OutOfMemoryError"), (1, 1, None), (1, 1, "ValueError"), (1, 1, None)]
    assert [one.failed for one in found] == [True, False, True, False]
    assert "secret" not in str(found)
    assert [one.parent for one in found[1:]] == [span.context.span_id for span in spans]


def test_jobs_without_a_span_are_not_linked(receiver: Receiver) -> None:
    tracer = SdkTracer("test")
    recorded = tracer.start("explain", None)
    (one,) = passes(receiver, tracer, block(1.0), block(2.0, recorded))
    assert (one.trace, one.attributes["attribution.jobs"]) == (recorded.context.trace_id, 1)
    assert one.attributes["attribution.rows"] == 2


def test_passes_of_jobs_without_a_span_have_none(receiver: Receiver) -> None:
    assert passes(receiver, SdkTracer("test"), block(1.0), block(2.0)) == []
