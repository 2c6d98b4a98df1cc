"""One look at a process's health page, for container health checks."""

from http.client import HTTPConnection, HTTPException
from typing import Final
from urllib.parse import urlsplit

from models.errors import ServiceUnavailable, SettingsError

TIMEOUT_S: Final = 3.0


def probe(url: str) -> tuple[bool, str]:
    """Fetch a health page; give whether it is content, and what it said.

    Raises:
        SettingsError: the address is not http://HOST[:PORT]/PATH.
        ServiceUnavailable: nobody answered within three seconds.
    """
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        raise SettingsError(f"--probe takes an address such as http://127.0.0.1:9101/healthz, not {url!r}")
    connection = HTTPConnection(parts.hostname, parts.port or 80, timeout=TIMEOUT_S)
    try:
        connection.request("GET", parts.path or "/")
        answer = connection.getresponse()
        said = answer.read(2_000).decode("utf-8", "replace").strip()
    except (OSError, HTTPException) as error:
        raise ServiceUnavailable(f"nobody answers at {url}: {error}") from None
    finally:
        connection.close()
    return answer.status == 200, said
