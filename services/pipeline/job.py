"""One job, carried out: file after file, each written down before and after the store has it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from crossrate.api.pipeline.v1 import pipeline_events_pb2 as events_pb
from crossrate.files.failure import FileFailure
from crossrate.store.errors import OutcomeUnknown, StaleWriter, StoreUnavailable
from crossrate.store.journal import Fact
from crossrate.ticks.columns import Ticks
from services.pipeline.clock_check import Reference, thin
from services.pipeline.domain.progress import FileState, JobState, Outcome, Reading, Span, verdict
from services.pipeline.domain.specification import Specification
from services.pipeline.loading import Pass, Stopped, Work, digest_of, identity, load, position_of
from services.pipeline.messages import dataset_message, report_message
from services.pipeline.sources import FileSource, Listed, Mark, SourceFailure
from services.pipeline.store.jobs import DatasetRow, FileRow, Job, JobStore
from services.pipeline.store.ledger import Known, Ledger

if TYPE_CHECKING:
    from crossrate.history.store import TickStore

T = TypeVar("T")

ATTEMPTS_IN_VAIN_MAX = 20
"""How often a job may be begun without one of its files coming to an end."""
FILES_PAGE = 500
PREPARE_S_MAX = 30.0
READY = "crossrate.pipeline.v1.dataset_ready.{dataset}"
DELETED = "crossrate.pipeline.v1.dataset_deleted.{dataset}"


class JobFailed(Exception):
    """The job cannot be carried out; the message says why and what would help."""


class JobCancelled(Exception):
    """Somebody asked for the job's end."""


class JobRun:
    """One attempt at a job.

    Args:
        job: which.
        store: where jobs are.
        ledger: the book of its dataset, under the lease.
        executor: where files are read.
        history: opens the store of quotes; blocks.
        source: makes the source of a specification; its second argument says whether the local operator asks.
        tell_s: how often progress is written down.
    """

    def __init__(
        self,
        job: Job,
        store: JobStore,
        ledger: Ledger,
        executor: ThreadPoolExecutor,
        history: Callable[[], TickStore],
        source: Callable[[Job, Specification], FileSource],
        tell_s: float,
    ) -> None:
        self._job = job
        self._store = store
        self._ledger = ledger
        self._executor = executor
        self._open_history = history
        self._make_source = source
        self._tell_s = tell_s
        self._history: TickStore | None = None
        self._dataset: DatasetRow | None = None
        self._spans: list[tuple[str, str, Span]] = []
        self._source: FileSource | None = None
        self._cancelled = False
        self.work = Work(job.progress)

    async def run(self) -> None:
        """Works until the job has ended.

        Raises:
            Stopped: this attempt is to stop, and the job goes on later.
            StaleWriter, StoreUnavailable, OutcomeUnknown: the same, for reasons of the database.
        """
        begun = await self._ledger.begin(self._job.id)
        if begun is None:
            return
        self._job = begun
        failed = ""
        try:
            await self._carry_out(Specification.from_json(begun.specification))
        except JobCancelled:
            await self._ledger.end(begun.id, JobState.CANCELLED, self.work.snapshot(), "", await self._facts())
            await self._discard()
            return
        except (JobFailed, SourceFailure) as wrong:
            failed = str(wrong)
        progress = self.work.snapshot()
        progress.remaining_s = None
        await self._ledger.end(begun.id, verdict(progress, failed), progress, failed, await self._facts())
        await self._discard()

    async def _discard(self) -> None:
        if self._source is not None:
            await self._thread(self._source.discard)

    async def _carry_out(self, spec: Specification) -> None:
        job = self._job
        if not job.dry_run or spec.quality.reference:
            await self._open_store()
        if not job.dry_run:
            await self._open(spec)
        if job.cancel_requested:
            raise JobCancelled
        if job.attempts_in_vain > ATTEMPTS_IN_VAIN_MAX:
            raise JobFailed(
                f"it was begun {job.attempts_in_vain} times without one file coming to an end; "
                "look into the log for what ends the instance, and take the file out"
            )
        source = self._source = self._make_source(job, spec)
        if not job.is_listed:
            found: list[Listed] = await self._thread(source.files)
            self.work.progress.files_total = len(found)
            self.work.progress.bytes_total = sum(each.size_bytes for each in found)
            await self._ledger.listed(job.id, found, self.work.progress)
        self._job = await self._ledger.recount(job.id)
        self.work.resume(self._job.progress)
        telling = asyncio.create_task(self._tell())
        try:
            await self._files(spec, source)
        finally:
            telling.cancel()
            await asyncio.wait([telling])

    async def _open_store(self) -> None:
        try:
            self._history = await self._thread(self._open_history)
        except ImportError as missing:
            raise JobFailed(f"the history needs {missing.name}: uv sync --group history") from None

    async def _open(self, spec: Specification) -> None:
        """Opens history and dataset, and writes down what an attempt before could not."""
        dataset = await self._ledger.open_dataset(spec)
        if dataset.venue != spec.target.venue and (dataset.files or dataset.is_deleting):
            raise JobFailed(f"target.venue: dataset {dataset.name} is of {dataset.venue}; give another dataset")
        assert self._history is not None
        self._dataset = await recover(self._ledger, self._history, dataset, self._thread)
        self._spans = await self._ledger.spans(self._dataset)

    async def _files(self, spec: Specification, source: FileSource) -> None:
        after = 0
        while page := await self._store.files(self._job.id, after, FILES_PAGE):
            for file in page:
                after = file.ordinal
                if file.state is not FileState.PENDING:
                    continue
                try:
                    await self._file(spec, source, file)
                except Stopped:
                    if self._cancelled:
                        raise JobCancelled from None
                    raise

    async def _file(self, spec: Specification, source: FileSource, file: FileRow) -> None:
        self.work.check()
        self.work.begin(file.uri)
        dataset, nothing = self._dataset, Reading()
        mark = await self._ledger.mark(dataset, file.uri) if dataset is not None else None
        try:
            fetched = await self._thread(source.fetch, file.uri, mark, self.work)
        except FileFailure as wrong:
            await self._done(file, Outcome(FileState.FAILED, nothing, message=str(wrong)), None)
            return
        if fetched.path is None:
            assert mark is not None
            await self._done(file, Outcome(FileState.UNCHANGED, nothing, mark.digest), None)
            return
        try:
            before = await self._thread(identity, fetched.path)
            digest = await self._thread(digest_of, fetched.path, self.work)
        except FileFailure as wrong:
            await self._done(file, Outcome(FileState.FAILED, nothing, message=str(wrong)), None)
            return
        file = _sized(file, before[2])
        self.work.progress.bytes_total = max(self.work.progress.bytes_total, self.work.progress.bytes_done + before[2])
        new_mark = Mark(fetched.mark.etag, fetched.mark.last_modified, digest) if fetched.mark else None
        outcome = await self._known(spec, file, digest) if dataset is not None else None
        if outcome is None:
            outcome = await self._load(spec, file, fetched.path, before, digest)
        await self._done(file, outcome, new_mark)
        if fetched.is_ours:
            await self._thread(_unlink, fetched.path)

    async def _known(self, spec: Specification, file: FileRow, digest: str) -> Outcome | None:
        """What becomes of a file of which the dataset has something already; None if it has nothing."""
        assert self._dataset is not None
        name = self._dataset.name
        for each in await self._ledger.known(self._dataset, digest, file.uri):
            if each.digest == digest and each.recipe == spec.recipe:
                return Outcome(FileState.UNCHANGED, Reading(), digest)
            if each.digest == digest:
                words = f"is in dataset {name} already, read with another shape, clock or venue"
            else:
                words = f"is in dataset {name} with other content"
            remedy = f"delete the dataset and load it anew, or give another name in `target.dataset`: {each.uri}"
            return Outcome(FileState.FAILED, Reading(), digest, f"{words}; {remedy}")
        return None

    async def _load(
        self, spec: Specification, file: FileRow, path: Path, before: tuple[int, ...], digest: str
    ) -> Outcome:
        dataset, loop = self._dataset, asyncio.get_running_loop()
        others = [(uri, span) for other, uri, span in self._spans if other != digest]
        reference = self._reference(spec)
        source = Pass(path, spec, self.work, others, lambda: identity(path) == before, reference)

        async def prepared() -> None:
            assert dataset is not None
            outcome = Outcome(FileState.LOADED, source.reading, digest)
            reports = _reports(file, outcome)
            await self._ledger.prepare(self._job, file, dataset, spec.recipe, outcome, reports)

        def prepare() -> None:
            self.work.check()
            asyncio.run_coroutine_threadsafe(prepared(), loop).result(PREPARE_S_MAX)
            # The lease may have been lost while this thread stood still.
            self.work.check()

        position = position_of(dataset.name, dataset.generation, digest) if dataset is not None else ""
        try:
            store = self._history if dataset is not None else None
            return await self._thread(load, store, spec, source, digest, position, prepare)
        except Exception as wrong:
            raise _of_history(wrong) from wrong

    def _reference(self, spec: Specification) -> Reference | None:
        """Quotes of the venue whose clock is trusted."""
        venue, history = spec.quality.reference, self._history
        if venue is None or history is None:
            return None

        def quotes(instrument: str, begin: int, end: int) -> Ticks:
            parts, columns = [], ("venue_time", "bid", "ask")
            for page in history.ticks(instrument, begin, end, venue, columns):
                time, bid, ask = (page.batch.column(name).to_numpy(zero_copy_only=False) for name in columns)
                part = Ticks.of(time.astype(np.int64), bid, ask)
                parts.append(part[thin(part)])
                self.work.check()
            return Ticks.concatenated(parts)

        return quotes

    async def _done(self, file: FileRow, outcome: Outcome, mark: Mark | None) -> None:
        """Writes down what became of a file."""
        dataset = self._dataset
        if outcome.state is FileState.LOADED:
            assert dataset is not None
            known = Known(outcome.digest, file.uri, "", self._job.id, file.ordinal, False)
            await self._ledger.settle(dataset, known, mark)
            self._spans += [(outcome.digest, file.uri, span) for span in outcome.reading.spans]
        else:
            keep = (dataset, mark) if dataset and mark and outcome.state is FileState.UNCHANGED else None
            await self._ledger.finish(self._job, file, outcome, _reports(file, outcome), keep)
        self.work.done(outcome, file.size_bytes)

    async def _tell(self) -> None:
        """Writes progress down while the job goes on, and learns whether it is to be cancelled."""
        while True:
            await asyncio.sleep(self._tell_s)
            try:
                self._cancelled = await self._ledger.tell(self._job.id, self.work.snapshot())
            except (StoreUnavailable, OutcomeUnknown):
                continue
            except StaleWriter:
                self.work.stop.set()
                return
            if self._cancelled:
                self.work.stop.set()
                return

    async def _facts(self) -> list[Fact]:
        """That the dataset is ready, if this job added to it."""
        rows = self.work.progress.rows_loaded
        if self._dataset is None or not rows:
            return []
        dataset = await self._ledger.dataset(self._dataset.name)
        assert dataset is not None
        ready = events_pb.DatasetReady(dataset=dataset_message(dataset), job_id=self._job.id, rows_added=rows)
        return [fact(READY, dataset.name, ready)]

    async def _thread(self, work: Callable[..., T], *args: Any) -> T:
        """Runs something blocking; what was begun is waited for, also if this task is cancelled."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, work, *args)


async def recover(ledger: Ledger, history: TickStore, dataset: DatasetRow, thread: Callable[..., Any]) -> DatasetRow:
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


def _reports(file: FileRow, outcome: Outcome) -> list[bytes]:
    found = outcome.reading.inspected
    return [report_message(file.ordinal, file.uri, each).SerializeToString() for each in found]


def _sized(file: FileRow, size_bytes: int) -> FileRow:
    values = {name: getattr(file, name) for name in FileRow.__slots__}
    return FileRow(**values | {"size_bytes": size_bytes})


def _unlink(path: Path) -> None:
    path.unlink(missing_ok=True)


def _of_history(wrong: Exception) -> Exception:
    """What an error of the store of quotes means for the job."""
    from crossrate.history.errors import ContendedError, HistoryError, UncertainError

    if isinstance(wrong, UncertainError | ContendedError):
        return Stopped(str(wrong))
    if isinstance(wrong, HistoryError):
        return JobFailed(f"the history refuses it: {wrong}")
    if isinstance(wrong, OSError) and not isinstance(wrong, ConnectionError | TimeoutError):
        return JobFailed(f"the history cannot be written: {wrong}")
    return wrong
