"""The caption of a result's picture: what is explained, by which model, how, and how well it adds up."""

from typing import TypeVar

from schemas.methods import METHODS
from schemas.results import Prediction, ResultMeta
from service.catalogue.guides import catalogue
from service.drawing import typeface
from service.drawing.caption_block import broken
from service.drawing.captions import CAPTIONS
from service.drawing.overlay_options import OverlayOptions
from service.drawing.sheet import Sheet
from service.languages import Language

Options = TypeVar("Options", bound=OverlayOptions)


def overlay_caption(meta: ResultMeta, example: int, language: Language) -> list[list[str]]:
    """Lines of parts: class, score and model; then method, layer and completeness error."""
    return [
        [target_words(meta, example), score_words(meta, example, language), meta.model.name],
        [method_title(meta, language), meta.layer or "", completeness_words(meta, example, language)],
    ]


def completed(meta: ResultMeta, options: Options) -> Options:
    """The options with the smoothing that suits the method of the result, unless the request names one."""
    method = METHODS.get(str(meta.method["name"]))  # a worker of a later version may know more methods
    return options.completed(smooths_maps=method is None or method.smooths_maps())


def overlay_title(meta: ResultMeta, example: int, language: Language, width: int) -> list[str]:
    """The caption as lines of a sheet that is `width` pixels wide."""
    sheet = Sheet(width)
    lines = overlay_caption(meta, example, language)
    return [row for line in lines for row in broken(line, sheet.text, sheet.room)]


def target_words(meta: ResultMeta, example: int) -> str:
    """The class that is explained; empty for a model of one output."""
    return meta.target[example].words() if meta.target else ""


def score_words(meta: ResultMeta, example: int, language: Language) -> str:
    """The predicted score of the class that is explained; empty if the result does not hold it."""
    found = _prediction(meta, example)
    return CAPTIONS[language]["score"].format(value=typeface.number(found.score, language)) if found else ""


def method_title(meta: ResultMeta, language: Language) -> str:
    """The method's title in the catalogue; its name if the catalogue does not hold it."""
    name = str(meta.method["name"])
    return next((guide.title for guide in catalogue(language).methods if guide.name == name), name)


def completeness_words(meta: ResultMeta, example: int, language: Language) -> str:
    """The relative completeness error; empty where the method promises none."""
    found = meta.quality.completeness if meta.quality else None
    if found is None or example >= len(found) or found[example].relative_error is None:
        return ""
    value = f"{typeface.number(100 * (found[example].relative_error or 0.0), language)} %"
    return CAPTIONS[language]["completeness"].format(value=value)


def _prediction(meta: ResultMeta, example: int) -> Prediction | None:
    predictions = meta.predictions[example] if example < len(meta.predictions) else []
    if not meta.target:
        return predictions[0] if predictions else None
    target = meta.target[example]
    same = (one for one in predictions if (one.index, one.position) == (target.index, target.position))
    return next(same, None)
