"""The release of the service."""

from importlib.metadata import version

RELEASE = version("attribution-service")
