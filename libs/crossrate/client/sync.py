"""The SDK for code without asyncio: the same client on an event loop of its own in a background thread."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

from crossrate.client.aio import AsyncClient, public_services
from crossrate.client.books import LiveBook
from crossrate.client.quotes import Gap, warn
from crossrate.client.sync_trading import BlockingOrders
from crossrate.client.tokens import TokenSource
from crossrate.rpc.resilience import RetryLimits

if TYPE_CHECKING:
    from crossrate.api.control.v1.control_service_pb2_grpc import ControlServiceStub
    from crossrate.api.ledger.v1.account_service_pb2_grpc import AccountServiceStub
    from crossrate.api.marketdata.v1.book_service_pb2_grpc import BookServiceStub
    from crossrate.api.marketdata.v1.marketdata_service_pb2_grpc import MarketDataServiceStub
    from crossrate.api.marketdata.v1.quote_pb2 import Quote
    from crossrate.api.pricing.v1.price_stream_service_pb2_grpc import PriceStreamServiceStub
    from crossrate.api.pricing.v1.pricing_service_pb2_grpc import PricingServiceStub
    from crossrate.api.pricing.v1.quoting_service_pb2_grpc import QuotingServiceStub
    from crossrate.api.pricing.v1.snapshot_service_pb2_grpc import SnapshotServiceStub
    from crossrate.api.reference.v1.reference_service_pb2_grpc import ReferenceServiceStub
    from crossrate.api.risk.v1.kill_switch_service_pb2_grpc import KillSwitchServiceStub
    from crossrate.api.risk.v1.limit_service_pb2_grpc import LimitServiceStub
    from crossrate.api.risk.v1.margin_call_service_pb2_grpc import MarginCallServiceStub
    from crossrate.api.risk.v1.risk_service_pb2_grpc import RiskServiceStub
    from crossrate.api.trading.v1.trading_service_pb2_grpc import TradingServiceStub

T = TypeVar("T")


class _Loop:
    """An event loop in a daemon thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="crossrate-client", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs a coroutine there and waits for it here; an interruption here cancels it there."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def iterate(self, source: AsyncIterator[T]) -> Iterator[T]:
        """Iterates here over what is made there, one by one."""
        done = object()

        async def following() -> Any:
            return await anext(source, done)

        async def close() -> None:
            with contextlib.suppress(AttributeError):
                await source.aclose()

        try:
            while (item := self.run(following())) is not done:
                yield item
        finally:
            if not self._loop.is_closed():
                self.run(close())

    def close(self) -> None:
        """Ends what is still iterated over, then the thread."""
        self.run(self._loop.shutdown_asyncgens())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class _Service:
    """One service whose methods return answers instead of awaitables, and iterators instead of streams."""

    def __init__(self, loop: _Loop, service: Any, streaming: dict[str, bool]) -> None:
        for name, streams in streaming.items():
            setattr(self, name, _blocking(loop, getattr(service, name), streams))


def _blocking(loop: _Loop, method: Callable[..., Any], streams: bool) -> Callable[..., Any]:
    def unary(*args: Any, **kwargs: Any) -> Any:
        async def call() -> Any:
            return await method(*args, **kwargs)

        return loop.run(call())

    def stream(*args: Any, **kwargs: Any) -> Iterator[Any]:
        async def messages() -> AsyncIterator[Any]:
            call = method(*args, **kwargs)
            try:
                async for message in call:
                    yield message
            finally:
                call.cancel()

        return loop.iterate(messages())

    chosen = stream if streams else unary
    chosen.__name__, chosen.__doc__ = method.__name__, method.__doc__
    return chosen


class Client(BlockingOrders):
    """A client of the platform for code without asyncio; safe to share between threads.

    Use it as a context manager, or call `close`. Arguments and errors are those of `AsyncClient`.
    """

    if TYPE_CHECKING:
        control: ControlServiceStub
        ledger: AccountServiceStub
        marketdata: MarketDataServiceStub | BookServiceStub
        pricing: PricingServiceStub | PriceStreamServiceStub | QuotingServiceStub | SnapshotServiceStub
        reference: ReferenceServiceStub
        risk: RiskServiceStub | LimitServiceStub | KillSwitchServiceStub | MarginCallServiceStub
        trading: TradingServiceStub

    def __init__(
        self,
        target: str | None = None,
        *,
        ca: bytes | str | Path | None = None,
        client: bytes | str | Path | None = None,
        retries: RetryLimits | None = None,
        token: TokenSource | str | None = None,
    ) -> None:
        self._loop = _Loop()
        try:
            self._client = self._loop.run(_make(target, ca, client, retries, token))
        except BaseException:
            self._loop.close()
            raise
        self.target = self._client.target
        for word, methods in public_services().items():
            streaming = {m.name: m.server_streaming for m in methods if not m.client_streaming}
            setattr(self, word, _Service(self._loop, getattr(self._client, word), streaming))

    def stream_quotes(
        self,
        instruments: Iterable[str],
        *,
        conflation_s: float | None = None,
        resume_cursor: str = "",
        on_gap: Callable[[Gap], None] = warn,
    ) -> Iterator[Quote]:
        """As `AsyncClient.stream_quotes`; `on_gap` is called in the thread that iterates."""
        events = self._client.quote_events(instruments, conflation_s=conflation_s, resume_cursor=resume_cursor)
        for event in self._loop.iterate(events):
            if isinstance(event, Gap):
                on_gap(event)
            else:
                yield event

    def stream_books(
        self,
        instruments: Iterable[str],
        *,
        source: str = "",
        depth: int = 0,
        conflation_s: float | None = None,
        on_gap: Callable[[Gap], None] = warn,
    ) -> Iterator[LiveBook]:
        """As `AsyncClient.stream_books`; a book stays as it is until the next one is asked for."""
        events = self._client.book_events(instruments, source=source, depth=depth, conflation_s=conflation_s)
        for event in self._loop.iterate(events):
            if isinstance(event, Gap):
                on_gap(event)
            else:
                yield event

    def close(self) -> None:
        """Ends all calls and the connection."""
        self._loop.run(self._client.close())
        self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


async def _make(
    target: str | None,
    ca: bytes | str | Path | None,
    client: bytes | str | Path | None,
    retries: RetryLimits | None,
    token: TokenSource | str | None,
) -> AsyncClient:
    return AsyncClient(target, ca=ca, client=client, retries=retries, token=token)
