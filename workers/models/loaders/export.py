"""Loader `export`: a program saved by `torch.export.save` (.pt2), rebuilt as a tree of modules."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.export import ExportedProgram

from workers.models.loaders.loaded_module import LoadedModule
from workers.models.loaders.program_modules import as_modules
from workers.repository.model_toml import ModelConfig, ModelConfigError, inside, shapes

_HOW = 'torch.export.export(model.eval(), (x,), dynamic_shapes=({0: torch.export.Dim("batch")},))'
# Operators that differ in training, with the position of the operand that is true there.
_TRAINING_OPERAND = {"aten.batch_norm.default": 5, "aten.dropout.default": 2}


def load(config: ModelConfig, folder: Path) -> LoadedModule:
    """Loads the program of the folder.

    Raises:
        ModelConfigError: the file is missing, is no exported program, holds pickles, has a fixed batch dimension, or
            was exported in training mode.
    """
    path = inside(folder, config.file or "")
    if not path.is_file():
        raise ModelConfigError(f"file: {config.file!r} is not in the model's folder")
    _refuse_pickles(path)
    try:
        program = torch.export.load(path)
    except Exception as error:  # torch raises AssertionError and others
        raise ModelConfigError(f"file: {config.file!r} cannot be read: {type(error).__name__}: {error}") from error
    _check_inputs(program, config)
    _check_mode(program)
    module: nn.Module = as_modules(program)
    if config.input.dtype == "float64":
        module = module.double()
    return LoadedModule(module.eval().requires_grad_(False), config)


def _refuse_pickles(path: Path) -> None:
    """Accepts archives of plain tensors only: `torch.export.load` unpickles other objects of an archive silently.

    Raises:
        ModelConfigError: the archive is damaged, is of an older format, or holds pickled objects.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            files = {name.partition("/")[2]: name for name in archive.namelist()}  # the archive holds one folder
            if "models/model.json" not in files:
                raise ModelConfigError("file: the archive holds no exported program of today's format; export it anew")
            for name, stored in files.items():
                _refuse_pickle(name, archive.read(stored) if name.endswith((".json", ".pt")) else b"")
    except ModelConfigError:
        raise
    except Exception as error:  # a damaged archive, or sample inputs that are not only tensors
        raise ModelConfigError(f"file: {path.name!r} cannot be read safely: {type(error).__name__}") from error


def _refuse_pickle(name: str, data: bytes) -> None:
    pickled: list[str] = []
    if name.startswith("data/sample_inputs/"):
        torch.load(io.BytesIO(data), weights_only=True)
    elif name.startswith(("data/weights/", "data/constants/")) and name.endswith(".pt"):
        pickled = [name]
    elif name.endswith(("_weights_config.json", "_constants_config.json")):
        payloads = json.loads(data)["config"].values()
        pickled = [p["path_name"] for p in payloads if p["use_pickle"] or _is_object(p["path_name"])]
    if pickled:
        raise ModelConfigError(f"file: {pickled[0]!r} in the archive is pickled; only plain tensors are read")


def _is_object(name: str) -> bool:
    return not name.startswith(("weight_", "tensor_"))


def _check_inputs(program: ExportedProgram, config: ModelConfig) -> None:
    """Raises `ModelConfigError` unless every input is a tensor of the described shape with a free batch dimension."""
    wanted = set(program.graph_signature.user_inputs)
    values = [node.meta.get("val") for node in program.graph.nodes if node.op == "placeholder" and node.name in wanted]
    described = shapes(config.input)
    if len(values) != len(described) or program.call_spec.in_spec.children()[1].num_leaves:
        raise ModelConfigError(f"file: the program must take {len(described)} positional tensors")
    for number, (value, shape) in enumerate(zip(values, described, strict=True)):
        if not isinstance(value, torch.Tensor) or not value.dim():
            raise ModelConfigError(f"file: input {number} of the program is no tensor with a batch dimension")
        fixed = [size for size in value.shape[1:] if isinstance(size, int)]
        if len(fixed) == len(shape) and fixed != shape:
            raise ModelConfigError(f"file: the program takes {fixed} as input {number}, not {shape}")
        _check_batch_dimension(program, value.shape[0])


def _check_batch_dimension(program: ExportedProgram, rows: Any) -> None:
    if isinstance(rows, int):
        raise ModelConfigError(
            f"file: the program takes batches of {rows} only, for its batch dimension was fixed when it was exported; "
            f"export it with {_HOW}"
        )
    bounds = program.range_constraints.get(rows.node.expr)
    if bounds is not None and (bounds.lower > 1 or bounds.upper < torch.iinfo(torch.int32).max):
        raise ModelConfigError(
            f"file: the program takes batches of {bounds.lower} to {bounds.upper} only; export it with {_HOW}"
        )


def _check_mode(program: ExportedProgram) -> None:
    """Raises `ModelConfigError` for a program exported in training mode, where a row depends on the other rows."""
    for node in program.graph.nodes:
        position = _TRAINING_OPERAND.get(str(node.target))
        if node.op == "call_function" and position is not None and len(node.args) > position and node.args[position]:
            raise ModelConfigError(
                f"file: the program was exported in training mode ({node.target}); export it with {_HOW}"
            )
