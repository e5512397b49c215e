"""The application factory for `uvicorn --factory service.main:main`."""

from fastapi import FastAPI

from service.app import create_app
from service.monitoring.logging import configure_logging
from service.settings import read_settings


def main() -> FastAPI:
    """The gateway with the settings of this process's environment.

    Raises:
        SettingsError: a variable holds a bad value.
    """
    configure_logging()
    return create_app(read_settings())
