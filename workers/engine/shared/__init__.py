"""The shared lane: rows of several jobs are packed into one pass."""
