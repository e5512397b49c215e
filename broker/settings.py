"""How a process reaches the job store: `ATTRIBUTION_*` variables that gateways and workers share."""

from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "ATTRIBUTION_"
DEFAULT_URL = "redis://127.0.0.1:6379/0"


class StoreSettings(BaseSettings):
    """Frozen. The URL may hold a password, so it stays out of `repr`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore", hide_input_in_errors=True)

    redis_url: Annotated[str, Field(pattern=r"^(redis|rediss|unix)://", repr=False)] = DEFAULT_URL
    namespace: Annotated[str, Field(pattern=r"^[A-Za-z0-9:_-]{1,100}$")] = "attribution"  # first part of every key
    result_ttl_s: Annotated[int, Field(ge=1, le=30 * 86_400)] = 3_600  # how long a job that has ended is kept
