"""`explanationSpecOverride` of a Vertex request as options of a request of ours. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from schemas.errors import InvalidRequest
from schemas.models import FeatureCard
from schemas.sentences import Sentence
from service.dialects.instances import Location, read_instance
from service.dialects.options import Options
from service.results.draw_overlay import OverlayQuery
from service.tuning import MAX_DIALECT_JOBS, MAX_TOP_OUTPUTS
from service.validation.model import ReadyModel

SPEC: Location = ["explanationSpecOverride"]
ATTRIBUTIONS = ("integratedGradientsAttribution", "sampledShapleyAttribution", "xraiAttribution")
POLARITIES = {"POSITIVE": "positive", "NEGATIVE": "negative", "BOTH": "all"}
OVERLAYS = {"NONE": "heatmap", "ORIGINAL": "blend", "MASK_BLACK": "masked"}
COLORMAPS = {"VIRIDIS": "viridis"}  # those that both have; others keep the default
PICTURE_FIELDS = frozenset({"type", "polarity", "colorMap", "clipPercentUpperbound", "overlayType"})


@dataclass(frozen=True, slots=True)
class Override:
    """What a request overrides.

    `outputs`: the outputs to explain, None for the highest `top`. `picture`: how an attribution map is drawn; None if
    its numbers are wanted.
    """

    method: dict[str, Any] | None = None
    top: int = 1
    outputs: tuple[int, ...] | None = None
    picture: OverlayQuery | None = None

    def options(self, target: Any = None) -> Options:
        """The options of the jobs for one output of each instance; None for the predicted one."""
        return Options(self.method, target)


def read_override(given: Any, model: ReadyModel) -> Override:
    """The overrides of a request.

    Raises:
        InvalidRequest: a field is unknown, of the wrong type, or asks for what the service does not have; names it.
    """
    spec = _object(given, SPEC, ("parameters", "metadata"))
    loc: Location = [*SPEC, "parameters"]
    parameters = _object(spec.get("parameters"), loc, (*ATTRIBUTIONS, "topK", "outputIndices"))
    metadata = _object(spec.get("metadata"), [*SPEC, "metadata"], ("inputs",))
    inputs = metadata.get("inputs")
    if inputs is not None and not isinstance(inputs, dict):
        raise InvalidRequest.at([*SPEC, "metadata", "inputs"], "give an object")
    method = _method(parameters, model)
    baseline = _baseline(inputs or {}, model)
    if baseline is not None:
        method = {**(method or {"name": model.defaults.method}), "baseline": baseline}
    outputs = _outputs(parameters.get("outputIndices"), [*loc, "outputIndices"])
    top = _top(parameters.get("topK"), model, [*loc, "topK"]) if outputs is None else 1
    return Override(method, top, outputs, _picture(inputs or {}, model))


def _object(given: Any, loc: Location, known: Sequence[str]) -> dict[str, Any]:
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise InvalidRequest.at(loc, "give an object")
    unknown = next((name for name in given if name not in known), None)
    if unknown is not None:
        raise InvalidRequest.at(
            [*loc, str(unknown)[:100]], Sentence("unknown; give one of {names}", names=", ".join(known))
        )
    return given


def _method(parameters: dict[str, Any], model: ReadyModel) -> dict[str, Any] | None:
    """The method of the one attribution that is given; None for the model's default."""
    loc: Location = [*SPEC, "parameters"]
    given = [name for name in ATTRIBUTIONS if parameters.get(name) is not None]
    if len(given) > 1:
        raise InvalidRequest.at(loc, "give one attribution method")
    if not given:
        return None
    if given[0] == "xraiAttribution":
        raise InvalidRequest.at([*loc, given[0]], "XRAI is not offered; integrated gradients and Shapley values are")
    loc = [*loc, given[0]]
    if given[0] == "sampledShapleyAttribution":
        fields = _object(parameters[given[0]], loc, ("pathCount",))
        count = fields.get("pathCount")
        return {"name": "shapley_value_sampling", **({} if count is None else {"n_samples": count})}
    fields = _object(parameters[given[0]], loc, ("stepCount", "smoothGradConfig"))
    steps = {} if fields.get("stepCount") is None else {"n_steps": fields["stepCount"]}
    if fields.get("smoothGradConfig") is None:
        return {"name": "integrated_gradients", **steps}
    noise = _object(fields["smoothGradConfig"], [*loc, "smoothGradConfig"], ("noiseSigma", "noisySampleCount"))
    names = {"noiseSigma": "stdevs", "noisySampleCount": "nt_samples"}
    more = {names[name]: value for name, value in noise.items() if value is not None}
    return {"name": "smooth_grad", "attribution_method": "integrated_gradients", **steps, **more}


def _top(given: Any, model: ReadyModel, loc: Location) -> int:
    if given is None:
        return 1
    if type(given) is not int or not (given == -1 or given >= 1):
        raise InvalidRequest.at(loc, "give a number of outputs, or -1 for all")
    count = model.output.size if given == -1 else min(given, model.output.size)
    if count > MAX_TOP_OUTPUTS:
        raise InvalidRequest.at(
            loc, Sentence("at most {most} are explained; name them in outputIndices", most=MAX_TOP_OUTPUTS)
        )
    if count > 1 and (model.output.kind == "regression" or len(model.output.shape) > 1):
        raise InvalidRequest.at(loc, "the model ranks no outputs: name them in outputIndices")
    return count


def _outputs(given: Any, loc: Location) -> tuple[int, ...] | None:
    if given is None:
        return None
    if not isinstance(given, list) or not 1 <= len(given) <= MAX_DIALECT_JOBS:
        raise InvalidRequest.at(loc, Sentence("give a list of 1 to {most} numbers", most=MAX_DIALECT_JOBS))
    whole = [int(one) if isinstance(one, float) and one.is_integer() else one for one in given]
    if any(type(one) is not int or one < 0 for one in whole):
        raise InvalidRequest.at(loc, "an output is named by its index")
    return tuple(dict.fromkeys(whole))


def _baseline(inputs: dict[str, Any], model: ReadyModel) -> Any:
    """The baseline of `inputBaselines`; None for the model's own."""
    given = {
        name: one["inputBaselines"]
        for name, one in inputs.items()
        if isinstance(one, dict) and one.get("inputBaselines") is not None
    }
    if not given:
        return None
    loc: Location = [*SPEC, "metadata", "inputs"]
    if any(not isinstance(one, list) or len(one) != 1 for one in given.values()):
        raise InvalidRequest.at(loc, "give one baseline for each input")
    first = {name: one[0] for name, one in given.items()}
    if model.input.features is not None:
        return {"tensor": _table_baseline(first, model.input.features, loc)}
    if len(first) > 1:
        raise InvalidRequest.at(loc, "give one baseline for each input")
    (value,) = first.values()
    if isinstance(value, str):
        return value.lower()  # one of our names, such as black
    return read_instance(value, model.input, loc).input


def _table_baseline(given: dict[str, Any], columns: Sequence[FeatureCard], loc: Location) -> dict[str, Any]:
    """A row of a table as the model sees it. Columns that are not given are at their means."""
    unknown = given.keys() - {column.name for column in columns}
    if unknown:
        raise InvalidRequest.at([*loc, min(unknown)[:100]], "the model has no such column")
    if any(type(value) not in (int, float) or not math.isfinite(value) for value in given.values()):
        raise InvalidRequest.at(loc, "a baseline of a column is a number")
    data = [(given.get(column.name, column.mean) - column.mean) / column.std for column in columns]
    return {"datatype": "FP64", "shape": [1, len(data)], "data": data}


def _picture(inputs: dict[str, Any], model: ReadyModel) -> OverlayQuery | None:
    """The drawing of the one `visualization` that the inputs hold."""
    given = [
        (name, one["visualization"])
        for name, one in inputs.items()
        if isinstance(one, dict) and one.get("visualization") is not None
    ]
    if not given:
        return None
    loc: Location = [*SPEC, "metadata", "inputs", given[0][0][:100], "visualization"]
    if model.input.kind != "image":
        raise InvalidRequest.at(loc, "only pictures are drawn")
    fields = _object(given[0][1], loc, sorted(PICTURE_FIELDS))
    if _named(fields, "type", {"PIXELS": "", "TYPE_UNSPECIFIED": ""}, "", loc) != "":
        raise InvalidRequest.at([*loc, "type"], "only PIXELS are drawn")
    sign = _named(fields, "polarity", POLARITIES, "positive", loc)
    style = _named(fields, "overlayType", OVERLAYS, "heatmap", loc)
    percentile = fields.get("clipPercentUpperbound", 99.9)
    if type(percentile) not in (int, float) or not 50 <= percentile <= 100:
        raise InvalidRequest.at([*loc, "clipPercentUpperbound"], "give a number from 50 to 100")
    colormap = COLORMAPS.get(str(fields.get("colorMap"))) if sign != "all" else None
    return OverlayQuery(
        sign=sign, style=style, percentile=percentile, **({"colormap": colormap} if colormap else {}), caption=False
    )


def _named(fields: dict[str, Any], name: str, known: dict[str, str], default: str, loc: Location) -> Any:
    value = fields.get(name)
    if value is None:
        return default
    if not isinstance(value, str) or value not in known:
        raise InvalidRequest.at([*loc, name], Sentence("give one of {names}", names=", ".join(known)))
    return known[value]
