"""Draws every image method on the sample picture, by asking a running service: `python docs/gallery.py [URL]`."""

import io
import json
import sys
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from PIL import Image, ImageDraw

from service.pictures.typeface import font

ROOT = Path(__file__).parents[1]
CAT = ROOT / "models" / "efficientnet-lite0" / "chelsea.jpg"
OUT = ROOT / "docs" / "images" / "gallery.jpg"
COLUMNS, WIDTH, CAPTION, GAP = 5, 300, 30, 10  # pixels
GRID = {"feature_mask": {"superpixels": 60}, "baseline": "blur"}
METHODS: list[dict[str, Any]] = [
    {"name": "saliency"},
    {"name": "input_x_gradient"},
    {"name": "smooth_grad", "nt_samples": 20, "stdevs": 0.15},
    {"name": "integrated_gradients"},
    {"name": "gradient_shap", "n_samples": 20, "stdevs": 0.1, "baseline": "blur"},
    {"name": "deep_lift"},
    {"name": "deep_lift_shap"},
    {"name": "guided_backprop"},
    {"name": "deconvolution"},
    {"name": "guided_grad_cam", "interpolate_mode": "bilinear"},
    {"name": "occlusion", "baseline": "blur"},
    {"name": "feature_ablation", **GRID},
    {"name": "shapley_value_sampling", "n_samples": 6, **GRID},
    {"name": "kernel_shap", "n_samples": 400, **GRID},
    {"name": "lime", "n_samples": 400, **GRID},
    {"name": "layer_grad_cam"},
    {"name": "layer_gradient_x_activation"},
    {"name": "layer_integrated_gradients"},
    {"name": "layer_conductance"},
]


def explained(client: httpx.Client, method: dict[str, Any]) -> str:
    """Where the job of one method is, once it has succeeded."""
    data = {"model": "efficientnet-lite0", "method": json.dumps(method), "target": "Egyptian cat"}
    with CAT.open("rb") as picture:
        job = client.post("/explain?wait=60", data=data, files={"image": picture}).raise_for_status().json()
    return str(job["links"]["self"])


def strongest_unit(client: httpx.Client) -> list[int]:
    """Of the model's default layer, on this picture."""
    job = explained(client, {"name": "layer_activation"})
    answer = client.get(f"{job}/result", headers={"Accept": "application/x-npy"}).raise_for_status()
    activation = np.load(io.BytesIO(answer.content), allow_pickle=False)[0]  # (C, H, W)
    return [int(index) for index in np.unravel_index(activation.argmax(), activation.shape)]


def overlay(client: httpx.Client, method: dict[str, Any]) -> Image.Image:
    """The picture of one method, as the service draws it."""
    job = explained(client, method)
    drawn = client.get(f"{job}/overlay.png", params={"size": WIDTH}).raise_for_status()
    return Image.open(io.BytesIO(drawn.content)).convert("RGB")


def main(url: str) -> None:
    with httpx.Client(base_url=url, timeout=120) as client:
        unit = {"name": "neuron_integrated_gradients", "neuron_selector": strongest_unit(client)}
        tiles = [(method["name"], overlay(client, method)) for method in [*METHODS, unit]]
    height = tiles[0][1].height + CAPTION
    rows = -(-len(tiles) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * (WIDTH + GAP) - GAP, rows * (height + GAP) - GAP), "white")
    draw = ImageDraw.Draw(sheet)
    for index, (name, tile) in enumerate(tiles):
        x, y = index % COLUMNS * (WIDTH + GAP), index // COLUMNS * (height + GAP)
        draw.text((x + WIDTH / 2, y + CAPTION / 2), name, fill="black", font=font(16), anchor="mm")
        sheet.paste(tile, (x, y + CAPTION))
    sheet.save(OUT, quality=88)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000")
