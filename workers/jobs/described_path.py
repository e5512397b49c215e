"""The path of a result as clients receive it: its points, and the attributions at each in the shape of the input."""

import torch
from torch import Tensor

from schemas.results import AttributionPath, PathPoints
from schemas.tensors import DATATYPES, TensorSpec
from workers.inputs.prepared import InputAdapter
from workers.jobs.job import PreparedJob
from workers.methods.explained_output import explained_outputs
from workers.methods.outcome import Outcome
from workers.methods.path_sums import PathSums

PREFIX = "path."
BASELINE = "path.baseline"  # (1 or examples, H, W, 3) uint8: what the baseline of a picture looks like


def path_tensors(adapter: InputAdapter, job: PreparedJob, path: PathSums, names: list[str]) -> dict[str, Tensor]:
    """The attributions at each point by name, (examples, points, …), and the pixels of a picture's baseline."""
    points = path.attributions[0].shape[1]
    steps = [adapter.on_wire(tuple(t[:, k] for t in path.attributions), shared=False) for k in range(points)]
    stacked = [torch.stack(column, dim=1) for column in zip(*steps, strict=True)]
    named = {PREFIX + name: tensor for name, tensor in zip(names, stacked, strict=True)}
    if job.spec.picture is not None and job.subject.baselines is not None:
        pixels = adapter.pixels(job.subject.baselines)
        if pixels is not None:
            named[BASELINE] = pixels
    return named


def described_path(path: PathSums, outcome: Outcome, tensors: dict[str, Tensor]) -> AttributionPath:
    """The points of each example. `tensors` are those of `path_tensors`."""
    maps = {name: tensor for name, tensor in tensors.items() if name != BASELINE}
    sums = torch.stack([tensor.double().flatten(2).sum(dim=2) for tensor in maps.values()]).sum(dim=0).tolist()
    inputs = explained_outputs(outcome.outputs, outcome.targets)
    baselines: list[float | None] = [None] * len(sums)
    if outcome.difference is not None:
        baselines = (inputs - outcome.difference).double().tolist()
    rows = zip(
        path.alphas.tolist(),
        path.outputs.tolist(),
        path.covered.tolist(),
        sums,
        inputs.double().tolist(),
        baselines,
        strict=True,
    )
    return AttributionPath(
        examples=[
            PathPoints(
                alphas=alphas,
                outputs=outputs,
                covered=covered,
                sums=total,
                input_output=at_input,
                baseline_output=at_baseline,
            )
            for alphas, outputs, covered, total, at_input, at_baseline in rows
        ],
        attributions=[
            TensorSpec(
                name=name, datatype=DATATYPES[str(tensor.dtype).removeprefix("torch.")], shape=list(tensor.shape)
            )
            for name, tensor in maps.items()
        ],
    )
