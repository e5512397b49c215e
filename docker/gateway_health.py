"""Health check of the gateway's container: healthy when `/healthz` responds.

A missing Redis or worker makes `/readyz` fail, but is no reason to restart the gateway.
"""

import os
import urllib.request

with urllib.request.urlopen(f"http://127.0.0.1:{os.environ['ATTRIBUTION_PORT']}/healthz", timeout=4):
    pass
