"""Turns a request and a model's card into what the broker stores: a spec, a payload and an estimate of the rows."""

import hashlib
from dataclasses import dataclass

import orjson
from safetensors.numpy import save

from broker import Content, KeyLimits, NewJob
from schemas.comparisons import CompareRequest
from schemas.jobs import JobSpec
from schemas.methods import stored_fields
from schemas.models import ModelCard
from schemas.requests import ExplainRequest
from schemas.requirements import requirements
from service.cost.estimate import check_cost, check_frames, check_noise, estimate
from service.cost.result_bytes import result_bytes
from service.release import RELEASE
from service.validation.inputs import CheckedInput, check_input
from service.validation.method import check_method
from service.validation.metrics import check_quality
from service.validation.model import ReadyModel
from service.validation.target import resolve_target


@dataclass(frozen=True, slots=True)
class Submission:
    """A job ready for the queue.

    `payload` is a safetensors blob with the names of `JobSpec`. `rows` and `result_bytes` are
    estimates. `digest` is equal for jobs with
    equal results; None if the model has no digest.
    """

    spec: JobSpec
    payload: bytes
    rows: int
    digest: str | None
    result_bytes: int


def prepare(request: ExplainRequest, card: ModelCard, owner: str = "", given: CheckedInput | None = None) -> Submission:
    """Check the request of an owner against the card, and convert its input. Whatever can be refused is refused here.

    CPU work: decodes and scales the picture, converts the tensors.

    Args:
        given: the request's input, where it has been checked against this card's input before.

    Raises:
        InvalidRequest: a field does not fit the model; names the field.
        ModelUnavailable: the model is being loaded or failed to load.
        ModelUnloaded: the operator has taken it out of service.
    """
    model = ReadyModel.of(card)
    given = given or check_input(request.input, model.input)
    target = resolve_target(request.target, model.output, given.examples)
    method, arrays = check_method(request.method, model, given.examples)
    check_quality(request.quality, method, model)
    cost = estimate(method, model, given, arrays, request.quality)
    check_cost(cost)
    check_noise(method, model, given.examples, request.quality)
    check_frames(method, model, given.examples)
    spec = JobSpec(
        model=card.name,
        version=card.version,
        input_kind=given.kind,
        examples=given.examples,
        picture=given.picture,
        method=stored_fields(method),
        target=target,
        quality=[metric.model_dump() for metric in request.quality],
        seed=request.seed,
        priority=request.priority,
        rows=cost.rows,
        digest=card.digest,
        owner=owner,
    )
    spec = spec.model_copy(update={"requires": requirements(card, spec)})
    payload = save({**given.arrays, **arrays})
    expected_bytes = result_bytes(method, model, given, request.quality)
    return Submission(spec, payload, cost.rows, _digest(card, spec, payload), expected_bytes)


def _digest(card: ModelCard, spec: JobSpec, payload: bytes) -> str | None:
    """sha256 over everything a result depends on: this release, the weights, the request, its input and its seed.
    And over the owner, so that nobody learns whether another has sent the same."""
    if card.digest is None:
        return None
    requested = spec.model_dump_json(exclude={"priority", "rows", "requires"})
    digest = hashlib.sha256("\n".join((RELEASE, card.digest, requested, "")).encode())
    digest.update(payload)
    return digest.hexdigest()


def shared_content(submission: Submission, cache_control: str, *, cache: bool) -> Content | None:
    """The content by which equal requests share a result; None if the operator or the client switches sharing off."""
    directives = {directive.strip().lower() for directive in cache_control.split(",")}
    if not cache or submission.digest is None or "no-store" in directives:
        return None
    return Content(submission.digest, reuse="no-cache" not in directives)


def new_job(submission: Submission, cache_control: str, *, cache: bool, limits: KeyLimits) -> NewJob:
    """The job of a submission.

    Args:
        cache_control, cache: as in `shared_content`.
        limits: of the caller's key.
    """
    return NewJob(
        submission.spec,
        submission.payload,
        submission.rows,
        content=shared_content(submission, cache_control, cache=cache),
        result_bytes=submission.result_bytes,
        limits=limits,
    )


def fingerprint(request: ExplainRequest | CompareRequest) -> str:
    """sha256 of the canonical request: the same for JSON and a form, in any order of keys."""
    return hashlib.sha256(orjson.dumps(request.model_dump(), option=orjson.OPT_SORT_KEYS)).hexdigest()
