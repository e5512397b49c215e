"""Rules between the fields of a `model.toml`, held against what is sound of a file that has other mistakes too."""

from collections.abc import Callable, Iterator
from typing import Annotated, Any, ClassVar, Self, get_args

from pydantic import BaseModel, TypeAdapter, model_validator

from schemas.base import Strict

# Tells what is wrong with a section. It reads the fields of one question only: a field that cannot be read ends it.
Rule = Callable[[Any], Iterator[str]]
Place = tuple[str, ...]

# What each loader must be given, and may be given.
_FIELDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "python": ("factory", ("weights",)),
    "torchscript": ("file", ()),
    "export": ("file", ()),
    "transformers": ("path", ()),
    "timm": ("architecture", ("weights",)),
}
# What an input of each kind must be given; a loader that reads it from the model's own files needs none of it.
_NEEDED = {"image": "size", "tabular": "features", "text": "tokenizer", "tensor": "shapes"}
_FROM_ITS_FILES: dict[str, tuple[str, ...]] = {"transformers": ("image", "text"), "timm": ("image",)}


class BrokenRules(ValueError):
    """Fields that are right by themselves and do not fit together."""


class Ruled(Strict):
    """A section with rules between its fields, and those of its sections."""

    rules: ClassVar[tuple[Rule, ...]] = ()

    @model_validator(mode="after")
    def _rules_hold(self) -> Self:
        said = [one for rule in self.rules for one in rule(self)]
        if said:
            raise BrokenRules("; ".join(said))
        return self


class _NotSound(Exception):  # a field that is itself a mistake, so that no rule can be held against it
    pass


class _Sound:
    """A section of a file as a rule reads it: its valid fields and defaults; `places` are those of mistakes."""

    def __init__(self, model: type[BaseModel], fields: dict[str, Any], places: set[Place], own: Place = ()) -> None:
        self._section = (model, fields, places, own)

    def __getattr__(self, name: str) -> Any:
        model, fields, places, own = self._section
        field, place = model.model_fields[name], (*own, name)
        if place in places or (name not in fields and field.is_required()):
            raise _NotSound
        inner, listed = section(field.annotation)
        if inner is not None and not listed:
            return _Sound(inner, fields.get(name, {}), places, place)
        if name not in fields:
            return field.get_default(call_default_factory=True)
        whole: Any = Annotated[field.annotation, field]  # with its bounds
        return TypeAdapter(whole).validate_python(fields[name])


def broken_rules(
    model: type[BaseModel], fields: dict[str, Any], places: set[Place], own: Place = ()
) -> Iterator[tuple[Place, str]]:
    """What is wrong between sound fields, with the section that tells it: outer sections first.

    Args:
        model: of the section.
        fields: the section as the file has it.
        places: fields that are mistakes by themselves; a rule that needs one of them is left out.
        own: the place of the section in the file.
    """
    sound = _Sound(model, fields, places, own)
    for rule in getattr(model, "rules", ()):
        try:
            yield from ((own, said) for said in rule(sound))
        except _NotSound:
            continue
    for name, field in model.model_fields.items():
        inner, listed = section(field.annotation)
        if inner is not None and not listed and (*own, name) not in places:
            yield from broken_rules(inner, fields.get(name, {}), places, (*own, name))


def section(annotation: Any, *, listed: bool = False) -> tuple[type[BaseModel] | None, bool]:
    """The model that a field holds, and whether in a list; None where it holds none."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, listed
    for argument in get_args(annotation):
        inner, inside_list = section(argument, listed=listed or getattr(annotation, "__origin__", None) is list)
        if inner is not None:
            return inner, inside_list
    return None, False


def _size_fits(given: Any) -> Iterator[str]:
    cut_from = [given.resize_to] if isinstance(given.resize_to, int) else given.resize_to
    if cut_from and given.size and any(s > from_ for s, from_ in zip(given.size, cut_from * 2, strict=False)):
        yield "size does not fit into resize_to"


def _three_channels(given: Any) -> Iterator[str]:
    if given.kind == "image" and not len(given.mean) == len(given.std) == 3:
        yield "mean and std need three channels"


def _pad_of_ids(given: Any) -> Iterator[str]:
    if given.pad_id is not None and not (given.kind == "tensor" and given.dtype.startswith("int")):
        yield "pad_id is for tensors of ids: kind 'tensor' with dtype 'int64' or 'int32'"


def _loader_has_its_field(given: Any) -> Iterator[str]:
    needed, _ = _FIELDS[given.loader]
    if getattr(given, needed) is None:
        yield f"loader {given.loader!r} needs {needed!r}"


def _means_nothing(field: str) -> Rule:
    def rule(given: Any) -> Iterator[str]:
        needed, optional = _FIELDS[given.loader]
        if field not in (needed, *optional) and getattr(given, field) is not None:
            yield f"{field!r} means nothing to loader {given.loader!r}"

    return rule


def _kind_suits_loader(given: Any) -> Iterator[str]:
    from_its_files = _FROM_ITS_FILES.get(given.loader)
    if from_its_files is not None and given.input.kind not in from_its_files:
        yield f"input.kind: loader {given.loader!r} takes {' and '.join(from_its_files)}"
    if given.loader in ("torchscript", "export") and given.input.kind == "text":
        yield f"input.kind: loader {given.loader!r} has no way in behind a text's embeddings; use 'python'"


def _kind_has_its_field(given: Any) -> Iterator[str]:
    kind = given.input.kind
    if given.loader not in _FROM_ITS_FILES and not getattr(given.input, _NEEDED[kind]):
        yield f"input: kind {kind!r} needs {_NEEDED[kind]!r}"


INPUT_RULES: tuple[Rule, ...] = (_size_fits, _three_channels, _pad_of_ids)
MODEL_RULES: tuple[Rule, ...] = (
    _loader_has_its_field,
    *map(_means_nothing, ("factory", "weights", "file", "path", "architecture")),
    _kind_has_its_field,
    _kind_suits_loader,
)
