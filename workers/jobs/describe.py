"""The result of a job: attributions as clients receive them, and their metadata."""

from importlib.metadata import version
from math import prod

from captum.attr import LayerAttribution
from safetensors.numpy import save as save_arrays
from torch import Tensor

from schemas.errors import InputRejected, NonFinite
from schemas.jobs import ClassRef, Targets
from schemas.limits import MAX_TENSOR_ELEMENTS
from schemas.methods import echo
from schemas.metrics import QualityReport
from schemas.models import ModelCard
from schemas.precision import PassPrecision
from schemas.results import ModelRef, Provenance, ResultMeta, Timing
from schemas.sentences import SentenceParts, words
from schemas.tensors import DATATYPES, TensorSpec
from workers.engine.numerics import all_finite
from workers.inputs.prepared import Tensors
from workers.jobs.described_path import described_path, path_tensors
from workers.jobs.job import JobResult, PreparedJob
from workers.jobs.predictions import explained_scores, predictions
from workers.jobs.result_warnings import result_warnings
from workers.methods.outcome import Outcome
from workers.models.resident import ResidentModel

VERSIONS = {name: version(name) for name in ("attribution-service", "captum", "torch")}


def describe(
    model: ResidentModel, job: PreparedJob, outcome: Outcome, quality: QualityReport | None, *, run_s: float
) -> JobResult:
    """The result of a job, ready to be stored. `job.task` holds the rows and the time of its passes.

    Args:
        outcome: attributions and outputs of the job's examples.
        quality: the metrics of the job, if any.
        run_s: the time of explanation and evaluation, waits for passes included.

    Raises:
        NonFinite: an attribution is NaN or infinite.
        InputRejected: the requested maps are larger than a tensor may be.
    """
    attributions = _wire_attributions(model, job, outcome.attributions)
    if not all(map(all_finite, attributions)):
        raise NonFinite("the attributions are not finite; a gradient of the model overflows on this input or baseline")
    named = dict(zip(_names(job, len(attributions)), attributions, strict=True))
    meta = _meta(model, job, outcome, named, quality, run_s)
    if outcome.path is not None:
        on_path = path_tensors(model.adapter, job, outcome.path, list(named))
        if not all(all_finite(tensor) for tensor in on_path.values()):
            raise NonFinite("the attributions are not finite on the way from the baseline; choose another baseline")
        meta = meta.model_copy(update={"path": described_path(outcome.path, outcome, on_path)})
        named |= on_path
    return JobResult(
        job.claimed,
        meta,
        # through numpy, which takes a tenth of the time for a small tensor
        save_arrays({name: tensor.detach().cpu().contiguous().numpy() for name, tensor in named.items()}),
        explained_scores(model.output_kind, outcome, meta.predictions),
    )


def target_classes(card: ModelCard, targets: Targets | None, examples: int) -> list[ClassRef] | None:
    """The explained outputs by index and label, one per example; None for a scalar output, or while it is unknown."""
    if targets is None:
        return None
    labels = card.output.labels if card.output else None
    classes = [ClassRef.of(target, labels) for target in targets]
    return classes if len(classes) == examples else classes * examples


def _meta(
    model: ResidentModel,
    job: PreparedJob,
    outcome: Outcome,
    named: dict[str, Tensor],
    quality: QualityReport | None,
    run_s: float,
) -> ResultMeta:
    card = model.card
    attributions = tuple(named.values())
    described = model.adapter.describe(job.prepared, attributions, layered=job.method.kind == "layer")
    warnings = result_warnings(model, job, outcome, attributions)
    return ResultMeta(
        id=job.claimed.id,
        model=ModelRef(name=card.name, version=card.version, digest=card.digest or ""),
        method=echo(job.method),
        layer=getattr(job.method, "layer", None),
        target=target_classes(card, outcome.targets, job.subject.examples),
        predictions=predictions(model, outcome),
        attributions=[
            TensorSpec(name=name, datatype=DATATYPES[_dtype_name(tensor)], shape=list(tensor.shape))
            for name, tensor in named.items()
        ],
        convergence_delta=None if outcome.delta is None else outcome.delta.tolist(),
        convergence=outcome.convergence,
        tokens=described.tokens,
        words=described.words,
        features=described.features,
        picture=job.spec.picture,
        quality=quality,
        warnings=warnings,
        warning_parts=[SentenceParts.of(words(warning)) for warning in warnings],
        execution="alone" if model.engine.alone_reason else "packed",
        execution_reason=model.engine.alone_reason,
        trace_id=job.task.trace_id,
        timing=_timing(job, run_s, model.engine.batch_rows),
        provenance=_provenance(model, job),
    )


def _timing(job: PreparedJob, run_s: float, batch_rows: int) -> Timing:
    task = job.task
    return Timing(
        queued_ms=round(job.claimed.queued_ms, 3),
        prepare_ms=round(job.prepare_s * 1e3, 3),
        run_ms=round(run_s * 1e3, 3),
        wait_ms=round(max(0.0, task.parked_s - task.pass_s) * 1e3, 3),
        pass_ms=round(task.pass_s * 1e3, 3),
        rows=task.rows,
        passes=task.passes,
        fill=round(task.pass_places / task.passes / batch_rows, 3) if task.passes else None,
    )


def _provenance(model: ResidentModel, job: PreparedJob) -> Provenance:
    return Provenance(
        service=VERSIONS["attribution-service"],
        captum=VERSIONS["captum"],
        torch=VERSIONS["torch"],
        device=str(model.engine.view.device),
        dtype=_dtype_name(job.prepared.inputs[0]),
        seed=job.spec.seed,
        precision=model.card.precision or PassPrecision(),
    )


def _dtype_name(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _names(job: PreparedJob, count: int) -> list[str]:
    """The names of attribution tensors: `input` or the layer, numbered where there are several."""
    layer = getattr(job.method, "layer", None) if job.method.kind == "layer" else None
    base = layer or "input"
    return [base] if count == 1 else [f"{base}.{index}" for index in range(count)]


def _wire_attributions(model: ResidentModel, job: PreparedJob, attributions: Tensors) -> Tensors:
    """Attributions in the shape of the client's input; those of a layer in its own, or enlarged where requested."""
    method = job.method
    if method.kind != "layer":
        return model.adapter.on_wire(attributions, shared=method.perturbs == "input")
    if not getattr(method, "upsample", False):
        return attributions
    grid = model.engine.view.token_grid
    maps = attributions if grid is None else tuple(map(grid.as_map, attributions))
    return upsampled(maps, tuple(job.prepared.inputs[0].shape[2:]))


def upsampled(attributions: Tensors, size: tuple[int, ...]) -> Tensors:
    """Maps, (examples, channels, height, width), interpolated to a size; other tensors unchanged.

    Raises:
        InputRejected: the maps would have more elements than a tensor may have.
    """
    are_maps = [attribution.dim() == 4 for attribution in attributions]
    pairs = list(zip(attributions, are_maps, strict=True))
    if sum(prod((*tensor.shape[:2], *size)) for tensor, is_map in pairs if is_map) > MAX_TENSOR_ELEMENTS:
        raise InputRejected("the layer has too many channels for maps of the input's size; leave upsample out")
    return tuple(
        LayerAttribution.interpolate(tensor, size, "bilinear") if is_map else tensor for tensor, is_map in pairs
    )
