"""Draws every image method on the sample picture with a running service: `python docs/gallery.py [URL]`.

Writes `docs/images/gallery.jpg`. `URL` is `http://127.0.0.1:8000` by default.
"""

import io
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from PIL import Image, ImageDraw, ImageOps

from service.drawing.typeface import font

ROOT = Path(__file__).parents[1]
CAT = ROOT / "models" / "efficientnet-lite0" / "chelsea.jpg"
OUT = ROOT / "docs" / "images" / "gallery.jpg"
MODEL, TARGET = "efficientnet-lite0", "Egyptian cat"
LAYER = "features.11"  # 14 x 14 positions; at the last layer before the pooling most methods agree
CONCURRENT_JOBS = 8  # enough for the service to fill its batches
TIMEOUT_S = 600.0

COLUMNS = 6
SIDE_PX, GAP_PX = 290, 12  # of a tile; the README shows the sheet at half its width
HEADING_PX, CAPTION_PX = 64, 38  # heights
COLUMN_PX, ROW_PX = SIDE_PX + GAP_PX, CAPTION_PX + SIDE_PX + GAP_PX
INK, GREY = (26, 26, 26), (110, 110, 110)

REGIONS = {"feature_mask": {"superpixels": 60}, "baseline": "blur"}
NOISY = {"n_samples": 20, "stdevs": 0.1, "baseline": "blur"}


@dataclass(frozen=True)
class Section:
    """A heading and its methods, one tile each. `prefix` is the start of their names, which captions leave out."""

    heading: str
    prefix: str
    methods: list[dict[str, Any]]

    def caption(self, method: dict[str, Any]) -> str:
        """The method's name without the prefix."""
        return str(method["name"]).removeprefix(self.prefix)


def sections(unit: list[int], positions: dict[str, Any]) -> list[Section]:
    """The sections of the sheet.

    Args:
        unit: channel, y and x of one unit of `LAYER`.
        positions: a mask of `LAYER` with one feature for each position of its map.
    """
    layer = {"layer": LAYER}
    neuron = {"layer": LAYER, "neuron_selector": unit}
    return [
        Section(
            "Gradients and backpropagation rules",
            "",
            [
                {"name": "saliency"},
                {"name": "input_x_gradient"},
                {"name": "smooth_grad", "nt_samples": 20, "stdevs": 0.15},
                {"name": "integrated_gradients"},
                {"name": "gradient_shap", **NOISY},
                {"name": "deep_lift"},
                {"name": "deep_lift_shap", "baseline": "blur"},
                {"name": "guided_backprop"},
                {"name": "deconvolution"},
                {"name": "guided_grad_cam", "interpolate_mode": "bilinear"},
            ],
        ),
        Section(
            "Perturbation: parts of the picture are removed",
            "",
            [
                {"name": "occlusion", "baseline": "blur"},
                {"name": "feature_ablation", **REGIONS},
                {"name": "shapley_value_sampling", "n_samples": 6, **REGIONS},
                {"name": "shapley_values", "feature_mask": {"superpixels": 5}, "baseline": "blur"},
                {"name": "kernel_shap", "n_samples": 400, **REGIONS},
                {"name": "lime", "n_samples": 400, **REGIONS},
            ],
        ),
        Section(
            "layer_…: a layer of 14 x 14 positions, drawn over the picture",
            "layer_",
            [
                {"name": "layer_grad_cam", **layer, "relu_attributions": True},
                {"name": "layer_activation", **layer},
                {"name": "layer_gradient_x_activation", **layer},
                {"name": "layer_integrated_gradients", **layer},
                {"name": "layer_conductance", **layer},
                {"name": "internal_influence", **layer},
                {"name": "layer_gradient_shap", **layer, **NOISY},
                {"name": "layer_deep_lift", **layer},
                {"name": "layer_deep_lift_shap", **layer, "baseline": "blur"},
                {"name": "layer_feature_ablation", **layer, "layer_mask": positions},
            ],
        ),
        Section(
            "neuron_…: one unit of that layer, at the position that contributes most to the class",
            "neuron_",
            [
                {"name": "neuron_gradient", **neuron},
                {"name": "neuron_integrated_gradients", **neuron},
                {"name": "neuron_conductance", **neuron},
                {"name": "neuron_gradient_shap", **neuron, **NOISY},
                {"name": "neuron_deep_lift", **neuron},
                {"name": "neuron_deep_lift_shap", "baseline": "blur", **neuron},
                {"name": "neuron_guided_backprop", **neuron},
                {"name": "neuron_deconvolution", **neuron},
                {"name": "neuron_feature_ablation", **neuron, **REGIONS},
            ],
        ),
    ]


def run_job(client: httpx.Client, method: dict[str, Any]) -> str:
    """Runs one method on the sample picture. Returns the path of its job.

    Raises:
        SystemExit: the service refused the request or the job failed.
    """
    data = {"model": MODEL, "method": json.dumps(method), "target": TARGET}
    with CAT.open("rb") as picture:
        response = client.post("/explain", data=data, files={"image": picture})
    if response.is_error:
        raise SystemExit(f"{method['name']}: {response.text}")
    path = str(response.json()["links"]["self"])
    with client.stream("GET", f"{path}/events") as events:
        for _ in events.iter_lines():  # ends with the job
            pass
    job = client.get(path).raise_for_status().json()
    if job["status"] != "succeeded":
        raise SystemExit(f"{method['name']}: {job['error']}")
    return path


def contributions(client: httpx.Client) -> Any:
    """Gradient times activation of each unit of `LAYER` on the picture, (C, H, W)."""
    path = run_job(client, {"name": "layer_gradient_x_activation", "layer": LAYER})
    response = client.get(f"{path}/result", headers={"Accept": "application/x-npy"}).raise_for_status()
    return np.load(io.BytesIO(response.content), allow_pickle=False)[0]


def position_mask(shape: tuple[int, ...]) -> dict[str, Any]:
    """A mask of a layer of shape (C, H, W), (1, C, H, W): all channels of one position are one feature."""
    mask = np.broadcast_to(np.arange(shape[1] * shape[2]).reshape(1, 1, *shape[1:]), (1, *shape))
    return {"tensor": {"datatype": "INT64", "shape": list(mask.shape), "data": mask.ravel().tolist()}}


def overlay(client: httpx.Client, method: dict[str, Any]) -> Image.Image:
    """The overlay of one method as the service draws it, cut to a square tile."""
    response = client.get(
        f"{run_job(client, method)}/overlay.png", params={"size": 2 * SIDE_PX, "caption": "false"}
    ).raise_for_status()
    return ImageOps.fit(Image.open(io.BytesIO(response.content)).convert("RGB"), (SIDE_PX, SIDE_PX))


def sheet(drawn: list[tuple[Section, list[Image.Image]]]) -> Image.Image:
    """The sections one below the other. The first tile is the picture itself."""
    original = ImageOps.fit(Image.open(CAT).convert("RGB"), (SIDE_PX, SIDE_PX))
    tiles = [
        [(section.caption(m), t) for m, t in zip(section.methods, images, strict=True)] for section, images in drawn
    ]
    tiles[0].insert(0, ("the picture", original))
    rows = [-(-len(section_tiles) // COLUMNS) for section_tiles in tiles]
    height = len(tiles) * HEADING_PX + sum(rows) * ROW_PX - GAP_PX
    page = Image.new("RGB", (COLUMNS * COLUMN_PX - GAP_PX, height), "white")
    draw = ImageDraw.Draw(page)
    top = 0
    for (section, _), section_tiles, count in zip(drawn, tiles, rows, strict=True):
        draw.text((0, top + HEADING_PX / 2), section.heading, fill=INK, font=font(32), anchor="lm")
        top += HEADING_PX
        for index, (caption, tile) in enumerate(section_tiles):
            x, y = index % COLUMNS * COLUMN_PX, top + index // COLUMNS * ROW_PX
            ink = GREY if tile is original else INK
            draw.text((x, y + CAPTION_PX / 2), caption, fill=ink, font=font(25), anchor="lm")
            page.paste(tile, (x, y + CAPTION_PX))
        top += count * ROW_PX
    return page


def main(url: str) -> None:
    """Runs all methods on the service at `url` and writes the sheet."""
    with httpx.Client(base_url=url, timeout=TIMEOUT_S) as client, ThreadPoolExecutor(CONCURRENT_JOBS) as pool:
        layer = contributions(client)
        y, x = (int(index) for index in np.unravel_index(layer.sum(axis=0).argmax(), layer.shape[1:]))
        unit = [int(layer[:, y, x].argmax()), y, x]
        chosen = sections(unit, position_mask(layer.shape))
        waiting = [[pool.submit(overlay, client, method) for method in section.methods] for section in chosen]
        drawn = [(section, [job.result() for job in jobs]) for section, jobs in zip(chosen, waiting, strict=True)]
    sheet(drawn).save(OUT, quality=82)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000")
