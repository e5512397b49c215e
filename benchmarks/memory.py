"""Peak memory of the worker with 64 IG-200 jobs waiting, over that with one."""

import threading
from time import monotonic, sleep
from typing import Any

from benchmarks.ceiling import MODEL
from benchmarks.load import bodies, images, load_service
from benchmarks.processes import forget_peak, peak_rss_bytes, service

METHOD: dict[str, Any] = {"name": "integrated_gradients", "n_steps": 200}


def measure(*, waiting: int, watched_s: float) -> dict[str, Any]:
    """The worker is warm; with one job to its end, then with `waiting` of them for so long, while all are waiting."""
    body = bodies(MODEL, [{"image": image} for image in images()], METHOD)
    with service() as server:
        worker = server.worker()
        load_service(server.url, body, clients=1, jobs=1)
        resting = worker.memory_info().rss
        forget_peak(worker)
        load_service(server.url, body, clients=1, jobs=1)
        alone = peak_rss_bytes(worker)
        forget_peak(worker)
        asking = threading.Thread(target=_ask, args=(server.url, body, waiting), daemon=True)
        asking.start()
        ends = monotonic() + watched_s
        while monotonic() < ends and asking.is_alive():
            sleep(0.2)
        together = peak_rss_bytes(worker)
        live = server.counters(MODEL)["live_jobs"]
    return {
        "waiting": waiting,
        "live": live,
        "resting_bytes": resting,
        "alone_bytes": alone,
        "together_bytes": together,
        "ratio": together / alone,
    }


def _ask(url: str, body: Any, jobs: int) -> None:
    """Its jobs are cut short when the service is stopped under them."""
    try:
        load_service(url, body, clients=jobs, jobs=jobs)
    except Exception:
        return
