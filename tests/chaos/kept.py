"""What the log has, read by the harness itself, and what the store must therefore have."""

from __future__ import annotations

import asyncio
import collections
from collections.abc import Mapping, Sequence
from pathlib import Path

from crossrate.api.marketdata.v1 import marketdata_events_pb2 as events_pb
from crossrate.api.marketdata.v1 import quote_pb2
from crossrate.events.events import StreamEnds
from crossrate.history.errors import DamagedError
from crossrate.history.store import TickStore
from services.marketdata.history import ledger
from services.marketdata.history.messages import columns_of
from services.marketdata.quote_log import QuoteLog
from tests.chaos.checker import Broken, Problem, continuous, kept, once, whole_files
from tests.chaos.history import History
from tests.chaos.log_feed import Row, row
from tests.chaos.readers import QuoteReader

Key = tuple[str, str]
READS_MAX = 5
"""How often the store is read from the beginning because files were deleted meanwhile."""


class Kept:
    """See the module.

    Args:
        log: a connection of the harness.
        url: of the store.
        replayed: rows of the files that feeds replay (time in ns, bid, ask), in their order.
    """

    def __init__(self, log: QuoteLog, url: str, replayed: Mapping[Key, Sequence[tuple[int, float, float]]]) -> None:
        self._log = log
        self._url = url
        self._replayed = replayed
        self._read = 0
        self._files: set[Path] = set()
        self._quotes: dict[Key, list[tuple[int, int, quote_pb2.Quote]]] = collections.defaultdict(list)

    def count(self, feed: str, pair: str) -> int:
        """How many quotes the log was seen to have."""
        return len(self._quotes[feed, pair])

    def counts(self) -> dict[Key, int]:
        """How many quotes of each feed's instrument."""
        return {key: len(quotes) for key, quotes in self._quotes.items()}

    def newest(self, feed: str, pair: str) -> int:
        """The newest number of a feed's instrument."""
        quotes = self._quotes[feed, pair]
        return quotes[-1][2].sequence if quotes else 0

    def newest_of_all(self, pair: str) -> int:
        """The composite's number: the sum of those of all feeds."""
        return sum(self.newest(feed, name) for feed, name in list(self._quotes) if name == pair)

    async def stored_up_to(self, number: int) -> bool:
        """Whether the store has an entry of the log."""
        ends = await self._log.ends()
        at = await asyncio.to_thread(lambda: ledger.stored(TickStore.open(self._url), ends))
        return (at.number or 0) >= number

    async def read_log(self) -> None:
        """Reads what the log has since."""
        while page := await self._log.read(self._read):
            for entry in page:
                for quote in events_pb.QuotesPublished.FromString(entry.payload).quotes:
                    self._quotes[entry.feed, quote.instrument].append((entry.number, quote.sequence, quote))
            self._read = page[-1].number

    def read(self, numbers: Sequence[int], least: int) -> list[Problem]:
        """Holds what a reader of the log feed's history was sent against what was there when it began."""
        problems = continuous("history reader", numbers)
        if len(numbers) < least:
            problems.append(
                Problem(Broken.LOST, "history reader", f"{least} quotes were there, it read {len(numbers)}")
            )
        return problems

    async def check(self, history: History, readers: Sequence[QuoteReader]) -> list[Problem]:
        """All that the log and the store must have; `read_log` comes before."""
        problems = []
        ends = await self._log.ends()
        in_store = await self._in_store(ends)
        # What readers were shown up to here is in the log, which is read once more behind it: what they are shown while
        # the log's answer is on its way need not be in that.
        told = {client: dict(history.acknowledged(client)) for client in history.clients}
        await self.read_log()
        for (feed, pair), quotes in sorted(self._quotes.items()):
            problems += continuous(f"log of {feed} {pair}", [sequence for _, sequence, _ in quotes])
        for feed in {feed for feed, _ in self._quotes}:
            promised = told.get(f"feed {feed}", {})
            there = {(pair, n): row(q) for (f, pair), quotes in self._quotes.items() if f == feed for _, n, q in quotes}
            problems += kept(f"feed {feed}", promised, there)
            for reader in readers:
                if reader.source == feed:
                    problems += kept(f"shown to {reader.name}", told.get(f"reader {reader.name}", {}), there)
        problems += self._check_replays()
        for reader in readers:
            problems += reader.problems
            reader.problems.clear()
        return problems + in_store

    async def _in_store(self, ends: StreamEnds) -> list[Problem]:
        attempt = 0
        while True:
            # First the place in the store, then the log: what the store has up to there, the log has.
            store, number = await asyncio.to_thread(self._pin, ends)
            await self.read_log()
            try:
                return await asyncio.to_thread(self._check_store, store, number)
            except DamagedError as error:
                attempt += 1
                # Replaced files are kept for no time here, so that they are deleted in every round: who reads for long
                # loses them, and begins again with the store as it is then. What is damaged stays so.
                if attempt == READS_MAX:
                    return [Problem(Broken.HALF_WRITTEN, "store", str(error))]

    def _pin(self, ends: StreamEnds) -> tuple[TickStore, int]:
        store = TickStore.open(self._url)
        name = ledger.stored(store, ends).name
        pinned, positions = store.pinned([name])
        return pinned, positions[name] or 0

    def _check_replays(self) -> list[Problem]:
        problems = []
        for (feed, pair), rows in self._replayed.items():
            # What is told STALE is told again with a number of its own, and no row.
            sent = [row(q) for _, _, q in self._quotes[feed, pair] if q.health == quote_pb2.QUOTE_HEALTH_LIVE]
            expected: list[Row] = [(bid, ask, time_ns) for time_ns, bid, ask in rows[: len(sent)]]
            if sent != expected:
                place = next(n for n, (a, b) in enumerate(zip(sent, expected, strict=True)) if a != b)
                said = f"row {place} of {len(sent)} is {sent[place]}, not {expected[place]}"
                problems.append(Problem(Broken.DIFFERS, f"replay {feed}", said))
        return problems

    def _check_store(self, store: TickStore, number: int) -> list[Problem]:
        problems = []
        for (feed, pair), quotes in sorted(self._quotes.items()):
            expected = [(q.sequence, *row(q)) for n, _, q in quotes if n <= number]
            found = stored(store, feed, pair)
            if found != expected:
                problems += once(f"store of {feed} {pair}", expected, found)
        return problems + whole_files(Path(self._url), self._files)


def stored(store: TickStore, feed: str, pair: str) -> list[tuple[int, float, float, int]]:
    """Number, bid, ask and venue time of all stored quotes of a feed's instrument, by number."""
    rows: list[tuple[int, float, float, int]] = []
    for page in store.ticks(pair, 0, 2**62, feed, ["venue_time", "sequence", "bid", "ask"]):
        columns = columns_of(page.batch)
        rows += zip(*(columns[name].tolist() for name in ("sequence", "bid", "ask", "venue_time")), strict=True)
    return sorted(rows)
