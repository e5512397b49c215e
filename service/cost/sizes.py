"""Sizes of a request that its cost depends on: windows, features, coalitions, units, baselines and tokens. Pure."""

from dataclasses import dataclass
from math import prod

import numpy as np

from schemas.errors import InvalidRequest
from schemas.limits import MAX_ROWS_PER_JOB
from schemas.methods import AnyMethod, Grid, Superpixels
from schemas.sentences import Sentence
from service.validation.inputs import CheckedInput
from service.validation.layers import explained_shape, find_layer, follows_the_text
from service.validation.masks import given_masks
from service.validation.model import ReadyModel
from service.validation.tensors import Array
from service.validation.windows import count_windows, per_input

SPECIAL_TOKENS = 2  # that a tokenizer adds to a text: one at its start, one at its end


@dataclass(frozen=True, slots=True)
class RequestSizes:
    """Sizes of a checked request, whose method has all defaults filled in. Implements `schemas.methods.cost.Sizes`.

    Attributes:
        method: the method.
        model: the model.
        given: the input.
        arrays: the tensors among the method's parameters, by their names in the payload.
    """

    method: AnyMethod
    model: ReadyModel
    given: CheckedInput
    arrays: dict[str, Array]

    @property
    def windows(self) -> int:
        """Positions of the occlusion window over one example."""
        shapes = [[self.tokens]] if self.given.kind == "text" else self.model.input.shapes
        window_shapes = getattr(self.method, "sliding_window_shapes", None) or []
        windows = per_input(window_shapes, len(shapes))
        strides = per_input(getattr(self.method, "strides", None) or window_shapes, len(shapes))
        return sum(
            count_windows(shape, _clipped(window, shape), stride)
            for shape, window, stride in zip(shapes, windows, strides, strict=True)
        )

    @property
    def features(self) -> int:
        """Features of the example that has most. A number that occurs in several inputs is one feature."""
        masks = given_masks(self.arrays)
        if masks:  # numbered without gaps, see `service.validation.numbering`
            return int(max(mask.max() for mask in masks)) + 1
        mask = getattr(self.method, "feature_mask", None)
        if isinstance(mask, Grid):
            return prod(mask.grid)
        if isinstance(mask, Superpixels):
            return mask.superpixels
        return self.tokens if self.given.kind == "text" else sum(map(prod, self.model.input.shapes))

    @property
    def coalitions(self) -> int:
        """Sets of features, without that of none and that of all.

        Raises:
            InvalidRequest: no job can have as many rows; the message says how many features fit.
        """
        features, most = self.features, _most_features()
        if features > most:
            raise InvalidRequest.at(
                ["method", "feature_mask"],
                Sentence(
                    "{features} features have 2^{features} coalitions of a model row each; at most {most} features fit "
                    "into the {rows} rows of one job",
                    features=features,
                    most=most,
                    rows=MAX_ROWS_PER_JOB,
                ),
            )
        return int(2**features - 2)

    @property
    def units(self) -> int:
        """Units of the method's layer, or groups of them.

        Raises:
            InvalidRequest: there is no mask, and the model card does not say how many units there are.
        """
        mask = self.arrays.get("layer_mask.0")
        if mask is not None:
            return int(np.unique(mask).size)
        layer = find_layer(self.method, self.model)
        shape = explained_shape(self.method, layer) if layer is not None else None
        if shape is None:
            raise InvalidRequest.at(
                ["method", "layer_mask"], "the model's card does not tell the shape here: give a mask"
            )
        if follows_the_text(self.model, shape):
            return self.tokens * prod(shape[1:])
        return prod(shape)

    @property
    def baselines(self) -> int:
        """Rows of the baseline distribution. A named baseline has one row for each example."""
        rows = self.arrays.get("baseline.0")
        if rows is not None:
            return len(rows)
        if getattr(self.method, "baseline", None) == "background":
            return self.model.card.background_rows
        return self.given.examples

    @property
    def tokens(self) -> int:
        """An upper bound: one token for each character, and never more than the model takes."""
        most = self.given.text_chars + SPECIAL_TOKENS
        return min(self.model.input.max_tokens or self.given.text_chars, most)

    @property
    def removable(self) -> int:
        """Features that deletion and insertion take away one after the other; an upper bound for texts."""
        card = self.model.input
        if hasattr(self.method, "feature_mask"):
            return self.features
        if card.kind == "text":
            return self.tokens
        return prod(card.shapes[0][-2:]) if card.kind == "image" else sum(map(prod, card.shapes))


def _most_features() -> int:
    """The largest number of features whose coalitions fit into one job."""
    return MAX_ROWS_PER_JOB.bit_length() - 1


def _clipped(window: list[int], shape: list[int]) -> list[int]:
    return [min(w, extent) for w, extent in zip(window, shape, strict=True)]
