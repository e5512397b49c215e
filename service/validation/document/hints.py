"""Messages about values of the wrong form, at places where a request accepts several forms. Pure.

Pydantic reports the errors of every alternative; a hint is one sentence about the nearest one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, get_args

from schemas.methods import BaselineName, TextUnit
from schemas.requests import INPUT_KEYS
from schemas.sentences import Sentence, either, words
from service.validation.document.base64_image import NOT_A_LOCATION
from service.validation.document.suggest import nearest, unknown_field, with_suggestion

Place = tuple[str | int, ...]
Hint = tuple[Place, str]  # the place to name, and the message
TENSOR_FORM = '{"shape": […], "data": […]}'
A_TENSOR = Sentence("a tensor is an object {form}", form=TENSOR_FORM)
FORMS = {
    "grid": '{"grid": [rows, columns]}',
    "superpixels": '{"superpixels": count}',
    "tensor": f'{{"tensor": {TENSOR_FORM}}}',
    "tensors": f'{{"tensors": [{TENSOR_FORM}, …]}}',
}


@dataclass(frozen=True, slots=True)
class AcceptedForms:
    """The forms that a parameter may have: one of some names, an object with one of some keys, or a number."""

    names: tuple[str, ...]
    keys: tuple[str, ...]
    number: bool = False

    @property
    def instruction(self) -> str:
        """`give …` with all accepted forms."""
        number = [words("a number")] if self.number else []
        names = [Sentence("one of {names}", names=", ".join(map(repr, self.names)))] if self.names else []
        return Sentence("give {forms}", forms=either(*number, *names, *(FORMS[key] for key in self.keys)))


ACCEPTED_FORMS = {
    "baseline": AcceptedForms(get_args(BaselineName), ("tensor", "tensors")),
    "feature_mask": AcceptedForms(get_args(TextUnit), ("grid", "superpixels", "tensor", "tensors")),
    "layer_mask": AcceptedForms((), ("tensor",)),
    "layer_baselines": AcceptedForms((), ("tensor",), number=True),
}
ROWS_FORM = 'features have names: give {"name": value} for one row, or a list of rows'
METHOD_FORM = 'give the method\'s name, or an object {"name": …} with its parameters'
METRICS_FORM = 'give a list of metrics, such as ["infidelity"]'
TARGET_FORM = "give an index, a label, or a list of them, one per row"


def hint(place: Place, value: Any) -> Hint | None:
    """The message about a value of the wrong form at a place of a request; None if its form is accepted there."""
    if len(place) == 2 and place[0] == "method" and place[1] in ACCEPTED_FORMS:
        return _parameter(place, value, ACCEPTED_FORMS[str(place[1])])
    check = _CHECKS.get(place)
    return None if check is None else check(place, value)


def _parameter(place: Place, value: Any, accepted: AcceptedForms) -> Hint | None:
    if isinstance(value, dict):
        return _keyed(place, value, accepted.keys, accepted.instruction)
    if isinstance(value, list):
        return place, Sentence("a bare array; give {form}", form=FORMS["tensor"])
    if isinstance(value, str):
        return None if value in accepted.names else (place, _unknown_name(value, accepted))
    if accepted.number and isinstance(value, int | float):
        return None
    if type(value) in (int, float):
        return place, Sentence("a bare number; {instruction}", instruction=accepted.instruction)
    return place, accepted.instruction


def _unknown_name(value: str, accepted: AcceptedForms) -> str:
    return with_suggestion("no such name", value, accepted.names, accepted.instruction)


def _keyed(place: Place, value: dict[str, Any], keys: tuple[str, ...], instruction: str) -> Hint | None:
    """The message about an object that must have exactly one of some keys, and no other key."""
    given = [key for key in keys if key in value]
    others = [key for key in value if key not in keys]
    if len(given) > 1:
        return place, Sentence("give exactly one of {names}", names=", ".join(keys))
    if given:
        alone = Sentence("unknown field; {name!r} allows no other", name=given[0])
        return ((*place, others[0]), alone) if others else None
    if "tensor" in keys and "data" in value:
        return place, Sentence("a bare tensor; give {form}", form=FORMS["tensor"])
    if others and nearest(others[0], keys) is not None:
        return (*place, others[0]), unknown_field(others[0], keys)
    return place, instruction


def _input(place: Place, value: Any) -> Hint | None:
    instruction = Sentence("give an object with exactly one of {names}", names=", ".join(INPUT_KEYS))
    if not isinstance(value, dict):
        return place, instruction
    given = [key for key in INPUT_KEYS if key in value]
    if len(given) == 1:
        return None
    return _keyed(place, value, INPUT_KEYS, instruction)


def _image(place: Place, value: Any) -> Hint | None:
    if not isinstance(value, list):
        return None if isinstance(value, str) else (place, NOT_A_LOCATION)
    wrong = next((index for index, one in enumerate(value) if not isinstance(one, str)), None)
    return None if wrong is None else ((*place, wrong), NOT_A_LOCATION)


def _features(place: Place, value: Any) -> Hint | None:
    if isinstance(value, dict):
        return None
    if not isinstance(value, list) or (value and not any(isinstance(row, dict) for row in value)):
        rows, form = words(ROWS_FORM), FORMS["tensor"]
        return place, Sentence("{rows}; values without names go into {form}", rows=rows, form=form)
    wrong = next((index for index, row in enumerate(value) if not isinstance(row, dict)), None)
    return None if wrong is None else ((*place, wrong), 'a row is an object {"name": value}')


def _tensor(place: Place, value: Any) -> Hint | None:
    return None if isinstance(value, dict) else (place, A_TENSOR)


def _tensors(place: Place, value: Any) -> Hint | None:
    if not isinstance(value, list):
        return place, Sentence("give a list of tensors, one for each input of the model: [{form}, …]", form=TENSOR_FORM)
    wrong = next((index for index, one in enumerate(value) if not isinstance(one, dict)), None)
    return None if wrong is None else _tensor((*place, wrong), value[wrong])


def _method(place: Place, value: Any) -> Hint | None:
    return None if isinstance(value, str | dict) else (place, METHOD_FORM)


def _quality(place: Place, value: Any) -> Hint | None:
    return None if isinstance(value, list) else (place, METRICS_FORM)


def _target(place: Place, value: Any) -> Hint | None:
    return (place, TARGET_FORM) if isinstance(value, dict) else None


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
