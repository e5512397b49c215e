"""The soak: real processes under load while they are killed, stopped and cut off. `python -m tests.soak --help`."""
