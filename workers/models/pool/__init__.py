"""Which models a worker holds in memory: loaded, replaced, evicted and unloaded while it serves."""

from workers.models.pool.admin_commands import CommandExecutor
from workers.models.pool.pool import ModelPool

__all__ = ["CommandExecutor", "ModelPool"]
