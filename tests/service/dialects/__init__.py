"""Contract tests of the dialects, against bodies written by hand from each protocol's description."""
