"""Takes connections of clients, and gives each to the session whose names its Logon has.

Whoever is not known, does not begin with a Logon, or has a connection already is disconnected without an answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from crossrate.fix.application import Disconnected
from crossrate.fix.endpoint import READ_BYTES, Endpoint
from crossrate.fix.faults import NotLoggedOn, SessionEnded
from crossrate.fix.kinds import LOGON
from crossrate.fix.message import Framer, Message
from crossrate.fix.store import StaleNumbers

LOGON_BYTES_MAX = 4_096
"""A client's first message may not be longer."""

Authenticate = Callable[[Message, Endpoint], Awaitable[str]]
"""Why a Logon is refused, in words that the client is told; empty if it is not."""


class Acceptor:
    """A port, and the sessions that clients may log on to."""

    def __init__(
        self,
        endpoints: Sequence[Endpoint],
        note: Any,
        *,
        authenticate: Authenticate | None = None,
        logon_s: float = 10.0,
        pending_max: int = 100,
    ) -> None:
        """Nothing listens yet.

        Args:
            endpoints: the sessions, of role acceptor.
            note: where to log; no content of a Logon is.
            authenticate: judges Username (553) and Password (554); without one the names alone count.
            logon_s: how long a client may take to send its Logon.
            pending_max: connections without a Logon; more are refused.

        Raises:
            ValueError: two sessions have the same names, or one is an initiator's.
        """
        self._endpoints: dict[tuple[str, ...], Endpoint] = {}
        for endpoint in endpoints:
            rules = endpoint.rules
            key = (rules.target, rules.target_sub, rules.sender, rules.sender_sub)
            if rules.role != "acceptor" or key in self._endpoints:
                raise ValueError(f"{rules.name} is there twice, or is no acceptor's")
            self._endpoints[key] = endpoint
        self._note, self._authenticate = note, authenticate
        self._logon_s, self._pending_max = logon_s, pending_max
        self._pending = 0
        self._taken: set[Endpoint] = set()
        self._connections: set[asyncio.Task] = set()
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> None:
        """Listens.

        Raises:
            OSError: it cannot.
        """
        given = {"ssl": tls, "ssl_handshake_timeout": self._logon_s} if tls is not None else {}
        self._server = await asyncio.start_server(self._connected, host, port, **given)

    async def stop(self) -> None:
        """Stops listening, logs every session out, and ends what does not answer."""
        assert self._server is not None
        self._server.close()
        for endpoint in self._endpoints.values():
            with contextlib.suppress(OSError, Disconnected, StaleNumbers):
                await endpoint.end("the venue stops")
        if self._connections:
            waits = [endpoint.rules.logout_s for endpoint in self._endpoints.values()]
            await asyncio.wait(self._connections, timeout=max(waits, default=0.0) + 1.0)
        for task in tuple(self._connections):
            task.cancel()
        if self._connections:
            await asyncio.wait(self._connections)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        note = self._note.bind(client=str(writer.get_extra_info("peername")))
        try:
            await self._serve(reader, writer, note)
        except (Disconnected, NotLoggedOn, SessionEnded) as error:
            note.info("FIX connection ended", reason=str(error))
        except asyncio.CancelledError:
            # `stop` ends what did not answer its Logout; asyncio would report the task of a connection as failed.
            note.info("FIX connection ended", reason="the process stops")
        except Exception:
            # Of the application or its store: the client comes back, and the session goes on from what is stored.
            note.exception("FIX connection failed")
        finally:
            writer.close()
            self._connections.discard(task)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, note: Any) -> None:
        if self._pending >= self._pending_max:
            raise Disconnected(f"{self._pending_max} connections have not logged on yet")
        framer = Framer()
        self._pending += 1
        try:
            async with asyncio.timeout(self._logon_s):
                messages = await self._first(reader, framer)
        except TimeoutError as error:
            raise Disconnected(f"the client did not log on within {self._logon_s:g} s") from error
        except OSError as error:
            raise Disconnected(f"the connection broke: {error.strerror or error}") from error
        finally:
            self._pending -= 1
        logon = messages[0]
        key = tuple(logon.text(tag) for tag in (49, 50, 56, 57))
        endpoint = self._endpoints.get(key) or self._endpoints.get((key[0], "", key[2], ""))
        if logon.kind != LOGON or endpoint is None:
            raise Disconnected("the client's first message is no Logon of a session that is known")
        if endpoint in self._taken:
            raise Disconnected(f"{endpoint.rules.name} is connected already")
        self._taken.add(endpoint)
        try:
            refused = await self._authenticate(logon, endpoint) if self._authenticate is not None else ""
            framer.message_bytes_max = endpoint.rules.message_bytes_max
            await endpoint.run(reader, writer, first=messages, framer=framer, turned_away=refused)
        finally:
            self._taken.discard(endpoint)

    async def _first(self, reader: asyncio.StreamReader, framer: Framer) -> list[Message]:
        framer.message_bytes_max = LOGON_BYTES_MAX
        while True:
            data = await reader.read(READ_BYTES)
            if not data:
                raise Disconnected("the client closed the connection before it logged on")
            messages = framer.feed(data)
            if framer.garbled:
                raise Disconnected("what came first is no FIX message")
            if messages:
                return messages
