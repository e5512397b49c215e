"""The service's opponent: a plain FastAPI handler that calls stock Captum with its defaults.

It has the same models, the same decoding of inputs and the same number of torch threads, and writes JSON by orjson.
`python -m benchmarks.plain_handler` prints its URL. `?internal_batch_size=16` tunes it as far as Captum allows.
"""

import base64
import socket
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import torch
import uvicorn
from captum.attr import IntegratedGradients, Saliency
from fastapi import FastAPI, Request, Response
from torch import Tensor, nn

from schemas.picture_view import PictureView
from service.pictures.decode import model_pixels
from workers.inputs.image import ImageAdapter
from workers.inputs.tabular import TabularAdapter
from workers.models.loaders.python import load
from workers.repository.model_toml import read_config

MODELS = Path(__file__).parents[1] / "models"


def create_app() -> FastAPI:
    """`POST /{model}/{method}` with the body of the service's `/explain`."""
    app = FastAPI()
    device = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    loaded: dict[str, tuple[nn.Module, Any]] = {}
    for name, adapter in (("efficientnet-lite0", ImageAdapter), ("breast-cancer-mlp", TabularAdapter)):
        config = read_config(MODELS / name)
        module = load(config, MODELS / name).module.to(device).eval().requires_grad_(True)  # as torch loads it
        loaded[name] = (module, adapter(config.input))

    @app.post("/{model}/{method}")
    async def explain(model: str, method: str, request: Request, internal_batch_size: int | None = None) -> Response:
        document = orjson.loads(await request.body())
        module, adapter = loaded[model]
        return Response(
            _explain(module, adapter, method, document, internal_batch_size, device), media_type="application/json"
        )

    return app


def _explain(
    module: nn.Module, adapter: Any, method: str, document: Any, batch: int | None, device: torch.device
) -> bytes:
    x = _input(adapter, document["input"]).to(device)
    with torch.no_grad():
        scores = module(x)
    target = int(scores.argmax(dim=1))
    if method == "saliency":
        attributions = Saliency(module).attribute(x, target=target)
    else:
        attributions = IntegratedGradients(module).attribute(x, target=target, n_steps=50, internal_batch_size=batch)
    return orjson.dumps(
        {
            "target": target,
            "score": float(scores.softmax(dim=1)[0, target]),
            "attributions": np.ascontiguousarray(attributions.detach().cpu().numpy()),
        },
        option=orjson.OPT_SERIALIZE_NUMPY,
    )


def _input(adapter: Any, given: Any) -> Tensor:
    """The input as a tensor, by the service's own decoding, so that only the explanation is compared."""
    if "image" in given:
        pixels, _ = model_pixels(base64.b64decode(given["image"]), PictureView.of(adapter.card))
        payload = {"pixels": torch.from_numpy(pixels)}
    else:
        columns = [column.name for column in adapter.card.features]
        payload = {"features": torch.tensor([[given["features"][name] for name in columns]], dtype=torch.float64)}
    prepared: Tensor = adapter.prepare(payload, torch.device("cpu")).inputs[0]
    return prepared


def main() -> None:
    """Serves on a free port of 127.0.0.1 until it is stopped."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(128)
        print(f"Ready on http://127.0.0.1:{listening.getsockname()[1]}", flush=True)
        server = uvicorn.Server(uvicorn.Config(create_app(), log_level="warning"))
        server.run(sockets=[listening])


if __name__ == "__main__":
    main()
