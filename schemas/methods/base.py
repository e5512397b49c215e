"""The base class of all methods, whose class variables declare what a method is."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import ConfigDict

from schemas.base import Strict
from schemas.limits import NOISE_ROUND
from schemas.methods.cost import Cost, Sizes

Lane = Literal["shared", "solo"]
Kind = Literal["input", "layer", "neuron"]
Gradient = Literal["output_to_input", "output_to_layer", "unit_to_input"]
BaselineUse = Literal["none", "single", "distribution"]
Rules = Literal["deep_lift", "guided", "lrp"]
BackwardRule = Literal["rescale", "guided", "deconvolution"]


def _describe_name(schema: dict[str, Any]) -> None:
    """Describe `name` in the JSON schema once, not in the class of each method."""
    if "name" in schema.get("properties", {}):
        schema["properties"]["name"]["description"] = "Selects this method."


class BaseMethod(Strict):
    """The parameters of a method, and in class variables what gateway and worker derive their treatment of it from.

    Attributes:
        lane: `shared` if the method only calls the model or takes its gradients, so that its rows can share passes with
            those of other jobs; `solo` if it hooks the model's modules. A method with a `backward_rule` shares passes
            on the models that have a module for that rule, and takes the solo lane on others.
        kind: what is explained by what. `input`: an output by the inputs; `layer`: an output by the units of a layer;
            `neuron`: one unit of a layer by the inputs.
        entry: where the method enters the model. `embeddings`: the inputs are interpolated or perturbed, which token
            ids do not allow, so texts enter behind their embedding; `model`: at the model's own inputs, so that every
            layer is on the way.
        gradients: the gradients that it takes; empty if it takes none, so that integer inputs will do.
        rules: the family of rules by which it replaces the backward pass of modules; None for the true gradient.
        backward_rule: that of its passes in the shared lane; None for the true gradient, and for a method that
            always takes the solo lane.
        baselines: `none`, `single` (one for each example) or `distribution` (rows of their own, of which the method
            takes the mean or draws).
        completeness: when attributions add up to f(input) - f(baseline). `never`; `exactly`; `efficient`: by the
            Shapley values' axiom of efficiency; `on_average`: to f(input) - mean f(baselines).
        perturbs: whether features of the `input` or of the `layer` are altered, so that each element has the
            attribution of its whole feature; None if neither is.
        draws: whether it uses random numbers.
        permutes: whether it exchanges features between examples, of which it needs at least two.
        coalesces: whether jobs with equal parameters can run as one Captum call in the shared lane: it draws nothing,
            pools nothing, and computes each example for itself.
        single_gradient: whether it is one gradient at the input, whose pass yields the prediction as well.
        noisy_samples: the parameter that counts noisy copies of the input, which are drawn and held all at once; None
            if there are none.
        rows_in_pass: rows that one example puts into one pass of the solo lane.
        needs_batch: whether Captum needs several rows in one pass of the model.
        starts_at_baseline: whether it starts from the output for the baseline, which takes a row more than its own.
        computes_grad_cam: whether channels of a layer's map are weighted by their mean gradient.
        needs_map: whether a layer's map is laid over the input, so that both need height and width.
        at_embedding: whether it explains integer inputs at the layer that embeds them.
        default_grid: rows and columns of the feature mask over a picture, where none is given.
    """

    model_config = ConfigDict(json_schema_extra=_describe_name)

    if TYPE_CHECKING:  # each method declares its name as a literal with a default, at its place among the fields
        name: str

    lane: ClassVar[Lane]
    kind: ClassVar[Kind] = "input"
    entry: ClassVar[Literal["model", "embeddings"]] = "embeddings"
    gradients: ClassVar[frozenset[Gradient]] = frozenset()
    rules: ClassVar[Rules | None] = None
    backward_rule: ClassVar[BackwardRule | None] = None
    baselines: ClassVar[BaselineUse] = "none"
    completeness: ClassVar[Literal["never", "exactly", "efficient", "on_average"]] = "never"
    perturbs: ClassVar[Literal["input", "layer"] | None] = None
    draws: ClassVar[bool] = False
    permutes: ClassVar[bool] = False
    coalesces: ClassVar[bool] = False
    single_gradient: ClassVar[bool] = False
    noisy_samples: ClassVar[str | None] = None
    rows_in_pass: ClassVar[int] = 1
    needs_batch: ClassVar[bool] = False
    starts_at_baseline: ClassVar[bool] = False
    computes_grad_cam: ClassVar[bool] = False
    needs_map: ClassVar[bool] = False
    at_embedding: ClassVar[bool] = False
    default_grid: ClassVar[int] = 14

    def cost(self, sizes: Sizes) -> Cost:
        """Model rows of the method for one example, without those of the prediction and of the baseline's output.

        Raises:
            InvalidRequest: a size that the cost depends on is unknown, or larger than any job may have.
        """
        return Cost(1)

    @property
    def adaptive(self) -> bool:
        """Whether steps or samples end where the result is good enough."""
        return False

    @property
    def path_frames(self) -> int:
        """Points of the path that the result shows, with the attributions added up to each of them."""
        return 0

    @property
    def takes_baseline(self) -> bool:
        """Whether these parameters leave the baseline a meaning."""
        return self.baselines != "none"

    @property
    def promises_completeness(self) -> bool:
        """Whether attributions add up to f(input) - f(baseline), with these parameters."""
        return self.completeness != "never" and bool(getattr(self, "multiply_by_inputs", True))

    @property
    def sums_to_difference(self) -> bool:
        """Whether attributions add up to the difference of what is explained, between input and baseline: of the
        model's output, or of a unit."""
        return self.promises_completeness

    @property
    def yields_rates(self) -> bool:
        """Whether attributions are rates of change of the output at an element ("local"), not shares of a difference.

        Source: Ancona et al., "Towards better understanding of gradient-based attribution methods" (2018).
        """
        return not getattr(self, "multiply_by_inputs", True)

    @property
    def noisy_copies(self) -> int:
        """Noisy copies of each example that are held at once; 0 for a method without noise."""
        if self.noisy_samples is None:
            return 0
        samples = int(getattr(self, self.noisy_samples))
        return min(samples, NOISE_ROUND) if self.adaptive else samples

    @property
    def at_layer_input(self) -> bool:
        """Whether the side of the layer that is meant is its input, not its output."""
        return False

    @classmethod
    def smooths_maps(cls) -> bool:
        """Whether pictures of its attributions are smoothed by default.

        True where attributions belong to regions or to the units of a layer. False where each pixel has an attribution
        of its own, from gradients at the input or from rules in their place: there the grain is part of what the
        method says.
        """
        return cls.kind == "layer" or cls.perturbs is not None

    def unused_parameters(self) -> Iterator[tuple[str, str]]:
        """Parameters that have no effect given the others, each with what it belongs to."""
        yield from ()

    @classmethod
    def default(cls, field: str) -> Any:
        """The default of a parameter."""
        return cls.model_fields[field].default
