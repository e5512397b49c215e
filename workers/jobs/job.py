"""A job in this worker, as it moves along: claimed, prepared, and ended with a result or a failure."""

import threading
from dataclasses import dataclass, field
from time import perf_counter

from broker import Claim
from schemas.jobs import JobSpec
from schemas.methods import AnyMethod
from schemas.model_key import ModelKey
from schemas.results import ResultMeta
from schemas.telemetry.spans import Tracer
from schemas.telemetry.trace_context import TraceContext, parse_traceparent
from workers.engine.task import Task
from workers.inputs.prepared import Prepared
from workers.jobs.job_trace import JobTrace
from workers.methods.explain_inputs import ExplainInputs
from workers.models.resident import ResidentModel


@dataclass(slots=True, eq=False)
class ClaimedJob:
    """A job from its claim until the job store holds its end.

    Attributes:
        claim: the stored job, with the token that lets this worker write about it.
        task: the job as the engine sees it: priority, cancellation, and what it has cost so far.
        model: the model while the job runs on it by itself; None before, after, and in a coalesced run.
        reported: rows done and rows expected, as last reported to the store.
        thread: that computes the job; None before it runs, and while its end is stored.
        run: the coalesced run that computes the job; None while the job runs by itself.
        claimed_at_s: when this worker learned of the claim, by `perf_counter`.
        trace: of the job's spans; None where tracing is off.
        is_handed_back: whether it was returned to the queue for another worker.
    """

    claim: Claim
    task: Task = field(init=False)
    model: ResidentModel | None = None
    reported: tuple[int, int] = (-1, -1)
    thread: threading.Thread | None = None
    run: Task | None = None
    claimed_at_s: float = field(default_factory=perf_counter)
    trace: JobTrace | None = None
    is_handed_back: bool = False

    def __post_init__(self) -> None:
        context = self.context
        self.task = Task(
            self.claim.job_id,
            self.spec.priority,
            self.spec.owner,
            total_rows=self.spec.rows,
            trace_id=None if context is None else context.trace_id,
        )

    @property
    def id(self) -> str:
        return self.claim.job_id

    @property
    def spec(self) -> JobSpec:
        return self.claim.spec

    @property
    def model_key(self) -> ModelKey:
        """By which the pool holds the model."""
        return ModelKey(self.spec.model, self.spec.version)

    def record(self, tracer: Tracer) -> None:
        """Begins to record the job's spans."""
        self.trace = JobTrace(tracer, self.claim)
        self.task.trace_id = self.trace.span.context.trace_id

    @property
    def context(self) -> TraceContext | None:
        """The job's span; without a tracer, the span that submitted it. None where it has no trace."""
        return parse_traceparent(self.spec.traceparent) if self.trace is None else self.trace.span.context

    @property
    def running_task(self) -> Task:
        """The task whose rows the engine computes for this job."""
        return self.run or self.task

    @property
    def queued_ms(self) -> float:
        """Milliseconds from the request to the claim, by the clock of the store."""
        return self.claim.started_ms - self.claim.created_ms


@dataclass(frozen=True, slots=True)
class PreparedJob:
    """A job whose input is decoded, preprocessed and on the device, ready for its method."""

    claimed: ClaimedJob
    method: AnyMethod
    prepared: Prepared
    subject: ExplainInputs
    prepare_s: float

    @property
    def spec(self) -> JobSpec:
        return self.claimed.spec

    @property
    def task(self) -> Task:
        return self.claimed.task


@dataclass(frozen=True, slots=True)
class JobResult:
    """The end of a job that succeeded: its result as the job store keeps it.

    `tensors` is a safetensors blob of the attributions by name, `explained_scores` are the scores of the explained
    classes, one per example; none where the model's scores are no probabilities.
    """

    job: ClaimedJob
    meta: ResultMeta
    tensors: bytes
    explained_scores: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class FailedJob:
    """The end of a job without a result: it failed or was cancelled."""

    job: ClaimedJob
    error: Exception


JobEnd = JobResult | FailedJob
