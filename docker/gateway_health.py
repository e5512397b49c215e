"""Healthy when the gateway answers; whether Redis and a worker are there is `/readyz`, not a reason to restart it."""

import os
import urllib.request

with urllib.request.urlopen(f"http://127.0.0.1:{os.environ['ATTRIBUTION_PORT']}/healthz", timeout=4):
    pass
