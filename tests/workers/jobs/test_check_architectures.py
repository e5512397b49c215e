"""`attribution models check` on architectures of every loader, with random weights: each offered method works."""

import pytest
import torch
from safetensors.torch import save_file

from schemas.methods import METHOD_NAMES
from tests.workers.models.loaders.programs import net, save_export, save_script, write
from tests.workers.models.loaders.transformers_folders import (
    bert_model,
    resnet_model,
    save_image_model,
    save_text_model,
    swin_model,
    vit_model,
    word_piece,
)
from tests.workers.models.recurrent import MODEL_PY, MODEL_TOML, LstmClassifier
from workers.jobs.check import check
from workers.jobs.check_progress import CheckRow
from workers.methods.solo_lane import SOLO

pytestmark = pytest.mark.slow
RULES = {name for name in METHOD_NAMES if "deep_lift" in name}
LRP = {"lrp", "layer_lrp"}
GUIDED = {name for name in METHOD_NAMES if "guided" in name or "deconvolution" in name}  # of models without a ReLU
TEXT = {"feature_permutation", "layer_feature_permutation", "guided_grad_cam"}
NOT_OFFERED = {
    "vit": RULES | LRP | GUIDED,  # norms and attention have no rule
    "swin": RULES | LRP | GUIDED,
    "resnet": set(),
    "bert": TEXT | LRP | GUIDED,
    "lstm": TEXT | LRP | RULES | GUIDED,
    "scripted": set(SOLO),
    "exported": set(),
}
NOT_TRIED = {"layer_lrp", "layer_feature_ablation", "layer_feature_permutation"}  # at a default layer of many units


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[CheckRow]]:
    directory = tmp_path_factory.mktemp("architectures")
    save_image_model(directory / "vit", vit_model())
    save_image_model(directory / "swin", swin_model())
    save_image_model(directory / "resnet", resnet_model())
    save_text_model(directory / "bert", bert_model())
    lstm = directory / "lstm"
    lstm.mkdir()
    (lstm / "model.toml").write_text(MODEL_TOML)
    (lstm / "model.py").write_text(MODEL_PY)
    word_piece().save(str(lstm / "tokenizer.json"))
    torch.manual_seed(0)
    save_file(LstmClassifier().state_dict(), lstm / "weights.safetensors")
    for name, loader, file, save in (
        ("scripted", "torchscript", "model.pt", save_script),
        ("exported", "export", "model.pt2", save_export),
    ):
        write(directory / name, loader, file, "relu" if loader == "export" else None)
        toml = directory / name / "model.toml"
        toml.write_text(toml.read_text().replace('"program"', f'"{name}"'))
        save(directory / name / file, net())
    found: dict[str, list[CheckRow]] = {}
    for row in check([directory]):
        found.setdefault(row.model.partition("@")[0], []).append(row)
    return found


def test_every_architecture_is_checked(rows: dict[str, list[CheckRow]]) -> None:
    assert set(rows) == set(NOT_OFFERED)
    assert all([row.method for row in found] == list(METHOD_NAMES) for found in rows.values())


@pytest.mark.parametrize("name", NOT_OFFERED)
def test_clean(rows: dict[str, list[CheckRow]], name: str) -> None:
    assert [row for row in rows[name] if not row.ok] == []
    refused = {row.method: row.detail for row in rows[name] if _refused(row)}
    assert set(refused) == NOT_OFFERED[name]
    assert all(len(reason) > 10 for reason in refused.values())
    others = {row.method: row for row in rows[name] if row.state != "ok" and row.method not in refused}
    assert set(others) <= NOT_TRIED
    assert all(row.rows > 0 for row in rows[name] if row.state == "ok")


def _refused(row: CheckRow) -> bool:
    return row.state == "not offered" and not row.detail.startswith("not tried: ")
