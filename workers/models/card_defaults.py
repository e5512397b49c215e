"""What a request gets that names no method, baseline or layer."""

from schemas.models import Defaults, LayerCard, MethodSupport
from workers.models.stages import LoadedModel
from workers.repository.model_toml import ExplainConfig, ModelConfigError

# In this order, where the usual method is not supported.
_FALLBACK_METHODS = ("layer_integrated_gradients", "feature_ablation")


def card_defaults(
    loaded: LoadedModel, layers: list[LayerCard], methods: list[MethodSupport], layer: str | None
) -> Defaults:
    """The defaults that the description gives; else a supported method, and `layer` where it can be explained.

    Raises:
        ModelConfigError: the layer or the baseline of the description does not fit the model.
    """
    explain, adapter, background = loaded.config.explain, loaded.adapter, bool(loaded.background_rows)
    usable = {one.name for one in layers if one.refused is None and one.output_refused is None}
    if explain.layer is not None and explain.layer not in usable:
        raise ModelConfigError(f"explain.layer: {_refusal(explain.layer, layers)}")
    baseline = explain.baseline or adapter.baselines[0]
    if baseline not in adapter.baselines and not (baseline == "background" and background):
        raise ModelConfigError(f"explain.baseline: {baseline!r} means nothing for this input")
    return Defaults(
        method=_default_method(explain, methods),
        baseline=baseline,
        shap_baseline="background" if background else baseline,
        layer=explain.layer or (layer if layer in usable else None),
    )


def _refusal(name: str, layers: list[LayerCard]) -> str:
    """Why the named layer cannot be a default."""
    reasons = (one.refused or one.output_refused for one in layers if one.name == name)
    return next(reasons, None) or f"the model runs no layer {name!r}"


def _default_method(explain: ExplainConfig, methods: list[MethodSupport]) -> str:
    """A method that the description names stays, even where the model does not support it."""
    supported = {one.name for one in methods if one.supported}
    if "method" in explain.model_fields_set or explain.method in supported:
        return explain.method
    return next((name for name in _FALLBACK_METHODS if name in supported), explain.method)
