"""Tensors of a request as arrays."""

from typing import Any

import numpy as np
import pytest

from schemas.errors import InvalidRequest
from schemas.models import InputCard
from schemas.tensors import Datatype, Tensor
from service.validation.tensors import check_ids, check_shape, tensor_array


def tensor(data: list[Any], datatype: Datatype = "FP32") -> Tensor:
    return Tensor(datatype=datatype, shape=[1, len(data)], data=data)


def test_values_are_converted_to_the_models_datatype() -> None:
    array = tensor_array(tensor([1, 2, 3]), "INT64", ["t"])
    assert (array.dtype, array.shape) == (np.dtype("int64"), (1, 3))
    assert tensor_array(tensor([0.1]), "FP16", ["t"])[0, 0] == np.float16(0.1)


@pytest.mark.parametrize(
    ("given", "datatype", "message"),
    [
        (tensor([0, 0.5]), "INT32", r"t\.data\.1: INT32 needs whole numbers"),
        (tensor([300], "UINT8"), "FP32", r"t\.data\.0: out of range for UINT8, 0 to 255"),
        (tensor([0, 1e6]), "FP16", r"t\.data\.1: too large for FP16"),
        (tensor([2], "BOOL"), "FP32", "out of range for BOOL, 0 to 1"),
        (tensor([2.0**60], "INT64"), "INT64", "out of range"),
    ],
)
def test_values_that_do_not_fit(given: Tensor, datatype: Datatype, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        tensor_array(given, datatype, ["t"])


def test_shapes() -> None:
    check_shape([2, 3, 4], [3, 4], range(1, 5), ["t"])
    with pytest.raises(InvalidRequest, match=r"t\.shape: the model takes \(n, 3, 4\), not this shape"):
        check_shape([2, 3], [3, 4], (1, 2), ["t"])
    with pytest.raises(InvalidRequest, match=r"t\.shape\.0: 3 rows; allowed here: 1 or 2"):
        check_shape([3, 3], [3], (1, 2), ["t"])
    with pytest.raises(InvalidRequest, match="allowed here: 1 to 4"):
        check_shape([9, 3], [3], range(1, 5), ["t"])


def test_ids() -> None:
    card = InputCard(kind="tensor", shapes=[[3]], datatype="INT64", vocabularies=[20])
    check_ids(np.array([[0, 19, 5]]), 0, card, ["t"])
    for wrong in (20, -1):
        with pytest.raises(InvalidRequest, match=r"t\.data\.1: the model's ids run from 0 to 19"):
            check_ids(np.array([[0, wrong, 5]]), 0, card, ["t"])
