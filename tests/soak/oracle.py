"""Captum's own answers for a sample of the jobs, computed in this process, one after the other."""

import base64
import random
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load
from torch import Tensor

from schemas.jobs import JobSpec
from schemas.methods import AnyMethod, stored_fields
from schemas.methods.stored import stored_method
from schemas.picture_view import PictureView
from service.pictures.decode import model_pixels
from tests.soak.model_folders import COLUMNS
from tests.soak.record import JobTrace
from tests.workers.methods.captum_calls import direct, max_relative_difference
from tests.workers.methods.captum_module import captum_module
from workers.engine.device.gate import DeviceGate
from workers.engine.device.threads import use_threads
from workers.jobs.prepare import make_explain_inputs
from workers.models.pipeline import load_model
from workers.models.resident import Device, ResidentModel

CPU = torch.device("cpu")
TOLERANCE = 1e-4  # largest relative difference in float32, as in the tests of the shipped models


class Oracle:
    """The models of a repository, for direct Captum calls."""

    def __init__(self, repository: Path) -> None:
        use_threads(1)
        self._models = {
            name: load_model(repository / name, Device(CPU, 1, 32, DeviceGate()))
            for name in ("table", "picture", "text")
        }

    def worst(self, traces: list[JobTrace], seed: int, count: int) -> tuple[int, float, list[str]]:
        """Compares `count` results, drawn from the seed.

        Returns:
            How many were compared, the largest relative difference, and the faults in words.
        """
        done = [trace for trace in traces if trace.tensors]
        sample = random.Random(f"sample {seed}").sample(done, min(count, len(done)))
        worst, faults = 0.0, []
        for trace in sample:
            try:
                difference = self._difference(trace)
            except Exception as error:  # one comparison that cannot be made must not hide the others
                faults.append(f"{trace.plan.index}: {trace.plan.body['model']} {trace.plan.method}: {error!r}")
                continue
            worst = max(worst, difference)
            if difference > TOLERANCE:
                faults.append(
                    f"{trace.plan.index}: {trace.plan.body['model']} {trace.plan.method} is {difference:.1e} off"
                )
        return len(sample), worst, faults

    def _difference(self, trace: JobTrace) -> float:
        model = self._models[trace.plan.body["model"]]
        expected = self._captum(model, trace.plan.body, stored_method(trace.job["method"]))
        ours = tuple(tensor.to(torch.float32) for tensor in load(trace.tensors).values())
        return max_relative_difference(ours, tuple(tensor.contiguous() for tensor in expected))

    def _captum(self, model: ResidentModel, body: dict[str, Any], method: AnyMethod) -> tuple[Tensor, ...]:
        payload = _payload(model, body["input"])
        spec = JobSpec(
            model=body["model"],
            version="1",
            input_kind="tensor",
            examples=1,
            method=stored_fields(method),
            target=[body["target"]],
        )
        inputs = make_explain_inputs(model, spec, method, payload, model.adapter.prepare(payload, CPU))
        view = model.engine.view
        module = captum_module(method, view)
        embedding = getattr(view.layer_module, "get_input_embeddings", lambda: None)()
        if embedding is not None:
            embedding.weight.requires_grad_(True)  # from token ids the graph has to start somewhere
        try:
            found = direct(method, module, view.layer_module, inputs, body["seed"])
            return found if method.kind == "layer" else model.adapter.on_wire(found, shared=method.perturbs == "input")
        finally:
            if embedding is not None:
                embedding.weight.requires_grad_(False)


def _payload(model: ResidentModel, given: dict[str, Any]) -> dict[str, Tensor]:
    """The input as the gateway stores it."""
    if "features" in given:
        return {"features": torch.tensor([[given["features"][name] for name in COLUMNS]], dtype=torch.float64)}
    if "text" in given:
        return {"text": torch.frombuffer(bytearray(given["text"].encode()), dtype=torch.uint8)}
    pixels, _ = model_pixels(base64.b64decode(given["image"]), PictureView.of(model.card.input))
    return {"pixels": torch.from_numpy(pixels)}
