"""History and analytics without asyncio: methods that wait. Arguments and errors are those of `AsyncClient`'s."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from crossrate.client.history import BATCH_ROWS
from crossrate.client.sync_trading import Runs

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike

    from crossrate.api.risk.v1.book_pb2 import Book
    from crossrate.api.risk.v1.measure_pb2 import VarResult
    from crossrate.client.aio import AsyncClient
    from crossrate.client.analytics import Greeks
    from crossrate.client.frames import Frame


class BlockingHistory:
    """The part of `Client` that reads history."""

    _loop: Runs
    _client: AsyncClient

    def ticks(
        self, instrument: str, start: Any, end: Any = None, *, source: str = "", columns: Iterable[str] = ()
    ) -> Frame:
        """As `AsyncClient.ticks`."""
        return self._loop.run(self._client.ticks(instrument, start, end, source=source, columns=columns))

    def stream_ticks(
        self,
        instrument: str,
        start: Any,
        end: Any = None,
        *,
        source: str = "",
        columns: Iterable[str] = (),
        batch_rows: int = BATCH_ROWS,
    ) -> Iterator[Frame]:
        """As `AsyncClient.stream_ticks`."""
        return self._loop.iterate(
            self._client.stream_ticks(instrument, start, end, source=source, columns=columns, batch_rows=batch_rows)
        )

    def bars(
        self,
        instrument: str,
        period: str,
        start: Any,
        end: Any = None,
        *,
        source: str = "",
        sides: Iterable[str] = ("bid", "ask"),
        **more: Any,
    ) -> Frame:
        """As `AsyncClient.bars`."""
        return self._loop.run(self._client.bars(instrument, period, start, end, source=source, sides=sides, **more))

    def daily_rates(self, instrument: str, start: Any = None, end: Any = None, *, source: str = "") -> Frame:
        """As `AsyncClient.daily_rates`."""
        return self._loop.run(self._client.daily_rates(instrument, start, end, source=source))


class BlockingAnalytics:
    """The part of `Client` that computes."""

    _loop: Runs
    _client: AsyncClient

    def price_options(
        self,
        put_or_call: Any,
        strike: ArrayLike,
        time: ArrayLike,
        *,
        spot: ArrayLike | None = None,
        volatility: ArrayLike | None = None,
        domestic_rate: ArrayLike | None = None,
        foreign_rate: ArrayLike | None = None,
        snapshot_id: str = "",
        instrument: Any = None,
        timeout: float | None = None,
    ) -> Greeks:
        """As `AsyncClient.price_options`."""
        return self._loop.run(
            self._client.price_options(
                put_or_call,
                strike,
                time,
                spot=spot,
                volatility=volatility,
                domestic_rate=domestic_rate,
                foreign_rate=foreign_rate,
                snapshot_id=snapshot_id,
                instrument=instrument,
                timeout=timeout,
            )
        )

    def imply_volatility(
        self,
        put_or_call: Any,
        strike: ArrayLike,
        time: ArrayLike,
        price: ArrayLike,
        *,
        spot: ArrayLike,
        domestic_rate: ArrayLike,
        foreign_rate: ArrayLike,
        skip_unsolved: bool = False,
        timeout: float | None = None,
    ) -> np.ndarray:
        """As `AsyncClient.imply_volatility`."""
        return self._loop.run(
            self._client.imply_volatility(
                put_or_call,
                strike,
                time,
                price,
                spot=spot,
                domestic_rate=domestic_rate,
                foreign_rate=foreign_rate,
                skip_unsolved=skip_unsolved,
                timeout=timeout,
            )
        )

    def value_at_risk(
        self,
        book: Book | Mapping[str, Any],
        *,
        confidence: Iterable[float] = (0.99,),
        method: str | int = "plain",
        on_progress: Callable[[float], None] | None = None,
        **scenarios: Any,
    ) -> VarResult:
        """As `AsyncClient.value_at_risk`."""
        return self._loop.run(
            self._client.value_at_risk(book, confidence=confidence, method=method, on_progress=on_progress, **scenarios)
        )
