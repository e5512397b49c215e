"""The workers: models resident on a device, passes packed across jobs, Captum doing the mathematics.

Settings of the process that have to stand before torch and Captum are first imported are made here.
"""

import os

# OpenMP threads that spin for long while they wait make passes ten times slower as soon as anything else wants a core;
# those that sleep at once make a pass of one row take twice as long. So many turns are about a tenth of a millisecond.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "3000")
# Captum imports pyplot, which must not look for a screen.
os.environ.setdefault("MPLBACKEND", "Agg")
