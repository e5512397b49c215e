"""One run of the fuzzer: a service of its own, the requests, and the state of the processes afterwards."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.fuzz.run import Fuzzer, FuzzReport
from tests.soak.cluster import Cluster

VARIABLES = {"ATTRIBUTION_RESULT_TTL_S": "60", "ATTRIBUTION_QUEUE_DEPTH": "2000"}
VALID = {"model": "text", "input": {"text": "the film was good"}, "method": "saliency"}
LIMIT_S = 120.0


@dataclass(frozen=True)
class FuzzOptions:
    """The size of one run."""

    requests: int = 100_000
    clients: int = 32
    workers: int = 1
    within_s: float = 7_200.0  # no request begins later


async def fuzz(seed: int, options: FuzzOptions, keep_logs: Path | None = None) -> FuzzReport:
    """Runs one seed on a service of its own. `faults` holds everything that must not happen."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as temporary:
        folder = keep_logs or Path(temporary)
        async with Cluster(folder, gateways=1, workers=options.workers, variables=VARIABLES) as cluster:
            url = httpx.URL(cluster.urls[0])
            fuzzer = Fuzzer(url.host, url.port or 80, seed)
            report = await fuzzer.run(options.requests, options.clients, options.within_s)
            report.faults += await _still_serves(cluster)
            report.faults += (f"{death.name} died with {death.code}" for death in cluster.deaths)
            report.faults += (f"log: {line}" for line in cluster.defects())
            return report


async def _still_serves(cluster: Cluster) -> list[str]:
    """Faults of the service after the last request."""
    async with httpx.AsyncClient(base_url=cluster.urls[0], timeout=LIMIT_S, trust_env=False) as client:
        health = await client.get("/healthz")
        explained = await client.post("/explain?wait=60", json=VALID, headers={"Cache-Control": "no-store"})
    found = [] if health.status_code == httpx.codes.OK else [f"/healthz gives {health.status_code}"]
    if explained.status_code != httpx.codes.OK or explained.json()["status"] != "succeeded":
        found.append(f"a valid request gives {explained.status_code}: {explained.text[:300]}")
    return found
