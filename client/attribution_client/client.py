"""The blocking client."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal, TypeVar, overload

import httpx

from attribution_client.comparison import ComparisonResult
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
from attribution_client.drivers.blocking import BlockingDriver
from attribution_client.errors import AttributionError
from attribution_client.inputs.many import each_input
from attribution_client.mapping import OnError, map_in_threads
from attribution_client.progress import Progress, counting, reporting
from attribution_client.result import Result
from attribution_client.wire.answers import AdminCommandStatus, Job, MethodCatalogue, ModelCard
from attribution_client.wire.requests import Method, Metric, Target

T = TypeVar("T")


class Client:
    """Explains predictions through one service. Every method raises errors of `attribution_client.errors`.

        with Client("http://127.0.0.1:8000") as service:
            result = service.explain("cat.jpg", model="efficientnet-lite0", method="integrated_gradients")

    Threads may share a client. `AsyncClient` has the same methods.

    Args:
        url: of the service. Default: `ATTRIBUTION_URL`, else http://127.0.0.1:8000.
        key: an API key. Default: `ATTRIBUTION_KEY`.
        language: of problems and pictures, `en` or `es`. Default: that of the locale.
        retries: when a request is repeated that found a full queue, an outage or no answer.
        transport: of httpx, instead of the network.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        key: str | None = None,
        language: str | None = None,
        retries: Retries = USUAL_RETRIES,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        connection = Connection.of(url, key, language)
        self.url = connection.url
        self.retries = retries
        self._driver = BlockingDriver(connection, transport)
        self._cards = Cards()
        self.language = language_of(connection.headers.get("Accept-Language", ""))

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        self._driver.close()

    def explain(
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
    ) -> Result:
        """How much did each part of the input contribute to the model's output?

        Args:
            given: a path (picture, `.json` with features, `.txt`), the bytes of a picture, a PIL image, an array or a
                tensor (of bytes: a picture; else model-ready, or a row of the table), a row as a dictionary or a pandas
                series, a data frame, a text; a list of these; or the `input` of `POST /explain`.
            model: its name. Default: the only model that takes such an input.
            version: of the model. Default: the highest one that is ready.
            method: a name, or a dictionary with parameters. Default: the model's.
            target: the output to explain: an index, a label, or a list with one for each example. Default: the
                predicted class.
            quality: metrics of the explanation's quality.
            seed: of the random numbers.
            priority: `interactive` (the default) or `batch`.
            cache: `no-cache` computes the result anew; `no-store` also keeps it from later requests.
            timeout_s: how long to wait in all; then the job is cancelled. Default: as long as it takes.
            progress: True for a bar, a function for each state of the job. Default: a bar on a terminal.
            parameters: of the method, such as `n_steps`, `baseline` and `layer`. Arrays become tensors.

        Raises:
            InputError: this cannot be sent.
            InvalidRequest: the service refuses a field; the message names it.
            JobError: the job failed or was cancelled.
            WaitedTooLong: it has not ended in the time given.
        """
        request = Request(given, model, version, method, parameters, target, quality, seed, priority, cache)
        with reporting(progress) as on_job:
            fetched = self._run(explain(request, self._cards, self.retries, on_job, timeout_s))
        return Result(self._driver, self.retries, fetched, self.language)

    def submit(
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
        """Queues a job and returns at once. `wait` gives its result. Arguments as of `explain`."""
        request = Request(given, model, version, method, parameters, target, quality, seed, priority, cache)
        return self._run(submit(request, self._cards, self.retries))

    def wait(self, job: Submission | Job | str, *, timeout_s: float | None = None, progress: Progress = None) -> Result:
        """The result of a job, once it has ended. The job is what `submit` returned, or an id; by an id, `values` have
        an axis of examples in front.

        Raises:
            WaitedTooLong: it has not ended in the time given; it goes on.
            JobError: it failed or was cancelled.
        """
        with reporting(progress) as on_job:
            fetched = self._run(wait(job, self.retries, on_job, timeout_s))
        return Result(self._driver, self.retries, fetched, self.language)

    @overload
    def map(
        self,
        inputs: Any,
        *,
        concurrency: int = ...,
        on_error: Literal["raise"] = ...,
        progress: Progress = ...,
        **options: Any,
    ) -> Iterator[Result]: ...

    @overload
    def map(
        self,
        inputs: Any,
        *,
        concurrency: int = ...,
        on_error: Literal["return"],
        progress: Progress = ...,
        **options: Any,
    ) -> Iterator[Result | AttributionError]: ...

    def map(
        self,
        inputs: Any,
        *,
        concurrency: int = 8,
        on_error: OnError = "raise",
        progress: Progress = None,
        **options: Any,
    ) -> Iterator[Result | AttributionError]:
        """Explains each of many inputs, in order, at most `concurrency` at once.

        Args:
            inputs: an iterable of inputs, a data frame, or an array of examples. It is read as results are taken.
            on_error: `return` gives the error of a failed input in its place.
            progress: as of `explain`, counting inputs.
            options: of `explain`.
        """
        each, total = each_input(inputs)
        options = {"priority": "batch", **options, "progress": False}
        with counting(progress, total) as count:
            for result in map_in_threads(lambda one: self.explain(one, **options), each, concurrency, on_error):
                count()
                yield result

    def compare(
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
    ) -> ComparisonResult:
        """Explains one input by each method, for each target, of each model, and says how far they agree.

        Args:
            given: one input, as of `explain`.
            models: names, each with `@version` where it is not the highest one. Default: the only one that fits.
            methods: names, or dictionaries with parameters. Default: each model's own.
            targets: indices or labels; None is the predicted class, the default.
        """
        request = CompareRequest(given, models, methods, targets, seed, priority)
        with reporting(progress) as on_change:
            compared = self._run(compare(request, self._cards, self.retries, on_change, timeout_s))
        return ComparisonResult(self._driver, self.retries, compared, self.language)

    def job(self, job_id: str) -> Job:
        """A job as it is now."""
        return self._run(get_job(job_id, self.retries))

    def jobs(self, *, status: str | None = None, model: str | None = None, limit: int = 50) -> list[Job]:
        """The newest jobs of this key, newest first."""
        return self._run(list_jobs({"status": status, "model": model}, limit, self.retries))

    def cancel(self, job_id: str) -> Job:
        """Cancels a job. One that has ended does not change."""
        return self._run(cancel_job(job_id, self.retries))

    def models(self) -> list[ModelCard]:
        """The cards of all models, failed ones included."""
        return self._run(list_models(self.retries))

    def model(self, name: str, version: str | None = None) -> ModelCard:
        """The card of a model: its input, labels, layers, methods and defaults; at most a minute old."""
        return self._run(self._cards.find(name, version, self.retries))

    def methods(self, language: str | None = None) -> MethodCatalogue:
        """The guides of all methods: the idea, when to use each and when not, cost, parameters."""
        return self._run(list_methods(language, self.retries))

    def load(self, name: str, version: str | None = None, *, wait_s: float = 60.0) -> AdminCommandStatus:
        """Loads a new or changed model folder. Needs a key with the scope admin."""
        return self._run(command("load", name, version, wait_s, self.retries))

    def unload(self, name: str, version: str | None = None, *, wait_s: float = 60.0) -> AdminCommandStatus:
        """Takes a model out of service. Needs a key with the scope admin."""
        return self._run(command("unload", name, version, wait_s, self.retries))

    def _run(self, flow: Flow[T]) -> T:
        return self._driver.run(flow)
