"""Deletion and insertion: the output as the strongest features go, one after another, and as they come."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from schemas.methods import AnyMethod
from schemas.metric_requests import DeletionInsertion
from schemas.metrics import Curve, Curves, DeletionInsertionMetric
from schemas.models import OutputKind
from workers.engine.seams import Seams
from workers.evaluation.audit import Audit
from workers.evaluation.ordering import Order, feature_scores, order
from workers.methods.explain import Outcome, explained_outputs
from workers.methods.explain_inputs import ExplainInputs, Tensors, chunk_rows
from workers.models.predicted_values import are_probabilities, to_predictions


def deletion_insertion(
    asked: DeletionInsertion,
    seams: Seams,
    method: AnyMethod,
    subject: ExplainInputs,
    outcome: Outcome,
    audit: Audit,
    batch_rows: int,
) -> DeletionInsertionMetric | None:
    """Both curves of each example; None where attributions do not lie over the input.

    At step k of n the round(k * features / n) features of the highest attribution are replaced by the baseline
    (deletion), or are put into the other baseline (insertion). Altered inputs are made a batch or two at a time.

    Source: Petsiuk, Das and Saenko, "RISE: Randomized Input Sampling for Explanation of Black-box Models" (2018).
    """
    scores = feature_scores(method, subject, outcome.attributions, audit.units)
    if scores is None:
        return None
    ordered = order(scores, audit.units)
    most = int(ordered.counts.max())
    steps = min(asked.n_steps, most)
    read = _reader(subject, audit.output)
    at_input = read(outcome.outputs)  # (examples,)
    chunk = max(1, chunk_rows(batch_rows, 1) // subject.examples)

    def curve(before: Tensors, after: Tensors, numbers: list[int]) -> list[Tensor]:
        """The output at each step, (examples,) each, when the first features are those of `after`."""
        values: list[Tensor] = []
        for first in range(0, len(numbers), chunk):
            part = numbers[first : first + chunk]
            rows = _altered(ordered, before, after, part, steps)
            additional_forward_args = tuple(
                e.repeat(len(part), *[1] * (e.dim() - 1)) for e in subject.additional_forward_args
            )
            values.extend(read(seams.forward(*rows, *additional_forward_args)).chunk(len(part)))
        return values

    deleted = [at_input, *curve(subject.inputs, audit.removed.tensors, list(range(1, steps + 1)))]
    inserted = [*curve(audit.start.tensors, subject.inputs, list(range(steps))), at_input]
    fractions = [k / steps for k in range(steps + 1)]
    return DeletionInsertionMetric(
        unit=audit.unit,
        units=most,
        value="probability" if are_probabilities(outcome.outputs, audit.output) else "output",
        deletion_baseline=audit.removed.name,
        insertion_baseline=audit.start.name,
        fractions=fractions,
        examples=[
            Curves(deletion=_curve(down, fractions), insertion=_curve(up, fractions))
            for down, up in zip(torch.stack(deleted, 1).tolist(), torch.stack(inserted, 1).tolist(), strict=True)
        ],
    )


def _altered(ordered: Order, before: Tensors, after: Tensors, numbers: list[int], steps: int) -> Tensors:
    """The examples at each of these steps, (len(numbers) * examples, …), step by step."""
    rows = []
    for ranks, old, new in zip(ordered.ranks, before, after, strict=True):
        shape = (-1, *[1] * (ranks.dim() - 1))
        thresholds = [torch.round(ordered.counts.double() * k / steps).long().view(shape) for k in numbers]
        rows.append(torch.cat([torch.where(ranks < threshold, new, old) for threshold in thresholds]))
    return tuple(rows)


def _reader(subject: ExplainInputs, output: OutputKind) -> Callable[[Tensor], Tensor]:
    """What curves show of outputs (steps * examples, …): (steps * examples,) in double precision."""

    def read(outputs: Tensor) -> Tensor:
        values = to_predictions(outputs.double(), output)
        targets: Any = subject.targets
        if targets is not None and len(targets) > 1:
            targets = targets * (values.shape[0] // subject.examples)
        return explained_outputs(values, targets)

    return read


def _curve(values: list[float], fractions: list[float]) -> Curve:
    area = float(
        torch.trapezoid(torch.tensor(values, dtype=torch.float64), torch.tensor(fractions, dtype=torch.float64))
    )
    return Curve(values=values, auc=area)
