"""Loader `timm`: a named architecture with weights from the folder. Its configuration gives the preprocessing."""

from pathlib import Path
from typing import Any

from workers.models.loaders.loaded_module import LoadedModule
from workers.models.loaders.weights import read_tensors
from workers.repository.model_toml import InputConfig, ModelConfig, ModelConfigError, inside

_INTERPOLATIONS = ("bilinear", "bicubic", "lanczos", "nearest", "box", "hamming")


def load(config: ModelConfig, folder: Path) -> LoadedModule:
    """Builds the architecture, and fills it with the weights.

    Raises:
        ModelConfigError: timm is not installed, has no such architecture, or the weights do not fit it.
    """
    try:
        import timm  # noqa: PLC0415  # takes seconds, and is not always installed
        from timm.data import resolve_model_data_config  # noqa: PLC0415
    except ImportError as error:  # of timm, or of torchvision, which timm needs
        raise ModelConfigError(f"loader: timm cannot be imported: {error}") from error
    if config.weights is None:  # timm would fill the model at random
        raise ModelConfigError("weights: loader 'timm' needs a file of this folder")
    state = read_tensors(inside(folder, config.weights))
    name = config.architecture or ""
    if "/" in name or ":" in name:  # as in hf-hub:… and local-dir:…, which lead out of the folder
        raise ModelConfigError(f"architecture: {name!r} is no architecture of timm's own")
    classes = {"num_classes": len(config.output.labels)} if isinstance(config.output.labels, list) else {}
    try:
        module = timm.create_model(name, pretrained=False, **classes)
        module.load_state_dict(state)
    except RuntimeError as error:  # no such architecture; or weights of another one
        said = " ".join(str(error).split())[:300]
        raise ModelConfigError(f"architecture: {name!r} cannot be built with these weights: {said}") from error
    if config.input.dtype == "float64":
        module = module.double()
    given = config.input if config.input.size else _described(config.input, resolve_model_data_config(module))
    return LoadedModule(module.eval().requires_grad_(False), config.model_copy(update={"input": given}))


def _described(given: InputConfig, data: dict[str, Any]) -> InputConfig:
    """Adds timm's `input_size`, `mean`, `std`, `interpolation`, `crop_pct` and `crop_mode` to the description.

    Raises:
        ModelConfigError: the service has no such preprocessing.
    """
    channels, height, width = data["input_size"]
    if channels != 3 or data["interpolation"] not in _INTERPOLATIONS or data.get("crop_mode", "center") != "center":
        raise ModelConfigError("input: timm's preprocessing of this architecture is none that can be done here")
    short = int(min(height, width) / data["crop_pct"])
    fields = {"size": [height, width], "interpolation": data["interpolation"]}
    fields |= {"mean": list(data["mean"]), "std": list(data["std"])}
    square = height == width
    return given.model_copy(update={**fields, **({"resize_to": short} if square else {"resize": "stretch"})})
