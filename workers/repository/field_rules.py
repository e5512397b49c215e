"""Rules between the fields of a `model.toml`, checked on the valid fields of a file with other mistakes too."""

from collections.abc import Callable, Iterator
from typing import Annotated, Any, ClassVar, Self, get_args

from pydantic import BaseModel, TypeAdapter, model_validator

from schemas.base import Strict

# Yields what is wrong with a section. It reads only the fields it needs: a field with a mistake of its own ends it.
Rule = Callable[[Any], Iterator[str]]
Place = tuple[str, ...]

# By loader, the field that it needs and the fields that it may have.
_LOADER_FIELDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "python": ("factory", ("weights",)),
    "torchscript": ("file", ()),
    "export": ("file", ()),
    "transformers": ("path", ()),
    "timm": ("architecture", ("weights",)),
}
# By kind of input, the field that it needs. Loaders that read it from the model's own files do not need it.
_INPUT_FIELD = {"image": "size", "tabular": "features", "text": "tokenizer", "tensor": "shapes"}
_KINDS_FROM_FILES: dict[str, tuple[str, ...]] = {"transformers": ("image", "text"), "timm": ("image",)}


class BrokenRules(ValueError):
    """Valid fields that contradict each other."""


class RuledSection(Strict):
    """A section of a description with rules between its fields and those of its inner sections."""

    rules: ClassVar[tuple[Rule, ...]] = ()

    @model_validator(mode="after")
    def _rules_hold(self) -> Self:
        broken = [message for rule in self.rules for message in rule(self)]
        if broken:
            raise BrokenRules("; ".join(broken))
        return self


class _InvalidField(Exception):
    """A rule reads a field that is a mistake itself."""


class _ValidFields:
    """A section of a file as a rule reads it: its valid fields and defaults. `places` are those of mistakes."""

    def __init__(self, model: type[BaseModel], fields: dict[str, Any], places: set[Place], own: Place = ()) -> None:
        self._section = (model, fields, places, own)

    def __getattr__(self, name: str) -> Any:
        model, fields, places, own = self._section
        field, place = model.model_fields[name], (*own, name)
        if place in places or (name not in fields and field.is_required()):
            raise _InvalidField
        inner, listed = section(field.annotation)
        if inner is not None and not listed:
            return _ValidFields(inner, fields.get(name, {}), places, place)
        if name not in fields:
            return field.get_default(call_default_factory=True)
        whole: Any = Annotated[field.annotation, field]  # with its bounds
        return TypeAdapter(whole).validate_python(fields[name])


def broken_rules(
    model: type[BaseModel], fields: dict[str, Any], places: set[Place], own: Place = ()
) -> Iterator[tuple[Place, str]]:
    """Checks the rules between valid fields. Yields the section of each broken rule and its message, outer ones first.

    Args:
        model: the type of the section.
        fields: the section as the file has it.
        places: fields that are mistakes themselves; rules that read one of them are not checked.
        own: the place of the section in the file.
    """
    valid = _ValidFields(model, fields, places, own)
    for rule in getattr(model, "rules", ()):
        try:
            yield from ((own, message) for message in rule(valid))
        except _InvalidField:
            continue
    for name, field in model.model_fields.items():
        inner, listed = section(field.annotation)
        if inner is not None and not listed and (*own, name) not in places:
            yield from broken_rules(inner, fields.get(name, {}), places, (*own, name))


def section(annotation: Any, *, listed: bool = False) -> tuple[type[BaseModel] | None, bool]:
    """The type of the section that a field holds, and whether the field holds a list of them; None for other fields."""
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
    needed, _ = _LOADER_FIELDS[given.loader]
    if getattr(given, needed) is None:
        yield f"loader {given.loader!r} needs {needed!r}"


def _means_nothing(field: str) -> Rule:
    def rule(given: Any) -> Iterator[str]:
        needed, optional = _LOADER_FIELDS[given.loader]
        if field not in (needed, *optional) and getattr(given, field) is not None:
            yield f"{field!r} does not apply to loader {given.loader!r}"

    return rule


def _kind_suits_loader(given: Any) -> Iterator[str]:
    kinds_from_files = _KINDS_FROM_FILES.get(given.loader)
    if kinds_from_files is not None and given.input.kind not in kinds_from_files:
        yield f"input.kind: loader {given.loader!r} takes {' and '.join(kinds_from_files)}"
    if given.loader in ("torchscript", "export") and given.input.kind == "text":
        yield f"input.kind: loader {given.loader!r} has no way in behind a text's embeddings; use 'python'"


def _kind_has_its_field(given: Any) -> Iterator[str]:
    kind = given.input.kind
    if given.loader not in _KINDS_FROM_FILES and not getattr(given.input, _INPUT_FIELD[kind]):
        yield f"input: kind {kind!r} needs {_INPUT_FIELD[kind]!r}"


INPUT_RULES: tuple[Rule, ...] = (_size_fits, _three_channels, _pad_of_ids)
MODEL_RULES: tuple[Rule, ...] = (
    _loader_has_its_field,
    *map(_means_nothing, ("factory", "weights", "file", "path", "architecture")),
    _kind_has_its_field,
    _kind_suits_loader,
)
