"""The limits of connections, as one gateway process applies them."""

from dataclasses import dataclass
from typing import Self

from service.connections.descriptors import descriptors_for_connections
from service.settings import GatewaySettings
from service.tuning import DEFAULT_CONNECTIONS, MAX_HEADERS, MAX_PIPELINED


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Sizes in bytes, times in seconds, rates in bytes per second."""

    url_bytes: int
    header_bytes: int
    body_bytes: int
    head_s: float
    body_grace_s: float
    body_rate: int
    write_s: float
    connections: int
    per_address: int
    headers: int = MAX_HEADERS
    pipelined: int = MAX_PIPELINED

    @classmethod
    def of(cls, settings: GatewaySettings, descriptors: int) -> Self:
        """The limits of these settings in a process that may open `descriptors` files."""
        most = descriptors_for_connections(descriptors)
        connections = min(settings.max_connections or DEFAULT_CONNECTIONS, most)
        return cls(
            url_bytes=settings.max_url_bytes,
            header_bytes=settings.max_header_bytes,
            body_bytes=settings.max_body_bytes,
            head_s=settings.head_timeout_s,
            body_grace_s=settings.body_grace_s,
            body_rate=settings.body_min_rate,
            write_s=settings.write_timeout_s,
            connections=connections,
            per_address=settings.max_connections_per_address or max(1, connections // 2),
        )
