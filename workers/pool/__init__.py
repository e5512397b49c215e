"""Which models a worker holds in memory: loaded, replaced, evicted and unloaded while it serves."""

from workers.pool.orders import OrderFollower
from workers.pool.pool import ModelPool

__all__ = ["ModelPool", "OrderFollower"]
