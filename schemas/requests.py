"""The request of `POST /explain`."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from schemas.base import Strict
from schemas.limits import MAX_EXAMPLES, MAX_IMAGE_BYTES, MAX_INPUT_TENSORS, MAX_SEED, MAX_TENSOR_RANK, MAX_TEXT_CHARS
from schemas.methods import Method
from schemas.methods.names import canonical_method_name
from schemas.metric_requests import Quality
from schemas.tensors import Tensor

ModelName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
Version = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$")]
MAX_URI_HEAD_CHARS = 200  # of a data URI, before the data
Priority = Literal["interactive", "batch"]
Label = Annotated[str, Field(min_length=1, max_length=200)]
ClassIndex = Annotated[int, Field(ge=0, le=10_000_000)]
TargetOne = ClassIndex | Label
TargetPlace = Annotated[list[TargetOne | None], Field(min_length=1, max_length=max(MAX_EXAMPLES, MAX_TENSOR_RANK))]
Target = TargetOne | TargetPlace | Annotated[list[TargetPlace], Field(min_length=1, max_length=MAX_EXAMPLES)]
FeatureRow = Annotated[dict[Annotated[str, Field(max_length=200)], float], Field(min_length=1, max_length=10_000)]


EncodedPicture = Annotated[str, Field(min_length=1, max_length=MAX_IMAGE_BYTES * 4 // 3 + 4 + MAX_URI_HEAD_CHARS)]


class ImageInput(Strict):
    """One picture, or a list of pictures of one size, each an example: PNG, JPEG or WebP files as base64, by themselves
    or in data URIs."""

    image: EncodedPicture | Annotated[list[EncodedPicture], Field(min_length=1, max_length=MAX_EXAMPLES)]

    @property
    def pictures(self) -> list[str]:
        """The pictures; one if no list was given."""
        return [self.image] if isinstance(self.image, str) else self.image


OneText = Annotated[str, Field(min_length=1, max_length=MAX_TEXT_CHARS)]


class TextInput(Strict):
    """One text in natural language, or a list of texts with equally many tokens, each an example."""

    text: OneText | Annotated[list[OneText], Field(min_length=1, max_length=MAX_EXAMPLES)]


class FeaturesInput(Strict):
    """One table row `{name: value}`, or a list of rows, in the table's own units."""

    features: FeatureRow | Annotated[list[FeatureRow], Field(min_length=1, max_length=MAX_EXAMPLES)]


class TensorInput(Strict):
    """A model-ready tensor, batch first. Preprocessing is skipped."""

    tensor: Tensor


class TensorsInput(Strict):
    """Model-ready tensors for a model with several inputs, batch first."""

    tensors: Annotated[list[Tensor], Field(min_length=1, max_length=MAX_INPUT_TENSORS)]


INPUT_KEYS = ("image", "text", "features", "tensor", "tensors")


def _input_key(value: Any) -> str | None:
    """The key of the input's kind; None if the input has none or several."""
    keys = [key for key in INPUT_KEYS if (key in value if isinstance(value, dict) else hasattr(value, key))]
    return keys[0] if len(keys) == 1 else None


Input = Annotated[
    Annotated[ImageInput, Tag("image")]
    | Annotated[TextInput, Tag("text")]
    | Annotated[FeaturesInput, Tag("features")]
    | Annotated[TensorInput, Tag("tensor")]
    | Annotated[TensorsInput, Tag("tensors")],
    Discriminator(
        _input_key,
        custom_error_type="input_kind",
        custom_error_message="give exactly one of image, text, features, tensor, tensors",
    ),
]


class ExplainRequest(Strict):
    """A request for an explanation: how much did each input contribute to this prediction?"""

    model: ModelName
    version: Version | None = None
    input: Input
    method: Method | None = Field(default=None, description="Default: the model card's default method.")
    target: Target | None = Field(
        default=None,
        description="The output to explain: an index, a label, or a list with one per example. Default: the predicted "
        "class. For an output of several dimensions, such as a map per class: `[class, y, x]`, or a list of them, one "
        "per example, with null for the class predicted at that position.",
    )
    quality: Quality = Field(default=[], description="Metrics of the explanation's quality, computed with it.")
    seed: Annotated[int, Field(ge=0, le=MAX_SEED)] = 0
    priority: Priority = "interactive"

    @model_validator(mode="before")
    @classmethod
    def _method_by_name(cls, value: Any) -> Any:
        """Expand `"method": "saliency"` to `"method": {"name": "saliency"}`, and accept Captum's own spelling."""
        if not isinstance(value, dict) or not isinstance(value.get("method"), str | dict):
            return value
        return {**value, "method": named_method(value["method"])}


def named_method(method: Any) -> Any:
    """A method of a request as an object with a canonical name, if it is given by name or in Captum's own spelling."""
    if not isinstance(method, str | dict):
        return method
    fields = {"name": method} if isinstance(method, str) else method
    name = fields.get("name")
    return {**fields, "name": canonical_method_name(name) or name} if isinstance(name, str) else fields
