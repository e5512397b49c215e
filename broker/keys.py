"""The names of everything the broker keeps in Redis. No other file spells one.

    {ns}:job:{id}           hash     one job, see `job_hash`; TTL once terminal
    {ns}:payload:{id}       string   its input, a safetensors blob; TTL once terminal
    {ns}:result:{id}        string   its result without tensors (JSON); TTL
    {ns}:tensors:{id}       string   the tensors of its result, a safetensors blob; TTL
    {ns}:handed:{id}:{token}   string   such a blob before the job ends; TTL
    {ns}:content:{sha256}   string   the job that computes, or has computed, the content with this digest; TTL
    {ns}:comparison:{id}    hash     a comparison: `owner`, `created_ms`, `cells` and `agreement` (JSON), `open`: its
                                     jobs that have not ended; TTL, that of the last of them once all have ended
    {ns}:followers:{id}     set      jobs that wait for this one's result instead of computing it again
    {ns}:queue:{model@version}:{priority}   stream   jobs that wait or run, entry `job` = id; one consumer group
    {ns}:waiting:{stream}:{owner}   zset     the entries that an owner has waiting, by age
    {ns}:turns:{stream}, {ns}:tags:{stream}   zset, hash with TTL   whose turn it is, see `lua/includes/turns.lua`
    {ns}:queues             set      every model@version that ever had a job
    {ns}:pace:{model@version}   hash   how fast jobs end, for Retry-After; and `rows group` and `busy_ms group`, how
                                     fast one worker of a group is; TTL
    {ns}:index, {ns}:index:{owner}   zset   the jobs of nobody and of an owner by submission, microseconds, unique
    {ns}:listed:{status} {model@version}, {ns}:listed:{status} {model@version} {owner}   zset   jobs as in such an
                                     index: of a status, of a model, or of both
    {ns}:expiry             zset     terminal jobs (id, owner) by the time they expire, to trim the indexes
    {ns}:held               hash     what each job holds of the queue and the store, see `lua/includes/held.lua`
    {ns}:held_rows          hash     the rows that each job is expected to take, while it waits or runs
    {ns}:load               hash     sums of what all jobs hold, by measure and model
    {ns}:measured:{model@version}   hash   counters for operators by series, see `schemas.telemetry`; TTL
    {ns}:monitors           hash     monitors, the generation of each by `owner/name`
    {ns}:monitor:{generation}   hash   one monitor, see `broker.monitor_hash`; TTL
    {ns}:monitor_raw:{generation}   list   the explanations of a reference that is not complete; TTL
    {ns}:monitor_part:{generation}:{n}   string   counters of 64 bits of the n-th part of its windows; TTL
    {ns}:monitor_words:{generation}:{n}   zset   new words of that part, by weight; TTL
    {ns}:monitor_lock:{generation}   string   the worker that makes a reference of jobs; TTL
    {ns}:stored             zset     results, as `id bytes`, by the time they expire
    {ns}:idempotency:{sha256 of owner and key}    hash     `fingerprint`, `job` or `comparison`; TTL, that of the job
                                     once it has ended
    {ns}:rate:{owner}       string   when an API key has its whole allowance of a minute again, milliseconds; TTL
    {ns}:queued_rows        hash     by owner, the rows of its jobs that have not ended
    {ns}:worker:{id}, {ns}:workers          string, zset by expiry   registry of workers; TTL
    {ns}:card:{status model@version}, {ns}:cards   string, zset by expiry   registry of models; TTL
    {ns}:servers:{status model@version}   zset   the live workers that take jobs by this card, by expiry; TTL
    {ns}:groups             zset by expiry   groups of workers, and `group model@version` of what they hold; TTL
    {ns}:claimers:{model@version}   hash   the workers that look for jobs, see `lua/includes/claimers.lua`; TTL
    {ns}:answers            hash     when the store answered workers last, and since when without a pause; TTL
    {ns}:unloaded           set      model@version that an admin command has unloaded
    {ns}:commands           stream   admin commands: `action`, `model`, `version`; TTL
    {ns}:events:{id}        channel  the job's hash after each change
    {ns}:inbox:{gateway}    channel  the end of a job for which a client of that gateway waits, see `job_hash.ended_job`
    {ns}:cancelled          channel  ids of cancelled jobs, for workers

Scripts declare the keys that their caller names. They build the names of others from the job ids that they find, so
Redis Cluster, which needs all keys declared and in one slot, is out of scope.
"""

import hashlib
import secrets
from typing import get_args

from schemas.model_key import ModelKey
from schemas.requests import Priority

PRIORITIES: tuple[Priority, ...] = get_args(Priority)  # first served first
JOB_ID_CHARS = 22  # of a new id, before the ending that one of several stores gives it


def new_job_id() -> str:
    """128 random bits, urlsafe: nobody guesses another client's job. `JOB_ID_CHARS` characters."""
    return secrets.token_urlsafe(16)


def new_inbox() -> str:
    """A name that no other process takes."""
    return secrets.token_urlsafe(12)


class Keys:
    """Key names under one namespace; deployments that share a Redis use different ones."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace
        self.index = f"{namespace}:index"
        self.expiry = f"{namespace}:expiry"
        self.queued_rows = f"{namespace}:queued_rows"
        self.queues = f"{namespace}:queues"
        self.workers = f"{namespace}:workers"
        self.cards = f"{namespace}:cards"
        self.groups = f"{namespace}:groups"
        self.cancelled = f"{namespace}:cancelled"
        self.unloaded = f"{namespace}:unloaded"
        self.commands = f"{namespace}:commands"
        self.answers = f"{namespace}:answers"
        self.held = f"{namespace}:held"
        self.held_rows = f"{namespace}:held_rows"
        self.load = f"{namespace}:load"
        self.stored = f"{namespace}:stored"
        self.monitors = f"{namespace}:monitors"

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

    def content(self, digest: str) -> str:
        return f"{self._namespace}:content:{digest}"

    def comparison(self, comparison_id: str) -> str:
        return f"{self._namespace}:comparison:{comparison_id}"

    def followers(self, job_id: str) -> str:
        return f"{self._namespace}:followers:{job_id}"

    def listed(self, status_and_model: str) -> str:
        """Status, space, "model@version"; either may be empty."""
        return f"{self._namespace}:listed:{status_and_model}"

    def pace(self, model: str) -> str:
        return f"{self._namespace}:pace:{model}"

    def claimers(self, model: str) -> str:
        return f"{self._namespace}:claimers:{model}"

    def measured(self, model: str) -> str:
        return f"{self._namespace}:measured:{model}"

    def events(self, job_id: str) -> str:
        return f"{self._namespace}:events:{job_id}"

    def inbox(self, gateway: str) -> str:
        return f"{self._namespace}:inbox:{gateway}"

    def worker(self, worker_id: str) -> str:
        return f"{self._namespace}:worker:{worker_id}"

    def servers(self, member: str) -> str:
        """`member` as for `card`."""
        return f"{self._namespace}:servers:{member}"

    def card(self, member: str) -> str:
        """`member` as listed in `cards`: status, space, "model@version"."""
        return f"{self._namespace}:card:{member}"

    def stream(self, model: ModelKey, priority: Priority) -> str:
        return f"{self._namespace}:queue:{model}:{priority}"

    def streams(self, model: ModelKey) -> list[str]:
        """Every stream of a model, in order of priority."""
        return [self.stream(model, priority) for priority in PRIORITIES]

    def idempotency(self, key: str, owner: str = "") -> str:
        """Hashed, since the key is the client's and may be long. Two owners may use the same one."""
        digest = hashlib.sha256(f"{owner}\n{key}".encode()).hexdigest()
        return f"{self._namespace}:idempotency:{digest}"

    def index_of(self, owner: str) -> str:
        """The jobs of an owner by submission."""
        return f"{self.index}:{owner}" if owner else self.index

    def rate(self, owner: str) -> str:
        return f"{self._namespace}:rate:{owner}"

    def monitor(self, generation: str) -> str:
        """`generation` is another one after each change of the monitor, so that nothing late is counted."""
        return f"{self._namespace}:monitor:{generation}"

    def monitor_raw(self, generation: str) -> str:
        return f"{self._namespace}:monitor_raw:{generation}"

    def monitor_lock(self, generation: str) -> str:
        return f"{self._namespace}:monitor_lock:{generation}"

    def monitor_part(self, generation: str, part: int) -> str:
        return f"{self._namespace}:monitor_part:{generation}:{part}"

    def monitor_words(self, generation: str, part: int) -> str:
        return f"{self._namespace}:monitor_words:{generation}:{part}"

    def for_scripts(self) -> dict[str, str]:
        """What scripts need to name the keys of jobs that they find: prefixes of keys, and names of whole ones."""
        prefixes = {
            "job": self.job(""),
            "payload": self.payload(""),
            "result": self.result(""),
            "tensors": self.tensors(""),
            "comparison": self.comparison(""),
            "content": self.content(""),
            "followers": self.followers(""),
            "pace": self.pace(""),
            "measured": self.measured(""),
            "rate": self.rate(""),
            "monitor": self.monitor(""),
            "monitor_raw": self.monitor_raw(""),
            "monitor_lock": self.monitor_lock(""),
            "monitor_part": f"{self._namespace}:monitor_part:",
            "monitor_words": f"{self._namespace}:monitor_words:",
            "waiting": f"{self._namespace}:waiting:",
            "turns": f"{self._namespace}:turns:",
            "claimers": self.claimers(""),
            "tags": f"{self._namespace}:tags:",
            "listed": self.listed(""),
            "card": self.card(""),
            "servers": self.servers(""),
            "events": self.events(""),
            "inbox": self.inbox(""),
        }
        whole = {
            "index": self.index,
            "expiry": self.expiry,
            "workers": self.workers,
            "answers": self.answers,
            "held": self.held,
            "held_rows": self.held_rows,
            "load": self.load,
            "stored": self.stored,
            "queued_rows": self.queued_rows,
        }
        return prefixes | whole
