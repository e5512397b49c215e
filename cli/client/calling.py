"""Calls a service for a command: the connection, what interrupts it, and what its errors mean for the exit code."""

from collections.abc import Callable

from attribution_client import Client, Retries
from attribution_client.errors import AttributionError
from cli.client.error_messages import print_client_error
from cli.console import EXIT_INTERRUPTED, stderr

RETRIES = Retries(total_s=10.0)  # someone is watching, and can repeat the command


def call(url: str, command: Callable[[Client], int]) -> int:
    """Runs a command with a client of the service at `url`. Returns its exit code, or that of an error."""
    try:
        with Client(url, retries=RETRIES) as client:
            return command(client)
    except AttributionError as error:
        return print_client_error(error)
    except KeyboardInterrupt:
        stderr.print("cancelled")
        return EXIT_INTERRUPTED
