"""Tensors on the wire: shapes, numbers of elements, and values that are stored elsewhere."""

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from schemas.limits import MAX_TENSOR_ELEMENTS
from schemas.tensors import DATATYPES, NUMPY_DTYPES, InputBaselines, Tensor, TensorValue, TensorValues


def test_flat_and_nested_data_are_equal() -> None:
    flat = Tensor(shape=[2, 2], data=[1, 2, 3, 4])
    nested = Tensor.model_validate({"shape": [2, 2], "data": [[1, 2], [3, 4]]})
    assert flat == nested
    assert (flat.name, flat.datatype) == ("input", "FP32")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"shape": [2], "data": [1]}, r"shape \[2\] needs 2 numbers, data holds 1"),
        ({"shape": [MAX_TENSOR_ELEMENTS, 2], "data": [1]}, "at most"),
        ({"shape": [0], "data": []}, "greater than or equal to 1"),
        ({"shape": [], "data": []}, "at least 1 item"),
        ({"shape": [1], "data": [float("nan")]}, "finite"),
        ({"shape": [1], "data": [1], "datatype": "FP8"}, "FP16"),
        ({"shape": [1], "data": [1], "values": [1]}, "not permitted"),
    ],
)
def test_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Tensor.model_validate(fields)


def test_a_stored_tensor_may_have_no_data() -> None:
    fields = {"shape": [2, 3], "data": []}
    assert Tensor.model_validate(fields, context={"stored": True}).data == []
    with pytest.raises(ValidationError, match="needs 6 numbers"):
        Tensor.model_validate(fields)


def test_each_tensor_of_a_parameter() -> None:
    one = Tensor(shape=[1], data=[1])
    assert TensorValue(tensor=one).each == [one]
    assert TensorValues(tensors=[one, one]).each == [one, one]
    assert InputBaselines(tensors=[one, "zero"]).each == [one, "zero"]


def test_datatypes_and_dtypes_are_inverse() -> None:
    assert {DATATYPES[dtype]: dtype for dtype in DATATYPES} == NUMPY_DTYPES
    assert all(np.dtype(dtype).name == dtype for dtype in DATATYPES)
