"""Memory of the processes and keys in the store, before a run and after it."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from tests.soak.cluster import NAMESPACE, Cluster

MORE_MIB = 96.0  # that a process may hold after a run: buffers that allocators keep, and modules loaded on first use
MORE_STORE_MIB = 8.0  # that the store may hold: fragmentation
# Kinds of keys that belong to one job or one request. None may be left when their time is over.
OF_JOBS = ("job", "payload", "result", "tensors", "handed", "content", "followers", "idempotency")


@dataclass(frozen=True)
class Footprint:
    """Resident memory by process, MiB; keys by kind; members of the two indexes of jobs."""

    mib: dict[str, float]
    store_used_mib: float
    keys: dict[str, int]
    indexed: int

    def faults_after(self, earlier: "Footprint", last_indexed: int) -> list[str]:
        """What is more than it was. `last_indexed`: entries of the last jobs, which only later jobs trim."""
        found = [
            f"{name} grew from {earlier.mib[name]:.0f} to {now:.0f} MiB"
            for name, now in self.mib.items()
            if name != "store" and now > earlier.mib[name] + MORE_MIB
        ]
        if self.store_used_mib > earlier.store_used_mib + MORE_STORE_MIB:
            found.append(f"the store grew from {earlier.store_used_mib:.1f} to {self.store_used_mib:.1f} MiB")
        left = {kind: count for kind in OF_JOBS if (count := self.keys.get(kind, 0))}
        if left:
            found.append(f"keys are left: {left}")
        if self.indexed > last_indexed:
            found.append(f"{self.indexed} jobs are left in the indexes")
        return found

    def document(self) -> dict[str, Any]:
        return {
            "mib": {name: round(mib, 1) for name, mib in self.mib.items()},
            "store_used_mib": round(self.store_used_mib, 2),
            "keys": self.keys,
            "indexed": self.indexed,
        }


async def measure(cluster: Cluster) -> Footprint:
    """The footprint now."""
    async with cluster.raw_store() as client:
        names = [name.decode() async for name in client.scan_iter(f"{NAMESPACE}:*", count=1000)]
        used = int((await client.info("memory"))["used_memory"])
        indexed = sum([await client.zcard(f"{NAMESPACE}:{index}") for index in ("index", "expiry")])
    kinds = Counter(name.split(":")[1] for name in names)
    mib = {one.name: one.resident_mib() for one in cluster.keepers}
    return Footprint(mib, used / 2**20, dict(sorted(kinds.items())), indexed)
