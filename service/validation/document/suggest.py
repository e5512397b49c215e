"""Close matches for a name that is not known. Pure."""

import difflib
from collections.abc import Iterable, Mapping

MAX_COMPARED_CHARS = 60  # difflib is quadratic in the length of what strangers send
MAX_LISTED = 16  # known names in one message
CUTOFF = 0.6  # of difflib's ratio
SYNONYMS: Mapping[str, tuple[str, ...]] = {  # names that other interfaces have for fields of this one
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


def suggestion(name: str, known: Iterable[str]) -> str:
    """`; did you mean …?`, or nothing when no known name is close."""
    wanted = name[:MAX_COMPARED_CHARS].casefold()
    folded = {candidate.casefold(): candidate for candidate in known}
    close = [folded[match] for match in difflib.get_close_matches(wanted, folded, n=3, cutoff=CUTOFF)]
    if not close:
        close = [candidate for fold, candidate in folded.items() if len(wanted) >= 3 and wanted in fold][:3]
    return f"; did you mean {' or '.join(repr(match) for match in close)}?" if close else ""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The one field that was meant by an unknown name: by what others call it, else by its letters."""
    wanted = name[:MAX_COMPARED_CHARS].casefold()
    folded = {candidate.casefold(): candidate for candidate in known}
    for synonym in (wanted, *SYNONYMS.get(wanted, ())):
        if synonym in folded:
            return folded[synonym]
    close = difflib.get_close_matches(wanted, folded, n=1, cutoff=CUTOFF)
    if not close and len(wanted) >= 3:
        close = [fold for fold in folded if wanted in fold]
    return folded[close[0]] if close else None


def unknown_field(name: str, known: Iterable[str]) -> str:
    """What to say of a field that is not known: the nearest known one, else all of them if they are few."""
    names = list(known)
    meant = nearest(name, names)
    if meant is not None:
        return f"unknown field; did you mean {meant!r}?"
    return f"unknown field; known here: {', '.join(names)}" if 0 < len(names) <= MAX_LISTED else "unknown field"
