"""Tensors as the model takes them."""

import pytest
import torch

from schemas.errors import InputRejected
from workers.inputs.tensor import TensorAdapter
from workers.repository.model_toml import InputConfig

CPU = torch.device("cpu")
DEVICES = [CPU, *([torch.device("cuda:0")] if torch.cuda.is_available() else [])]


def test_a_tensor_of_another_shape() -> None:
    adapter = TensorAdapter(InputConfig.model_validate({"kind": "tensor", "shapes": [[2, 3]]}))
    with pytest.raises(InputRejected):
        adapter.prepare({"input.0": torch.zeros(1, 3, 2)}, CPU)
    with pytest.raises(InputRejected):
        adapter.prepare({}, CPU)


def adapter(**fields: object) -> TensorAdapter:
    return TensorAdapter(InputConfig.model_validate({"kind": "tensor", "shapes": [[2, 3]], **fields}))


def test_tensors_are_cast_to_the_models_type() -> None:
    prepared = adapter(dtype="float64").prepare({"input.0": torch.ones(4, 2, 3)}, CPU)
    assert prepared.inputs[0].dtype == torch.float64
    assert prepared.inputs is prepared.layer_inputs
    assert prepared.additional_forward_args == ()


def test_ids_outside_the_vocabulary_are_refused() -> None:
    ids = adapter(dtype="int64")
    ids.card = ids.card.model_copy(update={"vocabularies": [5]})
    assert ids.prepare({"input.0": torch.full((1, 2, 3), 4)}, CPU).inputs[0].max() == 4
    for outside in (-1, 5):
        with pytest.raises(InputRejected, match="ids run from 0 to 4"):
            ids.prepare({"input.0": torch.full((1, 2, 3), outside)}, CPU)


def test_baselines() -> None:
    padded = adapter(dtype="int64", pad_id=7)
    prepared = padded.sample(CPU)
    assert padded.baselines == ["pad", "zero"]
    assert padded.baseline("pad", prepared)[0][0].unique().tolist() == [7]
    assert padded.baseline("zero", prepared)[0][0].unique().tolist() == [0]
    plain = adapter()
    assert plain.baselines == ["zero"]
    for name in ("pad", "blur"):
        with pytest.raises(InputRejected, match=name):
            plain.baseline(name, plain.sample(CPU))  # type: ignore[arg-type]


def test_the_sample_holds_no_padding() -> None:
    assert adapter().sample(CPU).inputs[0].tolist() == [[[0.0] * 3] * 2]
    assert adapter(dtype="int64").sample(CPU).inputs[0].tolist() == [[[1] * 3] * 2]
