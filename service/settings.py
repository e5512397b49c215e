"""The gateway's settings, read once from `ATTRIBUTION_*` variables."""

from typing import Annotated

from pydantic import Field, SecretStr, ValidationError, field_validator

from broker import StoreSettings
from broker.settings import PREFIX

MIN_KEY = 16  # characters of the admin key


class SettingsError(ValueError):
    """A variable holds a bad value; the message names it and does not repeat the value."""


class GatewaySettings(StoreSettings):
    """The store's settings, and those of one gateway process. Frozen."""

    queue_depth: Annotated[int, Field(ge=1, le=1_000_000)] = 1000  # jobs waiting or running, per model
    max_body_bytes: Annotated[int, Field(ge=1024, le=1 << 30)] = 16 * 1024 * 1024
    cache: bool = True  # equal requests share one computation
    max_wait_s: Annotated[float, Field(ge=0, le=3600)] = 60.0  # longest `Prefer: wait`
    admin_key: Annotated[SecretStr, Field(min_length=MIN_KEY)] | None = None  # None: no model can be loaded or unloaded
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000

    @field_validator("admin_key", mode="before")
    @classmethod
    def _absent(cls, value: object) -> object:
        return value or None  # compose files hand on what is not set as an empty text


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
