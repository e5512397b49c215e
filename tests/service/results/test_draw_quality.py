"""Metrics of quality: as they are stored, what they cost, and the picture of the curves."""

import io
import json
from typing import Any

import httpx
import pytest
from PIL import Image

from broker import JobStore
from schemas.jobs import JobSpec
from schemas.metric_requests import QUALITY_NAMES, stored_quality
from schemas.models import ModelCard
from schemas.requests import ExplainRequest
from service.http.form import form_document
from service.openapi.examples import NUCLEI
from service.submission import prepare
from tests.service.cards import image_card, table_card, text_card
from tests.service.double import WorkerDouble
from tests.service.routes.test_jobs import finished
from tests.service.validation.refusals import picture, row, text

pytestmark = pytest.mark.anyio
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


@pytest.mark.parametrize(
    ("method", "metric", "more"),
    [
        ("integrated_gradients", "completeness", 0),
        ("occlusion", "completeness", 1),
        ({"name": "gradient_shap", "baseline": "background"}, "completeness", 20),
        ("integrated_gradients", "infidelity", 10),
        ("saliency", "sensitivity_max", 10),
        ("integrated_gradients", {"name": "sensitivity_max", "n_perturb_samples": 3}, 3 * 50),
        ("gradient_shap", {"name": "sensitivity_max", "n_perturb_samples": 3}, (3 + 1) * 5),
        ("occlusion", {"name": "sensitivity_max", "n_perturb_samples": 3}, 3 * 31),
        (
            {"name": "shapley_value_sampling", "n_samples": 2},
            {"name": "sensitivity_max", "n_perturb_samples": 3},
            (3 + 1) * (2 * 30 + 1),
        ),
        ("saliency", "deletion_insertion", 2 * 30),  # no more steps than columns
        ("saliency", {"name": "deletion_insertion", "n_steps": 8}, 2 * 8),
        ("integrated_gradients", "randomization", 4 * 52),
        ("saliency", {"name": "randomization", "stages": 2}, 2),
    ],
)
def test_rows_of_a_figure(method: Any, metric: Any, more: int) -> None:
    plain, asked = (spec_of(row(method=method, quality=q), table_card()).rows for q in ([], [metric]))
    assert asked - plain == more
    two = {"input": {"features": [NUCLEI] * 2}}
    assert spec_of(row(method=method, quality=[metric], **two), table_card()).rows == 2 * asked


def test_rows_of_curves() -> None:
    assert spec_of(picture(**ASKED), image_card()).rows == 1 + 2 * 32
    grid = {"name": "feature_ablation", "feature_mask": {"grid": [3, 4]}}
    assert spec_of(picture(method=grid, **ASKED), image_card()).rows == 14 + 2 * 12
    assert spec_of(text(**ASKED), text_card()).rows == 1 + 2 * (len("good") + 2)


def test_curves_of_layers_that_lie_over_the_input() -> None:
    upsampled = {"name": "layer_grad_cam", "upsample": True}
    assert spec_of(picture(method=upsampled, **ASKED), image_card()).quality
    assert spec_of(text(method="layer_integrated_gradients", **ASKED), text_card()).quality


def test_forms() -> None:
    fields = {"model": "breast-cancer-mlp", "features": json.dumps(NUCLEI), "method": "saliency"}
    assert form_document({**fields, "quality": "infidelity, sensitivity_max"})["quality"] == [
        "infidelity",
        "sensitivity_max",
    ]
    listed = [{"name": "infidelity", "normalize": True}]
    assert form_document({**fields, "quality": json.dumps(listed)})["quality"] == listed


def opened(answer: httpx.Response) -> Image.Image:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/png"
    return Image.open(io.BytesIO(answer.content), formats=("PNG",))


async def test_the_picture(client: httpx.AsyncClient, worker: WorkerDouble) -> None:
    job_id = await finished(client, row(input={"features": [NUCLEI, NUCLEI]}, **ASKED))
    job = (await client.get(f"/jobs/{job_id}")).json()
    url = job["links"]["quality"]
    assert url == f"/jobs/{job_id}/quality.png"
    english = await client.get(url)
    assert opened(english).width == 720
    spanish = await client.get(url, headers={"Accept-Language": "es"})
    assert english.headers["vary"] == "Accept-Language"
    small = await client.get(url, params={"size": 400})
    assert opened(small).width == 400
    second = await client.get(url, params={"example": 1})
    assert len({english.content, spanish.content, small.content, second.content}) == 4
    result = (await client.get(f"/jobs/{job_id}/result")).json()
    assert len(result["quality"]["deletion_insertion"]["examples"]) == 2


async def test_the_picture_is_cacheable(client: httpx.AsyncClient, worker: WorkerDouble) -> None:
    url = f"/jobs/{await finished(client, row(**ASKED))}/quality.png"
    first = await client.get(url)
    tag = {"If-None-Match": first.headers["etag"]}
    assert (await client.get(url, headers=tag)).status_code == 304
    assert (await client.get(url, headers={**tag, "Accept-Language": "es"})).status_code == 200


async def test_no_curves(client: httpx.AsyncClient, worker: WorkerDouble) -> None:
    job_id = await finished(client, row())
    assert (await client.get(f"/jobs/{job_id}")).json()["links"]["quality"] is None
    answer = await client.get(f"/jobs/{job_id}/quality.png")
    assert answer.status_code == 404
    assert answer.json()["type"].endswith("metric-not-found")
    assert "deletion_insertion" in answer.json()["detail"]


@pytest.mark.parametrize("query", ["example=1", "example=64", "size=63", "size=4096", "colour=red"])
async def test_refused_options(client: httpx.AsyncClient, worker: WorkerDouble, query: str) -> None:
    answer = await client.get(f"/jobs/{await finished(client, row(**ASKED))}/quality.png?{query}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["loc"] == ["query", query.partition("=")[0]]


async def test_a_queued_job_has_no_curves_yet(
    client: httpx.AsyncClient, store: JobStore, idle_worker: WorkerDouble
) -> None:
    accepted = await client.post("/explain", json=row(**ASKED))
    answer = await client.get(accepted.json()["links"]["quality"])
    assert answer.status_code == 409
