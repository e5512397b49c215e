"""Models whose answer is not one tensor: a dict, a dataclass, a tuple that holds it."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import torch
from torch import Tensor, nn

from workers.engine.solo.hooks import takes_hooks
from workers.repository.model_toml import ModelConfigError

USUAL = "logits"  # what the outputs of transformers' classifiers are called


def answer_with_tensor(module: nn.Module, answer: Any, field: str | None, class_dim: int = 1) -> None:
    """Makes `module` answer the tensor within its answer, by a forward hook that it keeps and copies carry along; its
    classes come behind the rows, whichever dimension the model has them in.

    So layers keep their paths, and whoever calls the model, Captum included, gets one tensor. A model that answers one
    already is left as it is.

    Args:
        answer: what it answers now.
        field: the name, or the position, of the tensor in it; None looks for `logits`, then for the only tensor.
        class_dim: the dimension of the classes; negative ones count from the last.

    Raises:
        ModelConfigError: the answer holds no such tensor, or several to choose from, or no such dimension.
    """
    key = None
    if not isinstance(answer, Tensor):
        key = _choose(answer, field)
    elif field is not None:
        raise ModelConfigError("output.field: the model answers one tensor, which has no fields")
    if class_dim != 1:
        _check_dim(answer if key is None else _parts(answer)[key], class_dim)
    if key is None and class_dim == 1:
        return
    hook = _Pick(key, class_dim)
    if not takes_hooks(module):
        raise ModelConfigError("the model must answer one tensor: a compiled program cannot be given an [output] field")
    module.register_forward_hook(hook)


class _Pick:
    """The hook. Pure, so that copies of a module may share it."""

    def __init__(self, key: str | int | None, class_dim: int) -> None:
        self._key = key
        self._class_dim = class_dim

    def __call__(self, module: nn.Module, args: object, answer: Any) -> Tensor:
        tensor: Tensor = answer if self._key is None else _parts(answer)[self._key]
        return tensor if self._class_dim == 1 else tensor.movedim(self._class_dim, 1)


def keep_row_dimension(module: nn.Module, rows: list[tuple[Tensor, ...]]) -> None:
    """Gives the output of one row its row back, by a hook, where the model squeezes it away.

    `x.squeeze()` drops the dimension of the rows as well when there is only one.

    Args:
        rows: single rows that the module takes, (1, …) each.
    """
    if not rows or not takes_hooks(module):
        return
    with torch.no_grad():
        single = module(*(tensor.clone() for tensor in rows[0]))
        if single.dim() == 0:
            module.register_forward_hook(_RestoreRow(single.dim()), with_kwargs=True)
            return
        try:
            batch = module(*(torch.cat(column) for column in zip(*rows[:3], strict=True)))
        except Exception:  # a model that answers single rows only
            batch = None
    whole = batch is not None and len(rows) >= 3 and batch.shape[:1] == (3,)
    if single.shape[0] != 1 or (whole and batch is not None and batch.dim() == single.dim() + 1):
        module.register_forward_hook(_RestoreRow(single.dim()), with_kwargs=True)


class _RestoreRow:
    """The hook. Pure, so that copies of a module may share it."""

    def __init__(self, dims: int) -> None:
        self._dims = dims  # of the output of one row, without its row

    def __call__(self, module: nn.Module, args: Any, kwargs: Any, answer: Tensor) -> Tensor:
        rows = next((t.shape[0] for t in (*args, *kwargs.values()) if isinstance(t, Tensor) and t.dim()), 0)
        return answer.unsqueeze(0) if rows == 1 and answer.dim() == self._dims else answer


def _check_dim(answer: Tensor, dim: int) -> None:
    if not 1 <= (dim + answer.dim() if dim < 0 else dim) < answer.dim():
        raise ModelConfigError(f"output.class_dim: the model answers {list(answer.shape)}, without a dimension {dim}")


def _choose(answer: Any, field: str | None) -> str | int:
    tensors = [key for key, value in _parts(answer).items() if isinstance(value, Tensor)]
    named = ", ".join(map(str, tensors)) or "none"
    if field is not None:
        wanted: str | int = int(field) if field.isdigit() else field
        if wanted not in tensors:
            raise ModelConfigError(
                f"output.field: the model's {type(answer).__name__} has no tensor {field!r}: {named}"
            )
        return wanted
    if USUAL in tensors:
        return USUAL
    if len(tensors) != 1:
        kind = type(answer).__name__
        raise ModelConfigError(f"the model answers a {kind} of several tensors: name one as output.field, of: {named}")
    return tensors[0]


def _parts(answer: Any) -> dict[str | int, Any]:
    """What a container holds, by name, or by position where it has no names."""
    if isinstance(answer, Mapping):  # transformers' ModelOutput is one, without the fields that are None
        return dict(answer)
    if is_dataclass(answer) and not isinstance(answer, type):
        return {one.name: getattr(answer, one.name) for one in fields(answer)}
    if isinstance(answer, tuple) and hasattr(answer, "_asdict"):
        return dict(answer._asdict())
    if isinstance(answer, tuple | list):
        return dict(enumerate(answer))
    return {}
