"""A value of the wrong kind where a request allows several: what is wanted there, in one sentence. Pure.

Pydantic lists what is wrong with each alternative. Here the alternative that the value is nearest to speaks alone.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, get_args

from schemas.fields import BaselineName, TextUnit
from schemas.requests import INPUT_KEYS
from service.validation.document.base64_image import NOT_A_LOCATION
from service.validation.document.suggest import nearest, suggestion, unknown_field

Place = tuple[str | int, ...]
Hint = tuple[Place, str]  # the field to name, and what to say of it
TENSOR = '{"shape": […], "data": […]}'
FORMS = {
    "grid": '{"grid": [rows, columns]}',
    "superpixels": '{"superpixels": count}',
    "tensor": f'{{"tensor": {TENSOR}}}',
    "tensors": f'{{"tensors": [{TENSOR}, …]}}',
}


@dataclass(frozen=True, slots=True)
class AcceptedForms:
    """What a parameter may be: one of some names, an object of one of some keys, or a number."""

    names: tuple[str, ...]
    keys: tuple[str, ...]
    number: bool = False

    @property
    def wanted(self) -> str:
        """`give` and all that is allowed."""
        number = ["a number"] if self.number else []
        names = [f"one of {', '.join(map(repr, self.names))}"] if self.names else []
        return "give " + " or ".join([*number, *names, *(FORMS[key] for key in self.keys)])


ACCEPTED_FORMS = {
    "baseline": AcceptedForms(get_args(BaselineName), ("tensor", "tensors")),
    "feature_mask": AcceptedForms(get_args(TextUnit), ("grid", "superpixels", "tensor", "tensors")),
    "layer_mask": AcceptedForms((), ("tensor",)),
    "layer_baselines": AcceptedForms((), ("tensor",), number=True),
}
ROWS = 'features have names: give {"name": value} for one row, or a list of such'
METHOD = 'give the method\'s name, or an object {"name": …} with its parameters'
METRICS = 'give a list of metrics, such as ["infidelity"]'
TARGET = "give an index, a label, or a list of such, one per row"


def hint(place: Place, value: Any) -> Hint | None:
    """What to say of the value at a place of a request; None where it is of a kind that is allowed there."""
    if len(place) == 2 and place[0] == "method" and place[1] in ACCEPTED_FORMS:
        return _parameter(place, value, ACCEPTED_FORMS[str(place[1])])
    judge = _CHECKS.get(place)
    return None if judge is None else judge(place, value)


def _parameter(place: Place, value: Any, kinds: AcceptedForms) -> Hint | None:
    if isinstance(value, dict):
        return _keyed(place, value, kinds.keys, kinds.wanted)
    if isinstance(value, list):
        return place, f"a bare array; give {FORMS['tensor']}"
    if isinstance(value, str):
        return (
            None if value in kinds.names else (place, f"no such name{suggestion(value, kinds.names)}; {kinds.wanted}")
        )
    if kinds.number and isinstance(value, int | float):
        return None
    return place, f"a bare number; {kinds.wanted}" if type(value) in (int, float) else kinds.wanted


def _keyed(place: Place, value: dict[str, Any], keys: tuple[str, ...], wanted: str) -> Hint | None:
    """Of an object that must have exactly one of some keys, and no other."""
    given = [key for key in keys if key in value]
    others = [key for key in value if key not in keys]
    if len(given) > 1:
        return place, f"give exactly one of {', '.join(keys)}"
    if given:
        return ((*place, others[0]), f"unknown field beside {given[0]!r}") if others else None
    if "tensor" in keys and "data" in value:
        return place, f"a bare tensor; give {FORMS['tensor']}"
    if others and nearest(others[0], keys) is not None:
        return (*place, others[0]), unknown_field(others[0], keys)
    return place, wanted


def _input(place: Place, value: Any) -> Hint | None:
    wanted = f"give an object with exactly one of {', '.join(INPUT_KEYS)}"
    if not isinstance(value, dict):
        return place, wanted
    given = [key for key in INPUT_KEYS if key in value]
    if len(given) == 1:
        return None
    return _keyed(place, value, INPUT_KEYS, wanted)


def _image(place: Place, value: Any) -> Hint | None:
    return None if isinstance(value, str) else (place, NOT_A_LOCATION)


def _features(place: Place, value: Any) -> Hint | None:
    if isinstance(value, dict):
        return None
    if not isinstance(value, list) or (value and not any(isinstance(row, dict) for row in value)):
        return place, f"{ROWS}; values without names go into {FORMS['tensor']}"
    wrong = next((index for index, row in enumerate(value) if not isinstance(row, dict)), None)
    return None if wrong is None else ((*place, wrong), 'a row is an object {"name": value}')


def _tensor(place: Place, value: Any) -> Hint | None:
    return None if isinstance(value, dict) else (place, f"a tensor is an object {TENSOR}")


def _tensors(place: Place, value: Any) -> Hint | None:
    if not isinstance(value, list):
        return place, f"give a list of tensors, one for each input of the model: [{TENSOR}, …]"
    wrong = next((index for index, one in enumerate(value) if not isinstance(one, dict)), None)
    return None if wrong is None else _tensor((*place, wrong), value[wrong])


def _method(place: Place, value: Any) -> Hint | None:
    return None if isinstance(value, str | dict) else (place, METHOD)


def _quality(place: Place, value: Any) -> Hint | None:
    return None if isinstance(value, list) else (place, METRICS)


def _target(place: Place, value: Any) -> Hint | None:
    return (place, TARGET) if isinstance(value, dict) else None


_CHECKS: dict[Place, Callable[[Place, Any], Hint | None]] = {
    ("input",): _input,
    ("input", "image"): _image,
    ("input", "features"): _features,
    ("input", "tensor"): _tensor,
    ("input", "tensors"): _tensors,
    ("method",): _method,
    ("quality",): _quality,
    ("target",): _target,
}
