"""Whether the broker can use the server at a URL."""

from redis.exceptions import RedisError

from broker.clients import close_sync, sync_client
from broker.settings import StoreSettings

CHECK_TIMEOUT_S = 2.0
CLUSTER_REFUSED = (
    "{variable} names a server of a Redis Cluster, which is not supported: scripts change keys of several "
    "slots at once. Use one server, with replicas and Sentinel for failover"
)


def refusal_of_store(settings: StoreSettings, variable: str = "ATTRIBUTION_REDIS_URL") -> str | None:
    """Why the service cannot run on this store; None if it can, or if the store does not answer now. `variable` is
    where the operator names it."""
    client = sync_client(settings.store_url, CHECK_TIMEOUT_S)
    try:
        found = client.info("cluster").get("cluster_enabled")
    except (RedisError, OSError):
        return None  # gateway and worker wait for a store that is away
    finally:
        close_sync(client)
    return CLUSTER_REFUSED.format(variable=variable) if found else None
