"""Jobs whose model has changed since their request was checked: which still fit."""

from typing import Any

import pytest

from schemas.errors import ModelChanged
from schemas.jobs import JobSpec
from schemas.models import FeatureCard, InputCard, LayerCard, MethodSupport, ModelCard, OutputCard
from schemas.pictures import Preprocessing
from schemas.requirements import requirements
from workers.jobs.fit import check_fits

COLUMNS = [FeatureCard(name="age", mean=40, std=10, unit="years"), FeatureCard(name="income", mean=1, std=1)]
TABLE = InputCard(kind="tabular", shapes=[[2]], features=COLUMNS)
PICTURE = InputCard(kind="image", shapes=[[3, 8, 8]], preprocessing=Preprocessing())
TEXT = InputCard(kind="text", shapes=[[128]], max_tokens=128)
IDS = InputCard(kind="tensor", shapes=[[7]], datatype="INT64", vocabularies=[100])
CLASSES = OutputCard(kind="classification", size=3, shape=[3], labels=["cat", "dog", "owl"])
MAP = OutputCard(kind="classification", size=2, shape=[2, 4, 4], labels=["sky", "road"])
KINDS = {"tabular": "features", "image": "image", "text": "text", "tensor": "tensor"}


def card(given: InputCard = TABLE, output: OutputCard = CLASSES, **more: Any) -> ModelCard:
    fields: dict[str, Any] = {
        "methods": [MethodSupport.of("saliency", None), MethodSupport.of("lrp", "it has a recurrent layer")],
        "layers": [LayerCard(name="relu", type="ReLU", output_shape=[4])],
        "baselines": ["zero", "background"],
        **more,
    }
    return ModelCard(name="m", version="1", status="ready", digest="sha256:old", input=given, output=output, **fields)


def checked(old: ModelCard, target: Any = None, input_kind: str | None = None, **method: Any) -> JobSpec:
    """A job as the gateway makes it."""
    assert old.input is not None
    spec = JobSpec(
        model="m",
        version="1",
        input_kind=input_kind or KINDS[old.input.kind],  # type: ignore[arg-type]
        examples=1,
        method={"name": "saliency", **method},
        target=target,
        digest=old.digest,
    )
    return spec.model_copy(update={"requires": requirements(old, spec)})


def changed(old: ModelCard, **fields: Any) -> ModelCard:
    return old.model_copy(update={"digest": "sha256:new", **fields})


def output(**fields: Any) -> OutputCard:
    return CLASSES.model_copy(update=fields)


def given(old: InputCard, **fields: Any) -> InputCard:
    return old.model_copy(update=fields)


RETRAINED = [column.model_copy(update={"mean": 7.0, "std": 2.0}) for column in COLUMNS]
MORE = output(size=4, shape=[4], labels=["cat", "dog", "owl", "fox"])


@pytest.mark.parametrize(
    ("spec", "new"),
    [
        (checked(card(), [1]), changed(card())),
        (checked(card(), [1]), changed(card(given(TABLE, features=RETRAINED)))),
        (checked(card(), [1]), changed(card(output=MORE))),
        (checked(card()), changed(card(output=output(labels=["owl", "dog", "cat"])))),
        (checked(card()), changed(card(layers=[]))),
        (checked(card(), layer="relu"), changed(card(layers=[*card().layers, LayerCard(name="x", type="X")]))),
        (checked(card(), baseline="zero"), changed(card(baselines=["zero"]))),
        (checked(card(TEXT)), changed(card(given(TEXT, shapes=[[64]], max_tokens=64)))),
        (checked(card(PICTURE), input_kind="tensor"), changed(card(given(PICTURE, preprocessing=None)))),
        (checked(card(output=MAP), [[1, 3, 3]]), changed(card(output=MAP))),
        (checked(card(output=MAP), [[-1, 3, 3]]), changed(card(output=MAP.model_copy(update={"labels": None})))),
    ],
    ids=str,
)
def test_a_job_that_still_fits_runs_on(spec: JobSpec, new: ModelCard) -> None:
    check_fits(spec, new)


@pytest.mark.parametrize(
    ("spec", "new", "part"),
    [
        (checked(card()), changed(card(PICTURE)), "input"),
        (checked(card()), changed(card(given(TABLE, features=COLUMNS[::-1]))), "input"),
        (checked(card()), changed(card(given(TABLE, features=COLUMNS[:1]))), "input"),
        (checked(card(PICTURE)), changed(card(given(PICTURE, shapes=[[3, 9, 9]]))), "input"),
        (
            checked(card(PICTURE)),
            changed(card(given(PICTURE, preprocessing=Preprocessing(crop_fraction=0.5)))),
            "input",
        ),
        (checked(card(IDS)), changed(card(given(IDS, vocabularies=[50]))), "input"),
        (checked(card(IDS)), changed(card(given(IDS, shapes=[[8]]))), "input"),
        (checked(card(), [2]), changed(card(output=output(labels=["owl", "dog", "cat"]))), "target"),
        (checked(card(), [2]), changed(card(output=output(size=2, shape=[2], labels=["cat", "dog"]))), "target"),
        (checked(card(), [0]), changed(card(output=MAP)), "target"),
        (
            checked(card(output=MAP), [[1, 3, 3]]),
            changed(card(output=MAP.model_copy(update={"shape": [2, 2, 2]}))),
            "target",
        ),
        (checked(card(), layer="relu"), changed(card(layers=[])), "layer"),
        (
            checked(card(), layer="relu"),
            changed(card(layers=[LayerCard(name="relu", type="ReLU", output_shape=[5])])),
            "layer",
        ),
        (checked(card(), baseline="background"), changed(card(baselines=["zero"])), "baseline"),
        (checked(card(), name="lrp"), changed(card()), "method"),
        (checked(card(), name="unknown"), changed(card()), "method"),
    ],
    ids=str,
)
def test_a_job_that_no_longer_fits_says_which_part(spec: JobSpec, new: ModelCard, part: str) -> None:
    with pytest.raises(ModelChanged, match=f"its {part} no longer fits it"):
        check_fits(spec, new)
    check_fits(spec, new.model_copy(update={"digest": spec.digest}))  # the same model is not compared


def test_jobs_of_an_earlier_gateway_are_tried() -> None:
    spec = checked(card(), [2]).model_copy(update={"requires": {}})
    check_fits(spec, changed(card(PICTURE)))


def test_a_damaged_card_has_no_parts_in_common() -> None:
    with pytest.raises(ModelChanged):
        check_fits(checked(card()), changed(card(), input=None, output=None))
