"""Makes a model that returns a dict, a dataclass or a tuple return one tensor of it."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import torch
from torch import Tensor, nn

from workers.engine.solo.hooks import takes_hooks
from workers.repository.model_toml import ModelConfigError

_USUAL_FIELD = "logits"  # of the outputs of transformers' classifiers


def return_tensor(module: nn.Module, returned: Any, field: str | None, class_dim: int = 1) -> None:
    """Adds a forward hook by which `module` returns one tensor, with the classes in dimension 1.

    A hook keeps the paths of layers, and copies of the module keep the hook. A model that returns such a tensor already
    gets none.

    Args:
        module: the model.
        returned: what the model returns now.
        field: the name or the position of the tensor in `returned`; None takes `logits`, else the only tensor.
        class_dim: the dimension of the classes, counted with that of the rows; negative values count from the last.

    Raises:
        ModelConfigError: `returned` holds no such tensor, or several to choose from, or no such dimension.
    """
    key = None
    if not isinstance(returned, Tensor):
        key = _choose(returned, field)
    elif field is not None:
        raise ModelConfigError("output.field: the model answers one tensor, which has no fields")
    if class_dim != 1:
        _check_dim(returned if key is None else _items(returned)[key], class_dim)
    if key is None and class_dim == 1:
        return
    hook = _SelectTensor(key, class_dim)
    if not takes_hooks(module):
        raise ModelConfigError("the model must answer one tensor: a compiled program cannot be given an [output] field")
    module.register_forward_hook(hook)


class _SelectTensor:
    """A forward hook. It keeps no state, so copies of a module may share it."""

    def __init__(self, key: str | int | None, class_dim: int) -> None:
        self._key = key
        self._class_dim = class_dim

    def __call__(self, module: nn.Module, args: object, returned: Any) -> Tensor:
        tensor: Tensor = returned if self._key is None else _items(returned)[self._key]
        return tensor if self._class_dim == 1 else tensor.movedim(self._class_dim, 1)


def keep_row_dimension(module: nn.Module, rows: list[tuple[Tensor, ...]]) -> None:
    """Adds a forward hook that restores the row dimension where the model drops it from the output of one row.

    `x.squeeze()` does so: it drops every dimension of extent 1.

    Args:
        module: the model.
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
        except Exception:  # a model that takes single rows only
            batch = None
    whole = batch is not None and len(rows) >= 3 and batch.shape[:1] == (3,)
    if single.shape[0] != 1 or (whole and batch is not None and batch.dim() == single.dim() + 1):
        module.register_forward_hook(_RestoreRow(single.dim()), with_kwargs=True)


class _RestoreRow:
    """A forward hook. It keeps no state, so copies of a module may share it."""

    def __init__(self, dims: int) -> None:
        self._dims = dims  # of the output of one row, without the row dimension

    def __call__(self, module: nn.Module, args: Any, kwargs: Any, outputs: Tensor) -> Tensor:
        rows = next((t.shape[0] for t in (*args, *kwargs.values()) if isinstance(t, Tensor) and t.dim()), 0)
        return outputs.unsqueeze(0) if rows == 1 and outputs.dim() == self._dims else outputs


def _check_dim(outputs: Tensor, dim: int) -> None:
    if not 1 <= (dim + outputs.dim() if dim < 0 else dim) < outputs.dim():
        raise ModelConfigError(f"output.class_dim: the model answers {list(outputs.shape)}, without a dimension {dim}")


def _choose(returned: Any, field: str | None) -> str | int:
    tensors = [key for key, value in _items(returned).items() if isinstance(value, Tensor)]
    named = ", ".join(map(str, tensors)) or "none"
    if field is not None:
        wanted: str | int = int(field) if field.isdigit() else field
        if wanted not in tensors:
            raise ModelConfigError(
                f"output.field: the model's {type(returned).__name__} has no tensor {field!r}: {named}"
            )
        return wanted
    if _USUAL_FIELD in tensors:
        return _USUAL_FIELD
    if len(tensors) != 1:
        kind = type(returned).__name__
        raise ModelConfigError(f"the model answers a {kind} of several tensors: name one as output.field, of: {named}")
    return tensors[0]


def _items(returned: Any) -> dict[str | int, Any]:
    """The items of a container by name, or by position where they have no names."""
    if isinstance(returned, Mapping):  # transformers' ModelOutput is a mapping without the fields that are None
        return dict(returned)
    if is_dataclass(returned) and not isinstance(returned, type):
        return {one.name: getattr(returned, one.name) for one in fields(returned)}
    if isinstance(returned, tuple) and hasattr(returned, "_asdict"):
        return dict(returned._asdict())
    if isinstance(returned, tuple | list):
        return dict(enumerate(returned))
    return {}
