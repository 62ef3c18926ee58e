"""A trading session that outlives its connections.

    place, cancel … ─► outbox ─► writer: numbers them on this connection, heartbeats in between
    answers ◄─ reader ◄─ by number; what was not answered when a connection broke is said again on the next one
    reports ◄─ kept to a bound; who reads them too late gets what is gone from the history, in its place

Saying a message again is safe: an order is entered once by its `client_order_id`, the rest once by its `request_id`.
"""

from __future__ import annotations

import asyncio
import collections
import logging
import random
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import grpc

from crossrate.api.common.v1 import stream_pb2
from crossrate.api.trading.v1 import order_entry_pb2 as entry
from crossrate.api.trading.v1 import session_pb2 as pb
from crossrate.client.order_form import Amount, changed
from crossrate.client.resuming import BREAKS, Resumption
from crossrate.rpc.call_error import CallError
from crossrate.rpc.request_id import new_request_id

if TYPE_CHECKING:
    from crossrate.api.trading.v1.execution_pb2 import ExecutionReport
    from crossrate.api.trading.v1.order_pb2 import NewOrder

METHOD = "/crossrate.api.trading.v1.TradingService/TradeSession"
REPORTS_MAX = 10_000
"""Reports kept for a reader who is late; older ones come from the history."""
UNANSWERED_MAX = 256
"""Messages under way; further ones wait."""
ORDERS_MAX = 500
"""Orders in one message."""
HEARTBEAT_S = 5.0
SILENT_HEARTBEATS = 3
"""A server that is silent for so many is gone."""

_log = logging.getLogger("crossrate.client")


@dataclass(eq=False)
class _Said:
    """A message and who waits for its answer."""

    kind: str
    content: Any
    answer: asyncio.Future[list[pb.SessionResult]] = field(default_factory=asyncio.Future)


class SessionEnded(Exception):
    """The session is over; `cause` is why, None after a logout."""

    def __init__(self, words: str, cause: CallError | None = None) -> None:
        super().__init__(words)
        self.cause = cause


class TradeSession:
    """Orders in, reports out; made by `AsyncClient.session`, and used as an asynchronous context manager.

    Leaving it logs out: working orders stay. With `cancel_on_disconnect`, leaving it by an error does not log out, so
    that the platform cancels the session's orders once it has been silent for two heartbeats.
    """

    def __init__(
        self,
        stub: Any,
        account: str,
        name: str,
        *,
        after: int | None = None,
        cancel_on_disconnect: bool = False,
        heartbeat_s: float = HEARTBEAT_S,
        resumption: Resumption | None = None,
    ) -> None:
        self.account, self.name = account, name
        self.instance = ""
        """The instance that serves it."""
        self.connections = 0
        """How often it was opened."""
        self.last_sequence = after or 0
        """Number of the account's newest report received."""
        self._after = after
        self._stub = stub
        self._cancels = cancel_on_disconnect
        self._heartbeat_s = heartbeat_s
        self._resumption = resumption or Resumption()
        self._outbox: collections.deque[_Said] = collections.deque()
        self._unanswered: dict[int, _Said] = {}
        self._room = asyncio.Semaphore(UNANSWERED_MAX)
        self._reports: collections.deque[ExecutionReport] = collections.deque(maxlen=REPORTS_MAX)
        self._to_say, self._to_read, self._opened = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._over: SessionEnded | None = None
        self._leaving = False
        self._read_to = self.last_sequence
        self._heard_s = time.monotonic()
        self._running: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        if self._after is None:
            page = await self._stub.ListExecutions(account=self.account, page_size=1)
            self.last_sequence = self._read_to = page.last_sequence
        self._running = asyncio.create_task(self._run())
        await self._opened.wait()
        if self._over is not None:
            await asyncio.gather(self._running)
            raise self._over.cause or self._over
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        assert self._running is not None
        if self._over is None and (kind is None or not self._cancels):
            self._leaving = True
            self._to_say.set()
            await asyncio.wait([self._running], timeout=SILENT_HEARTBEATS * self._heartbeat_s)
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)
        self._end(SessionEnded("the session was left"))

    async def place(self, orders: NewOrder | Sequence[NewOrder]) -> list[pb.SessionResult]:
        """Enters orders, 1 to 500, each by itself, as `new_order` makes them; returns what became of each, in order.

        A refused order is a result with status REJECTED; its report has the checks.

        Raises:
            CallError: the message was refused; nothing of it was entered.
            SessionEnded: the session is over, and what became of the orders is not known: place them again.
        """
        listed = [orders] if hasattr(orders, "DESCRIPTOR") else list(orders)
        if not 1 <= len(listed) <= ORDERS_MAX:
            raise ValueError(f"a message has 1 to {ORDERS_MAX} orders, these are {len(listed)}")
        return await self._say("orders", pb.SessionOrders(orders=listed))

    async def cancel(self, client_order_id: str) -> pb.SessionResult:
        """Asks for the cancel of an order.

        Raises:
            CallError: there is none of that id, or it has ended.
        """
        asked = entry.CancelOrderRequest(
            request_id=new_request_id(), account=self.account, client_order_id=client_order_id
        )
        return (await self._say("cancel", asked))[0]

    async def amend(self, client_order_id: str, *, expected_version: int = 0, **changes: Amount) -> pb.SessionResult:
        """Asks for other terms: `quantity` (whole, with what has been filled), `limit_price`, `stop_price`,
        `trailing_distance`; what is left out stays.

        Raises:
            CallError: there is no such order, it has ended, or the change is none.
        """
        asked = entry.AmendOrderRequest(
            request_id=new_request_id(),
            account=self.account,
            client_order_id=client_order_id,
            expected_version=expected_version,
            **changed(changes),
        )
        return (await self._say("amend", asked))[0]

    async def cancel_all(self, *, instrument: str = "", strategy: str = "") -> list[pb.SessionResult]:
        """Asks for the cancel of every working order of the account, or of those of an instrument or strategy."""
        asked = entry.CancelAllRequest(
            request_id=new_request_id(), account=self.account, instrument=instrument, strategy=strategy
        )
        return await self._say("cancel_all", asked)

    async def executions(self) -> AsyncIterator[ExecutionReport]:
        """Reports of the account after `after`, each once, without a gap; ends with the session.

        Raises:
            SessionEnded: the session failed.
        """
        while True:
            self._to_read.clear()
            while self._reports and self._reports[0].sequence <= self._read_to:
                self._reports.popleft()
            if self._reports and self._reports[0].sequence == self._read_to + 1:
                self._read_to += 1
                yield self._reports.popleft()
            elif self._reports:
                page = await self._stub.ListExecutions(
                    account=self.account, after_sequence=self._read_to, page_size=1000
                )
                for report in page.reports:
                    self._read_to = report.sequence
                    yield report
            elif self._over is not None:
                if self._over.cause is not None:
                    raise self._over
                return
            else:
                await self._to_read.wait()

    async def _say(self, kind: str, content: Any) -> list[pb.SessionResult]:
        async with self._room:
            if self._over is not None:
                raise self._over
            if self._leaving:
                raise SessionEnded("the session is being left")
            said = _Said(kind, content)
            self._outbox.append(said)
            self._to_say.set()
            return await said.answer

    async def _run(self) -> None:
        """The session's whole life; whoever waits for it is told of its end."""
        try:
            await self._connections()
        finally:
            self._end(SessionEnded("the session was left"))

    async def _connections(self) -> None:
        """One after the other, until a logout or a failure that does not pass."""
        limits, broken = self._resumption, 0
        self._heard_s = time.monotonic()
        while self._over is None:
            heard_s = self._heard_s
            try:
                await self._connected()
            except CallError as error:
                if not _passes(error) or time.monotonic() - self._heard_s > limits.unreachable_s_max:
                    self._end(SessionEnded(f"the session of {self.account} ended: {error.message}", error))
                    return
                _log.info("session %s of %s is resumed: %s", self.name, self.account, error.message)
            broken = 0 if self._heard_s > heard_s else broken + 1
            if broken:
                await asyncio.sleep(random.random() * min(limits.pause_s_max, limits.pause_s * 2 ** min(broken, 20)))

    async def _connected(self) -> None:
        """One connection; returns when it ended in order."""
        again = [self._unanswered[number] for number in sorted(self._unanswered)]
        self._unanswered.clear()
        self._outbox.extendleft(reversed([said for said in again if not said.answer.done()]))
        call = self._stub.TradeSession()
        logon = pb.SessionLogon(
            account=self.account,
            session=self.name,
            after_sequence=self.last_sequence,
            cancel_on_disconnect=self._cancels,
        )
        logon.heartbeat_interval.FromNanoseconds(round(self._heartbeat_s * 1e9))
        writing: asyncio.Task[None] | None = None
        try:
            await _log_on(call, logon)
            while True:
                message = await self._next(call)
                if message is None:
                    return
                if message.WhichOneof("content") == "opened":
                    self.instance, self.connections = message.opened.instance, self.connections + 1
                    writing = asyncio.create_task(self._write(call))
                    self._opened.set()
        finally:
            if writing is not None:
                writing.cancel()
                await asyncio.gather(writing, return_exceptions=True)
            call.cancel()

    async def _next(self, call: Any) -> pb.TradeSessionResponse | None:
        """The next message, taken; None at an end that is not an error."""
        try:
            async with asyncio.timeout(SILENT_HEARTBEATS * self._heartbeat_s):
                message = await call.read()
        except TimeoutError:
            raise _unavailable("the session was silent for three heartbeats") from None
        except asyncio.InvalidStateError as error:
            raise _unavailable(str(error)) from None
        except grpc.aio.AioRpcError as error:
            raise error if isinstance(error, CallError) else CallError.of(error, METHOD) from None
        if message is grpc.aio.EOF:
            raise _unavailable("the session's stream ended without saying why")
        self._heard_s = time.monotonic()
        match message.WhichOneof("content"):
            case "answer":
                self._answered(message.answer)
            case "reports":
                self._reports.extend(message.reports.reports)
                self.last_sequence = max(self.last_sequence, message.reports.reports[-1].sequence)
                self._to_read.set()
            case "error":
                raise CallError.of_status(message.error, METHOD)
            case "end":
                if self._leaving and message.end.reason == stream_pb2.STREAM_END_REASON_COMPLETE:
                    self._end(SessionEnded("the session was left"))
                return None
        return message

    def _answered(self, answer: pb.SessionAnswer) -> None:
        said = self._unanswered.pop(answer.number, None)
        if said is None or said.answer.done():
            return
        if answer.status.code:
            said.answer.set_exception(CallError.of_status(answer.status, METHOD))
        else:
            said.answer.set_result(list(answer.results))

    async def _write(self, call: Any) -> None:
        """Says what is to be said on this connection, and that the client is there."""
        number = 1
        try:
            while True:
                number += 1
                if self._outbox:
                    said = self._outbox.popleft()
                    self._unanswered[number] = said
                    await call.write(pb.TradeSessionRequest(number=number, **{said.kind: said.content}))
                elif self._leaving:
                    await call.write(pb.TradeSessionRequest(number=number, logout=pb.SessionLogout()))
                    await call.done_writing()
                    return
                elif not await self._something_to_say():
                    await call.write(pb.TradeSessionRequest(number=number, heartbeat=stream_pb2.Heartbeat()))
                else:
                    number -= 1
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            return  # the reader says why

    async def _something_to_say(self) -> bool:
        self._to_say.clear()
        try:
            async with asyncio.timeout(self._heartbeat_s):
                await self._to_say.wait()
        except TimeoutError:
            return False
        return True

    def _end(self, why: SessionEnded) -> None:
        if self._over is None:
            self._over = why
        for said in (*self._unanswered.values(), *self._outbox):
            if not said.answer.done():
                said.answer.set_exception(self._over)
        self._opened.set()
        self._to_read.set()


async def _log_on(call: Any, logon: pb.SessionLogon) -> None:
    try:
        await call.write(pb.TradeSessionRequest(number=1, logon=logon))
    except grpc.aio.AioRpcError as error:
        raise CallError.of(error, METHOD) from None
    except asyncio.InvalidStateError:
        return  # it has ended already: reading says why


def _passes(error: CallError) -> bool:
    """Whether another connection may go on. A session that a newer connection holds is not taken back."""
    return error.may_pass or error.code() in BREAKS or "SILENT" in error.metadata.values()


def _unavailable(words: str) -> CallError:
    return CallError(grpc.StatusCode.UNAVAILABLE, words, method=METHOD)
