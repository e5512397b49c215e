"""Loader `transformers`: a local folder as `save_pretrained` writes it. Its files give the preprocessing.

Weights are safetensors only. No code of the folder runs, and nothing is read outside it.
"""

import inspect
from pathlib import Path
from typing import Any

import torch
from torch import nn

from workers.models.loaders.image_processor import image_input
from workers.models.loaders.loaded_module import LoadedModule
from workers.models.loaders.tokenizer_files import text_input
from workers.repository.model_toml import ModelConfig, ModelConfigError, OutputConfig, inside

_LOCAL: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
_TEXT_ARGUMENTS = ("input_ids", "attention_mask", "token_type_ids")


def load(config: ModelConfig, folder: Path) -> LoadedModule:
    """Loads the model of the folder, and completes the description from its files.

    Raises:
        ModelConfigError: the folder is not one of transformers, its weights are incomplete or no safetensors, or the
            service has no such preprocessing.
    """
    path = inside(folder, config.path or "")
    if not (path / "config.json").is_file():
        raise ModelConfigError(f"path: {config.path!r} holds no config.json")
    module = _pretrained(config, path)
    output = _completed_output(config.output, module.config)
    if config.input.kind == "image":
        given = image_input(config.input, path)
        return LoadedModule(module, config.model_copy(update={"input": given, "output": output}))
    takes_types = "token_type_ids" in inspect.signature(module.forward).parameters
    given, tokenizer, gives_types = text_input(config.input, path, module)
    _take_by_position(module)
    completed = config.model_copy(update={"input": given, "output": output})
    return LoadedModule(module, completed, tokenizer, token_types=takes_types and gives_types)


def _pretrained(config: ModelConfig, path: Path) -> Any:
    try:
        import transformers  # noqa: PLC0415  # takes seconds, and is not always installed
    except ModuleNotFoundError as error:
        raise ModelConfigError("loader: transformers is not installed") from error
    transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    kinds = {
        "image": transformers.AutoModelForImageClassification,
        "text": transformers.AutoModelForSequenceClassification,
    }
    try:
        module, report = kinds[config.input.kind].from_pretrained(
            path,
            use_safetensors=True,
            dtype=getattr(torch, config.input.dtype),
            output_loading_info=True,
            **_LOCAL,
        )
    except (OSError, ValueError, ImportError) as error:
        raise ModelConfigError(f"path: {' '.join(str(error).split())}") from error
    random_weights = sorted(report["missing_keys"]) + sorted(str(key[0]) for key in report["mismatched_keys"])
    if random_weights:  # transformers fills missing weights at random
        raise ModelConfigError(f"path: the weights have no {random_weights[0]!r} of the model's shape")
    return module.eval().requires_grad_(False)


def _completed_output(given: OutputConfig, config: Any) -> OutputConfig:
    """Takes output kind and labels from the model's own configuration where the description gives none."""
    found: dict[str, Any] = {}
    regression = config.problem_type == "regression" or (config.problem_type is None and config.num_labels == 1)
    if "kind" not in given.model_fields_set and regression:
        found["kind"] = "regression"
    elif "kind" not in given.model_fields_set and config.problem_type == "multi_label_classification":
        found["kind"] = "multilabel"
    labels = [str(config.id2label.get(index)) for index in range(config.num_labels)]
    named = labels != [f"LABEL_{index}" for index in range(config.num_labels)]
    if given.labels is None and named:
        found["labels"] = labels
    return given.model_copy(update=found)


class _ByName(nn.Module):
    """Takes ids, mask and token types by position in this order. Models of transformers differ in the order."""

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return super().forward(**dict(zip(_TEXT_ARGUMENTS, args, strict=False)), **kwargs)


def _take_by_position(module: nn.Module) -> None:
    """Replaces the class of the module. A module around it would change the paths of the layers."""
    kind = type(module)
    module.__class__ = type(kind.__name__, (_ByName, kind), {})
    config: Any = module.config
    config.use_cache = False  # a generation cache would be another output
