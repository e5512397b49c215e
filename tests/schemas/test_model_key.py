"""The name and version of a model as one text."""

import pytest
from pydantic import ValidationError

from schemas.base import Record
from schemas.model_key import ModelKey


class Census(Record):
    models: list[ModelKey]
    jobs: dict[ModelKey, int]


def test_text_and_back() -> None:
    key = ModelKey("efficientnet-lite0", "1.10")
    assert f"{key}" == str(key) == "efficientnet-lite0@1.10"
    assert ModelKey.parse(str(key)) == key


@pytest.mark.parametrize("text", ["", "m", "m@", "@1"])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="name@version"):
        ModelKey.parse(text)


def test_json_has_the_text_as_a_value_and_as_a_key() -> None:
    key = ModelKey("m", "2")
    census = Census(models=[key], jobs={key: 3})
    assert census.model_dump_json() == '{"models":["m@2"],"jobs":{"m@2":3}}'
    assert Census.model_validate_json(census.model_dump_json()) == census
    with pytest.raises(ValidationError):
        Census.model_validate({"models": ["m"], "jobs": {}})
