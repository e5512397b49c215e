"""Checks the input of a request against the model's input card, and converts it to arrays."""

from dataclasses import dataclass

import numpy as np
from pydantic import ByteSize

from schemas.errors import InvalidRequest, PicturesDiffer
from schemas.jobs import PayloadKind
from schemas.limits import MAX_EXAMPLES, MAX_IMAGE_PIXELS
from schemas.models import InputCard
from schemas.picture_view import PictureView
from schemas.pictures import Picture
from schemas.requests import FeaturesInput, ImageInput, Input, TensorInput, TextInput
from schemas.sentences import Sentence, either
from schemas.tensors import Tensor
from service.pictures.decode import PictureRejected, Work, model_pixels, work_of
from service.tuning import MAX_NAMED_FEATURES
from service.validation.document.base64_image import NOT_A_LOCATION, NotBase64, image_bytes, is_location
from service.validation.document.field_errors import short
from service.validation.document.suggest import with_suggestion
from service.validation.tensors import Array, Location, check_ids, check_shape, tensor_array

ACCEPTED = {  # by the model's kind of input
    "image": ("image", "tensor", "tensors"),
    "tabular": ("features", "tensor", "tensors"),
    "text": ("text",),
    "tensor": ("tensor", "tensors"),
}


@dataclass(frozen=True, slots=True)
class CheckedInput:
    """The input as the payload holds it, with the names of `JobSpec`, and the number of its examples."""

    kind: PayloadKind
    examples: int
    arrays: dict[str, Array]
    text_chars: int = 0
    picture: Picture | None = None  # the part of the client's picture that the model sees


def check_input(given: Input, card: InputCard) -> CheckedInput:
    """Check the input and convert it.

    Raises:
        InvalidRequest: its kind, shape, names or values do not fit the model; names the field.
    """
    kind = next(iter(type(given).model_fields))
    if kind not in ACCEPTED[card.kind]:
        takes = either(*ACCEPTED[card.kind])
        raise InvalidRequest.at(["input", kind], Sentence("the model takes {takes}", takes=takes))
    if isinstance(given, ImageInput):
        return _image(given, card)
    if isinstance(given, TextInput):
        return _text(given)
    if isinstance(given, FeaturesInput):
        return _features(given, card)
    if isinstance(given, TensorInput):
        return _tensors([(given.tensor, ["input", "tensor"])], card)
    return _tensors([(tensor, ["input", "tensors", i]) for i, tensor in enumerate(given.tensors)], card)


def picture_work(given: Input, card: InputCard | None) -> Work:
    """What preparing a picture takes, possibly far more than its bytes; zeros for other and refused inputs."""
    if not isinstance(given, ImageInput) or card is None or card.kind != "image":
        return Work()
    works = [_work(one, PictureView.of(card)) for one in given.pictures]
    return Work(sum(work.pixels for work in works), max(work.memory_bytes for work in works))  # one after another


def _work(encoded: str, view: PictureView) -> Work:
    try:
        return work_of(image_bytes(encoded), view)
    except NotBase64:
        return Work()


def check_picture_memory(work: Work, allowed_bytes: int) -> None:
    """Raise `InvalidRequest` if preparing the picture takes more memory than one alone may take."""
    if work.memory_bytes > allowed_bytes:
        taken, allowed = (ByteSize(count).human_readable() for count in (work.memory_bytes, allowed_bytes))
        raise InvalidRequest.at(
            ["input", "image"],
            Sentence(
                "decoding the picture takes {taken} of memory; ATTRIBUTION_DECODE_BYTES allows {allowed}; "
                "send a smaller picture, or a JPEG that is not progressive",
                taken=taken,
                allowed=allowed,
            ),
        )


def _image(given: ImageInput, card: InputCard) -> CheckedInput:
    """Decode and scale the pictures, so that no broken one becomes a job and workers receive what the model sees."""
    loc: Location = ["input", "image"]
    if isinstance(given.image, str):
        pixels, picture = _seen(given.image, card, loc)
        return CheckedInput("image", 1, {"pixels": pixels}, picture=picture)
    first: Picture | None = None
    seen: list[Array] = []
    for index, encoded in enumerate(given.image):
        pixels, picture = _seen(encoded, card, [*loc, index])
        first = first or picture
        _check_size(picture, first, len(given.image), [*loc, index])
        seen.append(pixels)
    return CheckedInput("image", len(seen), {"pixels": np.stack(seen)}, picture=first)


def _check_size(picture: Picture, first: Picture, count: int, loc: Location) -> None:
    """Check a picture of a list when it has been decoded, so that a list takes no more time than the largest picture.

    Raises:
        PicturesDiffer: it has another size than the first one, or so many of its size are too large together.
    """
    if picture != first:
        size, other = (
            Sentence("{width} x {height} pixels", width=one.width, height=one.height) for one in (picture, first)
        )
        raise PicturesDiffer.at(
            loc,
            Sentence(
                "the picture has {size}, the first one {other}; use several requests for pictures of several sizes",
                size=size,
                other=other,
            ),
        )
    if count * picture.width * picture.height > MAX_IMAGE_PIXELS:
        raise PicturesDiffer.at(
            loc[:2],
            Sentence(
                "{count} pictures of {width} x {height} pixels, more than {most} in all; use several requests",
                count=count,
                width=picture.width,
                height=picture.height,
                most=MAX_IMAGE_PIXELS,
            ),
        )


def _seen(encoded: str, card: InputCard, loc: Location) -> tuple[Array, Picture]:
    """What the model sees of one picture, (H, W, 3)."""
    try:
        return model_pixels(image_bytes(encoded), PictureView.of(card))
    except NotBase64 as error:
        raise InvalidRequest.at(loc, error.args[0]) from None
    except PictureRejected as error:
        reason = NOT_A_LOCATION if is_location(encoded) else error.args[0]
        raise InvalidRequest.at(loc, reason) from None


def _text(given: TextInput) -> CheckedInput:
    """One text as `text`, or several as `text.0`, `text.1`, …"""
    if isinstance(given.text, str):
        return CheckedInput("text", 1, {"text": _utf8(given.text, ["input", "text"])}, len(given.text))
    arrays = {f"text.{index}": _utf8(text, ["input", "text", index]) for index, text in enumerate(given.text)}
    return CheckedInput("text", len(given.text), arrays, max(map(len, given.text)))


def _utf8(text: str, loc: Location) -> Array:
    if not text.strip():
        raise InvalidRequest.at(loc, "the text is blank")
    return np.frombuffer(text.encode("utf-8"), dtype=np.uint8)


def _features(given: FeaturesInput, card: InputCard) -> CheckedInput:
    names = [column.name for column in card.features or []]
    is_one = isinstance(given.features, dict)
    rows = [given.features] if isinstance(given.features, dict) else given.features
    for index, row in enumerate(rows):
        _check_names(row, names, ["input", "features"] if is_one else ["input", "features", index])
    table = np.array([[row[name] for name in names] for row in rows], dtype=np.float64)  # (rows, columns)
    return CheckedInput("features", len(rows), {"features": table})


def _check_names(row: dict[str, float], names: list[str], loc: Location) -> None:
    """Raise `InvalidRequest` unless the row has exactly the card's columns."""
    known = set(names)
    unknown = [name for name in row if name not in known]
    if unknown:
        raise InvalidRequest.at(
            short([*loc, unknown[0]]),
            with_suggestion("the model has no such feature", unknown[0], names),
        )
    missing = [name for name in names if name not in row]
    if missing:
        listed = ", ".join(missing[:MAX_NAMED_FEATURES]) + (", …" if len(missing) > MAX_NAMED_FEATURES else "")
        raise InvalidRequest.at(
            [*loc, missing[0]],
            Sentence(
                "{missing} of {count} features are missing: {listed}",
                missing=len(missing),
                count=len(names),
                listed=listed,
            ),
        )


def _tensors(given: list[tuple[Tensor, Location]], card: InputCard) -> CheckedInput:
    if len(given) != len(card.shapes):
        loc = given[0][1][:2]
        raise InvalidRequest.at(
            loc, Sentence("the model takes {count} tensors; {given} given", count=len(card.shapes), given=len(given))
        )
    examples = given[0][0].shape[0]
    for index, ((tensor, loc), shape) in enumerate(zip(given, card.shapes, strict=True)):
        check_shape(tensor.shape, shape, range(1, MAX_EXAMPLES + 1) if index == 0 else (examples,), loc)
    arrays = {f"input.{index}": tensor_array(tensor, card.datatype, loc) for index, (tensor, loc) in enumerate(given)}
    for index, (array, (_, loc)) in enumerate(zip(arrays.values(), given, strict=True)):
        check_ids(array, index, card, loc)
    return CheckedInput("tensor", examples, arrays)
