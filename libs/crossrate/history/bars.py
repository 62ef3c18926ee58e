"""The store of venues' own bars: beside the store of quotes, of the same making, and never mixed with it.

A bar has no quotes that could be stored, so bars have a table of their own: partitioned as that of quotes, but by
month, because a month of bars is as many rows as an hour of quotes. In a file they are in the order of their begin,
then of their length.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crossrate.history.keys import Key, checked
from crossrate.ticks.bars import Bars, merged
from crossrate.ticks.ohlc import Ohlc
from crossrate.ticks.periods import DAY, EPOCH, NEW_YORK_17, Period, Session, grid

if TYPE_CHECKING:
    from crossrate.history.log import File, Log, Vacuumed
    from crossrate.history.maintenance import Changed
    from crossrate.history.parquet import Block, Form
    from crossrate.history.writing import Load, Pending

PARTS = ("open", "high", "low", "close")
PRICES = tuple(f"{side}_{part}" for side in ("bid", "ask") for part in PARTS)
TIMES = ("venue_time", "close_time")
SUFFIX = "-bars"


class BarBatch(NamedTuple):
    """Bars of one instrument from one venue: columns `venue_time` (the begin), `close_time` (exclusive), the eight
    `PRICES` (NaN for a side that the venue does not tell), `volume`, `flags`."""

    venue: str
    instrument: str
    block: Mapping[str, NDArray]


@dataclass(frozen=True, slots=True)
class VenueBars:
    """Bars in the order of time, and what the venue calls their volume; NaN where it tells none."""

    bars: Bars
    volume: NDArray[np.float64]


def beside(url: str) -> str:
    """Where the bars stand that belong to a store of quotes."""
    return url.rstrip("/") + SUFFIX


def form() -> Form:
    """What the rows are."""
    import pyarrow as pa

    from crossrate.history.parquet import Form

    columns = [*((name, pa.int64()) for name in TIMES), *((name, pa.float64()) for name in (*PRICES, "volume"))]
    return Form("bars", pa.schema([*columns, ("flags", pa.int16())]), ("volume", "flags"), TIMES)


class BarStore:
    """Bars of all instruments and venues as Parquet files. What `TickStore` says of commits and readers holds here."""

    def __init__(self, url: str, log: Log) -> None:
        from crossrate.history.writing import Names

        self.url = url
        self._log = log
        self._names = Names()

    @classmethod
    def open(cls, url: str, options: dict[str, str] | None = None) -> BarStore:
        """Opens a store, and begins one where nothing is yet.

        Args:
            url: see TickStore.open; `beside` says it for a store of quotes.
            options: see there.

        Raises:
            NotAStoreError: something else is there.
            StoreFullError: there is no room to begin one.
        """
        from crossrate.history.log import Log

        return cls(url, Log.open(url, options or {}, form()))

    def begin(
        self,
        dataset: str,
        positions: Mapping[str, int],
        pending: Sequence[Pending] = (),
        *,
        after: Mapping[str, int | None] | None = None,
    ) -> Load:
        """A write in parts, of `BarBatch`es: see TickStore.begin."""
        from crossrate.history import writing

        class BarDraft(writing.Draft):
            def add(self, batch: BarBatch, dataset: str) -> None:  # type: ignore[override]
                for key, block in by_month(batch, dataset):
                    self.hold(key, block)

        named = {f"feed/{checked('app_id', name)}": version for name, version in positions.items()}
        expected = {f"feed/{checked('app_id', name)}": at for name, at in (after or {}).items()}
        draft = BarDraft(self._log, self._names)
        return writing.Load(self._log, draft, checked("dataset", dataset), named, pending, expected)

    def position(self, app_id: str) -> int | None:
        """See TickStore.position."""
        return self._log.position(f"feed/{checked('app_id', app_id)}")

    def files(self, instrument: str | None = None, venue: str | None = None, dataset: str | None = None) -> list[File]:
        """The files with bars of these."""
        return self._log.refresh().files(instrument=instrument, venue=venue, dataset=dataset)

    def venues(self, instrument: str | None = None) -> list[str]:
        """The venues that have bars of an instrument, or of any."""
        return sorted({file.key.venue for file in self.files(instrument)})

    def datasets(self) -> dict[str, int]:
        """The datasets that have bars, and how many."""
        rows: dict[str, int] = {}
        for file in self.files():
            rows[file.key.dataset] = rows.get(file.key.dataset, 0) + file.rows
        return rows

    def bars(
        self,
        instrument: str,
        period: Period,
        start: int,
        end: int,
        venue: str,
        *,
        session: Session = NEW_YORK_17,
        proceed: Callable[[], object] | None = None,
    ) -> Iterator[VenueBars]:
        """The venue's bars that begin from `start` to before `end`, month by month.

        Where the venue has bars of the period they are given as they came; otherwise the longest shorter ones that
        fit are made into bars of it.

        Args:
            instrument: whose.
            period: length of the bars.
            start: least open time, ns since 1970 UTC.
            end: open time before which they lie.
            venue: whose bars.
            session: from when longer bars are counted.
            proceed: called before each row group is read; what it raises ends the reading.

        Raises:
            ValueError: a name or the range is none.
            DamagedError: a file cannot be read.
        """
        if start > end:
            raise ValueError(f"start {start} is after end {end}")
        files = [file for file in self.files(checked("instrument", instrument), venue) if file.first < end]
        step = period.step or {Period.DAY_1: DAY}.get(period, 0)
        # A longer bar may begin in one month and end in the next.
        low, high = _aligned(period, session, start, end)
        rest = _none()
        months = sorted({file.key.day for file in files if file.last >= low})
        for place, month in enumerate(months):
            block = _joined([rest, *(self._rows(file, proceed) for file in files if file.key.day == month)])
            rest = _none()
            block = _within(_unique(block), low, high)
            chosen = _chosen(block, step)
            if place + 1 < len(months) and len(chosen["venue_time"]):
                cut = _cut(chosen, step, period, session, months[place + 1])
                rest = _part(chosen, chosen["venue_time"] >= cut)
                chosen = _part(chosen, chosen["venue_time"] < cut)
            made = _made(chosen, step, period, session, start, end)
            if len(made.bars):
                yield made

    def _rows(self, file: File, proceed: Callable[[], object] | None = None) -> Block:
        from crossrate.history.parquet import joined, read

        every = [*TIMES, *PRICES, "volume", "flags"]
        blocks = list(read(self._log.place, file.path, every, file.first, file.last + 1, proceed, TIMES))
        return joined(blocks) if blocks else _none()

    def ends(self, dataset: str, instrument: str, count: int) -> tuple[Block, Block]:
        """The first and the last bars of an instrument in a dataset, in the order of time; none is in both."""
        files = self.files(instrument, dataset=dataset)
        months = sorted({file.key.day for file in files})
        total = sum(file.rows for file in files)

        def of(month: date) -> Block:
            return _ordered(_joined([self._rows(file) for file in files if file.key.day == month]))

        first, last = _none(), _none()
        for month in months:
            if len(first["venue_time"]) < count:
                first = _slice(_joined([first, of(month)]), 0, count)
        wanted = min(count, max(total - count, 0))
        for month in reversed(months):
            if len(last["venue_time"]) < wanted:
                last = _joined([of(month), last])
        size = len(last["venue_time"])
        return first, _slice(last, max(size - wanted, 0), size)

    def remove(self, dataset: str) -> Changed:
        """Takes out a dataset, which may then be loaded again."""
        from crossrate.history import maintenance

        name = f"dataset/{checked('dataset', dataset)}"
        return maintenance.take_out(self._log, lambda now: now.files(dataset=dataset), {name: 0})

    def discard(self, pending: Sequence[Pending]) -> None:
        """See TickStore.discard."""
        named = {file.path for file in self.files()}
        for each in pending:
            if each.path not in named:
                self._log.place.delete(each.path)

    def vacuum(
        self, hours: float = 24, *, keep: Collection[str] = (), dataset: str | None = None, dry_run: bool = False
    ) -> Vacuumed:
        """See TickStore.vacuum."""
        return self._log.vacuum(hours, keep=keep, dataset=dataset, dry_run=dry_run)


def by_month(batch: BarBatch, dataset: str) -> Iterator[tuple[Key, Block]]:
    """The bars of each UTC month.

    Raises:
        ValueError: a name is none, a time is no time in ns since 1970 UTC, or a bar ends before it begins.
    """
    venue, instrument = checked("venue", batch.venue), checked("instrument", batch.instrument)
    times = batch.block["venue_time"]
    days = times // DAY
    if len(days) and (days.min() < -25_000 or days.max() > 84_000):
        raise ValueError("venue_time: a bar begins within no year that has quotes; it is in ns since 1970 UTC")
    length = batch.block["close_time"] - times
    if (length <= 0).any():
        raise ValueError("close_time: a bar ends before it begins")
    block = {**batch.block, "sequence": length.astype(np.uint64)}
    months = times.astype("M8[ns]").astype("M8[M]")
    for month in np.unique(months):
        which = months == month
        yield Key(venue, instrument, month.astype(date), dataset), {name: c[which] for name, c in block.items()}


def _none() -> Block:
    whole = {name: np.empty(0, np.int64) for name in TIMES}
    return {**whole, **{name: np.empty(0) for name in (*PRICES, "volume")}, "flags": np.empty(0, np.int16)}


def _joined(blocks: list[Block]) -> Block:
    names = [*TIMES, *PRICES, "volume", "flags"]
    return {name: np.concatenate([block[name] for block in blocks]) for name in names} if blocks else _none()


def _part(block: Block, which: NDArray) -> Block:
    return {name: column[which] for name, column in block.items()}


def _slice(block: Block, begin: int, end: int) -> Block:
    return {name: column[begin:end] for name, column in block.items()}


def _ordered(block: Block) -> Block:
    return _part(block, np.lexsort((block["close_time"], block["venue_time"])))


def _unique(block: Block) -> Block:
    """In order; of several with the same begin and end the last that was loaded."""
    block = _ordered(block)
    begin, end = block["venue_time"], block["close_time"]
    if not len(begin):
        return block
    return _part(block, np.append((begin[1:] != begin[:-1]) | (end[1:] != end[:-1]), True))


def _within(block: Block, low: int, high: int) -> Block:
    times = block["venue_time"]
    return _part(block, (times >= low) & (times < high))


def _aligned(period: Period, session: Session, start: int, end: int) -> tuple[int, int]:
    """From the begin of the first longer bar that begins in the range to the end of the last."""
    last = max(start, end - 1)
    opens, closes = grid(period, session, start, last).spans(np.array([start, last]))
    return int(min(opens[0], start)), int(max(closes[1], end))


def _chosen(block: Block, step: int) -> Block:
    """Bars of the length that was asked for, or the longest shorter ones that divide it."""
    lengths = block["close_time"] - block["venue_time"]
    if step and (lengths == step).any():
        return _part(block, lengths == step)
    fitting = [each for each in np.unique(lengths).tolist() if not step or (each < step and step % each == 0)]
    return _part(block, lengths == max(fitting)) if fitting else _none()


def _cut(block: Block, step: int, period: Period, session: Session, month: date) -> int:
    """The begin of the bar that reaches into a month: it is made once that month was read."""
    border = (month - EPOCH).days * DAY
    if step and bool(((block["close_time"] - block["venue_time"]) == step).all()):
        return border
    opens, _ = grid(period, session, border, border).spans(np.array([border]))
    return int(opens[0])


def _made(block: Block, step: int, period: Period, session: Session, start: int, end: int) -> VenueBars:
    """Bars of rows of one length."""
    begin, close = block["venue_time"], block["close_time"]
    sides = [Ohlc(*(block[f"{side}_{part}"] for part in PARTS), begin, close - 1) for side in ("bid", "ask")]
    count, none = len(begin), np.zeros(len(begin), np.uint64)
    # The volume takes the place of a quantity while bars are joined: both are sums of what is known.
    bars = Bars(
        begin,
        close,
        *sides,
        None,
        np.zeros(count, np.int64),
        block["volume"],
        np.full(count, np.nan),
        none,
        none,
        begin,
        close - 1,
        block["flags"].astype(np.uint8),
        np.ones(count, np.bool_),
    )
    if count and not (step and bool((close - begin == step).all())):
        bars = merged(bars, period, session)
    which = (bars.open_time >= start) & (bars.open_time < end)
    bars = bars[which]
    return VenueBars(bars, bars.bid_quantity)
