"""The SDK with asyncio."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import grpc
from google.protobuf.descriptor import ServiceDescriptor

from crossrate.client.analytics import Analytics
from crossrate.client.books import BookStream, LiveBook
from crossrate.client.find import client_certificate, local_target, roots
from crossrate.client.history import History
from crossrate.client.methods import method_of
from crossrate.client.quotes import Gap, QuoteStream, Resumption, warn
from crossrate.client.tokens import Given, TokenSource
from crossrate.client.trading import Orders
from crossrate.rpc.client import channel_to_edge
from crossrate.rpc.contract import MethodContract, contracts
from crossrate.rpc.resilience import RetryLimits

if TYPE_CHECKING:
    from crossrate.api import sdk
    from crossrate.api.marketdata.v1.quote_pb2 import Quote


class Service:
    """One service: its methods, by their names in the contract."""

    def __init__(self, channel: grpc.aio.Channel, word: str, methods: list[MethodContract]) -> None:
        self._word = word
        stubs = {each.service: each.descriptor.containing_service for each in methods}
        made = {name: _stub(described)(channel) for name, described in stubs.items()}
        for contract in methods:
            setattr(self, contract.name, method_of(getattr(made[contract.service], contract.name), contract))

    def __repr__(self) -> str:
        return f"<{self._word}: {', '.join(name for name in vars(self) if name[0] != '_')}>"


def _stub(service: ServiceDescriptor) -> Callable[[grpc.aio.Channel], Any]:
    """The generated stub of a gRPC service; a service of the platform may have several of them."""
    file = service.file.name.removesuffix(".proto").replace("/", ".")
    return getattr(import_module(f"{file}_pb2_grpc"), f"{service.name}Stub")


def public_services() -> dict[str, list[MethodContract]]:
    """The services that clients of the edge may call, by their one word, with those methods."""
    services: dict[str, list[MethodContract]] = {}
    for contract in contracts().values():
        if contract.roles:
            services.setdefault(contract.workload, []).append(contract)
    return services


class AsyncClient(Orders, History, Analytics):
    """A client of the platform. Use it as an asynchronous context manager, or call `close`.

    Args:
        target: the edge, "localhost:8443"; by default the mesh that runs on this machine.
        ca: roots to trust, as PEM bytes or the path of a file; by default those of the mesh on this machine.
        client: who it is: a client of the topology by name, the path of its certificate with its key, or their bytes;
            "" for nobody. By default "local" if the mesh runs on this machine and no target was named.
        retries: limits of repetition, where the contract allows it.
        token: proves who it is instead of a certificate: a source of `crossrate.client.tokens`, or a token as it is.

    Raises:
        NoMesh: no target was named and no mesh runs here, or the roots cannot be read.
    """

    if TYPE_CHECKING:
        audit: sdk.Audit
        broker: sdk.Broker
        control: sdk.Control
        identity: sdk.Identity
        ledger: sdk.Ledger
        marketdata: sdk.Marketdata
        pipeline: sdk.Pipeline
        pricing: sdk.Pricing
        reference: sdk.Reference
        risk: sdk.Risk
        trading: sdk.Trading

    def __init__(
        self,
        target: str | None = None,
        *,
        ca: bytes | str | Path | None = None,
        client: bytes | str | Path | None = None,
        retries: RetryLimits | None = None,
        token: TokenSource | str | None = None,
    ) -> None:
        self.target = target or local_target()
        proof = client_certificate("" if (target or token) and client is None else client)
        source = Given(token) if isinstance(token, str) else token
        self._channel = channel_to_edge(self.target, roots(ca), client_pem=proof, retries=retries, tokens=source)
        for word, methods in public_services().items():
            setattr(self, word, Service(self._channel, word, methods))

    def stream_quotes(
        self,
        instruments: Iterable[str],
        *,
        conflation_s: float | None = None,
        resume_cursor: str = "",
        on_gap: Callable[[Gap], None] = warn,
    ) -> AsyncIterator[Quote]:
        """Quotes as they change, without end: broken streams are resumed where they broke.

        Nothing is left out silently. When quotes were missed (the cursor is too old, the feed began anew, this reader
        was too slow) `on_gap` is called before the next quote; by default it logs a warning. What it raises ends the
        iteration.

        Args:
            instruments: names as "EUR/USD", 1 to 200.
            conflation_s: at most one quote of an instrument in this time, up to 60 s.
            resume_cursor: cursor to begin after, as `Gap.cursor`.

        Raises:
            CallError: the service refuses the request, or was not reachable for a minute.
        """
        events = self.quote_events(instruments, conflation_s=conflation_s, resume_cursor=resume_cursor)

        async def quotes() -> AsyncIterator[Quote]:
            async for event in events:
                if isinstance(event, Gap):
                    on_gap(event)
                else:
                    yield event

        return quotes()

    def quote_events(
        self,
        instruments: Iterable[str],
        *,
        conflation_s: float | None = None,
        resume_cursor: str = "",
        resumption: Resumption | None = None,
    ) -> AsyncIterator[Quote | Gap]:
        """The same with the gaps in their places among the quotes."""
        stream = QuoteStream(list(instruments), conflation_s, resume_cursor, resumption or Resumption())
        return stream.events(self.marketdata)

    def stream_books(
        self,
        instruments: Iterable[str],
        *,
        source: str = "",
        depth: int = 0,
        conflation_s: float | None = None,
        on_gap: Callable[[Gap], None] = warn,
    ) -> AsyncIterator[LiveBook]:
        """Order books as they change, without end: the book that changed, after each change of it.

        There is one object for each instrument, and the stream goes on changing it: what is to be kept is copied.
        Broken streams are resumed; `on_gap` is called as for quotes. Look at `health` before you trade on a book.

        Args:
            instruments: names as "EUR/USD", 1 to 100.
            source: a feed; empty for the composite of all that are LIVE.
            depth: most levels of each side; 0 for all.
            conflation_s: changes are merged to one in this time, up to 60 s.
            on_gap: called when changes were missed, or not told one by one where every change was asked for.

        Raises:
            CallError: the service refuses the request, or was not reachable for a minute.
        """
        events = self.book_events(instruments, source=source, depth=depth, conflation_s=conflation_s)

        async def books() -> AsyncIterator[LiveBook]:
            async for event in events:
                if isinstance(event, Gap):
                    on_gap(event)
                else:
                    yield event

        return books()

    def book_events(
        self,
        instruments: Iterable[str],
        *,
        source: str = "",
        depth: int = 0,
        conflation_s: float | None = None,
        resumption: Resumption | None = None,
    ) -> AsyncIterator[LiveBook | Gap]:
        """The same with the gaps in their places among the books."""
        stream = BookStream(
            list(instruments), source=source, depth=depth, conflation_s=conflation_s, resumption=resumption
        )
        return stream.events(self.marketdata)

    async def close(self) -> None:
        """Ends all calls and the connection."""
        await self._channel.close()

    def __repr__(self) -> str:
        return f"<AsyncClient of {self.target}>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
