"""Tracing by OpenTelemetry, where the standard `OTEL_*` variables set it up. Otherwise nothing of its SDK is imported.

The composition root alone knows the SDK; the rest of the service knows `schemas.telemetry.spans`.
"""
