"""The SDK for code without asyncio: the same client on an event loop of its own in a background thread."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from crossrate.client.aio import AsyncClient, public_services
from crossrate.client.blocking import AHEAD, Loop, blocking
from crossrate.client.books import LiveBook
from crossrate.client.quotes import Gap, warn
from crossrate.client.sync_columns import BlockingAnalytics, BlockingHistory
from crossrate.client.sync_trading import BlockingOrders
from crossrate.client.tokens import TokenSource
from crossrate.rpc.contract import MethodContract
from crossrate.rpc.resilience import RetryLimits

if TYPE_CHECKING:
    from crossrate.api import sdk
    from crossrate.api.marketdata.v1.quote_pb2 import Quote


class _Service:
    """One service whose methods wait."""

    def __init__(self, loop: Loop, service: Any, methods: list[MethodContract]) -> None:
        self._service = service
        for contract in methods:
            if not contract.client_streaming:
                setattr(self, contract.name, blocking(loop, getattr(service, contract.name)))

    def __repr__(self) -> str:
        return repr(self._service)


class Client(BlockingOrders, BlockingHistory, BlockingAnalytics):
    """A client of the platform for code without asyncio; safe to share between threads, not between processes.

    Use it as a context manager, or call `close`. Arguments and errors are those of `AsyncClient`. Every method has also
    `future`, which does not wait and whose `cancel` ends the call.
    """

    if TYPE_CHECKING:
        audit: sdk.AuditBlocking
        broker: sdk.BrokerBlocking
        control: sdk.ControlBlocking
        identity: sdk.IdentityBlocking
        ledger: sdk.LedgerBlocking
        marketdata: sdk.MarketdataBlocking
        pipeline: sdk.PipelineBlocking
        pricing: sdk.PricingBlocking
        reference: sdk.ReferenceBlocking
        risk: sdk.RiskBlocking
        trading: sdk.TradingBlocking

    def __init__(
        self,
        target: str | None = None,
        *,
        ca: bytes | str | Path | None = None,
        client: bytes | str | Path | None = None,
        retries: RetryLimits | None = None,
        token: TokenSource | str | None = None,
    ) -> None:
        self._loop: Loop = Loop()
        try:
            self._client = self._loop.run(_make(target, ca, client, retries, token))
        except BaseException:
            self._loop.close()
            raise
        self.target = self._client.target
        for word, methods in public_services().items():
            setattr(self, word, _Service(self._loop, getattr(self._client, word), methods))

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
        for event in self._loop.iterate(events, AHEAD):
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
        """Ends all calls, of all threads, and the connection. Closing twice is nothing."""
        self._loop.close(self._client.close)

    def __repr__(self) -> str:
        return f"<Client of {self.target}>"

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
