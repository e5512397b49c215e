"""The gateway's settings, read once from `ATTRIBUTION_*` variables."""

from pathlib import Path
from typing import Annotated

from pydantic import ByteSize, Field, ValidationError, field_validator

from broker.settings import PREFIX
from broker.stores_file import read_stores
from broker.tuning import QUEUE_BYTES, QUEUE_SECONDS
from service.api_keys import read_keys
from service.connection_settings import ConnectionSettings

MIN_DECODE_BYTES = 64 * 1024 * 1024  # decodes a picture of some 10 million pixels


class SettingsError(ValueError):
    """A variable holds a bad value; the message names it and does not repeat the value."""


class GatewaySettings(ConnectionSettings):
    """The settings of the store, of connections, and of one gateway process. Frozen."""

    queue_depth: Annotated[int, Field(ge=1, le=1_000_000)] = 1000  # jobs queued or running, per model
    queue_seconds: Annotated[int, Field(ge=1, le=86_400)] = QUEUE_SECONDS  # of work queued or running, per model
    queue_bytes: Annotated[ByteSize, Field(ge=1 << 20)] = ByteSize(QUEUE_BYTES)  # of inputs queued or running, in all
    store_bytes: Annotated[ByteSize, Field(ge=1 << 20)] | None = (
        None  # of jobs and results; None: by the store's memory
    )
    max_body_bytes: Annotated[int, Field(ge=1024, le=1 << 30)] = 16 * 1024 * 1024
    bodies_bytes: Annotated[ByteSize, Field(ge=1 << 20)] = ByteSize(
        256 * 1024 * 1024
    )  # memory of all bodies of open requests; at least one of the largest bodies is allowed
    decode_bytes: Annotated[ByteSize, Field(ge=MIN_DECODE_BYTES)] = ByteSize(
        256 * 1024 * 1024
    )  # memory of all pictures being decoded, such as "512MiB"
    cache: bool = True  # equal requests share one computation
    max_wait_s: Annotated[float, Field(ge=0, le=3600)] = 60.0  # upper bound of `?wait=` and `Prefer: wait`
    keys: Path | None = None  # file of API keys; None: open to everyone, and the admin routes are off
    stores: Path | None = None  # file of further job stores and their models; None: all models are on one
    port: Annotated[int, Field(ge=0, le=65535)] = 8000

    @field_validator("keys", "stores", "store_bytes", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return value or None  # compose files pass an unset variable as an empty string

    @field_validator("keys")
    @classmethod
    def _can_be_read(cls, path: Path | None) -> Path | None:
        if path is not None:
            read_keys(path)
        return path

    @field_validator("stores")
    @classmethod
    def _can_be_reached(cls, path: Path | None) -> Path | None:
        if path is not None:
            read_stores(path)
        return path


def read_settings() -> GatewaySettings:
    """The settings of this process's environment.

    Raises:
        SettingsError: a variable holds a bad value.
    """
    try:
        return GatewaySettings()
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        raise SettingsError(f"{PREFIX}{str(first['loc'][0]).upper()}: {first['msg']}") from None
