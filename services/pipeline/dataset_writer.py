"""A job's hold on its dataset: what a crash left is ended, files are loaded, what became of each is written down."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from crossrate.store.journal import Fact
from crossrate.ticks.bars import Bars
from crossrate.ticks.columns import Ticks
from crossrate.ticks.periods import Period
from services.pipeline.bar_pass import Built
from services.pipeline.checkpoint import Checkpoint
from services.pipeline.clock_check import Reference, thin
from services.pipeline.domain.progress import FileState, Outcome, RowKind, Span
from services.pipeline.domain.specification import Nats, Specification
from services.pipeline.file_pass import Pass
from services.pipeline.loading import Book, Positions, load, position_of
from services.pipeline.messages import report_message
from services.pipeline.sources import Mark
from services.pipeline.store import checkpoints
from services.pipeline.store.jobs import DatasetRow, FileRow, Job
from services.pipeline.store.ledger import Known, Ledger
from services.pipeline.stores import Stores
from services.pipeline.work import Stopped, Work

if TYPE_CHECKING:
    from crossrate.history.bars import BarStore
    from crossrate.history.store import TickStore

WRITE_S_MAX = 30.0
"""How long writing something down may take while the store waits for it."""
READY = "crossrate.pipeline.v1.dataset_ready.{dataset}"
DELETED = "crossrate.pipeline.v1.dataset_deleted.{dataset}"


class JobFailed(Exception):
    """The job cannot be carried out; the message says why and what would help."""


class DatasetWriter:
    """Loads what a job reads, under the lease of its dataset.

    Attributes:
        dataset: as it was when the job began; None for a dry run.
        history: the store of quotes; None where nothing needs it.
        target: the store that the rows go to; None for a dry run.
    """

    def __init__(self, job: Job, ledger: Ledger, work: Work, thread: Callable[..., Any], checkpoint_rows: int) -> None:
        self._job, self._ledger, self._work, self._thread = job, ledger, work, thread
        self._checkpoint_rows = checkpoint_rows
        self._spans: list[tuple[str, str, Span]] = []
        self.dataset: DatasetRow | None = None
        self.history: TickStore | None = None
        self.target: TickStore | BarStore | None = None

    async def open(self, job: Job, spec: Specification, stores: Stores) -> None:
        """Opens what the job needs, and writes down what an attempt before could not.

        Raises:
            JobFailed: it cannot be had, or the dataset is of another venue or kind.
        """
        self._job = job
        if job.dry_run and not spec.quality.reference:
            return
        try:
            self.history = await self._thread(stores.quotes)
            bars = None if job.dry_run else await self._thread(stores.bars)
        except ImportError as missing:
            raise JobFailed(f"the history needs {missing.name}: uv sync --group history") from None
        if job.dry_run:
            return
        dataset = await self._ledger.open_dataset(spec)
        if dataset.files or dataset.is_deleting:
            if dataset.venue != spec.target.venue:
                raise JobFailed(f"target.venue: dataset {dataset.name} is of {dataset.venue}; give another dataset")
            if dataset.kind is not spec.kind:
                raise JobFailed(f"target.dataset: {dataset.name} has {dataset.kind.name.lower()}; give another dataset")
        self.target = bars if spec.kind is RowKind.BARS else self.history
        await self._thread(_alone, spec, self.history, bars)
        self.dataset = await recover(self._ledger, self.target, dataset, self._thread)
        self._spans = await self._ledger.spans(self.dataset)

    def others(self, digest: str) -> list[tuple[str, Span]]:
        """Spans of the other files of the dataset, each with where it came from."""
        return [(uri, span) for other, uri, span in self._spans if other != digest]

    def position(self, digest: str) -> str:
        """Name of the store's position of a content; of none in a dry run."""
        return position_of(self.dataset.name, self.dataset.generation, digest) if self.dataset is not None else ""

    def position_in(self, declared: Nats) -> str:
        """Name of the store's position of the dataset in a stream."""
        if self.dataset is None:
            return ""
        which = hashlib.sha256(f"{declared.stream}\0{declared.subject}".encode()).hexdigest()[:16]
        return f"{self.dataset.name}.{self.dataset.generation}.stream.{which}"

    async def stream_position(self, declared: Nats) -> int | None:
        """Number of the last message of a stream that the dataset has; None if it has none."""
        if self.target is None:
            return None
        return await self._thread(self.target.position, self.position_in(declared))

    async def load(
        self, spec: Specification, file: FileRow, source: Pass, digest: str, positions: Positions
    ) -> Outcome:
        """Loads a file, or says why not; a dry run only reads and judges it.

        Raises:
            Stopped: the job should come to an end, or go on in another attempt.
            JobFailed: the history refuses it.
        """
        book = self._book(spec, file, source, digest)
        try:
            store = self.target if self.dataset is not None else None
            return await self._thread(load, store, spec, source, digest, positions, book)
        except Exception as wrong:
            raise of_history(wrong) from wrong

    def _book(self, spec: Specification, file: FileRow, source: Pass, digest: str) -> Book:
        """What the thread that loads a file has written down, each while it waits."""
        dataset, ledger, job, loop = self.dataset, self._ledger, self._job, asyncio.get_running_loop()

        def waited(coroutine: Any) -> Any:
            return asyncio.run_coroutine_threadsafe(coroutine, loop).result(WRITE_S_MAX)

        def prepare() -> None:
            assert dataset is not None
            outcome = Outcome(FileState.LOADED, source.reading, digest)
            self._work.check()
            waited(ledger.prepare(job, file, dataset, spec.recipe, outcome, reports(job, spec, file, outcome)))
            # The lease may have been lost while this thread stood still.
            self._work.check()

        def keep(checkpoint: Checkpoint) -> None:
            assert dataset is not None
            waited(checkpoints.keep(ledger, dataset, digest, spec.digest, job.id, checkpoint))

        def found() -> Checkpoint | None:
            assert dataset is not None
            return waited(checkpoints.found(ledger, dataset, digest, spec.digest))

        def drop() -> None:
            assert dataset is not None
            self._discard(waited(checkpoints.drop(ledger, dataset, digest)))

        return Book(prepare, keep, found, drop, self._checkpoint_rows)

    def _discard(self, pending: list[Any]) -> None:
        if pending and self.target is not None:
            self.target.discard(pending)

    def reference(self, spec: Specification) -> Reference | None:
        """Quotes of the venue whose clock is trusted."""
        venue, history = spec.quality.reference, self.history
        if venue is None or history is None:
            return None

        def quotes(instrument: str, begin: int, end: int) -> Ticks:
            parts, columns = [], ("venue_time", "bid", "ask")
            for page in history.ticks(instrument, begin, end, venue, columns):
                time, bid, ask = (page.batch.column(name).to_numpy(zero_copy_only=False) for name in columns)
                part = Ticks.of(time.astype(np.int64), bid, ask)
                parts.append(part[thin(part)])
                self._work.check()
            return Ticks.concatenated(parts)

        return quotes

    def built(self, spec: Specification) -> Built | None:
        """Bars of the quotes of the reference."""
        venue, history = spec.quality.reference, self.history
        if venue is None or history is None:
            return None

        def bars(instrument: str, period: Period, begin: int, end: int) -> Bars:
            return Bars.joined(
                [Bars.none(("bid", "ask")), *history.bars(instrument, period, begin, end, venue, quantities=False)]
            )

        return bars

    async def done(self, spec: Specification, file: FileRow, outcome: Outcome, mark: Mark | None) -> None:
        """Writes down what became of a file."""
        dataset = self.dataset
        if outcome.state is FileState.LOADED:
            assert dataset is not None
            known = Known(outcome.digest, file.uri, "", self._job.id, file.ordinal, False)
            await self._ledger.settle(dataset, known, mark)
            self._spans += [(outcome.digest, file.uri, span) for span in outcome.reading.spans]
        else:
            keep = (dataset, mark) if dataset and mark and outcome.state is FileState.UNCHANGED else None
            await self._ledger.finish(self._job, file, outcome, reports(self._job, spec, file, outcome), keep)
            if dataset is not None and outcome.digest and outcome.state is not FileState.UNCHANGED:
                await self._thread(self._discard, await checkpoints.drop(self._ledger, dataset, outcome.digest))
        self._work.done(outcome, file.size_bytes)

    async def give_up(self) -> None:
        """The job was cancelled: nobody goes on with what it had begun."""
        if self.dataset is not None:
            await self._thread(self._discard, await checkpoints.drop(self._ledger, self.dataset))


async def recover(
    ledger: Ledger, history: TickStore | BarStore, dataset: DatasetRow, thread: Callable[..., Any]
) -> DatasetRow:
    """Ends what a crash cut off: a deletion, or a load of which only the store knows whether it was committed.

    Returns:
        the dataset as it is then.
    """
    if dataset.is_deleting:
        await thread(history.remove, dataset.name)
        async with ledger.fenced() as connection:
            await ledger.deleted(connection, dataset.name, [])
    for each in await ledger.unsettled(dataset):
        if await thread(history.position, position_of(dataset.name, dataset.generation, each.digest)):
            await ledger.settle(dataset, each, None)
        else:
            await ledger.forget(dataset, each.digest)
    found = await ledger.dataset(dataset.name)
    assert found is not None
    return found


def fact(subject: str, dataset: str, message: Any) -> Fact:
    """A fact about a dataset, as of now."""
    return Fact(
        subject=subject.format(dataset=dataset),
        type=message.DESCRIPTOR.full_name,
        payload=message.SerializeToString(),
        time_ns=time.time_ns(),
    )


def reports(job: Job, spec: Specification, file: FileRow, outcome: Outcome) -> list[bytes]:
    """What was found in a file, as messages."""
    found, reference = outcome.reading.inspected, spec.quality.reference or ""
    return [report_message(job.id, file.ordinal, file.uri, each, reference).SerializeToString() for each in found]


def _alone(spec: Specification, quotes: TickStore, bars: BarStore) -> None:
    """Sees to it that a source has quotes or bars of its own, and never both: who asks for it gets what he thinks.

    Raises:
        JobFailed: it has the others.
    """
    venue = spec.target.venue
    if spec.kind is RowKind.BARS and quotes.files(venue=venue):
        raise JobFailed(f"target.venue: {venue} has quotes; bars need a source name of their own, such as {venue}.bars")
    if spec.kind is RowKind.QUOTES and bars.files(venue=venue):
        raise JobFailed(f"target.venue: {venue} is the source name of bars; give quotes another one")


def of_history(wrong: Exception) -> Exception:
    """What an error of the store of quotes means for the job."""
    from crossrate.history.errors import ContendedError, HistoryError, UncertainError

    if isinstance(wrong, UncertainError | ContendedError):
        return Stopped(str(wrong))
    if isinstance(wrong, HistoryError):
        return JobFailed(f"the history refuses it: {wrong}")
    if isinstance(wrong, OSError) and not isinstance(wrong, ConnectionError | TimeoutError):
        return JobFailed(f"the history cannot be written: {wrong}")
    return wrong
