"""A result, as far as no service is needed to look at it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from attribution_client.core.explaining import Fetched, picture
from attribution_client.core.following import job_path
from attribution_client.core.sending import Retries
from attribution_client.core.steps import Flow
from attribution_client.display.words import Language, class_name, percent, score_text
from attribution_client.frames import frame_of
from attribution_client.wire.answers import ClassRef, Explanation, FeatureScore, Job, Prediction, TextScore


class Explained:
    """What a job found: the attributions as arrays, and the whole document in `explanation`.

    Attributes:
        explanation: the document of `GET /jobs/{id}/result`, without the numbers.
        arrays: attributions by the name of the input or the layer, each (examples, …), float32.
        texts: the texts that were explained; None for other inputs.
    """

    def __init__(self, fetched: Fetched, language: Language = "en") -> None:
        self.explanation: Explanation = fetched.explanation
        self.arrays: dict[str, NDArray[Any]] = fetched.arrays
        self.job: Job = fetched.job
        self.texts = fetched.texts
        self.card = fetched.card
        self._single = fetched.single
        self.language: Language = language
        self._drawn: bytes | None = None  # the picture with the default options, once it is fetched

    @property
    def id(self) -> str:
        """The job's id, by which any client with the same key finds the result again."""
        return self.job.id

    @property
    def values(self) -> NDArray[Any]:
        """The attributions of the first input, in its shape as the model takes it: of a picture (channels, height,
        width), of a row (columns), of a text (tokens). Several examples have an axis of their own in front, and so has
        a model-ready tensor that was given with one."""
        array = next(iter(self.arrays.values()))
        return array[0] if self._single else array

    @property
    def method(self) -> dict[str, Any]:
        """The method with all its parameters."""
        return self.explanation.method

    @property
    def predictions(self) -> list[list[Prediction]]:
        """The most probable outputs of each example, best first."""
        return self.explanation.predictions

    @property
    def prediction(self) -> Prediction | None:
        """The most probable output of the first example; None where the model has none."""
        first = self.predictions[0] if self.predictions else []
        return first[0] if first else None

    @property
    def target(self) -> list[ClassRef] | None:
        """The explained output of each example; None for a model with one output."""
        return self.explanation.target

    @property
    def tokens(self) -> list[TextScore]:
        """The tokens of the first text, with their attributions. Empty where the input is no text."""
        return (self.explanation.tokens or [[]])[0]

    @property
    def words(self) -> list[TextScore]:
        """The words of the first text, with their attributions. Empty where the input is no text."""
        return (self.explanation.words or [[]])[0]

    @property
    def features(self) -> list[FeatureScore]:
        """The columns of the first row, with their values and attributions. Empty where the input is no table."""
        return (self.explanation.features or [[]])[0]

    @property
    def completeness_error(self) -> float | None:
        """How far the attributions of the first example miss the difference of the outputs that they should add up to,
        as a share of it; None where the method promises no sum (Sundararajan, Taly and Yan 2017)."""
        quality = self.explanation.quality
        found = quality.completeness if quality else None
        return found[0].relative_error if found else None

    @property
    def warnings(self) -> list[str]:
        """What the service says that a reader should know."""
        return self.explanation.warnings

    def to_frame(self) -> Any:
        """The attributions as a pandas data frame, a row for each column, word or element.

        Of a picture the columns are `y`, `x` and `score`, the sum over channels. Results of several examples have a
        column `example`.

        Raises:
            ImportError: pandas is not installed.
        """
        return frame_of(self.explanation, self.arrays, single=self._single or len(self.predictions) == 1)

    def _overlay(self, options: Mapping[str, Any], retries: Retries) -> Flow[bytes]:
        """The picture; one with the default options is fetched once."""
        if self._drawn is not None and not options:
            return self._drawn
        drawn = yield from picture(job_path(self.id, "/overlay.png"), options, retries)
        if not options:
            self._drawn = drawn
        return drawn

    def __repr__(self) -> str:
        best = self.prediction
        name = class_name(self.target[0]) if self.target else ""
        told = [name, score_text(best, self.card) if best and best.label == name else ""]
        parts = [" ".join(filter(None, told)), f"by {self.method['name']}", f"of {self.explanation.model.name}"]
        if self.completeness_error is not None:
            parts.append(f"(completeness error {percent(self.completeness_error)})")
        return f"<{type(self).__name__} {' '.join(filter(None, parts))}>"
