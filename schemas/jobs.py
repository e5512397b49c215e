"""A job: the request as it is stored, and the status as clients see it."""

from typing import Any, Literal

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from schemas.base import Forwarded, Record
from schemas.errors import ServiceError
from schemas.pictures import Picture
from schemas.requests import Priority
from schemas.sentences import SentenceParts, in_parts, words

JobStatus = Literal["queued", "running", "succeeded", "failed", "cancelled"]
TERMINAL: frozenset[str] = frozenset({"succeeded", "failed", "cancelled"})
PayloadKind = Literal["image", "text", "features", "tensor"]


# One output per example: its index, or of an output of several dimensions its place in each of them, the class first.
PREDICTED = -1  # in place of a class: the one predicted, at a position or of a whole row
Targets = list[int] | list[list[int]]


class JobSpec(Record):
    """A checked request without its tensors, which are stored next to it as one safetensors blob.

    Names in the blob: `pixels` (uint8, height x width x 3, what the model sees of a picture, or
    examples x height x width x 3, of several), `text` (uint8, UTF-8)
    or `text.0`… of several,
    `features` (float64, rows x columns in the card's order), `input.0`… (model-ready tensors), `baseline.0`…,
    `feature_mask.0`…, `layer_mask.0`, `layer_baseline.0`.
    """

    model: str
    version: str
    input_kind: PayloadKind
    examples: int
    picture: Picture | None = None  # which part of the picture sent the `pixels` show
    method: dict[str, Any]  # schemas.methods.stored_fields; the card's defaults filled in
    target: Targets | None = None  # None: the predicted class
    quality: list[dict[str, Any]] = Field(default_factory=list)  # of schemas.metric_requests, all fields filled in
    seed: int = 0
    priority: Priority = "interactive"
    rows: int = 0  # model rows to expect, an upper bound for texts
    digest: str | None = None  # of the model, as its card was when the request was checked
    # What the job relies on of that card, see `schemas.requirements`: compared where the model has changed since.
    requires: dict[str, str] = Field(default_factory=dict)
    owner: str = ""  # name of the API key that sent the request; empty on a service without keys
    # The span that submitted the job, as the header of W3C Trace Context; no part of what a result depends on.
    traceparent: str | None = Field(default=None, exclude_if=lambda traceparent: traceparent is None)


class Progress(Record):
    """Model rows computed so far. `total` is an estimate until the worker has seen the input."""

    done: int = 0
    total: int = 0
    fraction: float = 0.0

    @classmethod
    def of(cls, done: int, total: int) -> "Progress":
        return cls(done=done, total=total, fraction=min(1.0, done / total) if total else 0.0)


class ClassRef(Forwarded):
    """An output of the model. `position` is the place within the class's map, where outputs have several dimensions."""

    index: int
    label: str | None = None
    position: list[int] | None = Field(default=None, exclude_if=lambda position: position is None)

    @classmethod
    def of(cls, target: int | list[int], labels: list[str] | None = None) -> "ClassRef":
        index = target if isinstance(target, int) else target[0]
        position = None if isinstance(target, int) else target[1:]
        return cls(index=index, label=labels[index] if labels else None, position=position)

    def words(self) -> str:
        """`Egyptian cat`, or `road (40, 12)`."""
        name = self.label or str(self.index)
        return f"{name} ({', '.join(map(str, self.position))})" if self.position else name


class JobFailure(Forwarded):
    """Why a job failed; codes as in `schemas.errors`."""

    code: str
    title: str
    detail: str
    parts: SkipJsonSchema[SentenceParts | None] = Field(  # of the detail, in the store; not shown to clients
        default=None, exclude_if=lambda parts: parts is None
    )

    @classmethod
    def of(cls, error: ServiceError) -> "JobFailure":
        """The error as the record of a job holds it."""
        parts = SentenceParts.of(words(error.detail))
        return cls(code=error.code, title=error.title, detail=error.detail, parts=parts)

    @property
    def reason(self) -> str:
        """The detail, as a `Sentence` where its parts are stored."""
        return in_parts(self.detail, self.parts)


class Links(Record):
    self: str
    events: str
    result: str
    overlay: str | None = None
    path: str | None = Field(default=None, exclude_if=lambda path: path is None)  # where the request wants frames
    quality: str | None = None  # the picture of the curves, where the request names them


class Job(Record):
    """A job as shown to a client. Times are RFC 3339, UTC."""

    id: str
    status: JobStatus
    progress: Progress
    model: str
    version: str
    method: dict[str, Any]
    target: list[ClassRef] | None = Field(description="None until the predicted class is known.")
    priority: Priority
    created_at: str
    started_at: str | None = None
    finished_at: str | None = None
    error: JobFailure | None = None
    trace_id: str | None = Field(
        default=None,
        exclude_if=lambda trace_id: trace_id is None,
        description="The trace of the request that submitted the job, where it had one.",
    )
    starts_in_s: float | None = Field(
        default=None,
        exclude_if=lambda starts_in_s: starts_in_s is None,
        description="In the answer to `POST /explain` for a model that is asleep: seconds until the job starts, as far "
        "as can be told from how long a worker of the model last took to start and from the jobs before this one.",
    )
    links: Links


class JobPage(Record):
    """One page of jobs, newest first; pass `next` as `cursor` for the page after it."""

    jobs: list[Job]
    next: str | None = None
