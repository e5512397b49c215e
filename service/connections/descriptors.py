"""How many connections this process can have open without running out of file descriptors."""

import resource

from service.tuning import MOST_DESCRIPTORS, OTHER_DESCRIPTORS


def raise_descriptor_limit() -> int:
    """Raise the soft limit on open files towards the hard one, and return what then holds."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MOST_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return wanted
    return MOST_DESCRIPTORS if soft == resource.RLIM_INFINITY else soft


def descriptors_for_connections(limit: int) -> int:
    """Of `limit` descriptors, those that clients may take. The rest is for the store, files and refused clients."""
    return max(1, limit - OTHER_DESCRIPTORS)
