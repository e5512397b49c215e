"""Peak memory of the worker with 64 Integrated Gradients jobs of 200 steps waiting, relative to the peak with one."""

import threading
from time import monotonic, sleep
from typing import Any

from benchmarks.ceiling import MODEL
from benchmarks.load import bodies, images, load_service
from benchmarks.processes import forget_peak, peak_rss_bytes, service

METHOD: dict[str, Any] = {"name": "integrated_gradients", "n_steps": 200}


def measure(*, waiting: int, watched_s: float) -> dict[str, Any]:
    """Measures a warm worker with one job until it ends, then for `watched_s` seconds with `waiting` jobs."""
    body = bodies(MODEL, [{"image": image} for image in images()], METHOD)
    with service() as server:
        worker = server.worker()
        load_service(server.url, body, clients=1, jobs=1)
        resting = worker.memory_info().rss
        forget_peak(worker)
        load_service(server.url, body, clients=1, jobs=1)
        alone = peak_rss_bytes(worker)
        forget_peak(worker)
        load = threading.Thread(target=_load, args=(server.url, body, waiting), daemon=True)
        load.start()
        ends = monotonic() + watched_s
        while monotonic() < ends and load.is_alive():
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


def _load(url: str, body: Any, jobs: int) -> None:
    """Runs `jobs` jobs at once. The end of the measurement stops the service and so ends the unfinished ones."""
    try:
        load_service(url, body, clients=jobs, jobs=jobs)
    except Exception:
        return
