"""The gRPC surface of history."""

from __future__ import annotations

import struct
import time
from collections.abc import AsyncIterator
from typing import Any

from crossrate.api.common.v1 import stream_pb2
from crossrate.api.marketdata.v1 import history_pb2, history_service_pb2_grpc
from crossrate.api.marketdata.v1 import history_service_pb2 as pb
from crossrate.history.store import Coverage
from crossrate.rpc import errors
from crossrate.rpc.call import current
from services.marketdata.catalogue import Catalogue
from services.marketdata.entry import COMPOSITE_SOURCE
from services.marketdata.history import queries, tokens
from services.marketdata.history.asked import decoded, moment
from services.marketdata.history.messages import column_names, timestamp
from services.marketdata.history.queries import Range
from services.marketdata.history.reader import Reader
from services.marketdata.history.replay import Replay
from services.marketdata.history.status import Status
from services.marketdata.history.streams import replay_wanted
from services.marketdata.history.subject import Subject, failures

TICKS_DEFAULT, BATCH_DEFAULT, BARS_DEFAULT, COVERAGE_DEFAULT = 10_000, 16_384, 1_000, 1_000
SHARE_OF_DEADLINE = 0.5
"""A page of bars that is not done by then ends early."""
_PLACE = struct.Struct(">q")


class HistoryService(history_service_pb2_grpc.HistoryServiceServicer):
    """Stored quotes, with what is not stored yet."""

    def __init__(self, reader: Reader, catalogue: Catalogue, status: Status) -> None:
        self._reader = reader
        self._subject = Subject(reader, catalogue)
        self._status = status

    async def QueryTicks(self, request: pb.QueryTicksRequest, context: Any) -> pb.QueryTicksResponse:
        with failures():
            question = tokens.question(request)
            body = decoded("page_token", request.page_token, question)
            asked, view = await self._subject.of(request)
            if asked is None:
                return pb.QueryTicksResponse()
            resume = queries.cursor_of(body) if body is not None else None
            size, names = request.page_size or TICKS_DEFAULT, column_names(request.columns)
            ticks, cursor = await self._reader.blocking(queries.tick_page, view, asked, names, size, resume)
            token = tokens.encode(queries.cursor_body(cursor), question) if cursor else ""
            return pb.QueryTicksResponse(ticks=ticks, next_page_token=token, source=asked.source)

    async def StreamTicks(self, request: pb.StreamTicksRequest, context: Any) -> AsyncIterator[pb.StreamTicksResponse]:
        with failures():
            question = tokens.question(request, "batch_size", "format")
            body = decoded("resume_cursor", request.resume_cursor, question)
            asked, view = await self._subject.of(request)
            if asked is None:
                return
            as_arrow = request.format == history_pb2.TICK_FORMAT_ARROW_IPC
            size, names = request.batch_size or BATCH_DEFAULT, column_names(request.columns)
            resume = queries.cursor_of(body) if body is not None else None
            batches = queries.tick_batches(view, asked, names, size, resume, as_arrow=as_arrow)
            sequence, ending = 0, current().ending
            while not ending.is_set():
                following = await self._reader.blocking(next, batches, None)
                if following is None:
                    return
                content, cursor = following
                sequence += 1
                position = stream_pb2.StreamPosition(
                    sequence=sequence, cursor=tokens.encode(queries.cursor_body(cursor), question)
                )
                if isinstance(content, bytes):
                    yield pb.StreamTicksResponse(position=position, arrow_ipc=content)
                else:
                    yield pb.StreamTicksResponse(position=position, ticks=content)

    async def Replay(self, request: pb.ReplayRequest, context: Any) -> AsyncIterator[pb.ReplayResponse]:
        with failures():
            view = await self._reader.view(request.instruments, request.source)
            wanted = await self._reader.blocking(replay_wanted, request, view, self._subject.source, time.time_ns() + 1)
            async for message in Replay(view, self._reader, wanted).messages(current().ending):
                yield message

    async def ListCoverage(self, request: pb.ListCoverageRequest, context: Any) -> pb.ListCoverageResponse:
        with failures():
            question = tokens.question(request)
            body = decoded("page_token", request.page_token, question)
            start, end = _gap_range(request)
            # All sources: those of composites are among them.
            names = [request.instrument] if request.instrument else None
            view = await self._reader.view(names, request.source or COMPOSITE_SOURCE)
            found = await self._reader.blocking(view.coverage, request.instrument, request.source)
            if body is not None:
                after = tuple(body.decode().split("\0"))
                found = [each for each in found if (each.venue, each.instrument) > after]
            size = request.page_size or COVERAGE_DEFAULT
            answer = pb.ListCoverageResponse()
            for each in found[:size]:
                made = answer.coverage.add()
                made.CopyFrom(_coverage(each))
                if request.gaps:
                    asked = Range(each.instrument, each.venue, start, end)
                    made.gaps.extend(await self._reader.blocking(queries.gaps, view, asked))
            if len(found) > size:
                last = found[size - 1]
                answer.next_page_token = tokens.encode(f"{last.venue}\0{last.instrument}".encode(), question)
            return answer

    async def GetHistoryStatus(self, request: pb.GetHistoryStatusRequest, context: Any) -> pb.GetHistoryStatusResponse:
        with failures():
            return await self._status.message()


def _gap_range(request: pb.ListCoverageRequest) -> tuple[int, int]:
    if not request.gaps:
        return 0, 0
    for field, given in (
        ("instrument", bool(request.instrument)),
        ("start_time", request.HasField("start_time")),
        ("end_time", request.HasField("end_time")),
    ):
        if not given:
            raise errors.invalid(errors.Violation(field, "it is needed with gaps", "coverage.gaps"))
    start, end = moment("start_time", request.start_time), moment("end_time", request.end_time)
    if not start <= end <= start + queries.GAP_DAYS_MAX * 86_400 * 10**9:
        words = f"it lies within {queries.GAP_DAYS_MAX} days after start_time: ask for one part after the other"
        raise errors.invalid(errors.Violation("end_time", words, "coverage.range"))
    return start, end


def _coverage(each: Coverage) -> history_pb2.Coverage:
    return history_pb2.Coverage(
        instrument=each.instrument,
        source=each.venue,
        tick_count=each.rows,
        first_venue_time=timestamp(each.first),
        last_venue_time=timestamp(each.last),
        day_count=each.days,
        datasets=each.datasets,
        size_bytes=each.size_bytes,
        file_count=each.files,
    )
