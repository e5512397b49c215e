"""`transformers`: a local folder as `save_pretrained` writes it. Its own files drive the preprocessing.

Weights are safetensors alone, no code of the folder runs, and nothing is looked up elsewhere.
"""

import inspect
from pathlib import Path
from typing import Any

import torch
from torch import nn

from workers.models.loaders.image_processor import image_input
from workers.models.loaders.loaded import Loaded
from workers.models.loaders.tokenizer_files import text_input
from workers.repository.model_toml import ModelConfig, ModelConfigError, OutputConfig, inside

LOCAL: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
_TEXT_ARGUMENTS = ("input_ids", "attention_mask", "token_type_ids")


def load(config: ModelConfig, folder: Path) -> Loaded:
    """Raises:
    ModelConfigError: the folder is not one of transformers', its weights are incomplete or no safetensors, or its
        preprocessing is none that can be done here.
    """
    path = inside(folder, config.path or "")
    if not (path / "config.json").is_file():
        raise ModelConfigError(f"path: {config.path!r} holds no config.json")
    module = _model(config, path)
    labels = _output(config.output, module.config)
    if config.input.kind == "image":
        given = image_input(config.input, path)
        return Loaded(module, config.model_copy(update={"input": given, "output": labels}))
    takes_types = "token_type_ids" in inspect.signature(module.forward).parameters
    given, tokenizer, gives_types = text_input(config.input, path, module)
    _take_by_position(module)
    completed = config.model_copy(update={"input": given, "output": labels})
    return Loaded(module, completed, tokenizer, token_types=takes_types and gives_types)


def _model(config: ModelConfig, path: Path) -> Any:
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
            **LOCAL,
        )
    except (OSError, ValueError, ImportError) as error:
        raise ModelConfigError(f"path: {' '.join(str(error).split())}") from error
    drawn = sorted(report["missing_keys"]) + sorted(str(key[0]) for key in report["mismatched_keys"])
    if drawn:  # transformers would draw them at random
        raise ModelConfigError(f"path: the weights have no {drawn[0]!r} of the model's shape")
    return module.eval().requires_grad_(False)


def _output(given: OutputConfig, config: Any) -> OutputConfig:
    """What the model's own configuration says of its outputs, where the description does not."""
    said: dict[str, Any] = {}
    regression = config.problem_type == "regression" or (config.problem_type is None and config.num_labels == 1)
    if "kind" not in given.model_fields_set and regression:
        said["kind"] = "regression"
    elif "kind" not in given.model_fields_set and config.problem_type == "multi_label_classification":
        said["kind"] = "multilabel"
    labels = [str(config.id2label.get(index)) for index in range(config.num_labels)]
    named = labels != [f"LABEL_{index}" for index in range(config.num_labels)]
    if given.labels is None and named:
        said["labels"] = labels
    return given.model_copy(update=said)


class _ByName(nn.Module):
    """Takes ids, mask and token types in this order, in which models of transformers do not agree."""

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return super().forward(**dict(zip(_TEXT_ARGUMENTS, args, strict=False)), **kwargs)


def _take_by_position(module: nn.Module) -> None:
    """Gives the model a class of its own, and not a module around it: its layers keep their paths."""
    kind = type(module)
    module.__class__ = type(kind.__name__, (_ByName, kind), {})
    config: Any = module.config
    config.use_cache = False  # of generation; a cache would be one more output
