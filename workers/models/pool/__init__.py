"""Which models a worker holds in memory: loaded, replaced, evicted and unloaded while it serves."""

from workers.models.pool.admin_commands import OrderFollower
from workers.models.pool.pool import ModelPool

__all__ = ["ModelPool", "OrderFollower"]
