"""A method that needs two features refuses an input that turns out to have one."""

import pytest
import torch

from schemas.errors import InputRejected
from schemas.methods import FeatureAblation, KernelShap
from tests.workers.jobs.test_prepare import X, prepared
from workers.models.resident import ResidentModel

ONE = torch.zeros(1, 4, dtype=torch.int64)
TWO = torch.tensor([[0, 0, 1, 1]])


def test_kernel_shap_needs_two_features(model: ResidentModel) -> None:
    with pytest.raises(InputRejected, match="two features or more"):
        prepared(model, KernelShap(), feature_mask_0=ONE)
    assert prepared(model, KernelShap(), feature_mask_0=TWO).subject.feature_mask is not None


def test_every_example_needs_them(model: ResidentModel) -> None:
    with pytest.raises(InputRejected):
        prepared(model, KernelShap(), X, feature_mask_0=torch.cat([TWO, ONE]))


def test_ablation_takes_one(model: ResidentModel) -> None:
    assert prepared(model, FeatureAblation(), feature_mask_0=ONE).subject.feature_mask is not None
