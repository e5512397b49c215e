"""Measurements of the service, each a module to run. None is a test."""

import workers  # noqa: F401  # settings that have to stand before torch is imported
