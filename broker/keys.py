"""The names of everything the broker keeps in Redis. No other file knows one.

    {ns}:job:{id}           hash     one job, see `records.job_from_fields`; TTL once terminal
    {ns}:payload:{id}       string   its input, a safetensors blob; TTL once terminal
    {ns}:result:{id}        string   its result's meta (JSON); TTL
    {ns}:tensors:{id}       string   its result's numbers, a safetensors blob; TTL
    {ns}:handed:{id}:{token}   string   such a blob on its way from the worker; TTL
    {ns}:content:{sha256}   string   the job that computes, or has computed, what has this digest; TTL
    {ns}:followers:{id}     set      jobs that wait for this one's result instead of computing it again
    {ns}:queue:{model@version}:{priority}   stream   jobs that wait or run, entry `job` = id; one consumer group
    {ns}:queues             set      every model@version that ever had a job
    {ns}:pace:{model@version}   hash   how fast jobs end, for Retry-After; TTL
    {ns}:index              zset     all jobs by submission, microseconds, unique
    {ns}:expiry             zset     terminal jobs by the time they expire, to trim the index
    {ns}:idempotency:{sha256 of the key}    hash     `fingerprint`, `job`; TTL
    {ns}:worker:{id}, {ns}:workers          string, zset by expiry   registry of workers; TTL
    {ns}:card:{status model@version}, {ns}:cards   string, zset by expiry   registry of models; TTL
    {ns}:unloaded           set      model@version that the operator has taken out of service
    {ns}:orders             stream   what the operator ordered about models: `action`, `model`, `version`; TTL
    {ns}:events:{id}        channel  the job's hash after each change
    {ns}:inbox:{gateway}    channel  a job that has ended and is waited for there, see `records.ended_job`
    {ns}:cancelled          channel  ids of cancelled jobs, for workers

The Lua scripts build names from job ids they find in streams, so they are handed these names as data instead of
declaring KEYS. Redis Cluster, which needs declared keys in one slot, is therefore out of scope.
"""

import hashlib
import secrets
from typing import get_args

import orjson

from schemas.model_key import ModelKey
from schemas.requests import Priority

PRIORITIES: tuple[Priority, ...] = get_args(Priority)  # first served first


def new_job_id() -> str:
    """128 random bits, urlsafe: nobody guesses another client's job."""
    return secrets.token_urlsafe(16)


def new_inbox() -> str:
    """A name that no other process takes."""
    return secrets.token_urlsafe(12)


class Keys:
    """Key names under one namespace; deployments that share a Redis use different ones."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace
        self.index = f"{namespace}:index"
        self.queues = f"{namespace}:queues"
        self.workers = f"{namespace}:workers"
        self.cards = f"{namespace}:cards"
        self.cancelled = f"{namespace}:cancelled"
        self.unloaded = f"{namespace}:unloaded"
        self.orders = f"{namespace}:orders"
        prefixes = (
            *("job", "payload", "result", "tensors", "handed", "content"),
            *("followers", "pace", "worker", "card", "events", "inbox"),
        )
        plain = ("index", "expiry", "queues", "workers", "cards", "cancelled", "unloaded", "orders")
        names = {prefix: f"{namespace}:{prefix}:" for prefix in prefixes} | {
            name: f"{namespace}:{name}" for name in plain
        }
        self.for_scripts = orjson.dumps(names)  # first argument of every script

    def job(self, job_id: str) -> str:
        return f"{self._namespace}:job:{job_id}"

    def payload(self, job_id: str) -> str:
        return f"{self._namespace}:payload:{job_id}"

    def result(self, job_id: str) -> str:
        return f"{self._namespace}:result:{job_id}"

    def tensors(self, job_id: str) -> str:
        return f"{self._namespace}:tensors:{job_id}"

    def handed(self, job_id: str, token: str) -> str:
        return f"{self._namespace}:handed:{job_id}:{token}"

    def events(self, job_id: str) -> str:
        return f"{self._namespace}:events:{job_id}"

    def inbox(self, gateway: str) -> str:
        return f"{self._namespace}:inbox:{gateway}"

    def worker(self, worker_id: str) -> str:
        return f"{self._namespace}:worker:{worker_id}"

    def card(self, member: str) -> str:
        """`member` as listed in `cards`: status, space, "model@version"."""
        return f"{self._namespace}:card:{member}"

    def stream(self, queue: ModelKey, priority: Priority) -> str:
        return f"{self._namespace}:queue:{queue}:{priority}"

    def streams(self, queue: ModelKey) -> list[str]:
        """Every stream of a queue, in order of priority."""
        return [self.stream(queue, priority) for priority in PRIORITIES]

    def idempotency(self, key: str) -> str:
        """Hashed, since the key is the client's and may be long."""
        return f"{self._namespace}:idempotency:{hashlib.sha256(key.encode()).hexdigest()}"
