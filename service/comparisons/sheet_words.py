"""The words of a comparison's sheet: what each panel explains, and how. Pure."""

from schemas.methods import METHODS
from schemas.results import ResultMeta
from service.catalogue.guides import catalogue
from service.drawing.caption_block import Line
from service.languages import Language
from service.results.overlay_caption import score_words, target_words

MAX_PARAMETERS = 6  # named below one panel


def subject_words(meta: ResultMeta, example: int, language: Language) -> Line:
    """Model, class and score of an example."""
    model = meta.model.name if meta.model.version == "1" else f"{meta.model.name}@{meta.model.version}"
    if meta.target and example >= len(meta.target):
        return [model]
    return [model, target_words(meta, example), score_words(meta, example, language)]


def title_of(name: str, language: Language) -> str:
    """The method's title in the catalogue; its name if the catalogue does not hold it."""
    return next((guide.title for guide in catalogue(language).methods if guide.name == name), name)


def parameter_words(meta: ResultMeta) -> Line:
    """The layer and the parameters that are numbers or differ from their defaults."""
    method = METHODS.get(str(meta.method["name"]))
    usual = {key: one.default for key, one in method.model_fields.items()} if method else {}
    told = [f"layer = {meta.layer}" if meta.layer else ""]
    for key, value in meta.method.items():
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if key in {"name", "layer"} or value is None or not (value if is_number else value != usual.get(key)):
            continue
        told.append(f"{key} = {value if isinstance(value, str | int | float) else 'tensor'}")
    return told[: MAX_PARAMETERS + 1]
