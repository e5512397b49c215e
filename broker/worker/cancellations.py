"""Listens for cancelled jobs on a pub/sub connection that renews itself."""

import threading
from collections.abc import Callable
from time import monotonic

import structlog
from redis.connection import ConnectionInterface
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from broker.tuning import FIRST_PAUSE_S, MAX_PAUSE_S, STOP_POLL_S

log = structlog.get_logger(__name__)


def listen(
    make_connection: Callable[[], ConnectionInterface],
    channel: str,
    timeout_s: float,
    callback: Callable[[str], None],
    stop: threading.Event,
) -> None:
    """Calls back with each message until `stop` is set, reconnecting after growing pauses."""
    pause_s = FIRST_PAUSE_S
    while not stop.is_set():
        began = monotonic()
        connection = make_connection()
        try:
            _listen_until_lost(connection, channel, timeout_s, callback, stop)
        except (RedisError, OSError) as error:
            log.warning("cancellations_lost", error=type(error).__name__)
        finally:
            connection.disconnect()  # type: ignore[no-untyped-call]
        if monotonic() - began > 2 * MAX_PAUSE_S:
            pause_s = FIRST_PAUSE_S
        stop.wait(pause_s)
        pause_s = min(2 * pause_s, MAX_PAUSE_S)


def _listen_until_lost(
    connection: ConnectionInterface,
    channel: str,
    timeout_s: float,
    callback: Callable[[str], None],
    stop: threading.Event,
) -> None:
    """Listens until `stop`. Raises when the connection breaks, or stays silent for `timeout_s` after a PING."""
    connection.connect()  # type: ignore[no-untyped-call]
    connection.send_command("SUBSCRIBE", channel)  # type: ignore[no-untyped-call]
    received_at, is_pinged = monotonic(), False
    while not stop.is_set():
        if connection.can_read(timeout=STOP_POLL_S):
            reply: list[bytes] = connection.read_response()
            received_at, is_pinged = monotonic(), False
            if reply[0] == b"message":
                callback(reply[2].decode())
        elif monotonic() - received_at > 2 * timeout_s:
            raise RedisConnectionError("no reply to PING")
        elif monotonic() - received_at > timeout_s and not is_pinged:
            connection.send_command("PING")  # type: ignore[no-untyped-call]
            is_pinged = True
