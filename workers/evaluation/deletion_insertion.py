"""Deletion and insertion: the output as the strongest features are deleted, and as they are inserted."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from schemas.metric_requests import DeletionInsertion
from schemas.metrics import Curve, Curves, DeletionInsertionMetric
from schemas.models import OutputKind
from workers.evaluation.evaluation_run import EvaluationRun
from workers.evaluation.feature_order import FeatureRanks, feature_ranks, feature_scores
from workers.methods.explain_inputs import ExplainInputs, Tensors, chunk_rows
from workers.methods.explained_output import explained_outputs
from workers.models.predicted_values import are_probabilities, to_predictions

Read = Callable[[Tensor], Tensor]  # outputs (rows, …) -> the explained values (rows,)


def deletion_insertion(request: DeletionInsertion, run: EvaluationRun) -> DeletionInsertionMetric | None:
    """Both curves of each example; None where attributions do not cover the input.

    At step k of n, the round(k * features / n) features with the highest attributions are replaced by the deletion
    baseline, or are inserted into the insertion baseline.

    Source: Petsiuk, Das and Saenko, "RISE: Randomized Input Sampling for Explanation of Black-box Models" (2018).
    """
    subject, inputs = run.subject, run.inputs
    scores = feature_scores(run.method, subject, run.outcome.attributions, inputs.features)
    if scores is None:
        return None
    ranks = feature_ranks(scores, inputs.features)
    most = int(ranks.counts.max())
    steps = min(request.n_steps, most)
    read = _reader(subject, inputs.output_kind)
    at_input = read(run.outcome.outputs)  # (examples,)
    deletion, insertion = inputs.deletion_baseline, inputs.insertion_baseline
    deletion_steps, insertion_steps = list(range(1, steps + 1)), list(range(steps))
    deleted = [at_input, *_values(run, read, ranks, subject.inputs, deletion.tensors, deletion_steps, steps)]
    inserted = [*_values(run, read, ranks, insertion.tensors, subject.inputs, insertion_steps, steps), at_input]
    fractions = [k / steps for k in range(steps + 1)]
    return DeletionInsertionMetric(
        unit=inputs.unit,
        units=most,
        value="probability" if are_probabilities(run.outcome.outputs, inputs.output_kind) else "output",
        deletion_baseline=deletion.name,
        insertion_baseline=insertion.name,
        fractions=fractions,
        examples=[
            Curves(deletion=_curve(down, fractions), insertion=_curve(up, fractions))
            for down, up in zip(torch.stack(deleted, 1).tolist(), torch.stack(inserted, 1).tolist(), strict=True)
        ],
    )


def _values(
    run: EvaluationRun, read: Read, ranks: FeatureRanks, before: Tensors, after: Tensors, ks: list[int], steps: int
) -> list[Tensor]:
    """The explained values, (examples,) each, at steps `ks` of the way from `before` to `after`.

    Altered inputs are made a batch or two at a time, which bounds their memory.
    """
    subject = run.subject
    chunk = max(1, chunk_rows(run.engine.batch_rows, 1) // subject.examples)
    values: list[Tensor] = []
    for first in range(0, len(ks), chunk):
        part = ks[first : first + chunk]
        rows = _altered(ranks, before, after, part, steps)
        additional_forward_args = tuple(
            tensor.repeat(len(part), *[1] * (tensor.dim() - 1)) for tensor in subject.additional_forward_args
        )
        values.extend(read(run.seams.forward(*rows, *additional_forward_args)).chunk(len(part)))
    return values


def _altered(ranks: FeatureRanks, before: Tensors, after: Tensors, ks: list[int], steps: int) -> Tensors:
    """All examples at each of the steps `ks`, (len(ks) * examples, …), step by step."""
    altered = []
    for rank, old, new in zip(ranks.ranks, before, after, strict=True):
        shape = (-1, *[1] * (rank.dim() - 1))
        thresholds = [torch.round(ranks.counts.double() * k / steps).long().view(shape) for k in ks]
        altered.append(torch.cat([torch.where(rank < threshold, new, old) for threshold in thresholds]))
    return tuple(altered)


def _reader(subject: ExplainInputs, output_kind: OutputKind) -> Read:
    """Reads the explained values, in double precision, from outputs (steps * examples, …)."""

    def read(outputs: Tensor) -> Tensor:
        values = to_predictions(outputs.double(), output_kind)
        targets: Any = subject.targets
        if targets is not None and len(targets) > 1:
            targets = targets * (values.shape[0] // subject.examples)
        return explained_outputs(values, targets)

    return read


def _curve(values: list[float], fractions: list[float]) -> Curve:
    y, x = (torch.tensor(numbers, dtype=torch.float64) for numbers in (values, fractions))
    return Curve(values=values, auc=float(torch.trapezoid(y, x)))
