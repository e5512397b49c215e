"""Solo calls are joined and cut along their examples."""

import torch

from workers.engine.solo.solo_call import SoloCall, joined


def call(first: int, count: int) -> SoloCall:
    values = torch.arange(first, first + count, dtype=torch.float32).unsqueeze(1)
    return SoloCall((values, -values), (values * 10,), (values * 0, values * 0), values.flatten().long())


def test_joined_calls_have_all_examples_in_order() -> None:
    both = joined([call(0, 2), call(2, 3)])
    whole = call(0, 5)
    assert both.examples == 5
    assert both.baselines is not None
    assert both.targets is not None
    assert whole.baselines is not None
    for found, expected in zip(
        (*both.inputs, *both.additional_forward_args, *both.baselines, both.targets),
        (*whole.inputs, *whole.additional_forward_args, *whole.baselines, whole.targets),
        strict=True,
    ):
        assert torch.equal(found, expected)
    one = call(0, 2)
    assert joined([one]) is one


def test_a_part_has_its_examples_and_the_masks_that_all_share() -> None:
    whole = call(0, 4)
    whole.feature_mask = (torch.zeros(1, 1), torch.arange(4).unsqueeze(1))
    whole.baseline_distribution = (torch.ones(7, 1), torch.ones(7, 1))
    part = whole.part(1, 3)
    assert part.inputs[0].flatten().tolist() == [1, 2]
    assert part.targets is not None
    assert part.targets.tolist() == [1, 2]
    assert part.feature_mask is not None
    assert [mask.flatten().tolist() for mask in part.feature_mask] == [[0], [1, 2]]
    assert part.baseline_distribution is whole.baseline_distribution
    assert part.layer_mask is None


def test_calls_without_baselines_and_targets() -> None:
    bare = SoloCall((torch.zeros(2, 1),), (), None, None)
    both = joined([bare, bare])
    assert both.examples == 4
    assert both.baselines is None
    assert both.targets is None
    assert both.part(0, 1).targets is None
