"""Servers of a few methods that do what a test says, on a Unix socket, and clients of the SDK in front of them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import grpc
import pytest

from crossrate.api.common.v1 import stream_pb2
from crossrate.api.ledger.v1 import ledger_service_pb2 as ledger
from crossrate.api.ledger.v1 import ledger_service_pb2_grpc as ledger_grpc
from crossrate.api.ledger.v1 import movement_service_pb2 as movements
from crossrate.api.ledger.v1 import movement_service_pb2_grpc as movements_grpc
from crossrate.api.marketdata.v1 import feed_list_pb2 as feeds
from crossrate.api.marketdata.v1 import history_service_pb2 as history
from crossrate.api.marketdata.v1 import history_service_pb2_grpc as history_grpc
from crossrate.api.marketdata.v1 import marketdata_service_pb2_grpc as marketdata_grpc
from crossrate.api.reference.v1 import reference_service_pb2 as reference
from crossrate.api.reference.v1 import reference_service_pb2_grpc as reference_grpc
from crossrate.api.trading.v1 import order_history_pb2 as trading
from crossrate.api.trading.v1 import trading_service_pb2_grpc as trading_grpc
from crossrate.client import AsyncClient, Client, RetryLimits
from crossrate.rpc.client import channel_to_socket

FAST = RetryLimits(pause_s=0.001, pause_s_max=0.002, budget_min=100)
Step = Any
"""What a stream does next: a number or a range of messages, "heartbeat", a StreamEndReason, or a gRPC code."""


class Listing(
    reference_grpc.ReferenceServiceServicer, ledger_grpc.LedgerServiceServicer, trading_grpc.TradingServiceServicer
):
    """Lists of so many things, page by page, in each of the ways that contracts have."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.asked: list[Any] = []
        self.stands_still = False

    async def ListInstruments(self, request, context):
        """By tokens; one page holds nothing and is not the last."""
        self.asked.append(request)
        begin = int(request.page_token or 0)
        if self.stands_still:
            return reference.ListInstrumentsResponse(next_page_token="5")
        end = min(begin + request.page_size, self.count)
        answer = reference.ListInstrumentsResponse(next_page_token=str(end) if end < self.count else "")
        if begin != request.page_size:
            for number in range(begin, end):
                answer.instruments.add(name=str(number))
        return answer

    async def ListPostings(self, request, context):
        """By the number of the last entry."""
        end = min(request.after_sequence + 10, self.count)
        answer = ledger.ListPostingsResponse(next_after_sequence=end if end < self.count else 0)
        for number in range(request.after_sequence + 1, end + 1):
            answer.entries.add(sequence=number)
        return answer

    async def ListExecutions(self, request, context):
        """By the number of the last report, with that of the newest."""
        answer = trading.ListExecutionsResponse(last_sequence=self.count)
        for number in range(request.after_sequence + 1, min(request.after_sequence + 10, self.count) + 1):
            answer.reports.add(sequence=number)
        return answer


class Streaming(marketdata_grpc.MarketDataServiceServicer, history_grpc.HistoryServiceServicer):
    """Streams whose connections each do one list of steps; cursors are numbers."""

    def __init__(self, *connections: list[Step]) -> None:
        self.connections = list(connections)
        self.requests: list[Any] = []

    async def StreamHealth(self, request, context):
        """Messages that carry an empty batch of changes."""
        async for message in self._stream(feeds.StreamHealthResponse, "changes", request, context):
            yield message

    async def Replay(self, request, context):
        """The same with quotes."""
        async for message in self._stream(history.ReplayResponse, "quotes", request, context):
            yield message

    async def _stream(self, kind: Any, content: str, request: Any, context: Any) -> AsyncIterator[Any]:
        self.requests.append(request)
        cursor = int(request.resume_cursor or 0)
        for sequence, step in enumerate(self.connections[len(self.requests) - 1], start=1):
            if isinstance(step, grpc.StatusCode):
                await context.abort(step, "broken")
            message = kind()
            if step == "heartbeat":
                message.heartbeat.SetInParent()
            elif step == "hang":
                await asyncio.Event().wait()
            elif step == "expired":
                message.error.code = grpc.StatusCode.OUT_OF_RANGE.value[0]
                _reason(message.error, "CURSOR_EXPIRED")
            elif isinstance(step, str):
                message.end.reason = stream_pb2.StreamEndReason.Value(f"STREAM_END_REASON_{step}")
            else:
                cursor += 1
                assert step == cursor, f"the connection is to send {step} and stands at {cursor}"
                getattr(message, content).SetInParent()
            message.position.sequence, message.position.cursor = sequence, str(cursor)
            yield message


def _reason(status: Any, word: str) -> None:
    from google.rpc import error_details_pb2

    status.details.add().Pack(error_details_pb2.ErrorInfo(reason=word, domain="crossrate"))


class Deposits(movements_grpc.MovementServiceServicer):
    """Fails the first attempts, then answers; remembers every request."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.requests: list[Any] = []
        self.arrived, self.cancelled = asyncio.Event(), asyncio.Event()
        self.hangs = False

    async def Deposit(self, request, context):
        """One deposit."""
        self.requests.append(request)
        self.arrived.set()
        if self.hangs:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                self.cancelled.set()
                raise
        if len(self.requests) <= self.failures:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "not now")
        return movements.DepositResponse()


REGISTER: tuple[tuple[type, Callable[[Any, Any], None]], ...] = (
    (reference_grpc.ReferenceServiceServicer, reference_grpc.add_ReferenceServiceServicer_to_server),
    (ledger_grpc.LedgerServiceServicer, ledger_grpc.add_LedgerServiceServicer_to_server),
    (trading_grpc.TradingServiceServicer, trading_grpc.add_TradingServiceServicer_to_server),
    (marketdata_grpc.MarketDataServiceServicer, marketdata_grpc.add_MarketDataServiceServicer_to_server),
    (history_grpc.HistoryServiceServicer, history_grpc.add_HistoryServiceServicer_to_server),
    (movements_grpc.MovementServiceServicer, movements_grpc.add_MovementServiceServicer_to_server),
)


@contextlib.asynccontextmanager
async def served(servicer: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """Serves it; clients of the SDK that are made inside find it in place of an edge."""
    running, socket = grpc.aio.server(), folder / "s.sock"
    for kind, register in REGISTER:
        if isinstance(servicer, kind):
            register(servicer, running)
    running.add_insecure_port(f"unix:{socket}")
    await running.start()
    monkeypatch.setattr(
        "crossrate.client.aio.channel_to_edge",
        lambda *_, retries=None, **__: channel_to_socket(socket, retries=retries),
    )
    try:
        yield
    finally:
        await running.stop(None)


def asyncio_client() -> AsyncClient:
    """A client of what is served."""
    return AsyncClient("localhost:1", ca=b"", client="", retries=FAST)


def thread_client() -> Client:
    """The same without asyncio."""
    return Client("localhost:1", ca=b"", client="", retries=FAST)
