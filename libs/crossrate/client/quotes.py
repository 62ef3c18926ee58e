"""A quote stream that outlives its connections: it resumes with the cursor and says what it could not get back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossrate.api.marketdata.v1 import marketdata_service_pb2 as pb
from crossrate.client.resuming import Gap, ResumingStream, Resumption, warn

if TYPE_CHECKING:
    from crossrate.api.marketdata.v1.quote_pb2 import Quote

__all__ = ["Gap", "QuoteStream", "Resumption", "warn"]

METHOD = "/crossrate.api.marketdata.v1.MarketDataService/StreamQuotes"


class QuoteStream(ResumingStream["Quote"]):
    """The state of one reader: the cursor, and the last sequence number of each instrument."""

    def __init__(self, instruments: list[str], conflation_s: float | None, cursor: str, resumption: Resumption) -> None:
        request = pb.StreamQuotesRequest(instruments=instruments, resume_cursor=cursor)
        self._conflated = bool(conflation_s)
        if conflation_s:
            request.conflation_interval.FromNanoseconds(round(conflation_s * 1e9))
        self._last: dict[str, int] = {}
        super().__init__(METHOD, request, resumption)

    def _taken(self, message: pb.StreamQuotesResponse) -> list[Quote | Gap]:
        batch = message.quotes
        events: list[Quote | Gap] = []
        if batch.conflated_count and not self._conflated:
            reason = f"this reader was too slow, {batch.conflated_count} quotes were replaced by newer ones"
            events.append(Gap(reason, missing_count=batch.conflated_count, cursor=message.position.cursor))
        for quote in batch.quotes:
            last = self._last.get(quote.instrument)
            self._last[quote.instrument] = quote.sequence
            if last is not None and not self._conflated and not batch.conflated_count:
                if last == quote.sequence:
                    continue  # the last one before the break, sent again
                if quote.sequence < last:
                    reason = f"the feed of {quote.instrument} began anew at {quote.sequence} after {last}"
                    events.append(Gap(reason, quote.instrument, cursor=message.position.cursor))
                elif quote.sequence > last + 1:
                    missing = quote.sequence - last - 1
                    reason = f"{missing} quotes of {quote.instrument} are missing after sequence {last}"
                    events.append(Gap(reason, quote.instrument, missing, message.position.cursor))
            events.append(quote)
        return events

    def _forget(self) -> None:
        self._last.clear()
