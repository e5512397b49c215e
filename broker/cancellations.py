"""Hears which running jobs are cancelled, on a pub/sub connection that renews itself."""

import threading
from collections.abc import Callable
from time import monotonic

import structlog
from redis.connection import ConnectionInterface
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)

POLL_S = 0.25  # how soon `stop` is noticed
FIRST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 2.0


def listen(
    make_connection: Callable[[], ConnectionInterface],
    channel: str,
    timeout_s: float,
    callback: Callable[[str], None],
    stop: threading.Event,
) -> None:
    """Call back with each message until `stop` is set, reconnecting after growing pauses."""
    pause_s = FIRST_PAUSE_S
    while not stop.is_set():
        began = monotonic()
        connection = make_connection()
        try:
            _converse(connection, channel, timeout_s, callback, stop)
        except (RedisError, OSError) as error:
            log.warning("cancellations_lost", error=type(error).__name__)
        finally:
            connection.disconnect()  # type: ignore[no-untyped-call]
        if monotonic() - began > 2 * LONGEST_PAUSE_S:
            pause_s = FIRST_PAUSE_S
        stop.wait(pause_s)
        pause_s = min(2 * pause_s, LONGEST_PAUSE_S)


def _converse(
    connection: ConnectionInterface,
    channel: str,
    timeout_s: float,
    callback: Callable[[str], None],
    stop: threading.Event,
) -> None:
    """Until `stop`; raises when the connection breaks, or is silent for twice `timeout_s` although asked."""
    connection.connect()  # type: ignore[no-untyped-call]
    connection.send_command("SUBSCRIBE", channel)  # type: ignore[no-untyped-call]
    heard_at, asked = monotonic(), False
    while not stop.is_set():
        if connection.can_read(timeout=POLL_S):
            reply: list[bytes] = connection.read_response()
            heard_at, asked = monotonic(), False
            if reply[0] == b"message":
                callback(reply[2].decode())
        elif monotonic() - heard_at > 2 * timeout_s:
            raise RedisConnectionError("no answer to PING")
        elif monotonic() - heard_at > timeout_s and not asked:
            connection.send_command("PING")  # type: ignore[no-untyped-call]
            asked = True
