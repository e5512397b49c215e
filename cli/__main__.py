"""`python -m cli` is the `attribution` command; the supervisor starts its children this way."""

from cli.main import app

app(prog_name="attribution")
