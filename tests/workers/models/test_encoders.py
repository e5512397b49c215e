"""torch's own transformer encoders: with a padding mask, and at layers that the fused path passes over."""

from pathlib import Path

import pytest
import torch
from captum.attr import LayerActivation, LayerIntegratedGradients
from torch import nn

from schemas.methods import LayerActivation as Activation
from schemas.methods import LayerIntegratedGradients as Integrated
from tests.workers.toys import CPU, RunningJob, problem_of
from workers.engine.device.gate import DeviceGate
from workers.models.load import Device, ResidentModel, load_model

TOML = """
name = "encoder"
factory = "model.py:build"
[input]
kind = "tensor"
{rest}
"""
IDS = 'dtype = "int64"\nshapes = [[8]]\npad_id = 0'
ROWS = 'dtype = "float64"\nshapes = [[5, 8]]'
PY = """
import torch
from torch import nn


def layer(**more):
    return nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, **more)


class Masked(nn.Module):
    def __init__(self, encoder):
        super().__init__()
        self.emb = nn.Embedding(30, 8, padding_idx=0)
        self.enc = encoder
        self.head = nn.Linear(8, 2)

    def forward(self, x):
        out = self.enc(self.emb(x), src_key_padding_mask=x == 0)
        return self.head(out.mean(1))


class Pooled(nn.Module):
    def __init__(self, encoder):
        super().__init__()
        self.enc = encoder
        self.head = nn.Linear(8, 2)

    def forward(self, x):
        return self.head(self.enc(x).mean(1))


class Attending(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.head = nn.Linear(8, 2)

    def forward(self, x):
        return self.head(self.attention(x, x, x, need_weights=False)[0].mean(1))


def build():
    torch.manual_seed(0)
    return (BUILD).double()
"""
MASKED = {
    "encoder": "Masked(nn.TransformerEncoder(layer(), 2))",
    "norm first": "Masked(nn.TransformerEncoder(layer(norm_first=True), 1, enable_nested_tensor=False))",
    "final norm, gelu": "Masked(nn.TransformerEncoder(layer(activation='gelu'), 3, norm=nn.LayerNorm(8)))",
    "one layer": "Masked(layer())",
}


def load(tmp_path: Path, build: str, rest: str) -> ResidentModel:
    (tmp_path / "model.toml").write_text(TOML.format(rest=rest))
    (tmp_path / "model.py").write_text(PY.replace("BUILD", build))
    return load_model(tmp_path, Device(CPU, 1, 8, DeviceGate()))


def in_grad_mode(module: nn.Module) -> nn.Module:
    """The same model with weights that require gradients, where torch never takes the fused path."""
    return module.requires_grad_(True)


@pytest.mark.parametrize("build", MASKED.values(), ids=MASKED)
def test_a_padding_mask(tmp_path: Path, build: str) -> None:
    """Rows of different lengths; the reference is Captum on the plain path, in float64."""
    model = load(tmp_path, build, IDS)
    x = torch.tensor([[3, 4, 5, 0, 0, 0, 0, 0], [7, 1, 2, 9, 8, 6, 0, 0], [1, 2, 3, 4, 5, 6, 7, 8]])
    module = model.engine.view.layer_module
    expected = LayerIntegratedGradients(in_grad_mode(module), module.emb).attribute(
        x, baselines=torch.zeros_like(x), target=torch.tensor([0, 1, 1]), n_steps=20
    )
    module.requires_grad_(False)
    model.engine.start()
    subject = problem_of([x], [0, 1, 1], [torch.zeros_like(x)])
    given = RunningJob(model.engine, Integrated(layer="emb", n_steps=20), subject).result()
    model.engine.stop()
    torch.testing.assert_close(given.attributions[0], expected.detach(), rtol=1e-9, atol=1e-12)


LAYERS = [
    ("Pooled(layer())", "enc.linear1"),
    ("Pooled(nn.TransformerEncoder(layer(), 2))", "enc.layers.1.linear1"),
    ("Pooled(nn.TransformerEncoder(layer(), 2))", "enc.layers.0.norm1"),
    ("Pooled(nn.TransformerEncoder(layer(norm_first=True), 1, enable_nested_tensor=False))", "enc.layers.0.linear2"),
    ("Attending()", "attention"),
]


@pytest.mark.parametrize(("build", "layer"), LAYERS)
def test_the_activation_of_an_inner_layer(tmp_path: Path, build: str, layer: str) -> None:
    """It equals what the layer gives where gradients are needed, and the card names it."""
    model = load(tmp_path, build, ROWS)
    assert layer in {one.name for one in model.card.layers}
    x = torch.randn(3, 5, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    module = model.engine.view.module
    seen = []
    handle = module.get_submodule(layer).register_forward_hook(
        lambda _m, _i, out: seen.append(out[0] if isinstance(out, tuple) else out)
    )
    plain = in_grad_mode(module)(x)
    handle.remove()
    module.requires_grad_(False)
    with torch.no_grad():
        torch.testing.assert_close(module(x), plain.detach(), rtol=1e-12, atol=1e-12)
    if layer != "attention":  # which gives a pair, and is refused with its reason
        model.engine.start()
        given = RunningJob(model.engine, Activation(layer=layer), problem_of([x], [0, 0, 0])).result()
        model.engine.stop()
        torch.testing.assert_close(given.attributions[0], seen[0].detach(), rtol=1e-12, atol=1e-12)
        captums = LayerActivation(module, module.get_submodule(layer)).attribute(x)
        torch.testing.assert_close(given.attributions[0], captums, rtol=1e-12, atol=1e-12)
    else:
        assert len(seen) == 1
