"""Attacks by JSON bodies that are quickly parsed and slowly refused."""

import time
from typing import Any

import pytest

from schemas.errors import InvalidRequest, MalformedBody
from service.tuning import LONG_CONTAINER_LENGTH, MAX_JSON_CONTAINERS, MAX_NAMED_ERRORS
from service.validation.document.body import parse_json, read_request

HANG_S = 30.0  # each took minutes, and takes about a second
KEYS = b",".join(b'"%d":1' % number for number in range(1_300_000))
UNKNOWN = {str(number): 1 for number in range(LONG_CONTAINER_LENGTH - 1)}


@pytest.mark.parametrize("around", [b"{%b}", b'{"method":{%b}}', b'{"quality":[{%b}]}', b'{"input":{"tensor":{%b}}}'])
def test_an_object_of_a_million_fields(around: bytes) -> None:
    began = time.monotonic()
    with pytest.raises(InvalidRequest, match=f"fewer than {LONG_CONTAINER_LENGTH} fields"):
        read_request(parse_json(around % KEYS))
    assert time.monotonic() - began < HANG_S


@pytest.mark.parametrize(
    "document",
    [
        UNKNOWN,
        {"model": "m", "input": {"text": "a"}, "quality": [{"name": "infidelity", **UNKNOWN}] * 49},
        {"model": "m", "input": {"tensors": [UNKNOWN] * 49}},
        {"model": "m", "input": {"features": [dict.fromkeys(UNKNOWN, "x")] * 49}},
        {"model": "m", "input": {"features": {f"{number:0201}": 1 for number in range(50_000)}}},
    ],
    ids=["fields", "metrics", "tensors", "rows", "long names"],
)
def test_many_errors_are_not_all_described(document: dict[str, Any]) -> None:
    began = time.monotonic()
    with pytest.raises(InvalidRequest) as refused:
        read_request(document)
    assert time.monotonic() - began < HANG_S
    assert refused.value.errors is not None
    assert 1 <= len(refused.value.errors) <= MAX_NAMED_ERRORS


@pytest.mark.parametrize("unit", [b"[],", b"{},"])
def test_millions_of_arrays_are_not_parsed(unit: bytes) -> None:
    with pytest.raises(MalformedBody, match="more than 500000 arrays and objects"):
        parse_json(b"[" + unit * MAX_JSON_CONTAINERS + b"1]")


def test_nested_data_of_a_usual_tensor_passes() -> None:
    nested = [[[0.5] * 64] * 64] * 64
    assert parse_json(str(nested).encode()) == nested
