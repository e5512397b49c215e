"""Large results, put into a store as a worker would."""

import secrets
from collections.abc import Mapping

import numpy as np
import orjson
import redis
from numpy.typing import NDArray
from safetensors.numpy import save

from schemas.tensors import DATATYPES

Arrays = Mapping[str, NDArray[np.generic]]


def meta_of(job_id: str, arrays: Arrays) -> bytes:
    """As much of a `ResultMeta` as the formats read."""
    specs = [
        {"name": name, "datatype": DATATYPES[str(one.dtype)], "shape": list(one.shape)} for name, one in arrays.items()
    ]
    return orjson.dumps({"id": job_id, "attributions": specs, "words": None, "note": 'a "quoted" text'})


def store_result(url: str, namespace: str, arrays: Arrays, blob: bytes | None = None) -> tuple[str, bytes, bytes]:
    """Store a result of a new job. Its id, meta and tensors; `blob` replaces the tensors."""
    job_id = secrets.token_urlsafe(16)
    meta = meta_of(job_id, arrays)
    tensors = save(dict(arrays)) if blob is None else blob
    with redis.Redis.from_url(url) as database:
        database.set(f"{namespace}:result:{job_id}", meta, ex=600)
        database.set(f"{namespace}:tensors:{job_id}", tensors, ex=600)
    return job_id, meta, tensors
