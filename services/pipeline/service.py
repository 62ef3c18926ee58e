"""The gRPC surface of `pipeline`."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import asyncpg
from google.protobuf.message import Message

from crossrate.api.common.v1 import stream_pb2
from crossrate.api.pipeline.v1 import dataset_pb2
from crossrate.api.pipeline.v1 import pipeline_service_pb2 as pb
from crossrate.api.pipeline.v1.pipeline_service_pb2_grpc import PipelineServiceServicer
from crossrate.rpc import errors
from crossrate.rpc.call import current, new_request_id
from crossrate.rpc.caller import LOCAL
from crossrate.store.errors import OutcomeUnknown, RequestIdReused, StaleWriter, StoreUnavailable
from crossrate.store.requests import body_of
from services.pipeline import messages
from services.pipeline.deletion import Busy, Deletion, UnknownDataset
from services.pipeline.domain.specification import Refused, Specification, parse
from services.pipeline.housekeeping import Housekeeping
from services.pipeline.settings import Settings
from services.pipeline.sources import SourceFailure
from services.pipeline.sources.making import Sources
from services.pipeline.store.datasets import DatasetStore
from services.pipeline.store.jobs import DatasetRow, Job, JobStore, TooManyJobs, UnknownJob
from services.pipeline.stores import Stores
from services.pipeline.workers import Workers

PAGE_SIZE = 100
HEARTBEAT_S = 5.0
SAMPLES_MAX = 20
"""Instruments of which rows are shown."""
PATHS_MAX = 1_000
FORMATS = {
    pb.SPECIFICATION_FORMAT_TOML: "toml",
    pb.SPECIFICATION_FORMAT_JSON: "json",
    pb.SPECIFICATION_FORMAT_YAML: "yaml",
}


class PipelineService(PipelineServiceServicer):
    """Answers every call of the contract."""

    def __init__(
        self,
        store: JobStore,
        datasets: DatasetStore,
        workers: Workers,
        sources: Sources,
        deletion: Deletion,
        housekeeping: Housekeeping,
        stores: Stores,
        settings: Settings,
    ) -> None:
        self._store = store
        self._datasets = datasets
        self._housekeeping = housekeeping
        self._stores = stores
        self._workers = workers
        self._sources = sources
        self._deletion = deletion
        self._settings = settings

    async def StartJob(self, request: pb.StartJobRequest, context) -> pb.StartJobResponse:
        """See the contract."""
        is_local = current().caller == LOCAL
        spec = self._specification(request, is_local=is_local)
        job = Job.accepted(new_request_id(), spec, dry_run=request.dry_run, is_local=is_local)
        if request.validate_only:
            message = messages.job_message(job)
            message.id = ""
            return pb.StartJobResponse(job=message)
        limit = self._settings.waiting_max
        with failures(request.request_id):
            answer = await self._store.start(job, request.request_id, body_of(request), limit, _started)
        self._workers.wake()
        return pb.StartJobResponse.FromString(answer)

    def _specification(self, request: pb.StartJobRequest, *, is_local: bool) -> Specification:
        try:
            spec = parse(request.specification, FORMATS[request.format])
            self._sources.check(spec, is_local=is_local)
        except Refused as refused:
            problems = [("specification" + (f".{path}" if path else ""), words) for path, words in refused.problems]
            raise errors.invalid(*problems) from None
        except SourceFailure as refused:
            field, _, words = str(refused).partition(": ")
            raise errors.invalid((f"specification.{field}", words)) from None
        return spec

    async def WatchJob(self, request: pb.WatchJobRequest, context) -> AsyncIterator[pb.WatchJobResponse]:
        """See the contract."""
        ending = current().ending
        heartbeat_s = request.heartbeat_interval.ToTimedelta().total_seconds() or HEARTBEAT_S
        cursor, sequence, silent_since = request.resume_cursor, 0, time.monotonic()
        while not ending.is_set():
            with failures():
                job = await self._store.job(request.job_id)
            message = messages.job_message(job)
            now = hashlib.sha256(message.SerializeToString(deterministic=True)).hexdigest()[:32]
            event: dict[str, Message] | None = None
            if now != cursor:
                cursor, event = now, {"job": message}
            elif time.monotonic() - silent_since >= heartbeat_s:
                beat = stream_pb2.Heartbeat()
                beat.server_time.GetCurrentTime()
                event = {"heartbeat": beat}
            if event is not None:
                sequence += 1
                silent_since = time.monotonic()
                position = stream_pb2.StreamPosition(sequence=sequence, cursor=cursor)
                yield pb.WatchJobResponse(position=position, **event)
            if job.state.ended:
                return
            await asyncio.sleep(min(max(self._settings.progress_interval_s, 0.05), heartbeat_s))

    async def GetJob(self, request: pb.GetJobRequest, context) -> pb.GetJobResponse:
        """See the contract."""
        with failures():
            return pb.GetJobResponse(job=messages.job_message(await self._store.job(request.job_id)))

    async def ListJobs(self, request: pb.ListJobsRequest, context) -> pb.ListJobsResponse:
        """See the contract."""
        size = request.page_size or PAGE_SIZE
        with failures():
            jobs = await self._store.jobs(request.dataset, request.page_token, size + 1)
        token = jobs[size - 1].id if len(jobs) > size else ""
        return pb.ListJobsResponse(jobs=map(messages.job_message, jobs[:size]), next_page_token=token)

    async def ListJobFiles(self, request: pb.ListJobFilesRequest, context) -> pb.ListJobFilesResponse:
        """See the contract."""
        size, (after,) = request.page_size or PAGE_SIZE, _place(request.page_token, 1)
        with failures():
            await self._store.job(request.job_id)
            files = await self._store.files(request.job_id, after, size + 1)
        token = str(files[size - 1].ordinal) if len(files) > size else ""
        return pb.ListJobFilesResponse(files=map(messages.file_message, files[:size]), next_page_token=token)

    async def CancelJob(self, request: pb.CancelJobRequest, context) -> pb.CancelJobResponse:
        """See the contract."""
        with failures(request.request_id):
            answer = await self._store.cancel(request.job_id, request.request_id, body_of(request), _cancelled)
        return pb.CancelJobResponse.FromString(answer)

    async def GetQualityReport(self, request: pb.GetQualityReportRequest, context) -> pb.GetQualityReportResponse:
        """See the contract."""
        size, (ordinal, number) = request.page_size or PAGE_SIZE, _place(request.page_token, 2)
        with failures():
            await self._store.job(request.job_id)
            rows = await self._store.reports(request.job_id, (ordinal, number), size + 1)
        token = f"{rows[size - 1][0]}.{rows[size - 1][1]}" if len(rows) > size else ""
        reports = [dataset_pb2.QualityReport.FromString(row[2]) for row in rows[:size]]
        return pb.GetQualityReportResponse(reports=reports, next_page_token=token)

    async def ListRejectedRows(self, request: pb.ListRejectedRowsRequest, context) -> pb.ListRejectedRowsResponse:
        """See the contract."""
        size, (ordinal, number) = request.page_size or PAGE_SIZE, _place(request.page_token, 2)
        with failures():
            job = await self._store.job(request.job_id)
            rows = await self._store.rejected(request.job_id, (ordinal, number), size + 1)
        token = f"{rows[size - 1].file_ordinal}.{rows[size - 1].number}" if len(rows) > size else ""
        return pb.ListRejectedRowsResponse(
            rows=map(messages.rejected_message, rows[:size]),
            next_page_token=token,
            rejected_count=job.progress.rows_rejected,
        )

    async def ListDatasets(self, request: pb.ListDatasetsRequest, context) -> pb.ListDatasetsResponse:
        """See the contract."""
        size = request.page_size or PAGE_SIZE
        with failures():
            rows = await self._store.datasets(request.page_token, size + 1)
        token = rows[size - 1].name if len(rows) > size else ""
        return pb.ListDatasetsResponse(datasets=map(messages.dataset_message, rows[:size]), next_page_token=token)

    async def GetDataset(self, request: pb.GetDatasetRequest, context) -> pb.GetDatasetResponse:
        """See the contract."""
        with failures():
            row = await self._dataset(request.dataset)
        answer = pb.GetDatasetResponse(dataset=messages.dataset_message(row))
        for instrument in sorted(row.instruments)[:SAMPLES_MAX] if request.sample_rows else ():
            try:
                target = await asyncio.to_thread(self._stores.of, row.kind)
                ends = await asyncio.to_thread(target.ends, row.name, instrument, request.sample_rows)
            except (ImportError, OSError) as error:
                raise errors.dependency_unavailable("history") from error
            except Exception as error:
                if "HistoryError" in {each.__name__ for each in type(error).__mro__}:
                    raise errors.dependency_unavailable("history") from error
                raise
            answer.samples.append(messages.sample_message(instrument, *ends))
        return answer

    async def _dataset(self, name: str) -> DatasetRow:
        row = await self._datasets.dataset(name)
        if row is None:
            raise errors.not_found("dataset", name)
        return row

    async def ListDatasetFiles(self, request: pb.ListDatasetFilesRequest, context) -> pb.ListDatasetFilesResponse:
        """See the contract."""
        size, (after, _) = request.page_size or PAGE_SIZE, _digest_place(request.page_token)
        with failures():
            await self._dataset(request.dataset)
            rows = await self._datasets.files(request.dataset, after, size + 1)
        token = f"{rows[size - 1].digest}.0" if len(rows) > size else ""
        return pb.ListDatasetFilesResponse(files=map(messages.dataset_file_message, rows[:size]), next_page_token=token)

    async def GetDatasetReport(self, request: pb.GetDatasetReportRequest, context) -> pb.GetDatasetReportResponse:
        """See the contract."""
        size, after = request.page_size or PAGE_SIZE, _digest_place(request.page_token)
        with failures():
            await self._dataset(request.dataset)
            rows = await self._datasets.reports(request.dataset, after, size + 1)
        token = f"{rows[size - 1][0]}.{rows[size - 1][1]}" if len(rows) > size else ""
        reports = [dataset_pb2.QualityReport.FromString(row[2]) for row in rows[:size]]
        return pb.GetDatasetReportResponse(reports=reports, next_page_token=token)

    async def VacuumHistory(self, request: pb.VacuumHistoryRequest, context) -> pb.VacuumHistoryResponse:
        """See the contract."""
        age_s = request.min_age.seconds or int(self._settings.vacuum_age_s)
        with failures(request.request_id):
            body = body_of(request)
            if not request.validate_only:
                known = await self._store.requests.known(request.request_id, body)
                if known is not None:
                    return pb.VacuumHistoryResponse.FromString(known)
            row, paths = await self._housekeeping.vacuum(age_s, dry_run=request.validate_only)
            answer = pb.VacuumHistoryResponse(vacuum=messages.vacuum_message(row), paths=sorted(paths)[:PATHS_MAX])
            if request.validate_only:
                return answer

            async def work(connection: asyncpg.Connection) -> bytes:
                await self._datasets.vacuumed(connection, row)
                return answer.SerializeToString()

            return pb.VacuumHistoryResponse.FromString(await self._store.once(request.request_id, body, work))

    async def ListVacuums(self, request: pb.ListVacuumsRequest, context) -> pb.ListVacuumsResponse:
        """See the contract."""
        with failures():
            rows = await self._datasets.vacuums(request.page_size or PAGE_SIZE)
        return pb.ListVacuumsResponse(vacuums=map(messages.vacuum_message, rows))

    async def DeleteDataset(self, request: pb.DeleteDatasetRequest, context) -> pb.DeleteDatasetResponse:
        """See the contract."""
        with failures(request.request_id):
            try:
                if request.validate_only:
                    return pb.DeleteDatasetResponse(rows_removed=await self._deletion.rows(request.dataset))
                answer = await self._deletion.delete(
                    request.dataset, request.comment, request.request_id, body_of(request)
                )
            except UnknownDataset:
                raise errors.not_found("dataset", request.dataset) from None
            except Busy as busy:
                raise errors.wrong_state("LOADING", str(busy)) from None
        return pb.DeleteDatasetResponse.FromString(answer)


@contextmanager
def failures(request_id: str = "") -> Iterator[None]:
    """What the store raises as what the caller can act on."""
    try:
        yield
    except UnknownJob as unknown:
        raise errors.not_found("job", str(unknown)) from None
    except TooManyJobs as many:
        raise errors.too_many_requests(int(str(many).split()[0]), 30.0) from None
    except RequestIdReused:
        raise errors.request_id_reused(request_id) from None
    except OutcomeUnknown:
        raise errors.outcome_unknown(request_id) from None
    except (StoreUnavailable, StaleWriter) as error:
        raise errors.dependency_unavailable("postgres") from error


def _started(job: Job) -> bytes:
    return pb.StartJobResponse(job=messages.job_message(job)).SerializeToString()


def _cancelled(job: Job) -> bytes:
    return pb.CancelJobResponse(job=messages.job_message(job)).SerializeToString()


def _place(token: str, parts: int) -> tuple[int, ...]:
    """The numbers of a page token; zeros without one."""
    found = token.split(".") if token else ["0"] * parts
    if len(found) != parts or not all(each.isdecimal() and len(each) < 10 for each in found):
        raise errors.invalid(("page_token", "is no token of this method"))
    return tuple(int(each) for each in found)


def _digest_place(token: str) -> tuple[str, int]:
    """The digest and the number of a page token; neither without one."""
    digest, _, number = token.partition(".")
    if token and not (len(digest) == 64 and number.isdecimal() and len(number) < 10):
        raise errors.invalid(("page_token", "is no token of this method"))
    return digest, int(number or 0)
