"""`model.toml`: what is forgiven, and all mistakes at once."""

from pathlib import Path

import pytest

from workers.repository.model_toml import ModelConfig, ModelConfigError, check_files, read_config

GOOD = 'name = "houses"\nfactory = "model.py:build"\n[input]\nkind = "tabular"\nfeatures = ["rooms", "age"]\n'


def read(tmp_path: Path, text: str) -> ModelConfig:
    (tmp_path / "model.toml").write_text(text)
    return read_config(tmp_path)


def test_features_by_their_names(tmp_path: Path) -> None:
    mixed = GOOD.replace('"age"', '{ name = "age", mean = 40.0 }')
    assert [(one.name, one.mean, one.std) for one in read(tmp_path, GOOD).input.features or []] == [
        ("rooms", 0.0, 1.0),
        ("age", 0.0, 1.0),
    ]
    assert [one.mean for one in read(tmp_path, mixed).input.features or []] == [0.0, 40.0]


@pytest.mark.parametrize(
    ("given", "meant"),
    [("FP32", "float32"), ("fp64", "float64"), ("INT64", "int64"), ("torch.int32", "int32"), ("double", "float64")],
)
def test_types_as_requests_have_them(tmp_path: Path, given: str, meant: str) -> None:
    assert read(tmp_path, f'{GOOD}dtype = "{given}"\n').input.dtype == meant


@pytest.mark.parametrize(
    ("given", "meant"),
    [("IntegratedGradients", "integrated_gradients"), ("ig", "integrated_gradients"), ("gradcam", "layer_grad_cam")],
)
def test_methods_by_other_names(tmp_path: Path, given: str, meant: str) -> None:
    assert read(tmp_path, f'{GOOD}[explain]\nmethod = "{given}"\n').explain.method == meant


def test_all_mistakes_at_once(tmp_path: Path) -> None:
    text = """
name = 3
factory = "model.py:build"
wieghts = "weights.safetensors"
weights = "weights.safetensors"
labels = ["a"]
colour = 1
[input]
kind = "sound"
features = [{ name = "rooms", men = 2.0 }, { name = "age", std = 0.0 }]
resize_to = "big"
[output]
labels = "labels.txt"
[explain]
method = "integrated_gradient_s"
background = "../rows.safetensors"
"""
    with pytest.raises(ModelConfigError) as caught:
        read(tmp_path, text)
    said = str(caught.value)
    for part in [
        "name: ",
        "wieghts: unknown field; did you mean 'weights'?",
        "labels: unknown field; did you mean 'output.labels'?",
        "colour: unknown field; the fields here are name, version",
        "input.kind: ",
        "input.features.0.men: unknown field; did you mean 'mean'?",
        "input.features.1.std: ",
        "input.resize_to: ",
        "factory: 'model.py' is not in the model's folder",
        "weights: 'weights.safetensors' is not in the model's folder",
        "output.labels: 'labels.txt' is not in the model's folder",
        "explain.background: '../rows.safetensors' is not inside the model's folder",
    ]:
        assert part in said
    assert said.count("input.resize_to: ") == 1


def test_files_to_come_do_not_hide_the_name(tmp_path: Path) -> None:
    config = read(tmp_path, GOOD.replace("[input]", 'weights = "w.pt"\n[input]'))
    assert config.name == "houses"
    with pytest.raises(ModelConfigError) as caught:
        check_files(config, tmp_path)
    assert (
        str(caught.value)
        == "weights: 'w.pt' is not in the model's folder; factory: 'model.py' is not in the model's folder"
    )


def test_fields_that_the_loader_lacks_and_those_it_does_not_take(tmp_path: Path) -> None:
    text = GOOD.replace("factory", "file").replace('features = ["rooms", "age"]\n', "")
    with pytest.raises(ModelConfigError) as caught:
        read(tmp_path, text)
    said = str(caught.value)
    assert "loader 'python' needs 'factory'" in said
    assert "'file' does not apply to loader 'python'" in said
    assert "input: kind 'tabular' needs 'features'" in said
