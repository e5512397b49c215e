"""The Python client against the running service: every kind of input, one job and many, blocking and on a loop."""

import asyncio
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from safetensors.numpy import load_file

from attribution_client import AsyncClient, Client, errors
from attribution_client.wire.answers import Job
from tests.e2e.running import RunningService
from tests.e2e.toy_repository import write_repository
from tests.paths import ROOT
from tests.service.keys import key, write_keys

CAT = ROOT / "models" / "efficientnet-lite0" / "chelsea.jpg"
ROW: dict[str, float] = json.loads((ROOT / "models" / "breast-cancer-mlp" / "sample.json").read_text())
TEXT = "The acting is superb, but the plot is a mess."
SECRET = "a-key-for-tests"
PICTURES, TABLES, TEXTS = "efficientnet-lite0", "breast-cancer-mlp", "minilm-sentiment"

pytestmark = pytest.mark.models


@pytest.fixture
def client(service: str) -> Any:
    with Client(service, language="en") as made:
        yield made


def test_five_lines(client: Client) -> None:
    result = client.explain(CAT, model=PICTURES, method="integrated_gradients", n_steps=8)
    assert result.values.shape == (3, 224, 224)
    assert result.values.dtype == np.float32
    assert result.prediction is not None
    assert result.prediction.label == "Egyptian cat"
    assert result.completeness_error is not None
    assert "Egyptian cat 77" in repr(result)
    shown = result._repr_html_()
    assert "data:image/png;base64," in shown
    assert "tiger cat" in shown
    with Image.open(io.BytesIO(result._repr_png_() or b"")) as picture:
        assert picture.width == 512


def test_a_picture_in_any_form_is_the_same_picture(client: Client) -> None:
    with Image.open(CAT) as opened:
        opened.load()
        pixels = np.asarray(opened)
        forms: list[Any] = [str(CAT), CAT.read_bytes(), opened, pixels, torch.as_tensor(pixels.copy())]
        results = [client.explain(form, model=PICTURES, method="saliency") for form in forms]
    expected = client.explain(CAT, model=PICTURES, method="saliency").values
    for result in results:
        assert np.array_equal(result.values, expected)


def test_values_have_the_shape_of_the_input(client: Client) -> None:
    example = np.random.default_rng(0).normal(size=(3, 224, 224)).astype(np.float32)
    alone = client.explain(example, model=PICTURES, method="saliency", target=1)
    batch = client.explain(np.stack([example, example]), model=PICTURES, method="saliency", target=[1, "goldfish"])
    assert alone.values.shape == example.shape
    assert batch.values.shape == (2, 3, 224, 224)
    assert np.allclose(batch.values, alone.values, atol=1e-5)
    assert [one.label for one in batch.target or []] == ["goldfish", "goldfish"]
    columns = np.array(list(ROW.values()))
    assert client.explain(columns, model=TABLES, method="saliency").values.shape == (30,)
    assert client.explain(columns[None], model=TABLES, method="saliency").values.shape == (1, 30)


def test_rows_of_a_frame(client: Client) -> None:
    frame = pd.DataFrame([ROW, {name: 0.9 * value for name, value in ROW.items()}])
    result = client.explain(frame, model=TABLES, method="deep_lift")
    table = result.to_frame()
    assert list(table.columns) == ["example", "name", "value", "score"]
    assert len(table) == 60
    assert np.allclose(table["score"], result.values.ravel())
    one = client.explain(frame.iloc[0], method="deep_lift").to_frame()  # the only model that takes tables
    assert list(one.columns) == ["name", "value", "score"]
    assert list(one["name"]) == list(ROW)


def test_a_text(client: Client) -> None:
    result = client.explain(TEXT, model=TEXTS, n_steps=8)
    assert [word.text for word in result.words if word.text in {"superb", "mess"}] == ["superb", "mess"]
    assert len(result.tokens) >= len(result.words)
    assert [TEXT[word.start : word.end] for word in result.words] == [word.text for word in result.words]
    assert list(result.to_frame().columns) == ["text", "start", "end", "score"]
    assert result._repr_png_() is not None
    assert "superb +" in result._repr_html_()


def test_files(client: Client, tmp_path: Path) -> None:
    result = client.explain(ROW, model=TABLES, method="saliency")
    for name in ("a.npy", "a.safetensors", "a.json", "a.png"):
        result.save(tmp_path / name)
    assert np.array_equal(np.load(tmp_path / "a.npy")[0], result.values)
    assert np.array_equal(next(iter(load_file(tmp_path / "a.safetensors").values()))[0], result.values)
    assert json.loads((tmp_path / "a.json").read_text())["id"] == result.id
    result.save(tmp_path / "small.png", size=128)
    with Image.open(tmp_path / "small.png") as small, Image.open(tmp_path / "a.png") as usual:
        assert small.width < usual.width
    with pytest.raises(errors.InputError, match=r"must end in \.png"):
        result.save(tmp_path / "a.gif")
    with pytest.raises(errors.InvalidRequest, match="colormap"):
        result.overlay(colormap="nosuch")


@pytest.mark.parametrize(
    ("options", "kind", "words"),
    [
        ({"method": "magic"}, errors.InvalidRequest, "method.name"),
        ({"method": "integrated_gradients", "n_steps": 0}, errors.InvalidRequest, "method.n_steps"),
        ({"method": "integrated_gradients", "steps": 5}, errors.InvalidRequest, "did you mean 'n_steps'"),
        ({"target": "unicorn"}, errors.InvalidRequest, "target"),
        ({"version": "99"}, errors.ModelNotFound, "version"),
        ({"model": "nothing"}, errors.ModelNotFound, TABLES),
        ({"seed": -1}, errors.InvalidRequest, "seed"),
    ],
)
def test_a_refusal_names_the_field(
    client: Client, options: dict[str, Any], kind: type[errors.ServiceError], words: str
) -> None:
    with pytest.raises(kind, match=words) as raised:
        client.explain(ROW, **{"model": TABLES, **options})
    assert type(raised.value) is kind


def test_problems_in_spanish(service: str) -> None:
    with Client(service, language="es") as client, pytest.raises(errors.ModelNotFound, match="modelo"):
        client.explain("hola", model="nothing")


def test_a_job_that_is_submitted_is_found_again(client: Client, service: str) -> None:
    seen: list[Job] = []
    submission = client.submit(TEXT, model=TEXTS, n_steps=16, cache="no-cache")
    with Client(service) as other:
        found = other.wait(submission.id, timeout_s=60, progress=seen.append)
        again = client.wait(submission)
        assert other.job(submission.id).status == "succeeded"
    assert seen
    assert seen[-1].status == "succeeded"
    assert np.array_equal(found.values[0], again.values)
    assert submission.id in [job.id for job in client.jobs(limit=200)]


def test_a_wait_that_is_too_long_leaves_the_job_and_an_explain_cancels_it(client: Client) -> None:
    submission = client.submit(CAT, model=PICTURES, method="integrated_gradients", n_steps=600, cache="no-store")
    with pytest.raises(errors.WaitedTooLong) as waited:
        client.wait(submission, timeout_s=0.5)
    assert waited.value.job == submission.id
    assert client.job(submission.id).status in {"queued", "running"}
    assert client.cancel(submission.id).id == submission.id
    with pytest.raises(errors.JobCancelled):
        client.wait(submission)
    with pytest.raises(errors.WaitedTooLong) as given_up:
        client.explain(CAT, model=PICTURES, method="integrated_gradients", n_steps=601, timeout_s=2.0)
    with pytest.raises(errors.JobCancelled):
        client.wait(given_up.value.job, timeout_s=60)


def test_many_rows_keep_their_order(client: Client) -> None:
    rows = [{**ROW, "mean radius": 10.0 + number / 10} for number in range(40)]
    rows[7] = {**ROW, "mean radius": "wide"}  # type: ignore[dict-item]
    rows[9] = {"only": 1.0}
    counted: list[int] = []
    options: dict[str, Any] = {"model": TABLES, "method": "input_x_gradient", "concurrency": 6}
    results = list(client.map(rows, on_error="return", progress=counted.append, **options))
    assert counted == list(range(1, 41))
    assert isinstance(results[7], errors.InputError)
    assert isinstance(results[9], errors.InvalidRequest)
    values = {number: one.features[0].value for number, one in enumerate(results) if not isinstance(one, Exception)}
    assert values == {number: pytest.approx(10.0 + number / 10) for number in range(40) if number not in {7, 9}}


def test_methods_are_compared(client: Client) -> None:
    compared = client.compare(CAT, models=[PICTURES], methods=["saliency", "layer_grad_cam", "occlusion"])
    assert [cell.status for cell in compared.cells] == ["succeeded"] * 3
    assert len(compared.agreement) == 3
    assert list(compared.to_frame()["first_method"]) == ["saliency", "saliency", "layer_grad_cam"]
    found = [one for one in compared.results() if one is not None]
    assert [one.values.shape for one in found] == [(3, 224, 224), (1, 7, 7), (3, 224, 224)]
    with Image.open(io.BytesIO(compared.sheet(scale="own"))) as sheet:
        assert sheet.width > 1200
    assert "saliency, layer_grad_cam" in compared._repr_html_()
    with pytest.raises(errors.InputError, match="a list of names"):
        client.compare(CAT, methods="saliency")  # type: ignore[arg-type]


def test_what_there_is(client: Client) -> None:
    assert {card.name for card in client.models()} == {PICTURES, TABLES, TEXTS}
    card = client.model(PICTURES)
    assert card.input is not None
    assert card.input.shapes == [[3, 224, 224]]
    assert len(client.methods("es").methods) == 39
    assert client.methods("es").language == "es"
    with pytest.raises(errors.AdminDisabled):
        client.unload(TABLES)


def test_on_a_loop(service: str) -> None:
    async def run() -> None:
        async with AsyncClient(service) as client:
            result = await client.explain(CAT, model=PICTURES, method="saliency")
            assert result.values.shape == (3, 224, 224)
            assert result._repr_png_() is None
            assert (await result.overlay()).startswith(b"\x89PNG")
            assert result._repr_png_() is not None
            names = [one.words[0].text async for one in client.map([TEXT, "Dull."], model=TEXTS, method="saliency")]
            assert names == ["The", "Dull"]
            options: dict[str, Any] = {"model": PICTURES, "method": "integrated_gradients", "n_steps": 602}
            running = asyncio.Event()
            task = asyncio.create_task(client.explain(CAT, progress=lambda job: running.set(), **options))
            await asyncio.wait_for(running.wait(), 60)
            (job, *_) = await client.jobs(model=PICTURES, limit=1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert (await client.job(job.id)).status == "cancelled"

    asyncio.run(run())


@pytest.fixture
def with_keys(tmp_path: Path) -> Iterator[RunningService]:
    """A service with one toy model, and one key of the scope explain."""
    models = write_repository(tmp_path / "models")
    variables = {"ATTRIBUTION_KEYS": str(write_keys(tmp_path, key("alice", SECRET)))}
    running = RunningService(tmp_path / "log", "--models", str(models), "--no-standby", variables=variables)
    try:
        running.wait_until_ready()
        yield running
    finally:
        running.stop()


def test_a_key_is_needed_and_its_scope_allows_less(with_keys: RunningService, monkeypatch: pytest.MonkeyPatch) -> None:
    with Client(with_keys.url, key="") as nobody, pytest.raises(errors.Unauthorized, match="key"):
        nobody.models()
    monkeypatch.setenv("ATTRIBUTION_KEY", SECRET)
    monkeypatch.setenv("ATTRIBUTION_URL", with_keys.url)
    with Client() as someone:
        result = someone.explain([0.1, 0.2, 0.3, 0.4], model="slow", method="saliency")
        assert result.values.shape == (4,)
        with pytest.raises(errors.JobFailed, match="raised ValueError"):
            someone.explain(np.full(4, 13.0, np.float32), model="slow", method="saliency")
        with pytest.raises(errors.ScopeMissing):
            someone.unload("slow")
