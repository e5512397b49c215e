"""Random numbers: one stream per job, equal on every device."""
