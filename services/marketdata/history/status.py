"""How far the log is stored, as an answer and as metrics."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from google.protobuf.message import DecodeError
from prometheus_client import Gauge

from crossrate.api.marketdata.v1 import history_pb2, marketdata_events_pb2
from crossrate.api.marketdata.v1 import history_service_pb2 as pb
from crossrate.history.store import TickStore
from services.marketdata.history import ledger
from services.marketdata.history.reader import Reader
from services.marketdata.history.recorder import Recorder
from services.marketdata.quote_log import QuoteLog

LAG_S = Gauge("crossrate_marketdata_history_lag_seconds", "Age of the oldest quote that is held and not stored.")
RECORDING = Gauge("crossrate_marketdata_history_recording", "1 if this instance stores the log.")
FAILING = Gauge("crossrate_marketdata_history_failing", "1 if the last attempt to store failed.")
MISSING = Gauge(
    "crossrate_marketdata_history_missing_quotes", "Quotes that were forgotten before they were stored.", ["feed"]
)


class Status:
    """Looks at a recorder and at the store.

    Args:
        feeds: names of the feeds that the log has.
    """

    def __init__(self, log: QuoteLog, reader: Reader, recorder: Recorder, feeds: Callable[[], Iterable[str]]) -> None:
        self._log = log
        self._reader = reader
        self._recorder = recorder
        self._feeds = feeds

    def measure(self) -> None:
        """Sets the metrics."""
        held = self._recorder.held
        LAG_S.set(max(time.time_ns() - held.oldest, 0) / 1e9 if held is not None and held.oldest else 0)
        RECORDING.set(self._recorder.recording)
        FAILING.set(bool(self._recorder.problem))
        for feed, mark in (held.feeds if held is not None else {}).items():
            MISSING.labels(feed).set(mark.missing)

    async def message(self) -> pb.GetHistoryStatusResponse:
        """The answer of GetHistoryStatus.

        Raises:
            LogUnavailable: the log did not answer.
            HistoryError: the store cannot be read.
        """
        store, ends = await self._reader.store(), await self._log.ends()
        at = await self._reader.blocking(ledger.stored, store, ends)
        number = at.number or 0
        answer = pb.GetHistoryStatusResponse(
            recording=self._recorder.recording,
            stored_number=number,
            lag_entries=ends.last - max(number, ends.first - 1) if ends.last > number else 0,
            problem=self._recorder.problem,
        )
        if ends.last > number and (waiting := await self._log.read(number)):
            try:
                published = marketdata_events_pb2.QuotesPublished.FromString(waiting[0].payload)
                answer.lag.FromNanoseconds(max(time.time_ns() - published.publish_time.ToNanoseconds(), 0))
            except DecodeError:
                answer.lag.FromNanoseconds(0)
        feeds = sorted(self._feeds())
        answer.feeds.extend(await self._reader.blocking(_feeds, store, feeds))
        answer.store_version = await self._reader.blocking(lambda: store.version)
        return answer


def _feeds(store: TickStore, names: Iterable[str]) -> list[history_pb2.RecordedFeed]:
    found = []
    for name in names:
        mark = ledger.mark(store, name)
        if mark is not None:
            found.append(history_pb2.RecordedFeed(source=name, sequence=mark.sequence, missing_count=mark.missing))
    return found
