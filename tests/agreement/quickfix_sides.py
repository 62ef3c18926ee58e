"""Our side of QuickFIX's scripts: the session of either role, its application, and a clock that is put on."""

from __future__ import annotations

import asyncio
import contextlib
import selectors
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import structlog

from crossrate.fix.acceptor import Acceptor
from crossrate.fix.application import Unit
from crossrate.fix.codec import Extra, group, member, message, optional, required
from crossrate.fix.dictionary import HEADER
from crossrate.fix.endpoint import Endpoint
from crossrate.fix.file_store import FileStore
from crossrate.fix.initiator import Initiator
from crossrate.fix.message import Message
from crossrate.fix.orders import NewOrderSingle
from crossrate.fix.reader import Decoder
from crossrate.fix.rules import Rules

OURS, THEIRS = "ISLD", "TW44"
GRACE_S = 0.05
"""What is under way on loopback has arrived after it."""
_HEADER = frozenset(HEADER)


@member
@dataclass(frozen=True, slots=True, kw_only=True)
class _AlternateId:
    security_alt_id: str = required(455)
    security_alt_id_source: str | None = optional(456)
    extra: Extra = ()


@message("d")
@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityDefinition:
    """A security that the exchange defines; crossrate has no use for it, the scripts' server has."""

    security_req_id: str = required(320)
    security_response_id: str = required(322)
    security_response_type: int = required(323)
    symbol: str | None = optional(55)
    security_id_source: str | None = optional(22)
    security_type: str | None = optional(167)
    trading_session_id: str | None = optional(336)
    text: str | None = optional(58)
    alternates: tuple[_AlternateId, ...] = group(454, _AlternateId)
    extra: Extra = ()


class Echo:
    """What QuickFIX's server has behind the session."""

    def __init__(self) -> None:
        self._seen: set[bytes] = set()

    async def received(self, message: Message, unit: Unit) -> None:
        """See Application."""
        if message.value.__class__ not in (NewOrderSingle, SecurityDefinition):
            return
        if message.kind == NewOrderSingle.KIND:
            if message.possible_resend and message.get(11) in self._seen:
                return
            self._seen.add(message.get(11))
        body = [(int(tag), value) for tag, _, value in message.pairs if int(tag) not in _HEADER]
        unit.send(message.kind, body, [(97, b"Y")] if message.possible_resend else ())

    async def logged_on(self) -> None:
        """See Application."""

    async def logged_out(self, reason: str) -> None:
        """See Application."""
        self._seen.clear()


class _Waiting(selectors.DefaultSelector):
    """Waits for a moment only; if nothing has come then, it is later."""

    def __init__(self) -> None:
        super().__init__()
        self.loop: HastyLoop | None = None

    def select(self, timeout: float | None = None) -> list:
        """See selectors."""
        if self.loop is None or self.loop.at_work or timeout is None or timeout <= GRACE_S:
            return super().select(timeout)
        found = super().select(GRACE_S)
        if not found:
            self.loop.skipped_s += timeout - GRACE_S
        return found


class HastyLoop(asyncio.SelectorEventLoop):
    """A loop that does not wait for its timers while nothing is under way.

    Attributes:
        skipped_s: how far its clock was put on.
        at_work: how much is done in threads, such as by a store; while there is any the clock goes as it does.
    """

    def __init__(self) -> None:
        self.skipped_s, self.at_work = 0.0, 0
        selector = _Waiting()
        super().__init__(selector)
        selector.loop = self

    def time(self) -> float:
        """Its clock, seconds."""
        return super().time() + self.skipped_s

    def run_in_executor(self, executor: Executor | None, func: Callable[..., Any], *args: Any) -> asyncio.Future:
        """See asyncio."""
        future = super().run_in_executor(executor, func, *args)
        self.at_work += 1
        future.add_done_callback(self._done)
        return future

    def _done(self, _: asyncio.Future) -> None:
        self.at_work -= 1


class Clock:
    """The clock of both sides: that of the loop."""

    def __init__(self) -> None:
        self.monotonic = asyncio.get_running_loop().time
        self._begun_ns, self._begun = time.time_ns(), self.monotonic()

    def now_ns(self) -> int:
        """Nanoseconds since 1970 UTC."""
        return self._begun_ns + round((self.monotonic() - self._begun) * 1e9)


@contextlib.asynccontextmanager
async def standing(
    role: Literal["acceptor", "initiator"], port: int, folder: Path, clock: Clock, heartbeat_s: int
) -> AsyncIterator[None]:
    """Our side: an acceptor that listens on a port, or an initiator that connects to it, over and over."""
    store, note = FileStore(folder / "session"), structlog.get_logger()
    decode = Decoder([NewOrderSingle, SecurityDefinition], strict=True, user_defined=False)
    rules = Rules(OURS, THEIRS, role=role, reset="logon", heartbeat_s=heartbeat_s)
    endpoint = Endpoint(rules, store, Echo(), note, decode=decode, now_ns=clock.now_ns, monotonic=clock.monotonic)
    stopping = asyncio.Event()
    try:
        if role == "acceptor":
            acceptor = Acceptor([endpoint], note)
            await acceptor.start("127.0.0.1", port)
            try:
                yield
            finally:
                await acceptor.stop()
        else:
            running = asyncio.create_task(Initiator(endpoint, "127.0.0.1", port, note).run(stopping))
            try:
                yield
            finally:
                stopping.set()
                await running
    finally:
        store.close()
