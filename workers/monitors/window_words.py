"""The words of explanations that the reference does not tell apart."""

from collections import defaultdict
from collections.abc import Sequence

from workers.monitors.explanations import Explanation
from workers.monitors.reference import Reference
from workers.monitors.tuning import MAX_BATCH_WORDS


def new_words(given: Sequence[Explanation], reference: Reference) -> dict[str, float]:
    """The heaviest ones by their summed magnitudes."""
    known = set(reference.names) if reference.kind == "words" else set()
    weights: defaultdict[str, float] = defaultdict(float)
    for one in given:
        for word, weight in one.words.items():
            if word not in known and weight > 0:
                weights[word] += weight
    return dict(sorted(weights.items(), key=lambda pair: -pair[1])[:MAX_BATCH_WORDS])
