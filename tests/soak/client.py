"""A client that never gives up: it submits, waits, reads and repeats through whatever happens to the service."""

import asyncio
import hashlib
import random
import time
from datetime import datetime
from typing import Any

import httpx
import orjson

from tests.soak.plan import ACCEPTED, JobPlan, form_parts
from tests.soak.record import JobTrace

TERMINAL = {"succeeded", "failed", "cancelled"}
REFUSED_FOR_NOW = {408, 429, 503}  # 408: a client was late with its bytes, as all of this one process may be
TIMEOUT_S = 20.0  # of one try; longer than any disturbance, and than the wait for a job
SLACK_S = 1.0  # between a client's look at the clock and that of the store
WAIT_S = 15  # that the service is told to wait for the end of a job
FIRST_PAUSE_S, MOST_PAUSE_S = 0.05, 0.5
READ_AGAIN_S = (0.5, 6.0)  # after the first read of a result
SAFETENSORS = ACCEPTED[1]


class GaveUp(Exception):
    """The bound is over. The message says what did not come."""


class Expired(Exception):
    """The job is gone, and its time to live is over: a disturbance kept the client away for too long."""


class Client:
    """One connection pool to each gateway.

    Args:
        bound_s: how long one step may take, through all tries.
        kept_s: how long the service keeps a job after its end.
    """

    def __init__(self, urls: list[str], seed: int, bound_s: float, kept_s: float) -> None:
        self._pools = [httpx.AsyncClient(base_url=url, timeout=TIMEOUT_S, trust_env=False) for url in urls]
        self._chance = random.Random(seed)
        self._bound_s = bound_s
        self._kept_s = kept_s

    async def close(self) -> None:
        for pool in self._pools:
            await pool.aclose()

    async def run(self, plan: JobPlan) -> JobTrace:
        """A job from its submission to its result. Faults are noted in the trace; nothing is raised."""
        trace = JobTrace(plan)
        try:
            await self._submit(trace)
            if plan.cancelled:
                await self._cancel(trace)
            await self._until_ended(trace)
            if trace.status == "succeeded":
                await self._read(trace)
        except Expired:
            trace.expired = True
        except GaveUp as error:
            trace.faults.append(f"{plan.index}: {error}")
        return trace

    async def look_again(self, trace: JobTrace) -> None:
        """Reads job and result once more, some seconds later, and repeats the key: nothing may have changed."""
        if trace.faults or trace.expired:
            return
        await asyncio.sleep(self._chance.uniform(*READ_AGAIN_S))
        try:
            await self._look_again(trace)
        except Expired:
            trace.expired = True
        except GaveUp as error:
            trace.faults.append(f"{trace.plan.index}: {error}")

    async def _submit(self, trace: JobTrace) -> None:
        plan = trace.plan
        response = await self._send(trace, "POST", "/explain", "be accepted", **_content(plan))
        if response.status_code not in {200, 202} and "location" not in response.headers:
            raise GaveUp(f"refused with {response.status_code}: {response.text[:300]}")
        trace.accepted_at_s = time.time()
        trace.job_id = response.headers["location"].rsplit("/", 1)[-1]
        if plan.waiting != "wait_result":
            self._seen(trace, response.json())

    async def _cancel(self, trace: JobTrace) -> None:
        response = await self._send(trace, "DELETE", f"/jobs/{trace.job_id}", "be cancelled")
        if response.status_code != httpx.codes.OK:
            raise GaveUp(f"accepted, but cancelling it gave {response.status_code}")
        self._seen(trace, response.json())
        trace.confirmed_cancel = trace.status == "cancelled"

    async def _until_ended(self, trace: JobTrace) -> None:
        deadline = time.monotonic() + self._bound_s
        pause_s = FIRST_PAUSE_S
        while trace.status not in TERMINAL:
            if time.monotonic() > deadline:
                raise GaveUp(f"accepted, not ended within {self._bound_s:.0f} s: {trace.job}")
            if trace.plan.waiting == "events" and await self._followed(trace):
                continue
            response = await self._send(trace, "GET", f"/jobs/{trace.job_id}", "be found")
            if response.status_code != httpx.codes.OK:
                raise GaveUp(f"LOST: accepted as {trace.job_id}, then {response.status_code}")
            self._seen(trace, response.json())
            if trace.status not in TERMINAL:
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, MOST_PAUSE_S)

    async def _followed(self, trace: JobTrace) -> bool:
        """Reads the job's events to the end of the stream. False when the stream broke."""
        pool = self._chance.choice(self._pools)
        try:
            async with pool.stream("GET", f"/jobs/{trace.job_id}/events") as stream:
                async for line in stream.aiter_lines():
                    document = orjson.loads(line[6:]) if line.startswith("data: {") else {}
                    if document.get("status") in TERMINAL:
                        self._seen(trace, document)
        except httpx.TransportError:
            trace.cuts += 1
        return trace.status in TERMINAL

    async def _read(self, trace: JobTrace) -> None:
        """Reads the tensors for comparison, and the result in the format that the plan names."""
        path = f"/jobs/{trace.job_id}/result"
        tensors = await self._send(trace, "GET", path, "be read", headers={"Accept": SAFETENSORS})
        if tensors.status_code != httpx.codes.OK:
            raise GaveUp(f"LOST: its result is {tensors.status_code}: {tensors.text[:200]}")
        trace.tensors = trace.tensors or tensors.content
        trace.digests.add(hashlib.sha256(tensors.content).hexdigest())
        if trace.plan.accept == SAFETENSORS:
            return
        other = await self._send(trace, "GET", path, "be read", headers={"Accept": trace.plan.accept})
        if other.status_code != httpx.codes.OK:
            raise GaveUp(f"its result as {trace.plan.accept} is {other.status_code}: {other.text[:200]}")
        if other.headers["content-type"].startswith(ACCEPTED[0]):
            trace.meta = orjson.loads(other.content)

    async def _look_again(self, trace: JobTrace) -> None:
        before = trace.status
        response = await self._send(trace, "GET", f"/jobs/{trace.job_id}", "be found")
        if response.status_code != httpx.codes.OK:
            raise GaveUp(f"LOST: {before} as {trace.job_id}, then {response.status_code}")
        self._seen(trace, response.json())
        if trace.status != before:
            trace.faults.append(f"{trace.plan.index}: it was {before} and became {trace.status}")
        if trace.status == "succeeded":
            await self._read(trace)
        if trace.plan.key is not None:
            again = await self._send(trace, "POST", "/explain", "be repeated", **_content(trace.plan))
            if self._is_over(trace):  # the key may have been forgotten with the job: the repeat is a new job
                raise Expired
            if again.status_code not in {200, 202}:
                raise GaveUp(f"its repeat gave {again.status_code}: {again.text[:200]}")
            trace.repeated_ids.add(again.headers["location"].rsplit("/", 1)[-1])

    def _is_over(self, trace: JobTrace) -> bool:
        """Whether the job may have expired: a job whose end was not seen may have ended when it was accepted."""
        began_s = trace.ended_at_s or trace.accepted_at_s
        return began_s is not None and time.time() > began_s + self._kept_s - SLACK_S

    def _seen(self, trace: JobTrace, document: dict[str, Any]) -> None:
        trace.job = document
        if trace.status in TERMINAL and trace.ended_at_s is None:
            # Results are kept from the end itself, which a client may learn seconds later, while the store is stopped.
            trace.ended_at_s = datetime.fromisoformat(document["finished_at"]).timestamp()

    async def _send(self, trace: JobTrace, verb: str, path: str, wish: str, **content: Any) -> httpx.Response:
        """The first answer that is no refusal for now, from whichever gateway gives it."""
        deadline = time.monotonic() + self._bound_s
        pause_s = FIRST_PAUSE_S
        while time.monotonic() < deadline:
            try:
                response = await self._chance.choice(self._pools).request(verb, path, **content)
            except httpx.TransportError:
                trace.cuts += 1
            else:
                if response.status_code == httpx.codes.NOT_FOUND and self._is_over(trace):
                    raise Expired
                if response.status_code not in REFUSED_FOR_NOW:
                    if response.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
                        said = f"{verb} {path}: {response.status_code} {response.text[:200]}"
                        trace.faults.append(f"{trace.plan.index}: {said}")
                    return response
                trace.refusals[response.status_code] = trace.refusals.get(response.status_code, 0) + 1
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, MOST_PAUSE_S)
        raise GaveUp(f"it did not {wish} within {self._bound_s:.0f} s")


def _content(plan: JobPlan) -> dict[str, Any]:
    """The request's query, headers and body."""
    headers = dict(plan.headers)
    if plan.key is not None:
        headers["Idempotency-Key"] = plan.key
    if plan.computed_anew:
        headers["Cache-Control"] = "no-store"
    params: dict[str, str] = {}
    if plan.waiting.startswith("wait"):
        params["wait"] = str(WAIT_S)
    if plan.waiting == "wait_result":
        params["answer"] = "result"
        headers["Accept"] = plan.accept
    if plan.form:
        return {"params": params, "headers": headers, "files": form_parts(plan.body)}
    return {"params": params, "headers": headers, "json": plan.body}
