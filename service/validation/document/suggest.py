"""Suggests known names that are close to an unknown one. Pure."""

import difflib
from collections.abc import Iterable, Mapping

from schemas.sentences import Sentence, either, words
from service.tuning import MAX_COMPARED_CHARS, MAX_LISTED_FIELDS, SUGGESTION_CUTOFF

SYNONYMS: Mapping[str, tuple[str, ...]] = {  # other interfaces' names for fields of this one
    "file": ("image",),
    "picture": ("image",),
    "photo": ("image",),
    "img": ("image",),
    "pixels": ("image", "tensor"),
    "url": ("image",),
    "sentence": ("text",),
    "prompt": ("text",),
    "row": ("features",),
    "rows": ("features",),
    "table": ("features",),
    "columns": ("features",),
    "array": ("tensor", "data"),
    "values": ("data", "features"),
    "dtype": ("datatype",),
    "type": ("name", "datatype", "nt_type"),
    "size": ("shape",),
    "dims": ("shape",),
    "algorithm": ("method",),
    "explainer": ("method",),
    "class": ("target",),
    "label": ("target",),
    "output": ("target",),
    "metrics": ("quality",),
    "random_state": ("seed",),
    "iterations": ("n_steps", "n_samples", "nt_samples"),
    "samples": ("n_samples", "nt_samples"),
    "std": ("stdevs",),
    "sigma": ("stdevs",),
    "background": ("baseline",),
    "reference": ("baseline",),
    "mask": ("feature_mask", "layer_mask"),
    "segments": ("superpixels", "feature_mask"),
    "window": ("sliding_window_shapes",),
    "stride": ("strides",),
    "neuron": ("neuron_selector",),
    "unit": ("neuron_selector",),
}


def with_suggestion(problem: str, name: str, known: Iterable[str], otherwise: str = "") -> Sentence:
    """The problem of an unknown name, and the known names that are close to it; else what `otherwise` says.

    >>> with_suggestion("no such model", "salincy", ["saliency"])
    "no such model; did you mean 'saliency'?"
    """
    folded_name = name[:MAX_COMPARED_CHARS].casefold()
    folded = {candidate.casefold(): candidate for candidate in known}
    close = [folded[match] for match in difflib.get_close_matches(folded_name, folded, n=3, cutoff=SUGGESTION_CUTOFF)]
    if not close:
        close = [candidate for fold, candidate in folded.items() if len(folded_name) >= 3 and folded_name in fold][:3]
    if close:
        names = either(*map(repr, close))
        return Sentence("{problem}; did you mean {names}?", problem=words(problem), names=names)
    return Sentence("{problem}; {more}", problem=words(problem), more=words(otherwise)) if otherwise else words(problem)


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that an unknown one most likely means: by synonym, else by spelling. None if none is close."""
    folded_name = name[:MAX_COMPARED_CHARS].casefold()
    folded = {candidate.casefold(): candidate for candidate in known}
    for synonym in (folded_name, *SYNONYMS.get(folded_name, ())):
        if synonym in folded:
            return folded[synonym]
    close = difflib.get_close_matches(folded_name, folded, n=1, cutoff=SUGGESTION_CUTOFF)
    if not close and len(folded_name) >= 3:
        close = [fold for fold in folded if folded_name in fold]
    return folded[close[0]] if close else None


def unknown_field(name: str, known: Iterable[str]) -> str:
    """The message about an unknown field: names the nearest known field, or all known fields if they are few."""
    names = list(known)
    likely = nearest(name, names)
    if likely is not None:
        return Sentence("unknown field; did you mean {likely!r}?", likely=likely)
    if not 0 < len(names) <= MAX_LISTED_FIELDS:
        return "unknown field"
    return Sentence("unknown field; known here: {names}", names=", ".join(names))
