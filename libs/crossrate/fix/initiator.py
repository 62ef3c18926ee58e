"""Connects a session to its venue, and again after every end, with a pause that grows while logons fail."""

from __future__ import annotations

import asyncio
import contextlib
import random
import ssl
from collections.abc import Callable
from typing import Any

from crossrate.fix.application import Disconnected
from crossrate.fix.endpoint import WRITE_S_MAX, Endpoint
from crossrate.fix.faults import NotLoggedOn, SessionEnded

CONNECT_S_MAX = 10.0


class Initiator:
    """One session's way to its venue."""

    def __init__(
        self,
        endpoint: Endpoint,
        host: str,
        port: int,
        note: Any,
        *,
        tls: ssl.SSLContext | None = None,
        server_name: str = "",
        pause_s: float = 1.0,
        pause_s_max: float = 60.0,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """Nothing is connected yet.

        Args:
            endpoint: the session.
            host: the venue's address.
            port: the venue's port.
            note: where to log.
            tls: for TLS; its roots and certificates are the owner's business.
            server_name: whose certificate the venue has to show; `host` by default.
            pause_s: pause after the first failure; each further one doubles it.
            pause_s_max: never longer.
            chance: from 0 to 1; a pause is at least half of what it could be, so that many do not come at once.
        """
        self._endpoint, self._host, self._port = endpoint, host, port
        self._note = note.bind(session=endpoint.rules.name, venue=f"{host}:{port}")
        self._tls = {"ssl": tls, "server_hostname": server_name or host} if tls is not None else {}
        self._pause_s, self._pause_s_max, self._chance = pause_s, pause_s_max, chance

    async def run(self, stopping: asyncio.Event) -> None:
        """Keeps the session connected while its schedule is open, until `stopping`; then it logs out."""
        endpoint, failures = self._endpoint, 0
        while not stopping.is_set():
            if (closed_s := self._closed_s()) > 0:
                await _wait(stopping, closed_s)
                continue
            logons = endpoint.logons
            try:
                await self._connection(stopping)
            except (Disconnected, NotLoggedOn, SessionEnded) as error:
                self._note.warning("FIX session ended", reason=str(error))
            except Exception:
                # Of the application or its store, which may come back: the session goes on from what is stored.
                self._note.exception("FIX session failed")
            failures = 0 if endpoint.logons > logons else failures + 1
            pause_s = min(self._pause_s * 2 ** min(failures, 30), self._pause_s_max)
            await _wait(stopping, pause_s * (1 + self._chance()) / 2)

    def _closed_s(self) -> float:
        """How long until the schedule opens; 0 while it is open."""
        schedule, now_ns = self._endpoint.schedule, self._endpoint.now_ns()
        if schedule is None or schedule.session(now_ns) is not None:
            return 0.0
        return max((schedule.next_start(now_ns) - now_ns) / 1e9, 0.001)

    async def _connection(self, stopping: asyncio.Event) -> None:
        where = f"{self._host}:{self._port}"
        try:
            async with asyncio.timeout(CONNECT_S_MAX):
                reader, writer = await asyncio.open_connection(self._host, self._port, **self._tls)
        except TimeoutError as error:
            raise Disconnected(f"{where} did not answer within {CONNECT_S_MAX:g} s") from error
        except OSError as error:
            raise Disconnected(f"{where} cannot be reached: {error.strerror or error}") from error
        running = asyncio.create_task(self._endpoint.run(reader, writer))
        stopped = asyncio.create_task(stopping.wait())
        try:
            await asyncio.wait((running, stopped), return_when=asyncio.FIRST_COMPLETED)
            if not running.done():
                with contextlib.suppress(Disconnected, OSError):
                    await self._endpoint.end("the process stops")
                await asyncio.wait((running,), timeout=self._endpoint.rules.logout_s + WRITE_S_MAX)
        finally:
            stopped.cancel()
            if not running.done():
                running.cancel()
            await asyncio.wait((running,))
        if not running.cancelled() and (error := running.exception()) is not None:
            raise error


async def _wait(stopping: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stopping.wait()
