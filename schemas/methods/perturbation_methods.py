"""Methods that explain an output by the inputs, from outputs for perturbed inputs alone."""

from typing import Literal

from pydantic import Field

from schemas.methods.cost import Cost, Sizes
from schemas.methods.families import (
    AblationMethod,
    BaselineMethod,
    FeatureMethod,
)
from schemas.methods.fields import (
    Coalitions,
    Orders,
    StandardError,
    Windows,
)


class Occlusion(BaselineMethod):
    lane = "shared"
    perturbs = "input"

    name: Literal["occlusion"] = "occlusion"
    sliding_window_shapes: Windows | None = Field(
        default=None,
        description="Window over one example: (C, H, W) for images, (tokens,) for text, (features,) for tables; or a "
        "list of windows, one per input of the model.",
    )
    strides: Windows | None = Field(
        default=None,
        description="Step of the window along each dimension; or a list of them, one per input. Default: one, where a "
        "window is given.",
    )

    def cost(self, sizes: Sizes) -> Cost:
        return Cost.of(sizes.windows + 1, "windows and the input itself")


class FeatureAblation(BaselineMethod, AblationMethod):
    lane = "shared"

    name: Literal["feature_ablation"] = "feature_ablation"


class FeaturePermutation(AblationMethod):
    """Features are exchanged between the examples of the request, of which there must be several."""

    lane = "shared"
    draws = True
    permutes = True

    name: Literal["feature_permutation"] = "feature_permutation"


class ShapleyValueSampling(BaselineMethod, FeatureMethod):
    lane = "shared"
    completeness = "efficient"
    draws = True
    starts_at_baseline = True
    default_grid = 4  # the cost grows with samples x features

    name: Literal["shapley_value_sampling"] = "shapley_value_sampling"
    n_samples: Orders = 25
    tolerance: StandardError = None

    def cost(self, sizes: Sizes) -> Cost:
        return Cost.of(self.n_samples, "n_samples") * Cost.of(sizes.features, "features")

    @property
    def adaptive(self) -> bool:
        return self.tolerance is not None


class ShapleyValues(BaselineMethod, FeatureMethod):
    """Every order of the features, from the outputs of every coalition."""

    lane = "shared"
    completeness = "efficient"
    starts_at_baseline = True
    default_grid = 2  # the cost doubles with each feature

    name: Literal["shapley_values"] = "shapley_values"

    def cost(self, sizes: Sizes) -> Cost:
        return Cost.of(sizes.coalitions, "coalitions between baseline and input")


class KernelShap(BaselineMethod, FeatureMethod):
    lane = "shared"
    completeness = "efficient"
    draws = True
    default_grid = 4  # the variance grows with the number of features

    name: Literal["kernel_shap"] = "kernel_shap"
    n_samples: Coalitions = 25
    tolerance: StandardError = None

    def objection_to(self, features: int) -> str | None:
        """The weights of coalitions are not defined for one feature."""
        return None if features >= 2 else "KernelSHAP needs two features or more"

    def cost(self, sizes: Sizes) -> Cost:
        return Cost.of(self.n_samples, "n_samples")

    @property
    def adaptive(self) -> bool:
        return self.tolerance is not None


class Lime(BaselineMethod, FeatureMethod):
    lane = "shared"
    draws = True
    default_grid = 4  # the variance grows with the number of features

    name: Literal["lime"] = "lime"
    n_samples: Coalitions = 25

    def cost(self, sizes: Sizes) -> Cost:
        return Cost.of(self.n_samples, "n_samples")
