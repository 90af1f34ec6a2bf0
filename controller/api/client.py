"""The other end of the operators' socket, for the CLI."""

import asyncio
import errno
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
from yarl import URL

from controller.errors import GdccError, PermanentError, RefusedError, TransientError


def call(socket: Path, method: str, path: str, body: dict[str, object] | None = None) -> Any:
    """One request to the daemon; its JSON.

    Raises RefusedError for a refusal, PermanentError for the rest it said, TransientError when no daemon answers.
    """
    return json.loads(asyncio.run(_call(socket, method, path, body)))


def fetch(socket: Path, path: str) -> bytes:
    """A document of the daemon's as it is, JSON not yet read. Raises what `call` raises."""
    return asyncio.run(_call(socket, "GET", path, None))


async def _call(socket: Path, method: str, path: str, body: dict[str, object] | None) -> bytes:
    timeout = aiohttp.ClientTimeout(total=120)
    try:
        async with (
            aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(socket)), timeout=timeout) as session,
            session.request(method, URL(f"http://gdcc{path}", encoded=True), json=body) as response,
        ):
            if response.content_type != "application/json":
                what = f"the daemon answered {response.status} {response.reason}, which this program does not know"
                raise PermanentError(what, where=path, remedy="see the daemon's log; is it of this version?")
            said = await response.read()
            if response.status != 200:
                raise _error(response.status, json.loads(said))
            return said
    except aiohttp.ClientConnectorError as error:
        raise _unreached(socket, error.os_error) from error
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        remedy = "is gdcc run up? name another socket with --socket"
        raise TransientError("no daemon answers", where=str(socket), remedy=remedy) from error


def _unreached(socket: Path, error: OSError) -> GdccError:
    if error.errno in {errno.EACCES, errno.EPERM}:
        remedy = "become a member of the socket's group"
        return PermanentError("you may not open the daemon's socket", where=str(socket), remedy=remedy)
    remedy = "is gdcc run up? name another socket with --socket"
    return TransientError("no daemon answers", where=str(socket), remedy=remedy)


def drain_steps(status: Mapping[str, Any]) -> int:
    """How often drains have been stepped, by `/status`; of a daemon that was not restarted yet, its turns."""
    return int(status.get("drain_steps", status["turns"]["count"]))


def path(*parts: str) -> str:
    """An address of the API, whatever stands in its parts."""
    return "".join(f"/{quote(part, safe='')}" for part in parts)


def _error(status: int, said: dict[str, str]) -> GdccError:
    if status == 409:
        return RefusedError(said["error"], rule=said["rule"], where=said["where"], remedy=said["remedy"])
    kind = TransientError if status == 503 else PermanentError
    return kind(said["error"], where=said["where"], remedy=said["remedy"])
