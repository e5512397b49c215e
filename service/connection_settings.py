"""Settings of the gateway's connections and of the sites that may reach it, from `ATTRIBUTION_*` variables."""

import ipaddress
import re
from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from broker import StoreSettings

LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "[::1]")  # names by which a client on this machine reaches the service
ANY = "*"
HOST = re.compile(r"\*|(\*\.)?[a-z0-9_]([a-z0-9_.-]{0,251}[a-z0-9_])?|\[[0-9a-f:.]{2,45}\]")
ORIGIN = re.compile(r"\*|https?://[a-z0-9._-]{1,253}(:[0-9]{1,5})?|https?://\[[0-9a-f:.]{2,45}\](:[0-9]{1,5})?")

Names = Annotated[tuple[str, ...], NoDecode]  # separated by commas in the variable


class ConnectionSettings(StoreSettings):
    """The store's settings, and those of the connections of one gateway process. Frozen."""

    host: str = "127.0.0.1"
    hosts: Names = ()  # hosts that a request may name; empty: loopback names if `host` is loopback, else any
    cors_origins: Names = ()  # origins whose pages may call the service; empty: none but its own

    max_url_bytes: Annotated[int, Field(ge=256, le=65_536)] = 8_192
    max_header_bytes: Annotated[int, Field(ge=1_024, le=1 << 20)] = 32_768  # of one request, with its URL
    head_timeout_s: Annotated[float, Field(gt=0, le=600)] = 10.0  # from the first byte to the end of the headers
    body_grace_s: Annotated[float, Field(gt=0, le=600)] = 10.0  # before a body must keep to the least rate
    body_min_rate: Annotated[int, Field(ge=1, le=1 << 30)] = 4_096  # bytes per second, averaged over the whole body
    write_timeout_s: Annotated[float, Field(gt=0, le=3_600)] = 30.0  # for which a client may leave sent bytes unread
    max_connections: Annotated[int, Field(ge=1, le=1_000_000)] | None = None  # None: as many as descriptors allow
    max_connections_per_address: Annotated[int, Field(ge=1, le=1_000_000)] | None = None  # None: half of them

    @field_validator("hosts", "cors_origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(name.strip().lower() for name in value.split(",") if name.strip())
        return value

    @field_validator("hosts")
    @classmethod
    def _are_hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(HOST.fullmatch(name) for name in value):
            raise ValueError("names of hosts without ports, such as api.example.com, *.example.com or [::1]")
        return value

    @field_validator("cors_origins")
    @classmethod
    def _are_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(ORIGIN.fullmatch(name) for name in value):
            raise ValueError("origins such as https://app.example.com, without a path")
        return value

    @field_validator("max_connections", "max_connections_per_address", mode="before")
    @classmethod
    def _empty_number_is_none(cls, value: object) -> object:
        return None if value == "" else value  # compose files pass an unset variable as an empty string

    def allowed_hosts(self) -> tuple[str, ...]:
        """The hosts that a request may name; `*` allows any, `*.example.com` any host of that domain."""
        return self.hosts or (LOOPBACK_HOSTS if is_loopback(self.host) else (ANY,))


def is_loopback(host: str) -> bool:
    """Whether an address to listen on is reached from this machine alone."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]").split("%", maxsplit=1)[0]).is_loopback
    except ValueError:
        return False
