"""`python -m tests.e2e.stand_in_worker`: a worker whose device computes a row in `STAND_IN_ROW_S` seconds."""

import os

from service.monitoring.logging import configure_logging
from workers.engine.device.stand_in import StandIn
from workers.main import run
from workers.settings import WorkerSettings

PASS_S = 0.001

if __name__ == "__main__":
    configure_logging()
    raise SystemExit(run(WorkerSettings(), passes=StandIn(PASS_S, float(os.environ["STAND_IN_ROW_S"]))))
