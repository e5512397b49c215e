"""Values that the broker takes and returns."""

from collections.abc import Mapping
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from broker.group_names import DEFAULT_GROUP
from broker.tuning import RESULT_BYTES
from schemas.base import Record
from schemas.comparisons import Agreement, CellRecord
from schemas.jobs import ClassRef, JobFailure, JobSpec, JobStatus
from schemas.model_key import ModelKey
from schemas.models import Residence
from schemas.statistics import WorkerStatistics

NO_COMMAND = "0-0"  # an id before that of any admin command

SubmitOutcome = Literal["created", "known", "hit", "shared"]
KeyLimit = Literal["rows_per_minute", "queued_rows"]
SubmitRefusal = Literal["full", "conflict", "unloaded"]
StoredResult = tuple[bytes, bytes]  # `ResultMeta` as JSON, and the attributions as a safetensors blob


class JobRecord(Record):
    """A job as stored. Times are milliseconds since the epoch, by the clock of Redis; `done` and `total` are rows."""

    id: str
    spec: JobSpec
    status: JobStatus
    done: int
    total: int
    created_ms: int
    started_ms: int | None = None  # of the latest attempt
    finished_ms: int | None = None
    target: list[ClassRef] | None = None  # set by the worker once known
    error: JobFailure | None = None
    attempts: int


class WorkAhead(NamedTuple):
    """What a worker has to compute before the rows of a job that it claims now, in seconds.

    Attributes:
        interactive_s: for the rows of interactive jobs that it holds.
        all_s: for the rows of all jobs that it holds.
        row_s: for a row of each model; models are absent before it is known.
        load_s: until each model is in memory; models in memory are absent.
    """

    interactive_s: float = 0.0
    all_s: float = 0.0
    row_s: Mapping[ModelKey, float] = {}
    load_s: Mapping[ModelKey, float] = {}


class Idempotency(NamedTuple):
    """A client's key, and a fingerprint of the request that it was sent with."""

    key: str
    fingerprint: str


class Content(NamedTuple):
    """What the result of a job depends on: jobs of equal digest have the same result. Without `reuse` the job is
    computed anew, and its result is for later jobs."""

    digest: str
    reuse: bool = True


class KeyLimits(NamedTuple):
    """What the API key that owns a job allows: rows of new jobs a minute, and rows of jobs that have not ended."""

    rows_per_minute: int | None = None
    queued_rows: int | None = None


class NewJob(NamedTuple):
    """A job to submit.

    `payload` is a safetensors blob, its names as in `JobSpec`. `rows` is the work to expect, the job's `total` until
    the worker has seen the input, and `result_bytes` the size of the result, for which room is kept in the store. A
    repeat with the same `idempotency` gets the first job; the key is remembered as long as its job. With `content` the
    job shares the result of an equal job that is being computed, or was and is still kept; it is a job of its own
    all the same. `limits` are those of `spec.owner`. An owner's idempotency keys are its own; digests of content must
    tell owners apart. `comparison` is the id of the one that the job belongs to, if any.
    """

    spec: JobSpec
    payload: bytes
    rows: int
    idempotency: Idempotency | None = None
    content: Content | None = None
    result_bytes: int = RESULT_BYTES
    limits: KeyLimits = KeyLimits()
    comparison: str = ""


class BegunComparison(NamedTuple):
    """A comparison that begins, or an earlier one; `is_complete` once its cells are written."""

    id: str
    is_complete: bool


class ComparisonRecord(NamedTuple):
    """A comparison as stored. `created_ms` is by the clock of Redis; `agreement` is None until it has been computed."""

    id: str
    created_ms: int
    cells: list[CellRecord]
    agreement: list[Agreement] | None


class Submitted(NamedTuple):
    """A job after its submission, and how it came about: `created` and queued; `known` by its idempotency key; `hit`,
    with the result of an earlier job; or `shared`, waiting for the result of a job that is being computed."""

    record: JobRecord
    outcome: SubmitOutcome


class ListedJob(NamedTuple):
    """A job of a page, and the time by which it is listed: microseconds since the epoch, unique in its store."""

    at_us: int
    record: JobRecord


class Snapshot(NamedTuple):
    """A job at one revision; a later change has a higher one. `result` if it was sent along."""

    revision: int
    record: JobRecord
    result: StoredResult | None = None


class Waited(NamedTuple):
    """A job at its end, or as it stands after the wait. A small result may be included."""

    record: JobRecord
    result: StoredResult | None = None


class Claim(Record):
    """A job that a worker has started. `token` proves ownership: a later attempt has another one."""

    job_id: str
    spec: JobSpec
    payload: bytes  # safetensors
    attempt: int
    token: str
    created_ms: int
    started_ms: int


class FinishedJob(NamedTuple):
    """The result of a claimed job: `ResultMeta` as JSON, and the attributions as a safetensors blob. A result that is
    not `reusable` is not used for later jobs: the model has other weights than when the job was queued."""

    claim: Claim
    meta: bytes
    tensors: bytes
    target: list[ClassRef] | None
    reusable: bool = True


class JobProgress(NamedTuple):
    """How far a claimed job is: rows done, rows expected, and what is explained, once it is known."""

    claim: Claim
    done: int
    total: int
    target: list[ClassRef] | None = None


class WorkerInfo(Record):
    """A worker as it announces itself. `models` are those that take jobs, `group` names the workers that hold the same
    ones."""

    id: str
    device: str
    host: str
    pid: int
    started_ms: int
    models: list[ModelKey]
    group: str = DEFAULT_GROUP
    statistics: WorkerStatistics = WorkerStatistics()
    residence: dict[ModelKey, Residence] = Field(default_factory=dict)
    executed_command: Annotated[str, Field(pattern=r"^[0-9]{1,19}-[0-9]{1,19}$")] = (
        NO_COMMAND  # the latest admin command that it has executed, with all before it
    )


class LoadCommand(NamedTuple):
    """Load a model's folders: of all versions where none is named."""

    name: str
    version: str | None


class CommandBatch(NamedTuple):
    """Admin commands since an earlier one: the id of the latest, those to load by their ids, and all models that are
    unloaded now."""

    latest: str
    loads: dict[str, LoadCommand]
    unloaded: frozenset[ModelKey]
