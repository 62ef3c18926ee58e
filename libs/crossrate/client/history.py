"""History as columns: ticks, bars, daily rates, and anything that a method lists."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import TYPE_CHECKING, Any

from crossrate.client.requests import enum_number
from crossrate.client.resuming import Gap

if TYPE_CHECKING:
    from crossrate.client.frames import Frame

BATCH_ROWS = 65_536
"""Ticks of one message: the most that the contract allows."""
PAGE_ROWS = 10_000
"""Bars and rates of one page: the most that the contract allows."""


def pair(instrument: str) -> dict[str, str]:
    """The two currencies of "EUR/USD" as the fields of a request.

    Raises:
        ValueError: it is not written so.
    """
    base, slash, counter = instrument.partition("/")
    if not slash or not base or not counter:
        raise ValueError(f"instrument is {instrument!r}: give base and counter currency, as 'EUR/USD'")
    return {"base": base, "counter": counter}


class History:
    """The part of `AsyncClient` that reads history."""

    marketdata: Any

    async def ticks(
        self,
        instrument: str,
        start: Any,
        end: Any = None,
        *,
        source: str = "",
        columns: Iterable[str] = (),
    ) -> Frame:
        """Stored quotes of an instrument by venue time, in one frame. `stream_ticks` has more than memory holds.

        Args:
            instrument: "EUR/USD".
            start: least venue time: a datetime with a time zone, ISO 8601, or a numpy datetime64 in UTC.
            end: venue time before which they lie; None for now.
            source: a feed, a dataset's venue, or "composite"; empty if there is only one.
            columns: which beside `venue_time`: "bid", "ask", "bid_quantity", "ask_quantity", "receive_time",
                "sequence", "flags"; all if none is named. Prices are counter per base, quantities base currency; NaN is
                a side that is not there. Flags are those of `TickColumns.flags`.

        Raises:
            CallError: NOT_FOUND if nothing of it is stored.
        """
        from crossrate.client.frames import Frame

        parts = [part async for part in self.stream_ticks(instrument, start, end, source=source, columns=columns)]
        return Frame.joined(parts) if parts else _ticks(None, instrument, source, list(columns))

    async def stream_ticks(
        self,
        instrument: str,
        start: Any,
        end: Any = None,
        *,
        source: str = "",
        columns: Iterable[str] = (),
        batch_rows: int = BATCH_ROWS,
    ) -> AsyncIterator[Frame]:
        """The same as frames of at most `batch_rows` rows; a stream that breaks goes on where it stopped."""
        wanted = list(columns)
        events = self.marketdata.StreamTicks.events(
            **pair(instrument), source=source, start_time=start, end_time=end, columns=wanted, batch_size=batch_rows
        )
        async for message in events:
            assert not isinstance(message, Gap), "a stream that has a beginning fails instead of leaving something out"
            if message.ticks.venue_time_ns:
                yield _ticks(message.ticks, instrument, source, wanted)

    async def bars(
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
        """Bars of an instrument by `open_time`: "bid.open", "bid.high" … of each side, `tick_count`, `complete`
        and more.

        Args:
            period: "1s" to "30s", "1m" to "30m" (minutes), "1h" to "12h", "1d", "1w", "1M".
            sides: of "bid", "ask", "mid".
            more: other fields of QueryBarsRequest: `session_zone`, `session_opens_minute`.
        """
        from crossrate.client.frames import Frame

        bars: list[Any] = []
        told = {"instrument": instrument, "source": source, "period": period}
        async for page in self.marketdata.QueryBars.pages(
            **pair(instrument),
            period=period,
            start_time=start,
            end_time=end,
            source=source,
            sides=list(sides),
            page_size=PAGE_ROWS,
            **more,
        ):
            bars.extend(page.bars)
            told["source"] = page.source
        return Frame.of(bars, index="open_time", attributes=told)

    async def daily_rates(self, instrument: str, start: Any = None, end: Any = None, *, source: str = "") -> Frame:
        """Daily reference rates by `date`, both ends included: `rate`, and `bid` and `ask` where the source has them.

        Args:
            start: a date or "2026-09-30"; None for the first that is known.
            end: likewise; None for the newest.
            source: a daily source; empty for the European Central Bank.
        """
        from crossrate.client.frames import Frame

        rates: list[Any] = []
        told = {"instrument": instrument, "source": source, "digest": ""}
        async for page in self.marketdata.ListDailyRates.pages(
            **pair(instrument), start_date=start, end_date=end, source=source, page_size=PAGE_ROWS
        ):
            rates.extend(page.rates)
            told |= {"source": page.source, "digest": page.digest}
        return Frame.of(rates, index="date", attributes=told)


def _ticks(ticks: Any, instrument: str, source: str, wanted: list[str]) -> Frame:
    """Columns of a message as a frame; an empty one of the wanted columns for None."""
    import numpy as np

    from crossrate.api.marketdata.v1 import history_pb2
    from crossrate.client.frames import Frame
    from crossrate.rpc import arrays

    ticks = history_pb2.TickColumns() if ticks is None else ticks
    enum = history_pb2.DESCRIPTOR.enum_types_by_name["TickColumn"]
    asked = {enum_number(enum, name, "columns") for name in wanted}
    numbers = {name.removeprefix("TICK_COLUMN_").lower(): number for name, number in history_pb2.TickColumn.items()}
    columns = {}
    for field in ticks.DESCRIPTOR.fields:
        name = field.name.removesuffix("_ns")
        if name == "venue_time" or not asked or numbers[name] in asked:
            column = arrays.get(ticks, field.name)
            columns[name] = column.view("datetime64[ns]") if name != field.name else column
    if "receive_time" in columns:
        received = columns["receive_time"]
        # 0 is a quote that nobody received, as in a file.
        columns["receive_time"] = np.where(received.view(np.int64) == 0, np.datetime64("NaT", "ns"), received)
    return Frame(columns, index="venue_time", attributes={"instrument": instrument, "source": source})
