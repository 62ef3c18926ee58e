"""Sessions: orders in and reports out on one stream, numbered on both sides.

    client ─► numbered messages ─► reader ─► works and entries, as they come ─► answers, in the order of the messages
    client ◄─ one writer ◄──────── answers, reports of the account without a gap, heartbeats

The reader goes on while orders are being committed, so that what arrives together is committed together; it stops
reading when ANSWERS_MAX messages wait for their answers, which is what slows a client down that is too fast.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from crossrate.api.trading.v1 import session_pb2 as pb
from crossrate.rpc import errors
from crossrate.rpc.errors import Failure
from crossrate.runtime.ending import end
from services.trading.engine.sessions import Sessions
from services.trading.engine.work import Placed
from services.trading.service.failures import failures

ANSWERS_MAX = 64
"""Messages of a client that wait for their answers."""
HEARTBEAT_S = 5.0
SILENT_HEARTBEATS = 2
"""A client that is silent for so many is gone."""

Do = Callable[[Any], Awaitable[Any]]


class Session:
    """One connection of one session. `calls` are those of the service, done for the account of the logon."""

    def __init__(self, service: Any, sessions: Sessions, instance: str) -> None:
        self._service = service
        self._sessions = sessions
        self._instance = instance
        self._heard_s = time.monotonic()
        self._answers: asyncio.Queue[asyncio.Task[pb.SessionAnswer] | None] = asyncio.Queue(ANSWERS_MAX)
        self._number = 0
        self._expected = 0
        self._turn = asyncio.Lock()
        self._logged_out = False

    async def run(self, requests: AsyncIterator[pb.TradeSessionRequest]) -> AsyncIterator[pb.TradeSessionResponse]:
        """The whole stream."""
        first = await anext(aiter(requests), None)
        logon = self._logon(first)
        heartbeat_s = logon.heartbeat_interval.ToNanoseconds() / 1e9 or HEARTBEAT_S
        last = await self._service.last_sequence(logon.account)
        if logon.after_sequence > last:
            words = f"the account's newest report is {last}: give the number of the last one received"
            raise errors.invalid(("logon.after_sequence", words))
        held = await self._sessions.open(
            logon.account, logon.session, logon.cancel_on_disconnect, SILENT_HEARTBEATS * heartbeat_s
        )
        reading = asyncio.create_task(self._read(requests, logon))
        try:
            opened = pb.TradeSessionResponse(opened=pb.SessionOpened(last_sequence=last, instance=self._instance))
            yield self._positioned(opened, logon.after_sequence)
            async for message in self._speak(logon, heartbeat_s, reading, held):
                yield message
        finally:
            await end({reading})
            await self._sessions.left(held, in_order=self._logged_out)

    def _logon(self, first: pb.TradeSessionRequest | None) -> pb.SessionLogon:
        if first is None or not first.HasField("logon"):
            raise errors.invalid(("logon", "the first message of a session is its logon"))
        if first.WhichOneof("content") is not None:
            raise errors.invalid(("content", "the first message is the logon alone"))
        self._expect(first)
        return first.logon

    def _expect(self, message: pb.TradeSessionRequest) -> None:
        self._expected += 1
        if message.number != self._expected:
            raise errors.invalid(("number", f"is {message.number}, and {self._expected} was next on this connection"))
        self._heard_s = time.monotonic()

    async def _read(self, requests: AsyncIterator[pb.TradeSessionRequest], logon: pb.SessionLogon) -> None:
        """Takes the client's messages until it stops; what is wrong with the stream itself ends it."""
        try:
            async for message in requests:
                self._expect(message)
                match message.WhichOneof("content"):
                    case "heartbeat":
                        continue
                    case "logout":
                        self._logged_out = True
                        break
                    case None:
                        raise errors.invalid(("content", "a message has one: orders, amend, cancel, cancel_all …"))
                    case _:
                        await self._answers.put(asyncio.create_task(self._answer(message, logon)))
        finally:
            await self._answers.put(None)

    async def _answer(self, message: pb.TradeSessionRequest, logon: pb.SessionLogon) -> pb.SessionAnswer:
        answer = pb.SessionAnswer(number=message.number)
        try:
            with failures():
                answer.results.extend(await self._done(message, logon))
        except Failure as failure:
            answer.status.CopyFrom(failure.to_status())
        return answer

    async def _done(self, message: pb.TradeSessionRequest, logon: pb.SessionLogon) -> list[pb.SessionResult]:
        kind = message.WhichOneof("content")
        content = getattr(message, kind)
        # What comes later may be about the orders of this message: they are on their way before it is looked at.
        async with self._turn:
            if kind == "orders":
                entered = await self._service.enter_on_session(logon.account, logon.session, content.orders)
        if kind == "orders":
            return await entered
        if content.account != logon.account:
            raise errors.invalid((f"{kind}.account", f"the session is of {logon.account}: open another one"))
        if kind == "cancel":
            answer = await self._service.CancelOrder(content, None)
            return [result_of(answer)]
        if kind == "amend":
            answer = await self._service.AmendOrder(content, None)
            return [result_of(answer)]
        answer = await self._service.CancelAll(content, None)
        return [_result(order) for order in answer.orders]

    async def _speak(
        self, logon: pb.SessionLogon, heartbeat_s: float, reading: asyncio.Task[None], held: Any
    ) -> AsyncIterator[pb.TradeSessionResponse]:
        """Answers and reports until the client has said its last; fails when it is silent or has been replaced."""
        at = logon.after_sequence
        answering = asyncio.create_task(self._answers.get())
        waiting: asyncio.Task[pb.SessionAnswer] | None = None
        over = False
        with self._service.hub.listening(logon.account) as listener:
            try:
                while not over or waiting is not None:
                    listener.changed.clear()
                    with failures():
                        events = await self._service.next_events(logon.account, at)
                    if events:
                        at = events[-1][0]
                        reports = b"".join(event for _, event in events)
                        message = pb.TradeSessionResponse()
                        message.reports.MergeFromString(reports)
                        yield self._positioned(message, at)
                    if waiting is not None and waiting.done():
                        yield self._positioned(pb.TradeSessionResponse(answer=waiting.result()), at)
                        waiting = None
                    if waiting is None and answering.done() and not over:
                        waiting = answering.result()
                        over = waiting is None
                        answering = asyncio.create_task(self._answers.get())
                        continue
                    if events:
                        continue
                    woke = await self._wait(listener, answering, waiting, held, heartbeat_s)
                    if held.replaced.is_set():
                        raise errors.wrong_state("REPLACED", "the session was opened again by a newer connection")
                    if self._silent(heartbeat_s) and not over:
                        raise errors.wrong_state("SILENT", "nothing was heard for two heartbeats: send one in time")
                    if not woke:
                        message = pb.TradeSessionResponse()
                        message.heartbeat.server_time.GetCurrentTime()
                        yield self._positioned(message, at)
                await reading
            finally:
                answering.cancel()

    async def _wait(
        self, listener: Any, answering: asyncio.Task, waiting: asyncio.Task | None, held: Any, heartbeat_s: float
    ) -> bool:
        tasks = [asyncio.ensure_future(listener.changed.wait()), asyncio.ensure_future(held.replaced.wait())]
        mine = list(tasks)
        tasks.append(waiting if waiting is not None else answering)
        try:
            done, _ = await asyncio.wait(tasks, timeout=heartbeat_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in mine:
                task.cancel()
        return bool(done)

    def _silent(self, heartbeat_s: float) -> bool:
        return time.monotonic() - self._heard_s > SILENT_HEARTBEATS * heartbeat_s

    def _positioned(self, message: pb.TradeSessionResponse, at: int) -> pb.TradeSessionResponse:
        self._number += 1
        message.position.sequence, message.position.cursor = self._number, str(at)
        return message


def result_of(answer: Any) -> pb.SessionResult:
    """What became of an order, from the answer to a call about it."""
    if isinstance(answer, Placed):
        return pb.SessionResult(
            client_order_id=answer.client_order_id,
            status=answer.status.value,
            order_id=answer.order_id,
            sequence=answer.sequence,
        )
    return _result(answer.order)


def _result(order: Any) -> pb.SessionResult:
    return pb.SessionResult(
        client_order_id=order.terms.client_order_id,
        status=order.status,
        order_id=order.order_id,
        sequence=order.sequence,
    )
