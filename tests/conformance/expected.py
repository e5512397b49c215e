"""What `POST /explain` returns for the document that every client sends, as numbers to compare with."""

from functools import cache
from typing import Any

import httpx
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Expected:
    """Asks `POST /explain`, each input by itself."""

    def __init__(self, api: httpx.Client, document: dict[str, Any]) -> None:
        self._api = api
        self._document = document

    @cache  # noqa: B019 one object for the session
    def table(self) -> Floats:
        """Attributions of the rows' columns, of shape (rows, columns)."""
        found = [self._result("table", {"features": row}) for row in self._document["named_rows"]]
        return np.array([[column["score"] for column in result["features"][0]] for result in found])

    @cache  # noqa: B019
    def texts(self) -> list[Floats]:
        """Attributions of each text's words."""
        found = [self._result("text", {"text": text}) for text in self._document["texts"]]
        return [np.array([word["score"] for word in result["words"][0]]) for result in found]

    @cache  # noqa: B019
    def tokens(self) -> list[Floats]:
        """Attributions of each text's tokens."""
        found = [self._result("text", {"text": text}) for text in self._document["texts"]]
        return [np.array([token["score"] for token in result["tokens"][0]]) for result in found]

    @cache  # noqa: B019
    def picture(self) -> Floats:
        """The attribution of the picture, of shape (channels, height, width)."""
        (tensor,) = self._result("picture", {"image": self._document["picture"]})["attributions"]
        return np.array(tensor["data"]).reshape(tensor["shape"])[0]

    def _result(self, kind: str, given: dict[str, Any]) -> dict[str, Any]:
        body = {"model": self._document["models"][kind], "input": given}
        if parameters := dict(self._document["parameters"].get(kind, {})):
            body["target"] = parameters.pop("target", None)
            body["method"] = {"name": parameters.pop("method"), **parameters}
        answer = self._api.post("/explain?wait=60&answer=result", json=body)
        assert answer.status_code == 200, answer.text
        result: dict[str, Any] = answer.json()
        return result


def close(given: Any, expected: Floats) -> None:
    """Equal but for rounding of float32, relative to the largest attribution."""
    np.testing.assert_allclose(np.array(given), expected, rtol=0, atol=2e-5 * float(np.abs(expected).max()))
