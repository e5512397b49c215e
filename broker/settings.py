"""How a process reaches the job store: `ATTRIBUTION_*` variables that gateways and workers share."""

from pathlib import Path
from typing import Annotated
from urllib.parse import urlencode

from pydantic import Field, FilePath, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from broker.sentinel_url import sentinel_address

PREFIX = "ATTRIBUTION_"
DEFAULT_URL = "redis://127.0.0.1:6379/0"


class StoreSettings(BaseSettings):
    """Frozen. The URL may hold a password, so it stays out of `repr`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore", hide_input_in_errors=True)

    redis_url: Annotated[str, Field(pattern=r"^(rediss?|unix|rediss?\+sentinel)://", repr=False)] = DEFAULT_URL
    # PEM files for rediss:// and rediss+sentinel://: the authority that signed the server's certificate (default: those
    # of the system), and this client's own certificate and key.
    redis_ca: FilePath | None = None
    redis_cert: FilePath | None = None
    redis_key: FilePath | None = None
    namespace: Annotated[str, Field(pattern=r"^[A-Za-z0-9:_-]{1,100}$")] = "attribution"  # first part of every key
    result_ttl_s: Annotated[int, Field(ge=1, le=30 * 86_400)] = 3_600  # how long a job that has ended is kept

    @field_validator("redis_url")
    @classmethod
    def _is_whole(cls, url: str) -> str:
        sentinel_address(url)
        return url

    @field_validator("redis_ca", "redis_cert", "redis_key", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        return value or None  # compose files pass an unset variable as an empty string

    @field_validator("redis_ca", "redis_cert", "redis_key")
    @classmethod
    def _is_encrypted(cls, file: Path | None, info: ValidationInfo) -> Path | None:
        if file is not None and not str(info.data.get("redis_url", "rediss://")).startswith("rediss"):
            raise ValueError(
                "is for encrypted connections: ATTRIBUTION_REDIS_URL must begin with rediss:// or rediss+sentinel://"
            )
        return file

    @property
    def store_url(self) -> str:
        """The URL with the files as options of redis-py: what the broker's classes take."""
        files = {"ssl_ca_certs": self.redis_ca, "ssl_certfile": self.redis_cert, "ssl_keyfile": self.redis_key}
        options = urlencode({name: str(file) for name, file in files.items() if file is not None})
        separator = "&" if "?" in self.redis_url else "?"
        return f"{self.redis_url}{separator}{options}" if options else self.redis_url
