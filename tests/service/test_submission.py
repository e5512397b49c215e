"""What a submission stores, and which requests count as equal."""

import base64
import io
from typing import Any

from PIL import Image
from safetensors.numpy import load

from schemas.jobs import JobSpec
from schemas.metric_requests import QUALITY_NAMES, stored_quality
from schemas.models import ModelCard
from schemas.requests import ExplainRequest
from service.submission import Submission, prepare
from tests.service.cards import image_card, table_card
from tests.service.drawing.drawn import photograph
from tests.service.validation.refusals import row

ASKED = {"quality": ["deletion_insertion"]}


def spec_of(body: dict[str, Any], card: ModelCard) -> JobSpec:
    return prepare(ExplainRequest.model_validate(body), card).spec


def test_names_are_stored_with_their_defaults() -> None:
    stored = spec_of(row(method="integrated_gradients", quality=list(QUALITY_NAMES)), table_card()).quality
    assert [metric["name"] for metric in stored] == list(QUALITY_NAMES)
    assert stored[1]["n_perturb_samples"] == stored[2]["n_perturb_samples"] == 10
    assert stored[2]["perturb_radius"] == 0.02
    assert [metric.model_dump() for metric in stored_quality(stored)] == stored


def test_equal_requests_have_equal_figures() -> None:
    """A result without metrics is no answer to a request for some."""
    plain, asked = (prepare(ExplainRequest.model_validate(body), table_card()) for body in (row(), row(**ASKED)))
    assert plain.digest != asked.digest


VIEW = photograph(300, 200)


def submission(picture: Image.Image, kind: str, **options: object) -> Submission:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    given = {"image": base64.b64encode(file.getvalue()).decode()}
    asked = {"model": "efficientnet-lite0", "input": given, "method": "saliency"}
    return prepare(ExplainRequest.model_validate(asked), image_card())


def test_equal_pixels_in_other_files_are_the_same_job() -> None:
    first = submission(VIEW, "PNG")
    again = submission(VIEW, "WEBP", lossless=True)
    other = submission(VIEW.transpose(Image.Transpose.FLIP_LEFT_RIGHT), "PNG")
    assert first.payload == again.payload
    assert first.digest == again.digest
    assert first.digest != other.digest
    assert load(first.payload)["pixels"].shape == (224, 224, 3)
    assert first.spec.picture is not None
    assert first.spec.picture.model_dump() == {"crop": [50, 0, 250, 200], "width": 300, "height": 200}
