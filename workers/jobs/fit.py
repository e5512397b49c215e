"""Whether a job that was checked against an earlier card of its model still fits the model."""

from schemas.errors import ModelChanged
from schemas.jobs import JobSpec
from schemas.models import ModelCard
from schemas.requirements import PARTS, Part, requirements
from schemas.sentences import Sentence, words

NAMES: dict[Part, str] = {
    "input": "its input",
    "target": "its target",
    "layer": "its layer",
    "baseline": "its baseline",
}


def check_fits(spec: JobSpec, card: ModelCard) -> None:
    """Compares what the job relies on with the card of the model that is to compute it.

    Raises:
        ModelChanged: the model is not the one that the request was checked against, and the job does not fit it.
    """
    if spec.digest is None or spec.digest == card.digest:
        return
    support = next((one for one in card.methods if one.name == spec.method.get("name")), None)
    if support is None or not support.supported:
        raise _changed("its method")
    present = requirements(card, spec)
    for part in PARTS:
        required = spec.requires.get(part)  # absent in jobs of an earlier version of the gateway
        if required is not None and required != present.get(part):
            raise _changed(NAMES[part])


def _changed(part: str) -> ModelChanged:
    return ModelChanged(
        Sentence("the model has changed since the request was checked, and {part} no longer fits it", part=words(part))
    )
