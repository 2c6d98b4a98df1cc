"""What every kafka-python client here needs to know before it connects."""

import socket
from typing import Final

from models.errors import ServiceUnavailable, SettingsError

DIALECT: Final = (2, 3)
"""Protocol level of Kafka 2.3: all we need, spoken by every later broker and by the embedded one."""

CONNECT_S: Final = 5.0


def require_listener(bootstrap: str) -> list[str]:
    """Give the addresses as a list once one of them listens; a client that finds nobody would leave sockets open.

    Raises:
        ServiceUnavailable: nobody listens at any of them.
        SettingsError: an address is not host:port.
    """
    servers = [server.strip() for server in bootstrap.split(",")]
    reason = ""
    for server in servers:
        host, _, port = server.rpartition(":")
        if not host or not port.isdecimal():
            raise SettingsError(f"{server!r} is not host:port; set SUBSIDYWATCH_KAFKA__BOOTSTRAP")
        try:
            socket.create_connection((host.strip("[]"), int(port)), CONNECT_S).close()
        except (OSError, OverflowError) as error:
            reason = str(error)
        else:
            return servers
    raise ServiceUnavailable(
        f"Kafka cannot be reached at {bootstrap} ({reason}); check SUBSIDYWATCH_KAFKA__BOOTSTRAP and that it runs"
    )
