"""The store of quotes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import TYPE_CHECKING, cast

from crossrate.history.cursor import Cursor
from crossrate.history.keys import LIVE, Batch, checked
from crossrate.ticks.bars import NOTHING, BarBuilder, Bars
from crossrate.ticks.columns import Flag, Ticks
from crossrate.ticks.periods import NEW_YORK_17, Period, Session

if TYPE_CHECKING:
    from crossrate.history.log import File, Log, Snapshot, Vacuumed
    from crossrate.history.maintenance import Changed, Problem
    from crossrate.history.parquet import Block
    from crossrate.history.reading import Page
    from crossrate.history.writing import Committed, Load, Pending

BATCH_ROWS_MAX = 65_536
"""Most rows of a page if the caller says nothing: some 4 MB."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the store has of something."""

    venue: str
    instrument: str
    rows: int
    first: int
    """Venue time of the first quote, ns since 1970 UTC."""
    last: int
    days: int
    """UTC days that have quotes."""
    files: int
    size_bytes: int
    datasets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DayCoverage:
    """What the store has of one UTC day."""

    day: date
    venue: str
    instrument: str
    rows: int
    first: int
    last: int
    files: int
    datasets: tuple[str, ...]


class TickStore:
    """Quotes of all instruments and venues as Parquet files, in a folder or in a bucket.

    Every write is one commit, seen by readers whole or not at all, also by those in other processes; several processes
    may write at once. A reader goes on with the files that were there when it began. Calls block; they are made from
    threads, by as many as one likes.
    """

    def __init__(self, url: str, log: Log) -> None:
        from crossrate.history.writing import Names

        self.url = url
        self._log = log
        self._file_names = Names()

    @classmethod
    def open(cls, url: str, options: dict[str, str] | None = None) -> TickStore:
        """Opens a store, and begins one where nothing is yet.

        Args:
            url: a folder's path or file:// URL, or s3://, gs:// or az:// with bucket and prefix.
            options: of the object store, by delta-rs's names (aws_endpoint, …); by default what the environment says.

        Raises:
            NotAStoreError: something else is there.
            StoreFullError: there is no room to begin one.
        """
        from crossrate.history.log import Log

        return cls(url, Log.open(url, options or {}))

    # Writing

    def append(self, venue: str, instrument: str, ticks: Ticks, app_id: str = "", version: int = 0) -> Committed:
        """Commits quotes of one instrument; see `append_all`."""
        return self.append_all([Batch(venue, instrument, ticks)], {app_id: version} if app_id else {})

    def append_all(
        self,
        batches: Iterable[Batch],
        positions: dict[str, int] | None = None,
        *,
        dataset: str = LIVE,
        after: dict[str, int | None] | None = None,
    ) -> Committed:
        """Commits quotes, and how far their sources have come, as one.

        A write whose positions have all been reached does nothing: whoever did not see the answer writes again.

        Args:
            batches: quotes as they came.
            positions: for each source of quotes a number that grows, such as that of a stream.
            dataset: what they are kept under.
            after: where sources must be for this to be what comes next, None for "nowhere yet". With it, two
                writers that read one source at different paces cannot write the same quotes twice.

        Raises:
            ValueError: a name is none, or a time is no time in ns since 1970 UTC.
            StoreFullError: there is no room.
            PositionMovedError: a source is not where `after` says; nothing was written.
            ContendedError: others wrote the same positions again and again.
            UncertainError: it cannot be told whether it was committed; write again.
        """
        from crossrate.history import writing

        named = {f"feed/{checked('app_id', name)}": version for name, version in (positions or {}).items()}
        if any(version < 0 for version in named.values()):
            raise ValueError("version: a position is at least 0")
        expected = {f"feed/{checked('app_id', name)}": at for name, at in (after or {}).items()}
        return writing.append(self._log, self._file_names, batches, checked("dataset", dataset), named, expected)

    def begin(
        self,
        dataset: str,
        positions: Mapping[str, int],
        pending: Sequence[Pending] = (),
        *,
        after: Mapping[str, int | None] | None = None,
    ) -> Load:
        """A write in parts, which another process may go on with: see `writing.Load`.

        Args:
            dataset: what the rows are kept under.
            positions: see `append_all`; at least one.
            pending: files that an attempt before has written and promised to leave.
            after: see `append_all`.

        Raises:
            MissingPartError: one of `pending` is not there any more: begin without them.
        """
        from crossrate.history import writing

        named = {f"feed/{checked('app_id', name)}": version for name, version in positions.items()}
        expected = {f"feed/{checked('app_id', name)}": at for name, at in (after or {}).items()}
        draft = writing.Draft(self._log, self._file_names)
        return writing.Load(self._log, draft, checked("dataset", dataset), named, pending, expected)

    def position(self, app_id: str) -> int | None:
        """How far a source has come; None if nothing of it was ever committed."""
        return self._log.position(f"feed/{checked('app_id', app_id)}")

    def load(self, dataset: str, batches: Iterable[Batch], digest: str = "") -> Committed:
        """Commits a whole dataset as one; loading it again changes nothing.

        Args:
            dataset: its name. A dataset should be a day or more: each has files of its own.
            batches: its quotes, in the order of time as far as possible; taken bit by bit.
            digest: of what it was made from. The same dataset with another one is refused.

        Raises:
            DatasetDiffersError: a dataset of that name is loaded with another digest.
            ValueError: a name is none, or a time is no time in ns since 1970 UTC.
            StoreFullError: there is no room; nothing of the dataset was committed.
        """
        from crossrate.history import writing

        if checked("dataset", dataset) == LIVE:
            raise ValueError(f"dataset {LIVE!r} is that of the feeds: give another name")
        return writing.load(self._log, self._file_names, dataset, batches, digest)

    # Reading

    def pinned(self, app_ids: Iterable[str] = ()) -> tuple[TickStore, dict[str, int | None]]:
        """The store as it is now, for several questions to one state of it, and the positions that belong to that.

        What is written later is not in it; it cannot be written to.
        """
        names = {f"feed/{checked('app_id', name)}": name for name in app_ids}
        log, found = self._log.pinned(names)
        return TickStore(self.url, cast("Log", log)), {names[name]: at for name, at in found.items()}

    @property
    def version(self) -> int:
        """The version of the store, which grows with each commit."""
        return self._log.refresh().version

    def files(
        self,
        instrument: str | None = None,
        start: int | None = None,
        end: int | None = None,
        venue: str | None = None,
    ) -> list[File]:
        """The files with quotes of these, for tools that read Parquet themselves."""
        return self._log.refresh().files(instrument=instrument, venue=venue, start=start, end=end)

    def ticks(
        self,
        instrument: str,
        start: int,
        end: int,
        venue: str | None = None,
        columns: Sequence[str] | None = None,
        *,
        limit: int | None = None,
        resume: Cursor | None = None,
        rows_max: int = BATCH_ROWS_MAX,
        also: Ticks | None = None,
        proceed: Callable[[], object] | None = None,
    ) -> Iterator[Page]:
        """Quotes of an instrument in the order of venue time, then sequence, page by page.

        Only the row groups of that time, and only the columns that were asked for, are read.

        Args:
            instrument: whose.
            start: least venue time, ns since 1970 UTC.
            end: venue time before which they lie.
            venue: from which one; all by default, with a column `venue`.
            columns: of `ticks.columns.COLUMNS` and `venue`; all by default.
            limit: most quotes in all.
            resume: `resume` of the last page that was read; `start` is then without effect.
            rows_max: most rows of a page.
            also: quotes of the instrument and venue that are not stored; `venue` has to be named then.
            proceed: called before each row group is read; what it raises ends the reading.

        Raises:
            ValueError: a name or a range is none.
            DamagedError: a file cannot be read.
        """
        from crossrate.history import reading

        checked("instrument", instrument)
        names = reading.of_columns(columns, venue is None)
        _check_range(start, end)
        if rows_max < 1 or (limit is not None and limit < 0):
            raise ValueError(f"limit {limit} and rows_max {rows_max} are numbers of rows")
        cursor = resume or Cursor(start)
        files = self.files(instrument, cursor.venue_time, end, venue)
        return reading.pages(self._log, files, names, cursor, end, limit, rows_max, also, proceed)

    def ends(self, dataset: str, instrument: str, count: int) -> tuple[Block, Block]:
        """The first and the last rows of an instrument in a dataset, in the order of time; none is in both."""
        from crossrate.history import reading

        return reading.ends(self._log, self._log.refresh().files(instrument=instrument, dataset=dataset), count)

    def bars(
        self,
        instrument: str,
        period: Period,
        start: int,
        end: int,
        venue: str | None = None,
        *,
        session: Session = NEW_YORK_17,
        sides: Iterable[str] = ("bid", "ask"),
        exclude: Flag = NOTHING,
        quantities: bool = True,
        until: int | None = None,
        also: Ticks | None = None,
        proceed: Callable[[], object] | None = None,
    ) -> Iterator[Bars]:
        """Bars that begin from `start` to before `end`, built of the stored quotes by `ticks.bars.BarBuilder`.

        The next ones begin at the last one's `close_time`.

        Args:
            instrument: whose.
            period: length of the bars.
            start: least open time, ns since 1970 UTC.
            end: open time before which they lie.
            venue: from which one; needed where several have quotes.
            session: from when bars are counted.
            sides: of `bid`, `ask` and `mid`.
            exclude: quotes with any of these flags are left out.
            quantities: whether to sum them.
            until: the clock, if all quotes up to now are stored; by default a bar is complete if there are quotes after
                it.
            also: quotes of the instrument and venue that are not stored.
            proceed: called before each row group is read; what it raises ends the reading.

        Raises:
            ValueError: a name, a side or a range is none.
            UnknownVenueError: several venues have quotes, and none was named.
            DamagedError: a file cannot be read.
        """
        from crossrate.history import reading

        checked("instrument", instrument)
        _check_range(start, end)
        builder = BarBuilder(period, session, sides, exclude=exclude, quantities=quantities)
        snapshot = self._log.refresh()
        return reading.bars(self._log, snapshot, builder, instrument, venue, start, end, until, also, proceed)

    def coverage(self, instrument: str | None = None, venue: str | None = None) -> list[Coverage]:
        """What the store has of each venue and instrument, out of the log alone."""
        found = []
        for (place, name), group in groupby(
            self.files(instrument, venue=venue), lambda f: (f.key.venue, f.key.instrument)
        ):
            files = list(group)
            rows, first, last = _summed(files)
            days = {file.key.day for file in files}
            size = sum(file.size_bytes for file in files)
            found.append(Coverage(place, name, rows, first, last, len(days), len(files), size, _datasets(files)))
        return found

    def days(self, instrument: str, venue: str | None = None) -> list[DayCoverage]:
        """What the store has of each UTC day of an instrument, out of the log alone."""
        found = []
        for (place, day), group in groupby(self.files(instrument, venue=venue), lambda f: (f.key.venue, f.key.day)):
            files = list(group)
            found.append(DayCoverage(day, place, instrument, *_summed(files), len(files), _datasets(files)))
        return found

    def datasets(self) -> dict[str, int]:
        """The datasets that have rows, and how many."""
        rows: dict[str, int] = {}
        for file in self.files():
            rows[file.key.dataset] = rows.get(file.key.dataset, 0) + file.rows
        return rows

    # Keeping

    def compact(self, before: date | None = None, files_min: int = 2) -> Changed:
        """Makes one file of those that a day of a dataset has, where there are at least `files_min`.

        Args:
            before: only of days before this date, by default of all; a live day goes on growing.
            files_min: from how many files on.
        """
        from crossrate.history import maintenance

        return maintenance.compact(self._log, self._file_names, before, max(2, files_min))

    def expire(self, before: date, instrument: str | None = None, dataset: str | None = None) -> Changed:
        """Takes out all quotes of days before a date, of one instrument and dataset or of all."""
        from crossrate.history import maintenance

        def old(now: Snapshot) -> list[File]:
            return now.files(before=before, instrument=instrument, dataset=dataset)

        return maintenance.take_out(self._log, old, {})

    def remove(self, dataset: str) -> Changed:
        """Takes out a dataset, which may then be loaded again."""
        from crossrate.history import maintenance

        name = f"dataset/{checked('dataset', dataset)}"
        return maintenance.take_out(self._log, lambda now: now.files(dataset=dataset), {name: 0})

    def vacuum(
        self, hours: float = 24, *, keep: Collection[str] = (), dataset: str | None = None, dry_run: bool = False
    ) -> Vacuumed:
        """Deletes files that were taken out, or whose write was never committed, longer ago than some hours.

        Args:
            hours: longer than any read or load takes; at least 1.
            keep: paths of files that stay: a load will go on from them.
            dataset: only files of one; of all by default.
            dry_run: only say which.
        """
        return self._log.vacuum(hours, keep=keep, dataset=dataset, dry_run=dry_run)

    def discard(self, pending: Sequence[Pending]) -> None:
        """Deletes files of a load that was given up; those that a commit names stay."""
        named = {file.path for file in self.files()}
        for each in pending:
            if each.path not in named:
                self._log.place.delete(each.path)

    def verify(self, instrument: str | None = None, venue: str | None = None) -> Iterator[Problem]:
        """What is wrong with the files: missing, changed, other rows than committed, out of order."""
        from crossrate.history import maintenance

        return maintenance.verify(self._log, self.files(instrument, venue=venue))


def _check_range(start: int, end: int) -> None:
    if start > end:
        raise ValueError(f"start {start} is after end {end}")


def _summed(files: Sequence[File]) -> tuple[int, int, int]:
    return sum(f.rows for f in files), min(f.first for f in files), max(f.last for f in files)


def _datasets(files: Sequence[File]) -> tuple[str, ...]:
    return tuple(sorted({file.key.dataset for file in files}))
