"""Large results in parts: equal to the whole, and honest when they cannot be completed."""

import base64
import io
from collections.abc import Mapping

import httpx
import numpy as np
import orjson
import pytest
import redis
from fastapi.responses import StreamingResponse
from numpy.typing import NDArray

from broker import JobStore
from broker.tuning import FIRST_PART_BYTES, PART_BYTES
from schemas.errors import JobHasNoResult
from service.http.cut import ResponseCut
from service.results.caching import cached_response
from service.results.formats import explanation_json
from service.results.streams import Streamed, streamed_blob
from tests.servers import StoreServer
from tests.service.results.large import store_result

pytestmark = pytest.mark.anyio
NPY = {"Accept": "application/x-npy"}
SAFETENSORS = {"Accept": "application/vnd.safetensors"}


def arrays_of(dtype: str, elements: int = FIRST_PART_BYTES) -> Mapping[str, NDArray[np.generic]]:
    """Two tensors, of which the first ends within a part and the second is large; floats hold NaN and infinity."""
    draw = np.random.default_rng(7)
    first = draw.normal(size=(3, 11)).astype(np.float32)
    large = (100 * draw.normal(size=(1, elements))).astype(dtype)
    if large.dtype.kind == "f":
        large[0, :3] = [np.nan, np.inf, -np.inf]
    return {"a": first, "b": large}


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int64", "bool"])
async def test_parts_are_equal_to_the_whole(
    client: httpx.AsyncClient, store_server: StoreServer, namespace: str, dtype: str
) -> None:
    arrays = arrays_of(dtype, 2 * FIRST_PART_BYTES if dtype == "bool" else FIRST_PART_BYTES)
    job_id, meta, tensors = store_result(store_server.url, namespace, arrays)
    assert len(tensors) > FIRST_PART_BYTES + PART_BYTES
    url = f"/jobs/{job_id}/result"
    assert (await client.get(url)).content == explanation_json(meta, tensors)
    encoded = await client.get(url, params={"encoding": "base64"})
    assert encoded.content == explanation_json(meta, tensors, "base64")
    assert encoded.headers["etag"] != (await client.get(url)).headers["etag"]
    for spec, (name, array) in zip(encoded.json()["attributions"], arrays.items(), strict=True):
        assert (spec["name"], spec["encoding"]) == (name, "base64")
        values = np.frombuffer(base64.b64decode(spec["data"], validate=True), array.dtype)
        np.testing.assert_array_equal(values, array.ravel())  # NaN and infinity, too
    blob = await client.get(url, headers=SAFETENSORS)
    assert blob.content == tensors
    assert int(blob.headers["content-length"]) == len(tensors)
    for name, array in arrays.items():
        answer = await client.get(url, params={"tensor": name}, headers=NPY)
        read = np.load(io.BytesIO(answer.content))
        assert read.dtype == array.dtype
        np.testing.assert_array_equal(read, array)
        assert int(answer.headers["content-length"]) == len(answer.content)
    assert (await client.get(url, params={"tensor": "c"}, headers=NPY)).status_code == 422
    again = await client.get(url, headers={**SAFETENSORS, "If-None-Match": blob.headers["etag"]})
    assert again.status_code == 304


async def test_a_header_longer_than_the_first_part(
    client: httpx.AsyncClient, store_server: StoreServer, namespace: str
) -> None:
    arrays = {f"{number:0200}": np.ones((2,), np.float32) for number in range(5_000)}
    job_id, meta, tensors = store_result(store_server.url, namespace, arrays)
    assert (await client.get(f"/jobs/{job_id}/result")).content == explanation_json(meta, tensors)


@pytest.mark.parametrize(
    "head",
    [
        b"\xff" * 8,
        (4).to_bytes(8, "little") + b"nope",
        (2).to_bytes(8, "little") + b"[]",
        (2).to_bytes(8, "little") + b"{}",
        *(
            len(entry).to_bytes(8, "little") + entry
            for entry in (
                orjson.dumps({"a": {"dtype": dtype, "shape": shape, "data_offsets": offsets}})
                for dtype, shape, offsets in (
                    ("F32", [1 << 40], [0, 1 << 42]),
                    ("F32", [-1], [0, 4]),
                    ("F32", [2], [0, 4]),
                    ("F32", [1], [-4, 0]),
                    ("F7", [1], [0, 4]),
                    ("F32", "1", [0, 4]),
                    ("F32", [1], [0]),
                )
            )
        ),
    ],
)
async def test_a_damaged_blob_is_no_result(
    client: httpx.AsyncClient, store_server: StoreServer, namespace: str, head: bytes
) -> None:
    arrays = {"a": np.ones((1,), np.float32)}
    for padding in (64, 2 * FIRST_PART_BYTES):
        job_id, _, _ = store_result(store_server.url, namespace, arrays, head + bytes(padding))
        for headers in ({}, NPY):
            answer = await client.get(f"/jobs/{job_id}/result", headers=headers)
            assert answer.status_code == JobHasNoResult("").status, answer.text
            assert "unreadable" in answer.text


async def test_a_result_that_expires_meanwhile_is_cut(
    store: JobStore, store_server: StoreServer, namespace: str
) -> None:
    job_id, _, tensors = store_result(store_server.url, namespace, arrays_of("float32"))
    opened = await store.results.open(job_id)

    async def body() -> bytes | Streamed:
        return streamed_blob(opened)

    response = await cached_response('"tag"', None, "application/x-any", "Accept", body)
    assert isinstance(response, StreamingResponse)
    parts = aiter(response.body_iterator)
    received = [await anext(parts)]
    with redis.Redis.from_url(store_server.url) as database:
        database.delete(f"{namespace}:tensors:{job_id}")
    received += [await anext(parts) for _ in range(FIRST_PART_BYTES // PART_BYTES - 1)]
    with pytest.raises(ResponseCut, match="job_not_found"):
        await anext(parts)
    assert b"".join(bytes(part) for part in received if not isinstance(part, str)) == tensors[:FIRST_PART_BYTES]
