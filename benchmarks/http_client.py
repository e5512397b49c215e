"""One client with one connection, that waits for its results."""

import http.client
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import orjson

from benchmarks.load import HEADERS

TIMEOUT_S = 300


class Client:
    """Use as a context manager."""

    def __init__(self, url: str) -> None:
        where = urlsplit(url)
        self._connection = http.client.HTTPConnection(str(where.hostname), where.port, timeout=TIMEOUT_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def get(self, path: str) -> dict[str, Any]:
        """A document; an error's, where the service answers with one."""
        return self._ask("GET", path)[1]

    def explain(self, body: dict[str, Any]) -> dict[str, Any]:
        """The finished result, or `{"failed": why}`."""
        status, answer, location = self._ask("POST", "/explain?wait=60&answer=result", orjson.dumps(body))
        while status == 202:  # not ended within the wait
            self._ask("GET", f"{location}?wait=60")
            status, answer, _ = self._ask("GET", f"{location}/result")
        return answer if status == 200 else {"failed": answer}

    def _ask(self, verb: str, path: str, body: bytes | None = None) -> tuple[int, dict[str, Any], str | None]:
        self._connection.request(verb, path, body, {**HEADERS, "Accept": "application/json"})
        answer = self._connection.getresponse()
        document: dict[str, Any] = orjson.loads(answer.read())
        return answer.status, document, answer.getheader("Location")
