"""Numbers that Captum's own tests expect (github.com/pytorch/captum, tests/attr), with the name of the test."""

from dataclasses import dataclass
from typing import Any

Nested = Any  # a number or None, or lists of them; None where Captum's test says no more than "not zero"


@dataclass(frozen=True)
class Case:
    source: str
    model: str
    method: dict[str, Any]
    inputs: list[Nested]  # one nested list per input of the model, examples first
    expected: list[Nested]  # one per attribution tensor
    tolerance: float = 1e-3  # largest absolute difference

    def __str__(self) -> str:
        return f"{self.source}-{self.model}"


def given(*tensors: Nested) -> dict[str, Any]:
    """A parameter of tensors, one per input."""
    if len(tensors) == 1:
        return {"tensor": wire(tensors[0])}
    return {"tensors": [tensor if tensor == "zero" else wire(tensor) for tensor in tensors]}


def wire(nested: Nested) -> dict[str, Any]:
    """Nested lists as a tensor of the Open Inference Protocol."""
    shape, data = [], nested
    while isinstance(data, list):
        shape.append(len(data))
        data = data[0]
    return {"shape": shape, "data": flat(nested)}


def flat(nested: Nested) -> list[Any]:
    return [number for part in nested for number in flat(part)] if isinstance(nested, list) else [nested]


def filled(value: float, *shape: int) -> Nested:
    return [filled(value, *shape[1:]) for _ in range(shape[0])] if shape else value


def named(name: str, **parameters: Any) -> dict[str, Any]:
    return {"name": name, **parameters}


def map_of(*rows: list[float]) -> Nested:
    return [[list(rows)]]


ONE, TWO = [[20, 50, 30]], [[2, 10, 3], [20, 50, 30]]
OWN_MASK = given([[0, 0, 1], [1, 1, 0]])
PAIR_MASK = given([[0, 0, 1]])
FOUR = given([[4, 4, 4]])
RAMP = map_of([0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11], [12, 13, 14, 15])
ONES = map_of([1, 1, 1, 1], [1, 1, 1, 1], [1, 1, 1, 1], [1, 1, 1, 1])
THREE = [
    [[23, 100, 0], [20, 50, 30]],
    [[20, 50, 30], [0, 100, 0]],
    [[0, 100, 10], [2, 10, 3]],
]
APART = given([[1, 1, 1], [0, 1, 0]], [[3, 4, 2]], [[5, 6, 7], [5, 5, 5]])
SHARED = given([[1, 1, 1], [0, 1, 0]], [[0, 1, 2]], [[0, 1, 2], [0, 0, 0]])
TWO_THREE_FOUR = given([[2, 2, 2]], [[3, 3, 3]], [[4, 4, 4]])

ABLATION = [
    Case("test_simple_ablation", "multilayer", named("feature_ablation"), [ONE], [[[80, 200, 120]]]),
    Case(
        "test_simple_ablation_with_mask",
        "multilayer",
        named("feature_ablation", feature_mask=PAIR_MASK),
        [ONE],
        [[[280, 280, 120]]],
    ),
    Case(
        "test_simple_ablation_with_baselines",
        "multilayer",
        named("feature_ablation", feature_mask=PAIR_MASK, baseline=FOUR),
        [ONE],
        [[[248, 248, 104]]],
    ),
    Case(
        "test_multi_sample_ablation",
        "multilayer",
        named("feature_ablation"),
        [TWO],
        [[[8, 35, 12], [80, 200, 120]]],
    ),
    Case(
        "test_multi_sample_ablation_with_mask",
        "multilayer",
        named("feature_ablation", feature_mask=OWN_MASK),
        [TWO],
        [[[41, 41, 12], [280, 280, 120]]],
    ),
    Case(
        "test_multi_input_ablation_with_mask",
        "scaled-1",
        named("feature_ablation", feature_mask=APART),
        THREE,
        [[[492, 492, 492], [200, 200, 200]], [[80, 200, 120], [0, 400, 0]], [[0, 400, 40], [60, 60, 60]]],
    ),
    Case(
        "test_multi_input_ablation_with_mask, with baselines",
        "scaled-1",
        named("feature_ablation", feature_mask=APART, baseline=TWO_THREE_FOUR),
        THREE,
        [[[468, 468, 468], [184, 192, 184]], [[68, 188, 108], [-12, 388, -12]], [[-16, 384, 24], [12, 12, 12]]],
    ),
    Case(
        "test_multi_input_ablation_with_mask_dupe_feature_idx",
        "scaled-1",
        named("feature_ablation", feature_mask=SHARED),
        THREE,
        [
            [[1092, 1092, 1092], [260, 600, 260]],
            [[80, 1092, 160], [260, 600, 0]],
            [[80, 1092, 160], [260, 260, 260]],
        ],
    ),
    Case(
        "test_multi_input_ablation_with_mask_dupe_feature_idx, with baselines",
        "scaled-1",
        named("feature_ablation", feature_mask=SHARED, baseline=TWO_THREE_FOUR),
        THREE,
        [
            [[1040, 1040, 1040], [184, 580, 184]],
            [[52, 1040, 132], [184, 580, -12]],
            [[52, 1040, 132], [184, 184, 184]],
        ],
    ),
    Case(
        "test_multi_input_ablation",
        "scaled-1",
        named("feature_ablation", baseline=given([[3, 0, 0]], [[0, 1, 0]], [[1, 2, 3]])),
        THREE,
        [[[80, 400, 0], [68, 200, 120]], [[80, 196, 120], [0, 396, 0]], [[-4, 392, 28], [4, 32, 0]]],
    ),
    Case(
        "test_multi_input_ablation, a baseline per example",
        "scaled-1",
        named(
            "feature_ablation",
            baseline=given([[3, 0, 0], [3, 0, 2]], [[0, 1, 0], [0, 1, 4]], [[3, 2, 4], [1, 2, 3]]),
        ),
        THREE,
        [[[80, 400, 0], [68, 200, 112]], [[80, 196, 120], [0, 396, -16]], [[-12, 392, 24], [4, 32, 0]]],
    ),
    Case(
        "test_simple_multi_input_conv, one feature each",
        "conv-two",
        named("feature_ablation", feature_mask=given(filled(0, 1, 1, 4, 4), filled(1, 1, 1, 4, 4))),
        [RAMP, ONES],
        [filled(67, 1, 1, 4, 4), filled(13, 1, 1, 4, 4)],
    ),
    Case(
        "test_simple_multi_input_conv",
        "conv-two",
        named("feature_ablation"),
        [RAMP, ONES],
        [
            map_of([0, 2, 4, 3], [4, 9, 10, 7], [4, 13, 14, 11], [0, 0, 0, 0]),
            map_of([1, 2, 2, 1], [1, 2, 2, 1], [1, 2, 2, 1], [0, 0, 0, 0]),
        ],
    ),
    Case(
        "test_feature_permutation.py: test_single_input",
        "multilayer",
        named("feature_permutation"),
        [[[10_000, -3, 2], [10_000, 4, 9]]],
        [[[0, None, None], [0, None, None]]],
    ),
]
OCCLUSION = [
    Case("test_simple_input", "multilayer", named("occlusion", sliding_window_shapes=[1]), [ONE], [[[80, 200, 120]]]),
    Case(
        "test_simple_input_larger_shape",
        "multilayer",
        named("occlusion", sliding_window_shapes=[2], baseline=given([[10, 10, 10]])),
        [ONE],
        [[[200, 220, 240]]],
    ),
    Case(
        "test_simple_input_shape_with_stride",
        "multilayer",
        named("occlusion", sliding_window_shapes=[2], strides=[2]),
        [ONE],
        [[[280, 280, 120]]],
    ),
    Case(
        "test_simple_multi_input",
        "paper-2",
        named("occlusion", sliding_window_shapes=[[1], [1]]),
        [[[-10], [3]], [[-5], [1]]],
        [[[0], [1]], [[0], [-1]]],
    ),
    Case(
        "test_multi_input_ablation_with_mask",
        "scaled-1",
        named("occlusion", sliding_window_shapes=[[3], [1], [2]]),
        THREE,
        [[[492, 492, 492], [400, 400, 400]], [[80, 200, 120], [0, 400, 0]], [[400, 420, 440], [48, 50, 52]]],
    ),
    Case(
        "test_multi_input_ablation_with_baselines",
        "scaled-1",
        named(
            "occlusion",
            sliding_window_shapes=[[3], [1], [2]],
            strides=[[2], [1], [2]],
            baseline=given([[1, 4, 7], [3, 6, 9]], [[3, 3, 3]], [[4, 4, 4], [6, 6, 6]]),
        ),
        THREE,
        [[[444, 444, 444], [328, 328, 328]], [[68, 188, 108], [-12, 388, -12]], [[368, 368, 24], [0, 0, -12]]],
    ),
    Case(
        "test_simple_multi_input_conv",
        "conv-two",
        named("occlusion", sliding_window_shapes=[[1, 2, 3], [1, 1, 2]], strides=[[1, 2, 1], [1, 1, 2]]),
        [RAMP, ONES],
        [
            map_of([17, 17, 17, 17], [17, 17, 17, 17], [64, 65.5, 65.5, 67], [64, 65.5, 65.5, 67]),
            map_of([3, 3, 3, 3], [3, 3, 3, 3], [3, 3, 3, 3], [0, 0, 0, 0]),
        ],
    ),
]
SHAPLEY = [
    Case(
        "test_simple_shapley_sampling",
        "multilayer",
        named("shapley_values"),
        [ONE],
        [[[76.66666, 196.66666, 116.66666]]],
    ),
    Case(
        "test_simple_shapley_sampling_with_mask",
        "multilayer",
        named("shapley_values", feature_mask=PAIR_MASK),
        [ONE],
        [[[275, 275, 115]]],
    ),
    Case(
        "test_simple_shapley_sampling_with_baselines",
        "multilayer",
        named("shapley_value_sampling", feature_mask=PAIR_MASK, baseline=FOUR),
        [ONE],
        [[[248, 248, 104]]],
    ),
    Case(
        "test_multi_sample_shapley_sampling_with_mask",
        "multilayer",
        named("shapley_values", feature_mask=OWN_MASK),
        [TWO],
        [[[39.5, 39.5, 10.5], [275, 275, 115]]],
    ),
    Case(
        "test_multi_input_shapley_sampling_with_mask",
        "scaled-1",
        named("shapley_values", feature_mask=SHARED),
        THREE,
        [
            [[1088.6666, 1088.6666, 1088.6666], [255, 595, 255]],
            [[76.6666, 1088.6666, 156.6666], [255, 595, 0]],
            [[76.6666, 1088.6666, 156.6666], [255, 255, 255]],
        ],
    ),
    Case(
        "test_multi_input_shapley_sampling_with_mask, with baselines",
        "scaled-1",
        named("shapley_value_sampling", feature_mask=SHARED, baseline=TWO_THREE_FOUR),
        THREE,
        [
            [[1040, 1040, 1040], [184, 580, 184]],
            [[52, 1040, 132], [184, 580, -12]],
            [[52, 1040, 132], [184, 184, 184]],
        ],
    ),
    Case(
        "test_linear_kernel_shap",
        "multilayer",
        named("kernel_shap", n_samples=500, baseline=given([[10, 20, 10]])),
        [ONE],
        [[[40, 120, 80]]],
        1.0,
    ),
    Case(
        "test_simple_kernel_shap_with_mask",
        "multilayer",
        named("kernel_shap", feature_mask=PAIR_MASK),
        [ONE],
        [[[275, 275, 115]]],
        1.0,
    ),
    Case(
        "test_simple_kernel_shap_with_baselines",
        "multilayer",
        named("kernel_shap", feature_mask=PAIR_MASK, baseline=FOUR),
        [ONE],
        [[[248, 248, 104]]],
        1.0,
    ),
    Case(
        "test_simple_batch_kernel_shap_with_mask",
        "multilayer",
        named("kernel_shap", n_samples=100, feature_mask=OWN_MASK),
        [TWO],
        [[[39.5, 39.5, 10.5], [275, 275, 115]]],
        1.0,
    ),
]
PERTURBED = [*ABLATION, *OCCLUSION, *SHAPLEY]
