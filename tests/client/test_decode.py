"""Documents become dataclasses, and each wrong field is named."""

import dataclasses
from typing import Any

import pytest

from attribution_client.decode import decode
from attribution_client.errors import BadAnswer
from attribution_client.wire.answers import Explanation, Job, ModelCard
from schemas.models import ModelCard as ServedCard
from service.openapi.examples import EXPLANATION, SUCCEEDED_JOB
from tests.client.core.scripted import job


def test_the_examples_of_the_description() -> None:
    explanation = decode(Explanation, EXPLANATION)
    assert explanation.features is not None
    assert explanation.features[0][0].name == "age"
    assert explanation.predictions[0][0].score == 0.75
    assert decode(Job, SUCCEEDED_JOB).progress.fraction == 1.0


def test_a_card_of_the_service() -> None:
    served = ServedCard(name="a", version="1", status="failed", error="no weights")
    card = decode(ModelCard, served.model_dump(mode="json"))
    assert (card.name, card.error, card.methods, card.dialects.vertex_endpoint) == ("a", "no weights", [], None)


def test_fields_of_a_later_service_are_ignored() -> None:
    later = job(mood="good", progress={"done": 1, "total": 2, "fraction": 0.5, "eta": 3})
    assert decode(Job, later).progress.done == 1


def test_a_word_of_a_later_service_is_kept() -> None:
    assert decode(Job, job("paused")).status == "paused"


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (None, "Job: expected an object, got null"),
        ([], "Job: expected an object, got list"),
        ({}, "Job.id is absent"),
        (job(id=3), "Job.id: expected str, got int"),
        (job(status=3), "Job.status: expected a known word, got int"),
        (job(progress={"done": True, "total": 1, "fraction": 0}), "Job.progress.done: expected int, got bool"),
        (job(progress={"done": 1, "total": 1, "fraction": "x"}), "Job.progress.fraction: expected a number, got str"),
        (job(target=[{"index": "a"}]), "Job.target[0].index: expected int, got str"),
        (job(method=[]), "Job.method: expected an object, got list"),
    ],
)
def test_a_wrong_field_is_named(document: Any, message: str) -> None:
    with pytest.raises(BadAnswer) as raised:
        decode(Job, document)
    assert str(raised.value) == message


def test_answers_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        decode(Job, job()).status = "failed"  # type: ignore[misc]
