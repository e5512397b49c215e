"""The workers: models resident on a device, passes packed across jobs, Captum doing the mathematics.

Two settings of the process have to stand before torch and Captum are first imported, so they are made here.
"""

import os

# OpenMP threads that spin while they wait make passes ten times slower as soon as anything else wants a core.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# Captum imports pyplot, which must not look for a screen.
os.environ.setdefault("MPLBACKEND", "Agg")
