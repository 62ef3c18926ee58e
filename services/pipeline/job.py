"""One job, carried out: file after file, each written down before and after the store has it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from crossrate.api.pipeline.v1 import pipeline_events_pb2 as events_pb
from crossrate.events import EventsUnavailable
from crossrate.files.failure import FileFailure
from crossrate.store.errors import OutcomeUnknown, StaleWriter, StoreUnavailable
from crossrate.store.journal import Fact
from services.pipeline.bar_pass import BarPass
from services.pipeline.dataset_writer import READY, DatasetWriter, JobFailed, fact
from services.pipeline.domain.progress import FileState, JobState, Outcome, Reading, RowKind, verdict
from services.pipeline.domain.specification import Nats, Specification
from services.pipeline.file_pass import Pass
from services.pipeline.loading import Positions
from services.pipeline.messages import dataset_message
from services.pipeline.sources import FileSource, Listed, Mark, SourceFailure
from services.pipeline.sources.stream import StreamSource, Stretch
from services.pipeline.store import stretches
from services.pipeline.store.jobs import FileRow, Job, JobStore
from services.pipeline.store.ledger import Ledger
from services.pipeline.stores import Stores
from services.pipeline.stream_pass import StreamPass
from services.pipeline.work import Stopped, Work, digest_of, identity

T = TypeVar("T")

ATTEMPTS_IN_VAIN_MAX = 20
"""How often a job may be begun without one of its files coming to an end."""
FILES_PAGE = 500


class JobCancelled(Exception):
    """Somebody asked for the job's end."""


class JobRun:
    """One attempt at a job.

    Args:
        job: which.
        store: where jobs are.
        ledger: the book of its dataset, under the lease.
        executor: where files are read.
        stores: that rows go to.
        source: makes the source of a specification; its second argument says whether the local operator asks.
        tell_s: how often progress is written down.
        checkpoint_rows: from one checkpoint within a file to the next.
    """

    def __init__(
        self,
        job: Job,
        store: JobStore,
        ledger: Ledger,
        executor: ThreadPoolExecutor,
        stores: Stores,
        source: Callable[[Job, Specification], FileSource | StreamSource],
        tell_s: float,
        checkpoint_rows: int,
    ) -> None:
        self._job = job
        self._store = store
        self._ledger = ledger
        self._executor = executor
        self._stores = stores
        self._make_source = source
        self._tell_s = tell_s
        self._source: FileSource | StreamSource | None = None
        self._cancelled = False
        self.work = Work(job.progress)
        self._writer = DatasetWriter(job, ledger, self.work, self._thread, checkpoint_rows)

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
            await self._writer.give_up()
            await self._discard()
            return
        except (JobFailed, SourceFailure) as wrong:
            failed = str(wrong)
        progress = self.work.snapshot()
        progress.remaining_s = None
        await self._ledger.end(begun.id, verdict(progress, failed), progress, failed, await self._facts())
        await self._discard()

    async def _discard(self) -> None:
        if self._source is not None and not isinstance(self._source, StreamSource):
            await self._thread(self._source.discard)

    async def _carry_out(self, spec: Specification) -> None:
        job = self._job
        await self._writer.open(job, spec, self._stores)
        if job.cancel_requested:
            raise JobCancelled
        source = self._source = self._make_source(job, spec)
        if isinstance(source, StreamSource):
            await self._stream(spec, source)
            return
        if job.attempts_in_vain > ATTEMPTS_IN_VAIN_MAX:
            raise JobFailed(
                f"it was begun {job.attempts_in_vain} times without one file coming to an end; "
                "look into the log for what ends the instance, and take the file out"
            )
        if not job.is_listed:
            found: list[Listed] = await self._thread(source.files)
            self.work.progress.files_total = len(found)
            self.work.progress.bytes_total = sum(each.size_bytes for each in found)
            await self._ledger.listed(job.id, found, self.work.progress)
        self._job = await self._ledger.recount(job.id)
        self.work.resume(self._job.progress)
        async with self._telling():
            await self._files(spec, source)

    @asynccontextmanager
    async def _telling(self) -> AsyncIterator[None]:
        """Writes progress down meanwhile."""
        telling = asyncio.create_task(self._tell())
        try:
            yield
        except Stopped:
            if self._cancelled:
                raise JobCancelled from None
            raise
        finally:
            telling.cancel()
            await asyncio.wait([telling])

    async def _stream(self, spec: Specification, source: StreamSource) -> None:
        """Loads a stream, stretch by stretch, until its declared end."""
        self._job = await self._ledger.recount(self._job.id)
        self.work.resume(self._job.progress)
        async with self._telling():
            try:
                at = await source.begin(await self._writer.stream_position(source.declared))
                is_end = False
                while not is_end:
                    stretch = await source.following(at, self.work.check)
                    if stretch.messages:
                        await self._stretch(spec, source.declared, stretch)
                    at, is_end = stretch.last, stretch.is_end
            except EventsUnavailable as away:
                raise Stopped(f"NATS does not answer: {away}") from None

    async def _stretch(self, spec: Specification, declared: Nats, stretch: Stretch) -> None:
        """Loads some messages, and with them where the dataset stands in the stream."""
        writer, uri, digest = self._writer, stretch.uri(declared), stretch.digest(declared)
        file = await stretches.add(self._ledger, self._job.id, uri, stretch.size_bytes)
        self.work.progress.files_total += 1
        self.work.progress.bytes_total += stretch.size_bytes
        self.work.begin(uri)
        source = StreamPass(uri, stretch.messages, spec, self.work)
        position = writer.position_in(declared)
        before = await writer.stream_position(declared)
        to = {writer.position(digest): 1, position: stretch.messages[-1].sequence}
        outcome = await writer.load(spec, file, source, digest, Positions(to, {position: before}))
        await writer.done(spec, file, outcome, None)

    async def _files(self, spec: Specification, source: FileSource) -> None:
        after = 0
        while page := await self._store.files(self._job.id, after, FILES_PAGE):
            for file in page:
                after = file.ordinal
                if file.state is not FileState.PENDING:
                    continue
                await self._file(spec, source, file)

    async def _file(self, spec: Specification, source: FileSource, file: FileRow) -> None:
        self.work.check()
        self.work.begin(file.uri)
        dataset, nothing = self._writer.dataset, Reading()
        mark = await self._ledger.mark(dataset, file.uri) if dataset is not None else None
        try:
            fetched = await self._thread(source.fetch, file.uri, mark, self.work)
        except FileFailure as wrong:
            await self._writer.done(spec, file, Outcome(FileState.FAILED, nothing, message=str(wrong)), None)
            return
        if fetched.path is None:
            assert mark is not None
            await self._writer.done(spec, file, Outcome(FileState.UNCHANGED, nothing, mark.digest), None)
            return
        try:
            before = await self._thread(identity, fetched.path)
            digest = await self._thread(digest_of, fetched.path, self.work)
        except FileFailure as wrong:
            await self._writer.done(spec, file, Outcome(FileState.FAILED, nothing, message=str(wrong)), None)
            return
        file = _sized(file, before[2])
        self.work.progress.bytes_total = max(self.work.progress.bytes_total, self.work.progress.bytes_done + before[2])
        new_mark = Mark(fetched.mark.etag, fetched.mark.last_modified, digest) if fetched.mark else None
        outcome = await self._known(spec, file, digest) if dataset is not None else None
        if outcome is None:
            outcome = await self._load(spec, file, fetched.path, before, digest)
        await self._writer.done(spec, file, outcome, new_mark)
        if fetched.is_ours:
            await self._thread(_unlink, fetched.path)

    async def _known(self, spec: Specification, file: FileRow, digest: str) -> Outcome | None:
        """What becomes of a file of which the dataset has something already; None if it has nothing."""
        assert self._writer.dataset is not None
        name = self._writer.dataset.name
        for each in await self._ledger.known(self._writer.dataset, digest, file.uri):
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
        writer = self._writer
        others = writer.others(digest)
        source: Pass
        if spec.kind is RowKind.BARS:
            source = BarPass(path, spec, self.work, others, lambda: identity(path) == before, built=writer.built(spec))
        else:
            source = Pass(path, spec, self.work, others, lambda: identity(path) == before, writer.reference(spec))
        return await writer.load(spec, file, source, digest, Positions({writer.position(digest): 1}))

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
        if self._writer.dataset is None or not rows:
            return []
        dataset = await self._ledger.dataset(self._writer.dataset.name)
        assert dataset is not None
        ready = events_pb.DatasetReady(dataset=dataset_message(dataset), job_id=self._job.id, rows_added=rows)
        return [fact(READY, dataset.name, ready)]

    async def _thread(self, work: Callable[..., T], *args: Any) -> T:
        """Runs something blocking; what was begun is waited for, also if this task is cancelled."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, work, *args)


def _sized(file: FileRow, size_bytes: int) -> FileRow:
    values = {name: getattr(file, name) for name in FileRow.__slots__}
    return FileRow(**values | {"size_bytes": size_bytes})


def _unlink(path: Path) -> None:
    path.unlink(missing_ok=True)
