"""A result as monitors see it: for each example a small vector, its class and its score."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Self

import numpy as np
import orjson
from numpy.typing import NDArray
from safetensors.numpy import load

from schemas.limits import MAX_WATCHED_FEATURES
from schemas.monitors import FeatureKind
from schemas.results import ResultMeta, TextScore
from workers.monitors.tuning import BLOCKS, GRID, MAX_LABEL_CHARS, MAX_OBSERVED_WORDS, MAX_WORD_CHARS

Vector = NDArray[np.float32]
NO_CLASS = -1  # of a model with one output


class Explanation(NamedTuple):
    """One example.

    Attributes:
        kind: what its features are.
        values: (features,), attributions with their sign, but means of magnitudes where elements are put together;
            empty for a text.
        words: of a text, magnitudes by word, the heaviest ones.
        other_words: the sum of its other words' magnitudes.
        names: of a table, those of its columns.
        target: the explained class, and its label.
        score: of that class; None where it is not known.
    """

    kind: FeatureKind
    values: Vector
    target: int = NO_CLASS
    label: str | None = None
    score: float | None = None
    words: dict[str, float] = {}  # noqa: RUF012  # never changed
    other_words: float = 0.0
    names: tuple[str, ...] = ()

    def packed(self) -> bytes:
        """For the job store, while a reference is collected. Names of columns are in the monitor's definition."""
        head = [self.kind, self.target, self.label, self.score, self.words, self.other_words]
        return orjson.dumps(head) + b"\n" + self.values.astype("<f4").tobytes()

    @classmethod
    def unpacked(cls, blob: bytes) -> Self:
        """The inverse of `packed`. Raises `ValueError` for what is none."""
        head, _, values = blob.partition(b"\n")
        kind, target, label, score, words, other = orjson.loads(head)
        return cls(kind, np.frombuffer(values, "<f4"), int(target), label, score, dict(words), float(other))


def explanations(meta: ResultMeta, tensors: bytes, scores: Sequence[float] = ()) -> list[Explanation]:
    """The explanations of a result, one for each example; none where its attributions have no examples.

    Args:
        tensors: the safetensors blob of the attributions.
        scores: of the explained classes, one for each example; without them those of the predictions.
    """
    count = len(meta.predictions)
    targets = meta.target or []
    found: list[Explanation] = []
    for index, bare in enumerate(_bare(meta, tensors, count)):
        target = targets[index % len(targets)] if targets else None
        score = (
            scores[index] if len(scores) == count else _predicted_score(meta, index, target.index if target else None)
        )
        label = target.label[:MAX_LABEL_CHARS] if target and target.label else None
        found.append(bare._replace(target=target.index if target else NO_CLASS, label=label, score=score))
    return found


def _bare(meta: ResultMeta, tensors: bytes, count: int) -> Iterator[Explanation]:
    """Explanations without class and score."""
    if meta.words is not None:
        yield from map(_of_words, meta.words)
    elif meta.features is not None:
        for row in meta.features:
            values = np.array([one.score for one in row], np.float32)
            yield Explanation("columns", values, names=tuple(one.name for one in row))
    else:
        arrays = load(tensors)
        named = [arrays[one.name] for one in meta.attributions if one.name in arrays]
        if named and all(array.shape[:1] == (count,) for array in named):
            for index in range(count):
                yield _of_arrays([array[index] for array in named])


def _of_words(words: Sequence[TextScore]) -> Explanation:
    sums: defaultdict[str, float] = defaultdict(float)
    for one in words:
        sums[one.text.casefold()[:MAX_WORD_CHARS]] += abs(one.score)
    heaviest = sorted(sums.items(), key=lambda pair: -pair[1])
    kept = dict(heaviest[:MAX_OBSERVED_WORDS])
    other = sum(weight for _, weight in heaviest[MAX_OBSERVED_WORDS:])
    return Explanation("words", np.empty(0, np.float32), words=kept, other_words=other)


def _of_arrays(arrays: Sequence[NDArray[Any]]) -> Explanation:
    """One example of a picture, of a layer, or of other tensors."""
    first = arrays[0]
    if len(arrays) == 1 and first.ndim == 3 and min(first.shape[1:]) > 1:  # channels, height, width
        return Explanation("cells", _cells(first.sum(axis=0, dtype=np.float64)))
    flat = np.concatenate([array.reshape(-1) for array in arrays]).astype(np.float64)
    if flat.size <= MAX_WATCHED_FEATURES:
        return Explanation("units", flat.astype(np.float32))
    blocks = np.array_split(np.abs(flat), BLOCKS)
    return Explanation("cells", np.array([block.mean() for block in blocks], np.float32))


def _cells(heatmap: NDArray[np.float64]) -> Vector:
    """The mean magnitude in each cell of a grid, by row."""
    rows = np.array_split(np.abs(heatmap), min(GRID, heatmap.shape[0]), axis=0)
    cells = [np.array_split(row, min(GRID, heatmap.shape[1]), axis=1) for row in rows]
    return np.array([cell.mean() for row in cells for cell in row], np.float32)


def _predicted_score(meta: ResultMeta, index: int, target: int | None) -> float | None:
    """The score of the explained class, or of the only output, among the predictions of an example."""
    row = meta.predictions[index]
    if target is None:
        return row[0].score if row else None
    return next((one.score for one in row if one.index == target), None)
