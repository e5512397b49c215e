"""What a dialect's parameters say about method, target and the rest of a request of ours. Pure."""

from dataclasses import dataclass, field
from typing import Any

from schemas.errors import InvalidRequest
from service.dialects.instances import Location
from service.validation.model import ReadyModel

OWN_FIELDS = ("target", "seed", "quality", "priority")  # of `ExplainRequest`; all others are the method's
MAX_OPTIONS = 100  # parameters of one request: more than any method has


@dataclass(frozen=True, slots=True)
class Options:
    """`method` as in a request of ours; `target` for all examples, or a list of one for each; other `fields`."""

    method: Any = None
    target: Any = None
    fields: dict[str, Any] = field(default_factory=dict)


def read_options(given: Any, model: ReadyModel, loc: Location) -> Options:
    """The options of an object such as `{"method": "integrated_gradients", "n_steps": 50, "target": 1}`.

    Parameters without a method are those of the model's default method. Validation follows with the request.

    Raises:
        InvalidRequest: it is no object, or has too many fields.
    """
    if given is None:
        return Options()
    if not isinstance(given, dict) or len(given) > MAX_OPTIONS:
        raise InvalidRequest.at(loc, "give an object of method, its parameters, target and seed")
    method = given.get("method")
    parameters = {name: value for name, value in given.items() if name not in (*OWN_FIELDS, "method")}
    if isinstance(method, dict):
        method = {**method, **parameters}
    elif parameters:
        method = {"name": model.defaults.method if method is None else method, **parameters}
    fields = {name: given[name] for name in OWN_FIELDS[1:] if given.get(name) is not None}
    return Options(method, given.get("target"), fields)
