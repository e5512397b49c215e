"""Several hosts on one machine: network namespaces, joined by a wire that delays packets and can be cut."""
