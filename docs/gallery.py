"""Draws every image method on the sample picture, by asking a running service: `python docs/gallery.py [URL]`."""

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

from service.pictures.typeface import font

ROOT = Path(__file__).parents[1]
CAT = ROOT / "models" / "efficientnet-lite0" / "chelsea.jpg"
OUT = ROOT / "docs" / "images" / "gallery.jpg"
MODEL, TARGET = "efficientnet-lite0", "Egyptian cat"
LAYER = "features.11"  # 14 x 14 places; at the last layer, before the pooling, most methods agree
AT_ONCE = 8  # jobs: the service packs their passes into common batches
LIMIT_S = 600.0

COLUMNS, SIDE, GAP = 6, 290, 12  # pixels; the README shows the sheet at half its width
HEADING, CAPTION = 64, 38
INK, GREY = (26, 26, 26), (110, 110, 110)

REGIONS = {"feature_mask": {"superpixels": 60}, "baseline": "blur"}
NOISY = {"n_samples": 20, "stdevs": 0.1, "baseline": "blur"}


@dataclass(frozen=True)
class Section:
    """A heading and its tiles: captions and methods. `prefix` is what the heading says for all of them."""

    heading: str
    prefix: str
    methods: list[dict[str, Any]]

    def caption(self, method: dict[str, Any]) -> str:
        return str(method["name"]).removeprefix(self.prefix)


def sections(unit: list[int], positions: dict[str, Any]) -> list[Section]:
    """`unit` is one of `LAYER`; `positions` a mask of it, one feature for each place on its map."""
    layer = {"layer": LAYER}
    neuron = {"layer": LAYER, "neuron_selector": unit}
    return [
        Section(
            "Gradients, and rules for the way back",
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
            "Parts of the picture taken away",
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
            "layer_…: 14 x 14 places inside the network, laid over the picture",
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
            "neuron_…: what drives a single unit there, at the place that speaks loudest for the cat",
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


def explained(client: httpx.Client, method: dict[str, Any]) -> str:
    """Where the job of one method is, once it has succeeded."""
    data = {"model": MODEL, "method": json.dumps(method), "target": TARGET}
    with CAT.open("rb") as picture:
        answer = client.post("/explain", data=data, files={"image": picture})
    if answer.is_error:
        raise SystemExit(f"{method['name']}: {answer.text}")
    place = str(answer.json()["links"]["self"])
    with client.stream("GET", f"{place}/events") as events:
        for _ in events.iter_lines():  # ends with the job
            pass
    job = client.get(place).raise_for_status().json()
    if job["status"] != "succeeded":
        raise SystemExit(f"{method['name']}: {job['error']}")
    return place


def contributions(client: httpx.Client) -> Any:
    """Of the units of `LAYER` on this picture, (C, H, W)."""
    place = explained(client, {"name": "layer_gradient_x_activation", "layer": LAYER})
    answer = client.get(f"{place}/result", headers={"Accept": "application/x-npy"}).raise_for_status()
    return np.load(io.BytesIO(answer.content), allow_pickle=False)[0]


def positions(shape: tuple[int, ...]) -> dict[str, Any]:
    """A mask over a layer, (1, C, H, W): the channels of one place are one feature."""
    places = np.broadcast_to(np.arange(shape[1] * shape[2]).reshape(1, 1, *shape[1:]), (1, *shape))
    return {"tensor": {"datatype": "INT64", "shape": list(places.shape), "data": places.ravel().tolist()}}


def overlay(client: httpx.Client, method: dict[str, Any]) -> Image.Image:
    """The picture of one method, as the service draws it."""
    drawn = client.get(f"{explained(client, method)}/overlay.png", params={"size": 2 * SIDE}).raise_for_status()
    return ImageOps.fit(Image.open(io.BytesIO(drawn.content)).convert("RGB"), (SIDE, SIDE))


def sheet(drawn: list[tuple[Section, list[Image.Image]]]) -> Image.Image:
    """The sections one below the other; the picture itself stands first."""
    original = ImageOps.fit(Image.open(CAT).convert("RGB"), (SIDE, SIDE))
    tiles = [
        [(section.caption(m), t) for m, t in zip(section.methods, images, strict=True)] for section, images in drawn
    ]
    tiles[0].insert(0, ("the picture", original))
    rows = [-(-len(each) // COLUMNS) for each in tiles]
    height = len(tiles) * HEADING + sum(rows) * (CAPTION + SIDE + GAP) - GAP
    page = Image.new("RGB", (COLUMNS * (SIDE + GAP) - GAP, height), "white")
    draw = ImageDraw.Draw(page)
    top = 0
    for (section, _), each, count in zip(drawn, tiles, rows, strict=True):
        draw.text((0, top + HEADING / 2), section.heading, fill=INK, font=font(32), anchor="lm")
        top += HEADING
        for index, (caption, tile) in enumerate(each):
            x, y = index % COLUMNS * (SIDE + GAP), top + index // COLUMNS * (CAPTION + SIDE + GAP)
            draw.text((x, y + CAPTION / 2), caption, fill=GREY if tile is original else INK, font=font(25), anchor="lm")
            page.paste(tile, (x, y + CAPTION))
        top += count * (CAPTION + SIDE + GAP)
    return page


def main(url: str) -> None:
    with httpx.Client(base_url=url, timeout=LIMIT_S) as client, ThreadPoolExecutor(AT_ONCE) as pool:
        layer = contributions(client)
        y, x = (int(index) for index in np.unravel_index(layer.sum(axis=0).argmax(), layer.shape[1:]))
        unit = [int(layer[:, y, x].argmax()), y, x]
        chosen = sections(unit, positions(layer.shape))
        waiting = [[pool.submit(overlay, client, method) for method in section.methods] for section in chosen]
        drawn = [(section, [job.result() for job in jobs]) for section, jobs in zip(chosen, waiting, strict=True)]
    sheet(drawn).save(OUT, quality=82)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000")
