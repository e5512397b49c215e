"""The page at `/`: static files that use the public API, and nothing else."""
