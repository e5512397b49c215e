"""Reads a stored input, and checks it before it reaches the model.

The gateway has checked whatever it stores. What does not pass here is damaged, or another version of the service stored
it. It fails its own job as `unreadable`, whatever is wrong with it.
"""

from collections.abc import Collection

import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from schemas.errors import Unreadable
from schemas.jobs import JobSpec, PayloadKind
from schemas.methods import AnyMethod
from schemas.models import InputCard, InputKind
from schemas.sentences import Sentence
from schemas.tensors import DATATYPES, InputBaselines, TensorValue, TensorValues
from workers.inputs.prepared import Payload
from workers.models.resident import ResidentModel

KINDS: dict[InputKind, tuple[PayloadKind, ...]] = {
    "image": ("image", "tensor"),
    "tabular": ("features", "tensor"),
    "text": ("text",),
    "tensor": ("tensor",),
}
OWN_NAMES: dict[PayloadKind, str] = {"image": "pixels", "text": "text", "features": "features", "tensor": "input"}
GIVEN = {  # names of numbered tensors, by the method's parameter
    "baseline": "baseline",
    "feature_mask": "feature_mask",
    "layer_mask": "layer_mask",
    "layer_baselines": "layer_baseline",
}
NUMBERS = {getattr(torch, name) for name in DATATYPES}  # complex and eight-bit floats are none of them
INTEGERS = {dtype for dtype in NUMBERS if not dtype.is_floating_point}


def read_stored_input(model: ResidentModel, spec: JobSpec, method: AnyMethod, payload: bytes) -> Payload:
    """The tensors of a stored input, with the names, types and shapes that `JobSpec` gives them.

    Raises:
        Unreadable: a tensor is missing, or is not what the job and the model need.
    """
    tensors = _loaded(payload)
    _check_own(tensors, spec, model.adapter.card)
    _check_given(tensors, spec, method, model.adapter.card)
    _check_at_layer(tensors, spec, method, model)
    return tensors


def _loaded(payload: bytes) -> Payload:
    try:
        return load(payload)
    except (SafetensorError, ValueError, KeyError, TypeError, OverflowError, RuntimeError) as error:
        raise Unreadable("its stored input is damaged") from error


def _check_own(tensors: Payload, spec: JobSpec, card: InputCard) -> None:
    """Checks the input itself: one kind of input, for `spec.examples` examples."""
    kind, examples = spec.input_kind, spec.examples
    _require(kind in KINDS[card.kind] and examples >= 1, "input")
    names = {name.partition(".")[0] for name in tensors}
    _require(names & set(OWN_NAMES.values()) == {OWN_NAMES[kind]}, "input")
    if kind == "tensor":
        inputs = _numbered(tensors, "input")
        _require(len(inputs) == len(card.shapes), "input")
        for tensor, shape in zip(inputs, card.shapes, strict=True):
            _check(tensor, "input", _accepted(card), shape, (examples,))
        return
    if kind == "text":
        _check_texts(tensors, examples)
        return
    name = OWN_NAMES[kind]
    _require(name in tensors, name)
    if kind == "features":
        _check(tensors[name], name, NUMBERS, card.shapes[0], (examples,))
        return
    height, width = card.shapes[0][1:]
    if tensors[name].dim() == 3:
        _require(examples == 1, name)
        _check(tensors[name], name, {torch.uint8}, [width, 3], (height,))
    else:
        _check(tensors[name], name, {torch.uint8}, [height, width, 3], (examples,))


def _check_texts(tensors: Payload, examples: int) -> None:
    """Checks one text, or a numbered one for each example."""
    names = {name for name in tensors if name.partition(".")[0] == "text"}
    texts = [tensors["text"]] if names == {"text"} else _numbered(tensors, "text")
    _require(len(texts) == examples, "text")
    for text in texts:
        _check(text, "text", {torch.uint8}, [], None)
        _check_utf8(text)


def _check_utf8(text: Tensor) -> None:
    try:
        text.numpy().tobytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise Unreadable(Sentence("its stored input is damaged: {name}", name="text")) from error


def _check_given(tensors: Payload, spec: JobSpec, method: AnyMethod, card: InputCard) -> None:
    """Checks the method's tensors: what it needs is there, and there is one baseline and one mask for each input."""
    for parameter, name in GIVEN.items():
        needed = isinstance(getattr(method, parameter, None), TensorValue | TensorValues | InputBaselines)
        _require(bool(_numbered(tensors, name)) or not needed, name)
    rows: Collection[int] | None = None if method.baselines == "distribution" else (1, spec.examples)
    for name, dtypes, counts in (("baseline", _accepted(card), rows), ("feature_mask", INTEGERS, (1, spec.examples))):
        given = _numbered(tensors, name)
        if not given:
            continue
        _require(card.kind != "text" and len(given) == len(card.shapes), name)
        for index, (tensor, shape) in enumerate(zip(given, card.shapes, strict=True)):
            _check(tensor, name, dtypes, shape, counts)
            _require(counts is not None or len(tensor) == len(given[0]), name)
            size = card.vocabularies[index] if card.vocabularies and name == "baseline" else None
            _require(size is None or bool(((tensor >= 0) & (tensor < size)).all()), name)


def _check_at_layer(tensors: Payload, spec: JobSpec, method: AnyMethod, model: ResidentModel) -> None:
    """Checks what replaces and groups the units of a layer. The card holds no shapes of inputs of layers."""
    layer = next((one for one in model.card.layers if one.name == getattr(method, "layer", None)), None)
    shape = layer.output_shape if layer and not method.at_layer_input else None
    if model.adapter.card.kind == "text" and shape and len(shape) > 1:
        shape = None  # its extents follow the text
    for name, dtypes in (("layer_mask", INTEGERS), ("layer_baseline", NUMBERS)):
        given = _numbered(tensors, name)
        _require(len(given) <= 1, name)
        for tensor in given:
            _check(tensor, name, dtypes, shape, (1, spec.examples))


def _numbered(tensors: Payload, name: str) -> list[Tensor]:
    """`name.0`, `name.1`, … without gaps. Raises `Unreadable` for other numbers."""
    found = [key for key in tensors if key == name or key.startswith(f"{name}.")]
    names = [f"{name}.{number}" for number in range(len(found))]
    _require(set(found) == set(names), name)
    return [tensors[one] for one in names]


def _accepted(card: InputCard) -> set[torch.dtype]:
    """The types that become the model's without loss of more than precision."""
    return NUMBERS if card.datatype.startswith("FP") else INTEGERS


def _check(
    tensor: Tensor, name: str, dtypes: set[torch.dtype], shape: list[int] | None, rows: Collection[int] | None
) -> None:
    """Checks type and shape, (rows, *shape). Without `shape` or `rows`, any is accepted that is not empty."""
    _require(tensor.dtype in dtypes and tensor.dim() >= 1 and tensor.numel() > 0, name)
    _require(shape is None or list(tensor.shape[1:]) == shape, name)
    _require(rows is None or len(tensor) in rows, name)


def _require(met: bool, name: str) -> None:
    if not met:
        raise Unreadable(Sentence("its stored input is damaged: {name}", name=name))
