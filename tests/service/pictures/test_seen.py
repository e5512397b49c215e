"""What the job carries of a picture: the same for equal pixels whatever the file, and drawn in the picture's shape."""

import base64
import io

import numpy as np
from PIL import Image
from safetensors.numpy import load

from schemas.requests import ExplainRequest
from service.pictures.image_overlay import render_overlay
from service.pictures.overlay_options import OverlayOptions
from service.submission import Submission, prepare
from tests.service.cards import image_card
from tests.service.pictures.drawn import photograph, pixels

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


def test_stretched_pixels_are_drawn_in_the_proportions_of_the_picture() -> None:
    seen = VIEW.resize((32, 32))
    options = OverlayOptions(size=96, style="blend", alpha=0.0)
    drawn = pixels(render_overlay(seen, np.ones((1, 3, 32, 32)), options, proportions=(300.0, 200.0)))
    assert drawn.shape == (64, 96, 3)
    expected = np.asarray(seen.resize((96, 64), Image.Resampling.BICUBIC).convert("L"), int)
    assert np.abs(drawn[..., 0].astype(int) - expected).max() <= 1
