"""The metrics of an explanation's quality that a request may name: a union discriminated by `name`.

Names and defaults are Captum's if it has the metric. `schemas.metrics` defines what a result holds of each.
"""

from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, Field, TypeAdapter

from schemas.base import Strict
from schemas.limits import MAX_SAMPLES
from schemas.methods.fields import BaselineName
from schemas.sentences import Sentence

PerturbSamples = Annotated[int, Field(ge=1, le=MAX_SAMPLES, description="Perturbed copies of each example.")]


Direction = Literal["lower", "higher", "zero"]


class MetricRequest(Strict):
    """One metric as a request names it, and what its computation takes. Everything else is derived from this.

    Attributes:
        better: the direction that is better, by field of the metric's result; "zero": closer to zero.
        needs_features: it sums attributions by feature, or replaces features by a baseline.
        draws: it draws random numbers, from a stream of its own that starts at the job's seed.
        runs_on_copy: it runs passes on a copy of the model, not on the model itself.
        explains_copies: it explains every perturbed copy of an example.
    """

    better: ClassVar[dict[str, Direction]]
    needs_features: ClassVar[bool] = False
    draws: ClassVar[bool] = False
    runs_on_copy: ClassVar[bool] = False
    explains_copies: ClassVar[bool] = False

    @property
    def perturbed_copies(self) -> int:
        """Perturbed copies of each example that are in memory at once."""
        return 0


class Completeness(MetricRequest):
    """Do the attributions add up to f(input) - f(baseline)? (Sundararajan, Taly and Yan 2017)"""

    better: ClassVar[dict[str, Direction]] = {"error": "zero", "relative_error": "zero"}

    name: Literal["completeness"] = "completeness"


class Infidelity(MetricRequest):
    """How well do the attributions predict the effect of perturbations on the output? (Yeh et al. 2019)"""

    better: ClassVar[dict[str, Direction]] = {"values": "lower"}
    needs_features: ClassVar[bool] = True
    draws: ClassVar[bool] = True

    name: Literal["infidelity"] = "infidelity"
    n_perturb_samples: PerturbSamples = 10
    normalize: bool = Field(
        default=False,
        description="First scale the attributions by the best-fitting factor, to compare methods with different units.",
    )
    perturbation: Literal["noise", "baseline"] | None = Field(
        default=None,
        description="noise: Gaussian, on every element. baseline: a random half of the features is replaced by the "
        "baseline. Default: baseline for methods that distribute a difference of outputs, noise for gradients.",
    )
    stdevs: float = Field(
        default=0.1,
        gt=0.0,
        le=100.0,
        description="Standard deviation of the noise, relative to the input's.",
    )

    @property
    def perturbed_copies(self) -> int:
        return self.n_perturb_samples


class SensitivityMax(MetricRequest):
    """How much does the explanation change under small perturbations of the input? (Yeh et al. 2019)"""

    better: ClassVar[dict[str, Direction]] = {"values": "lower"}
    draws: ClassVar[bool] = True
    explains_copies: ClassVar[bool] = True

    name: Literal["sensitivity_max"] = "sensitivity_max"
    perturb_radius: float = Field(
        default=0.02, gt=0.0, le=1e6, description="Radius of the uniform noise on every element, in model space."
    )
    n_perturb_samples: PerturbSamples = 10

    @property
    def perturbed_copies(self) -> int:
        return self.n_perturb_samples


class DeletionInsertion(MetricRequest):
    """How fast does the output change as the strongest features are deleted or inserted? (Petsiuk et al. 2018)"""

    better: ClassVar[dict[str, Direction]] = {"deletion": "lower", "insertion": "higher"}
    needs_features: ClassVar[bool] = True

    name: Literal["deletion_insertion"] = "deletion_insertion"
    n_steps: Annotated[int, Field(ge=1, le=256, description="Points of each curve after its first.")] = 32
    deletion_baseline: BaselineName | None = Field(
        default=None, description="Replaces deleted features. Default: the method's baseline, else the model's."
    )
    insertion_baseline: BaselineName | None = Field(
        default=None, description="The start of insertion. Default: blur for pictures, else as for deletion."
    )


class Randomization(MetricRequest):
    """Does the explanation change when the model's parameters are randomized? (Adebayo et al. 2018)"""

    better: ClassVar[dict[str, Direction]] = {"spearman": "zero", "spearman_abs": "zero", "ssim": "zero"}
    needs_features: ClassVar[bool] = True
    runs_on_copy: ClassVar[bool] = True

    name: Literal["randomization"] = "randomization"
    order: Literal["cascading", "independent"] = Field(
        default="cascading",
        description="cascading: from the output to the input, earlier parts stay random. independent: one part at a "
        "time.",
    )
    stages: Annotated[int, Field(ge=1, le=20, description="Parts of about equally many layers.")] = 4


AnyQuality = Completeness | Infidelity | SensitivityMax | DeletionInsertion | Randomization
QUALITIES: dict[str, type[AnyQuality]] = {cls.model_fields["name"].default: cls for cls in get_args(AnyQuality)}
QUALITY_NAMES: tuple[str, ...] = tuple(QUALITIES)


def _by_name(value: Any) -> Any:
    """`"infidelity"` is short for `{"name": "infidelity"}`."""
    return {"name": value} if isinstance(value, str) else value


def _once_each(value: list[AnyQuality]) -> list[AnyQuality]:
    names = [one.name for one in value]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(Sentence("{name} is given twice; give it once", name=twice))
    return value


Quality = Annotated[
    list[Annotated[Annotated[AnyQuality, Field(discriminator="name")], BeforeValidator(_by_name)]],
    Field(max_length=len(QUALITY_NAMES)),
    AfterValidator(_once_each),
]
_ADAPTER: TypeAdapter[list[AnyQuality]] = TypeAdapter(Quality)


def stored_quality(fields: list[dict[str, Any]]) -> list[AnyQuality]:
    """Metrics read back from the job store. Parameters that this version does not know are ignored."""
    return _ADAPTER.validate_python(fields, extra="ignore")
