"""From a payload to the tensors that a method works on."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from schemas.errors import InputRejected
from schemas.methods import FeatureAblation, GradientShap, IntegratedGradients, LayerFeatureAblation, Saliency
from tests.workers.jobs.claims import claimed
from tests.workers.jobs.net import spec
from workers.jobs.job import PreparedJob
from workers.jobs.prepare import prepare_job
from workers.models.resident import ResidentModel

X = torch.arange(8.0, dtype=torch.float64).view(2, 4)
IG = IntegratedGradients()


def prepared(model: ResidentModel, method: Any, x: Tensor = X, **payload: Tensor) -> PreparedJob:
    tensors = {name.replace("_0", ".0"): tensor for name, tensor in payload.items()}
    return prepare_job(model, claimed(spec(method, len(x), target=[1]), {"input.0": x, **tensors}))


def test_a_prepared_job_holds_its_parts(model: ResidentModel) -> None:
    job = prepared(model, Saliency())
    assert job.method == Saliency()
    assert job.spec is job.claimed.claim.spec
    assert job.task is job.claimed.task
    assert job.prepare_s > 0
    subject = job.subject
    assert torch.equal(subject.inputs[0], X)
    assert (subject.examples, subject.targets) == (2, [1])
    assert subject.baselines is subject.baseline_distribution is subject.feature_mask is subject.layer_mask is None


def test_a_method_that_was_parsed_before_is_kept(model: ResidentModel) -> None:
    method = Saliency()
    assert prepare_job(model, claimed(spec(method), {"input.0": X[:1]}), method).method is method


def test_a_named_baseline_and_the_cards_default(model: ResidentModel) -> None:
    for method in (IG, IntegratedGradients(baseline="zero")):
        (baseline,) = prepared(model, method).subject.baselines or ()
        assert torch.equal(baseline, torch.zeros(2, 4, dtype=torch.float64))


def test_one_baseline_stands_for_all_examples(model: ResidentModel) -> None:
    row = torch.full((1, 4), 0.5)  # in another precision than the input
    subject = prepared(model, IG, baseline_0=row).subject
    (baseline,) = subject.baselines or ()
    assert torch.equal(baseline, row.double().expand(2, 4))
    assert subject.layer_baselines == subject.baselines


def test_a_method_that_draws_its_baselines_has_all_of_them(model: ResidentModel) -> None:
    subject = prepared(model, GradientShap(), baseline_0=torch.rand(3, 4)).subject
    assert subject.baselines is None
    assert [tuple(tensor.shape) for tensor in subject.baseline_distribution or ()] == [(3, 4)]


def test_the_background_of_the_model(model: ResidentModel) -> None:
    method = IntegratedGradients(baseline="background")
    with pytest.raises(InputRejected, match="the model has no background set"):
        prepared(model, method)
    rows = torch.rand(5, 4, dtype=torch.float64)
    subject = prepared(replace(model, background=(rows,)), method).subject
    (baseline,) = subject.baselines or ()
    assert torch.equal(baseline, rows.mean(dim=0, keepdim=True).expand(2, 4))
    assert subject.baseline_distribution == (rows,)


def test_masks_and_layer_baselines_come_from_the_payload(model: ResidentModel) -> None:
    mask = torch.tensor([[0, 0, 1, 1]], dtype=torch.int32)
    ablation = prepared(model, FeatureAblation(), feature_mask_0=mask).subject
    (feature_mask,) = ablation.feature_mask or ()
    assert feature_mask.dtype == torch.int64
    assert torch.equal(feature_mask, mask.long())
    layer, units = LayerFeatureAblation(layer="body.0"), torch.arange(9).view(1, 9)
    at_layer = prepared(model, layer, layer_mask_0=units, layer_baseline_0=torch.ones(1, 9)).subject
    assert torch.equal((at_layer.layer_mask or ())[0], units)
    assert [tuple(tensor.shape) for tensor in at_layer.layer_values or ()] == [(2, 9)]


def test_digests_are_equal_for_equal_tensors_alone(model: ResidentModel) -> None:
    subject = prepared(model, IG).subject
    again, other = prepared(model, IG).subject, prepared(model, IG, X + 1).subject
    assert subject.digest == again.digest != other.digest
    assert subject.baseline_digest == again.baseline_digest != other.baseline_digest
    given = prepared(model, IG, baseline_0=torch.ones(1, 4)).subject
    assert given.digest == subject.digest
    assert given.baseline_digest != subject.baseline_digest
    assert prepared(model, Saliency()).subject.baseline_digest is None
