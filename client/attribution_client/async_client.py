"""The client for event loops."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, Literal, TypeVar, overload

import httpx

from attribution_client.comparison import AsyncComparisonResult
from attribution_client.connection import Connection
from attribution_client.core.comparing import CompareRequest, compare
from attribution_client.core.explaining import Request, Submission, explain, submit
from attribution_client.core.following import cancel_job, get_job
from attribution_client.core.listing import list_jobs, list_methods
from attribution_client.core.models import Cards, command, list_models
from attribution_client.core.sending import USUAL_RETRIES, Retries
from attribution_client.core.steps import Flow
from attribution_client.core.waiting import wait
from attribution_client.display.words import language_of
from attribution_client.drivers.on_loop import LoopDriver
from attribution_client.errors import AttributionError
from attribution_client.inputs.many import each_input
from attribution_client.mapping import OnError, map_on_loop
from attribution_client.progress import Progress, counting, reporting
from attribution_client.result import AsyncResult
from attribution_client.wire.answers import AdminCommandStatus, Job, MethodCatalogue, ModelCard
from attribution_client.wire.requests import Method, Metric, Target

T = TypeVar("T")


class AsyncClient:
    """`Client` for event loops of asyncio: the same methods, to be awaited; `map` is an asynchronous iterator.

        async with AsyncClient() as service:
            result = await service.explain("cat.jpg", model="efficientnet-lite0")
            picture = await result.overlay()

    Arguments as of `Client`.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        key: str | None = None,
        language: str | None = None,
        retries: Retries = USUAL_RETRIES,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        connection = Connection.of(url, key, language)
        self.url = connection.url
        self.retries = retries
        self._driver = LoopDriver(connection, transport)
        self._cards = Cards()
        self.language = language_of(connection.headers.get("Accept-Language", ""))

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the connections."""
        await self._driver.close()

    async def explain(
        self,
        given: Any,
        *,
        model: str | None = None,
        version: str | None = None,
        method: Method | None = None,
        target: Target | None = None,
        quality: Sequence[Metric] | None = None,
        seed: int | None = None,
        priority: str | None = None,
        cache: str | None = None,
        timeout_s: float | None = None,
        progress: Progress = None,
        **parameters: Any,
    ) -> AsyncResult:
        """As `Client.explain`."""
        request = Request(given, model, version, method, parameters, target, quality, seed, priority, cache)
        with reporting(progress) as on_job:
            fetched = await self._run(explain(request, self._cards, self.retries, on_job, timeout_s))
        return AsyncResult(self._driver, self.retries, fetched, self.language)

    async def submit(
        self,
        given: Any,
        *,
        model: str | None = None,
        version: str | None = None,
        method: Method | None = None,
        target: Target | None = None,
        quality: Sequence[Metric] | None = None,
        seed: int | None = None,
        priority: str | None = None,
        cache: str | None = None,
        **parameters: Any,
    ) -> Submission:
        """As `Client.submit`."""
        request = Request(given, model, version, method, parameters, target, quality, seed, priority, cache)
        return await self._run(submit(request, self._cards, self.retries))

    async def wait(
        self, job: Submission | Job | str, *, timeout_s: float | None = None, progress: Progress = None
    ) -> AsyncResult:
        """As `Client.wait`."""
        with reporting(progress) as on_job:
            fetched = await self._run(wait(job, self.retries, on_job, timeout_s))
        return AsyncResult(self._driver, self.retries, fetched, self.language)

    @overload
    def map(
        self,
        inputs: Any,
        *,
        concurrency: int = ...,
        on_error: Literal["raise"] = ...,
        progress: Progress = ...,
        **options: Any,
    ) -> AsyncIterator[AsyncResult]: ...

    @overload
    def map(
        self,
        inputs: Any,
        *,
        concurrency: int = ...,
        on_error: Literal["return"],
        progress: Progress = ...,
        **options: Any,
    ) -> AsyncIterator[AsyncResult | AttributionError]: ...

    async def map(
        self,
        inputs: Any,
        *,
        concurrency: int = 8,
        on_error: OnError = "raise",
        progress: Progress = None,
        **options: Any,
    ) -> AsyncIterator[AsyncResult | AttributionError]:
        """As `Client.map`."""
        each, total = each_input(inputs)
        options = {"priority": "batch", **options, "progress": False}
        with counting(progress, total) as count:
            async for result in map_on_loop(lambda one: self.explain(one, **options), each, concurrency, on_error):
                count()
                yield result

    async def compare(
        self,
        given: Any,
        *,
        models: Sequence[str] | None = None,
        methods: Sequence[Method] | None = None,
        targets: Sequence[Target | None] | None = None,
        seed: int | None = None,
        priority: str | None = None,
        timeout_s: float | None = None,
        progress: Progress = None,
    ) -> AsyncComparisonResult:
        """As `Client.compare`."""
        request = CompareRequest(given, models, methods, targets, seed, priority)
        with reporting(progress) as on_change:
            compared = await self._run(compare(request, self._cards, self.retries, on_change, timeout_s))
        return AsyncComparisonResult(self._driver, self.retries, compared, self.language)

    async def job(self, job_id: str) -> Job:
        """As `Client.job`."""
        return await self._run(get_job(job_id, self.retries))

    async def jobs(self, *, status: str | None = None, model: str | None = None, limit: int = 50) -> list[Job]:
        """As `Client.jobs`."""
        return await self._run(list_jobs({"status": status, "model": model}, limit, self.retries))

    async def cancel(self, job_id: str) -> Job:
        """As `Client.cancel`."""
        return await self._run(cancel_job(job_id, self.retries))

    async def models(self) -> list[ModelCard]:
        """As `Client.models`."""
        return await self._run(list_models(self.retries))

    async def model(self, name: str, version: str | None = None) -> ModelCard:
        """As `Client.model`."""
        return await self._run(self._cards.find(name, version, self.retries))

    async def methods(self, language: str | None = None) -> MethodCatalogue:
        """As `Client.methods`."""
        return await self._run(list_methods(language, self.retries))

    async def load(self, name: str, version: str | None = None, *, wait_s: float = 60.0) -> AdminCommandStatus:
        """As `Client.load`."""
        return await self._run(command("load", name, version, wait_s, self.retries))

    async def unload(self, name: str, version: str | None = None, *, wait_s: float = 60.0) -> AdminCommandStatus:
        """As `Client.unload`."""
        return await self._run(command("unload", name, version, wait_s, self.retries))

    async def _run(self, flow: Flow[T]) -> T:
        return await self._driver.run(flow)
