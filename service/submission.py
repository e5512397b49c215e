"""From a request and a model's card to what the broker stores: a spec, a payload, and the work to expect."""

import hashlib
from dataclasses import dataclass

import orjson
from safetensors.numpy import save

from schemas.jobs import JobSpec
from schemas.methods import stored_fields
from schemas.models import ModelCard
from schemas.requests import ExplainRequest
from service.cost import check_noise, check_work, estimate
from service.validation.inputs import check_input
from service.validation.method import check_method
from service.validation.model import ReadyModel
from service.validation.target import resolve_target


@dataclass(frozen=True, slots=True)
class Submission:
    """A job ready for the queue. `payload` is a safetensors blob, names as in `JobSpec`; `rows` is an estimate."""

    spec: JobSpec
    payload: bytes
    rows: int


def prepare(request: ExplainRequest, card: ModelCard) -> Submission:
    """Everything that can be refused is refused here. CPU work: decodes the picture, converts the tensors.

    Raises:
        InvalidRequest: something does not fit the model; the field is named.
        ModelUnavailable: the model failed to load.
    """
    model = ReadyModel.of(card)
    given = check_input(request.input, model.input)
    target = resolve_target(request.target, model.output, given.examples)
    method, arrays = check_method(request.method, model, given.examples)
    work = estimate(method, model, given, arrays)
    check_work(work)
    check_noise(method, model, given.examples)
    spec = JobSpec(
        model=card.name,
        version=card.version,
        input_kind=given.kind,
        examples=given.examples,
        method=stored_fields(method),
        target=target,
        seed=request.seed,
        priority=request.priority,
        rows=work.rows,
    )
    return Submission(spec, save({**given.arrays, **arrays}), work.rows)


def fingerprint(request: ExplainRequest) -> str:
    """sha256 of the canonical request: equal for JSON and multipart, whatever the order of keys."""
    return hashlib.sha256(orjson.dumps(request.model_dump(), option=orjson.OPT_SORT_KEYS)).hexdigest()
