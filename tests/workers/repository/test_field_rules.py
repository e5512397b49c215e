"""`model.toml`: rules between fields are told beside mistakes of single fields; none follows from another mistake."""

from pathlib import Path

import pytest

from workers.repository.model_toml import ModelConfigError, read_config

HEAD = 'name = "m"\n'
PICTURE = '[input]\nkind = "image"\n'


def said(tmp_path: Path, text: str) -> list[str]:
    (tmp_path / "model.py").write_text("")
    (tmp_path / "model.toml").write_text(text)
    with pytest.raises(ModelConfigError) as caught:
        read_config(tmp_path)
    return str(caught.value).split("; ")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (  # a field, the loader's rule, a rule of the input and one of both
            HEAD + 'colour = 1\nfile = "m.pt2"\n' + PICTURE + "size = [300, 300]\nresize_to = 256\nmean = [0.5]\n",
            [
                "colour: unknown field",
                "model.toml: loader 'python' needs 'factory'",
                "model.toml: 'file' means nothing to loader 'python'",
                "input: size does not fit into resize_to",
                "input: mean and std need three channels",
                "file: 'm.pt2' is not in the model's folder",
            ],
        ),
        (
            'name = 3\nloader = "torchscript"\n'
            '[input]\nkind = "text"\npad_id = 0\nmax_tokens = 1\n[output]\nlable = 1\n',
            [
                "name: Input should be a valid string",
                "model.toml: loader 'torchscript' needs 'file'",
                "model.toml: input: kind 'text' needs 'tokenizer'",
                "model.toml: input.kind: loader 'torchscript' has no way in behind a text's embeddings",
                "input: pad_id is for tensors of ids: kind 'tensor' with dtype 'int64' or 'int32'",
                "input.max_tokens: Input should be greater than or equal to 4",
                "output.lable: unknown field",
                "did you mean 'labels'?",
            ],
        ),
        (
            HEAD + 'loader = "timm"\npath = "."\nversion = "a b"\n'
            '[input]\nkind = "tabular"\nmen = [0.0]\n[runtime]\nx = 1\n',
            [
                "version: String should match",
                "model.toml: loader 'timm' needs 'architecture'",
                "model.toml: 'path' means nothing to loader 'timm'",
                "model.toml: input.kind: loader 'timm' takes image",
                "input.men: unknown field",
                "did you mean 'mean'?",
                "runtime.x: unknown field",
            ],
        ),
        (  # a rule of a section and one of the whole, with no other mistake
            HEAD + 'loader = "export"\n[input]\nkind = "tensor"\nshapes = [[3]]\npad_id = 1\n',
            ["input: pad_id is for tensors of ids", "model.toml: loader 'export' needs 'file'"],
        ),
    ],
)
def test_rules_between_fields_beside_other_mistakes(tmp_path: Path, text: str, parts: list[str]) -> None:
    found = said(tmp_path, text)
    for part in parts:
        assert sum(one.startswith(part) for one in found) == 1, (part, found)


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        (  # neither what the kind needs nor how many channels it has is known
            HEAD + 'factory = "model.py:build"\n[input]\nkind = "sound"\nmean = [0.5]\n',
            ["input.kind: Input should be 'image', 'tabular', 'text' or 'tensor'"],
        ),
        (
            HEAD + 'factory = "model.py:build"\n' + PICTURE + 'size = "big"\nresize_to = 10\n',
            ["input.size: Input should be a valid list"],
        ),
        (
            HEAD + 'factory = "model.py:build"\n[input]\nkind = "tabular"\nfeatures = [{ name = "a", std = 0.0 }]\n',
            ["input.features.0.std: Input should be greater than 0"],
        ),
        (HEAD + 'factory = "model.py:build"\n', ["input: Field required"]),
        (HEAD + 'factory = "model.py:build"\ninput = "image"\n', ["input: Input should be a valid dictionary"]),
        (
            HEAD + 'loader = "pickle"\n' + PICTURE,
            ["loader: Input should be 'python', 'torchscript', 'export', 'transformers' or 'timm'"],
        ),
        (  # what is misspelt counts as given
            'nmae = "m"\nfactroy = "model.py:build"\n[input]\nkind = "tensor"\nshpaes = [[3]]\n',
            [
                "nmae: unknown field",
                "did you mean 'name'?",
                "factroy: unknown field",
                "did you mean 'factory'?",
                "input.shpaes: unknown field",
                "did you mean 'shapes'?",
            ],
        ),
        (
            HEAD + 'factory = "model.py:build"\n[input]\nkind = "tabular"\nfeatures = [{ naem = "a" }]\n',
            ["input.features.0.naem: unknown field", "did you mean 'name'?"],
        ),
    ],
)
def test_no_mistake_follows_from_another(tmp_path: Path, text: str, whole: list[str]) -> None:
    found = said(tmp_path, text)
    assert len(found) == len(whole), found
    assert all(any(one.startswith(part) for one in found) for part in whole), found


def test_defaults_and_other_spellings_are_what_rules_read(tmp_path: Path) -> None:
    text = (
        HEAD
        + 'factory = "model.py:build"\nx = 1\n[input]\nkind = "tensor"\nshapes = [[3]]\ndtype = "INT64"\npad_id = 0\n'
    )
    assert [one for one in said(tmp_path, text) if "pad_id" in one] == []
    (told,) = [one for one in said(tmp_path, text.replace('"INT64"', '"FP64"')) if "pad_id" in one]
    assert told.startswith("input: pad_id is for tensors of ids")
