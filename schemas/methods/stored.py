"""A method's parameters as the job store keeps them, and as jobs and results show them."""

from collections.abc import Callable
from typing import Any

from pydantic import TypeAdapter

from schemas.base import Strict
from schemas.methods.union import AnyMethod, Method
from schemas.tensors import GivenTensors, Tensor, TensorValue

_ADAPTER: TypeAdapter[AnyMethod] = TypeAdapter(Method)


def stored_fields(method: AnyMethod) -> dict[str, Any]:
    """The parameters as the job store keeps them: all of them, without the values of tensors."""
    return _fields(method, lambda tensor: {**tensor.model_dump(exclude={"data"}), "data": []})


def stored_method(fields: dict[str, Any]) -> AnyMethod:
    """The method of `stored_fields`; tensor values are stored apart (see `schemas.tensors.Tensor`).

    Parameters that this version does not know are ignored: a gateway of a later version may have stored them.

    Raises:
        ValidationError: the fields are no method that this version knows.
    """
    return _ADAPTER.validate_python(fields, context={"stored": True}, extra="ignore")


def echo(method: AnyMethod) -> dict[str, Any]:
    """The parameters as jobs and results show them: a tensor by its type and shape, without its values."""
    return _fields(method, lambda tensor: {"datatype": tensor.datatype, "shape": tensor.shape})


def _fields(method: AnyMethod, tensor_fields: Callable[[Tensor], dict[str, Any]]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for key, value in method:
        if isinstance(value, GivenTensors):
            fields[key] = _tensors(value, tensor_fields)
        else:
            fields[key] = value.model_dump() if isinstance(value, Strict) else value
    return fields


def _tensors(value: GivenTensors, tensor_fields: Callable[[Tensor], dict[str, Any]]) -> dict[str, Any]:
    if isinstance(value, TensorValue):
        return {"tensor": tensor_fields(value.tensor)}
    return {"tensors": [tensor_fields(one) if isinstance(one, Tensor) else one for one in value.each]}
