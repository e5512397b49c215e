"""Ids of jobs as clients send them."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.exceptions import ResponseError

from schemas.errors import JobNotFound
from schemas.sentences import Sentence

JOB_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def checked_job_id(job_id: str) -> str:
    """The id. Raises `JobNotFound` for a text that is no id of any job, so that it never becomes part of a key."""
    if not JOB_ID.fullmatch(job_id):
        raise JobNotFound("no such job")
    return job_id


@asynccontextmanager
async def missing_if_damaged(job_id: str) -> AsyncIterator[None]:
    """Raises `JobNotFound` where the key of a job holds something else, until a worker mends it."""
    try:
        yield
    except ResponseError as error:
        if "WRONGTYPE" not in str(error):
            raise
        raise JobNotFound(Sentence("no job {job_id}", job_id=job_id)) from error
