"""Measurements of the service. `python -m benchmarks` runs them; none is a test."""

import workers  # noqa: F401  # sets OpenMP variables, which torch reads at import
