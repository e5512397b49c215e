"""X_captum: jobs per second of the service, relative to a plain handler that calls stock Captum.

Both servers run all the time and take turns: only one has requests at a time. Every result is fetched and decoded.
"""

from statistics import median
from typing import Any

from benchmarks.ceiling import MODEL, TABLE
from benchmarks.load import Requests, bodies, images, load_handler, load_service, table_row
from benchmarks.processes import plain_handler, service

IG: dict[str, Any] = {"name": "integrated_gradients", "n_steps": 50}
TUNED_BATCH = 16  # Captum's internal_batch_size of the tuned handler


def _rows(number: int = 32) -> list[dict[str, Any]]:
    """`number` different rows of the table."""
    row = table_row()
    return [{"features": {name: value * (1 + k / 100) for name, value in row.items()}} for k in range(number)]


def measure(kind: str, *, rounds: int, ours: int, theirs: int, clients: int) -> dict[str, Any]:
    """Runs `rounds` rounds of `ours` jobs of the service and `theirs` of the handler.

    `kind` is `ig`, `saliency` or `tabular`. Returns the content of `captum-<kind>.json`.
    """
    model = TABLE if kind == "tabular" else MODEL
    inputs = _rows() if kind == "tabular" else [{"image": image} for image in images()]
    method = {"name": "saliency"} if kind == "saliency" else IG
    body: Requests = bodies(model, inputs, method)
    path = f"/{model}/{'saliency' if kind == 'saliency' else 'integrated_gradients'}"
    with service() as server, plain_handler() as handler:
        urls = {"captum": handler.url + path}
        if kind == "ig":
            urls["captum_tuned"] = f"{urls['captum']}?internal_batch_size={TUNED_BATCH}"
        load_service(server.url, body, clients=clients, jobs=min(ours, clients))  # warm
        for url in urls.values():
            load_handler(url, body, clients=2, jobs=2)
        turns = []
        for _ in range(rounds):
            turn = {"service": load_service(server.url, body, clients=clients, jobs=ours).per_second}
            for name, url in urls.items():
                turn[name] = load_handler(url, body, clients=min(clients, theirs), jobs=theirs).per_second
            turns.append(turn)
    ratios = {name: [turn["service"] / turn[name] for turn in turns] for name in urls}
    return {
        "clients": clients,
        "rounds": turns,
        "jobs_per_second": {name: median(turn[name] for turn in turns) for name in turns[0]},
        **{f"x_{name}": median(values) for name, values in ratios.items()},
        "range": [min(ratios["captum"]), max(ratios["captum"])],
    }
