"""What a strategy does, without asyncio: the methods of `crossrate.client.trading.Orders` that wait."""

from __future__ import annotations

from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar

from crossrate.client.blocking import AHEAD
from crossrate.client.order_form import Amount
from crossrate.client.session import TradeSession

if TYPE_CHECKING:
    from crossrate.api.trading.v1 import order_entry_pb2 as entry
    from crossrate.api.trading.v1.execution_pb2 import ExecutionReport
    from crossrate.api.trading.v1.order_pb2 import NewOrder, Order
    from crossrate.api.trading.v1.session_pb2 import SessionResult
    from crossrate.client.aio import AsyncClient

T = TypeVar("T")


class Runs(Protocol):
    """What carries coroutines out elsewhere and waits for them here."""

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """One coroutine."""

    def iterate(self, source: AsyncIterator[T], ahead: int = 1) -> Iterator[T]:
        """One iteration, of which so many items are made ahead."""


class BlockingSession:
    """`TradeSession` whose methods wait; made by `Client.session`, and used as a context manager."""

    def __init__(self, loop: Runs, session: TradeSession) -> None:
        self._loop = loop
        self._session = session

    @property
    def account(self) -> str:
        """Whose orders these are."""
        return self._session.account

    @property
    def last_sequence(self) -> int:
        """Number of the account's newest report received."""
        return self._session.last_sequence

    def __enter__(self) -> Self:
        self._loop.run(self._session.__aenter__())
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._loop.run(self._session.__aexit__(kind))

    def place(self, orders: NewOrder | Sequence[NewOrder]) -> list[SessionResult]:
        """As `TradeSession.place`."""
        return self._loop.run(self._session.place(orders))

    def cancel(self, client_order_id: str) -> SessionResult:
        """As `TradeSession.cancel`."""
        return self._loop.run(self._session.cancel(client_order_id))

    def amend(self, client_order_id: str, *, expected_version: int = 0, **changes: Amount) -> SessionResult:
        """As `TradeSession.amend`."""
        return self._loop.run(self._session.amend(client_order_id, expected_version=expected_version, **changes))

    def cancel_all(self, *, instrument: str = "", strategy: str = "") -> list[SessionResult]:
        """As `TradeSession.cancel_all`."""
        return self._loop.run(self._session.cancel_all(instrument=instrument, strategy=strategy))

    def executions(self) -> Iterator[ExecutionReport]:
        """As `TradeSession.executions`."""
        return self._loop.iterate(self._session.executions(), AHEAD)


class BlockingOrders:
    """The part of `Client` that trades. Arguments and errors are those of `AsyncClient`'s methods of the same names."""

    _loop: Runs
    _client: AsyncClient

    def place(
        self,
        account: str,
        instrument: str,
        side: str | int,
        quantity: Amount,
        *,
        limit_price: Amount | None = None,
        validate_only: bool = False,
        **terms: Any,
    ) -> entry.PlaceOrderResponse:
        """As `AsyncClient.place`."""
        return self._loop.run(
            self._client.place(
                account, instrument, side, quantity, limit_price=limit_price, validate_only=validate_only, **terms
            )
        )

    def place_all(
        self,
        orders: Iterable[NewOrder],
        *,
        atomic: bool = False,
        contingency: str | int | None = None,
        validate_only: bool = False,
    ) -> entry.PlaceOrdersResponse:
        """As `AsyncClient.place_all`."""
        return self._loop.run(
            self._client.place_all(orders, atomic=atomic, contingency=contingency, validate_only=validate_only)
        )

    def cancel(self, account: str, client_order_id: str) -> Order:
        """As `AsyncClient.cancel`."""
        return self._loop.run(self._client.cancel(account, client_order_id))

    def cancel_all(self, account: str, *, instrument: str = "", strategy: str = "") -> list[Order]:
        """As `AsyncClient.cancel_all`."""
        return self._loop.run(self._client.cancel_all(account, instrument=instrument, strategy=strategy))

    def amend(self, account: str, client_order_id: str, *, expected_version: int = 0, **changes: Amount) -> Order:
        """As `AsyncClient.amend`."""
        return self._loop.run(
            self._client.amend(account, client_order_id, expected_version=expected_version, **changes)
        )

    def stream_executions(self, account: str, *, after: int | None = 0) -> Iterator[ExecutionReport]:
        """As `AsyncClient.stream_executions`."""
        return self._loop.iterate(self._client.stream_executions(account, after=after), AHEAD)

    def session(
        self,
        account: str,
        name: str = "python",
        *,
        after: int | None = None,
        cancel_on_disconnect: bool = False,
        heartbeat_s: float = 5.0,
    ) -> BlockingSession:
        """As `AsyncClient.session`."""

        async def made() -> TradeSession:
            return self._client.session(
                account, name, after=after, cancel_on_disconnect=cancel_on_disconnect, heartbeat_s=heartbeat_s
            )

        return BlockingSession(self._loop, self._loop.run(made()))
