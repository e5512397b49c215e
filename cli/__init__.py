"""The `attribution` command: starts the processes of the service, and is a small client of it."""
