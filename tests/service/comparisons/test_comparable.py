"""What of a result lies over its input, and that its size is bounded whatever was stored."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import save

from schemas.errors import JobHasNoResult
from schemas.pictures import Picture
from schemas.results import FeatureScore, ModelRef, Provenance, ResultMeta, TextScore, Timing
from schemas.tensors import DATATYPES, TensorSpec
from service.comparisons.comparable import at_size, comparable
from service.tuning import MAX_COMPARED_ELEMENTS, MAX_COMPARED_SIDE

WHOLE = Picture(crop=[0, 0, 4, 4], width=4, height=4)


def meta(*arrays: NDArray[Any], **more: Any) -> ResultMeta:
    return ResultMeta(
        id="x",
        model=ModelRef(name="net", version="1", digest=""),
        method={"name": "saliency"},
        target=None,
        predictions=[],
        attributions=[
            TensorSpec(name=f"input.{index}", datatype=DATATYPES[str(array.dtype)], shape=list(array.shape))
            for index, array in enumerate(arrays)
        ],
        timing=Timing(queued_ms=0, prepare_ms=0, run_ms=0, rows=1, passes=1),
        provenance=Provenance(service="0", captum="0", torch="0", device="cpu", dtype="float32", seed=0),
        **more,
    )


def stored(*arrays: NDArray[Any]) -> bytes:
    return save({f"input.{index}": array for index, array in enumerate(arrays)})


def test_channels_are_summed_before_anything_else() -> None:
    array = np.zeros((1, 2, 2, 2), np.float32)
    array[0, :, 0, 0] = 3, -3
    array[0, :, 1, 1] = 1, 2
    found = comparable(meta(array, picture=WHOLE), stored(array))
    assert found is not None
    assert found.values.tolist() == [[[0, 0], [0, 1]]], "in parts of the largest element"


def test_parts_of_a_picture_that_differ_are_no_one_input() -> None:
    array = np.ones((1, 1, 2, 2), np.float32)
    other = WHOLE.model_copy(update={"crop": [1.0, 0.0, 4.0, 4.0]})
    kinds = [comparable(meta(array, picture=part), stored(array)) for part in (WHOLE, other, None)]
    assert len({found.input_kind for found in kinds if found}) == 3


@pytest.mark.parametrize("examples", [1, 3, 64])
@pytest.mark.parametrize("side", [(1, 1), (7, 7), (700, 3), (300, 300)])
def test_maps_are_bounded(examples: int, side: tuple[int, int]) -> None:
    array = np.random.default_rng(0).normal(size=(examples, 1, *side)).astype(np.float32)
    found = comparable(meta(array), stored(array))
    assert found is not None
    assert found.values.size <= MAX_COMPARED_ELEMENTS
    assert max(found.values.shape[1:]) <= MAX_COMPARED_SIDE
    assert at_size(found.values, (8, 9)).shape == (examples, 72)


@pytest.mark.parametrize("value", [1e38, 1e-40, 0.0])
def test_extreme_values(value: float) -> None:
    array = np.full((1, 3, 300, 2), value, np.float32)
    found = comparable(meta(array), stored(array))
    assert found is not None
    assert np.isfinite(found.values).all()


@pytest.mark.parametrize(
    ("arrays", "more"),
    [
        ([np.ones((1, 5), np.float32)], {"layer": "hidden"}),
        ([np.ones((1, 5), np.float32)] * 2, {}),
        ([np.ones(5, np.float32)], {}),
        ([np.ones((1, 0), np.float32)], {}),
        ([np.ones((1, 0, 2, 2), np.float32)], {}),
        ([np.ones((1, MAX_COMPARED_ELEMENTS + 1), np.float32)], {}),
        ([np.ones((1, 2), np.float32)], {"words": [[]]}),
        ([np.ones((2, 2), np.float32)], {"features": [[FeatureScore(name="a", value=1, score=1)], []]}),
    ],
)
def test_what_does_not_lie_over_the_input(arrays: list[NDArray[Any]], more: dict[str, Any]) -> None:
    assert comparable(meta(*arrays, **more), stored(*arrays)) is None


def test_words_count_by_their_places() -> None:
    array = np.ones((1, 2), np.float32)
    rows = [[TextScore(text="a", start=start, end=start + 1, score=2.0)] for start in (0, 1)]
    first, second = (comparable(meta(array, words=[row]), stored(array)) for row in rows)
    assert first is not None
    assert second is not None
    assert first.values.tolist() == [[2.0]]
    assert first.input_kind != second.input_kind


def test_a_damaged_result() -> None:
    with pytest.raises(JobHasNoResult):
        comparable(meta(np.ones((1, 1, 2, 2), np.float32)), b"\x00")
