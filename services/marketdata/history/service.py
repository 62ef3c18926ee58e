"""The gRPC surface of history."""

from __future__ import annotations

import contextlib
import struct
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

from crossrate.api.common.v1 import stream_pb2
from crossrate.api.marketdata.v1 import history_pb2, history_service_pb2_grpc
from crossrate.api.marketdata.v1 import history_service_pb2 as pb
from crossrate.history.errors import HistoryError
from crossrate.history.store import Coverage
from crossrate.rpc import errors
from crossrate.rpc.call import current
from services.marketdata.board import Board
from services.marketdata.catalogue import Catalogue
from services.marketdata.history import queries, tokens
from services.marketdata.history.asked import decoded, moment, rule_of
from services.marketdata.history.bar_stream import BarStream
from services.marketdata.history.messages import column_names, timestamp
from services.marketdata.history.queries import BarRule, Range
from services.marketdata.history.reader import NothingStored, Reader, SourceUnclear, View
from services.marketdata.history.replay import Replay
from services.marketdata.history.status import Status
from services.marketdata.history.streams import bars_wanted, replay_wanted
from services.marketdata.quote_log import LogUnavailable

TICKS_DEFAULT, BATCH_DEFAULT, BARS_DEFAULT, COVERAGE_DEFAULT = 10_000, 16_384, 1_000, 1_000
SHARE_OF_DEADLINE = 0.5
"""A page of bars that is not done by then ends early."""
_PLACE = struct.Struct(">q")


class HistoryService(history_service_pb2_grpc.HistoryServiceServicer):
    """Stored quotes, with what is not stored yet."""

    def __init__(self, board: Board, reader: Reader, catalogue: Catalogue, status: Status, grace_ns: int) -> None:
        self._board = board
        self._reader = reader
        self._catalogue = catalogue
        self._status = status
        self._grace_ns = grace_ns

    async def QueryTicks(self, request: pb.QueryTicksRequest, context: Any) -> pb.QueryTicksResponse:
        with failures():
            question = tokens.question(request)
            body = decoded("page_token", request.page_token, question)
            asked, view = await self._range(request)
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
            asked, view = await self._range(request)
            if asked is None:
                return
            as_arrow = request.format == pb.TICK_FORMAT_ARROW_IPC
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

    async def QueryBars(self, request: pb.QueryBarsRequest, context: Any) -> pb.QueryBarsResponse:
        with failures():
            question = tokens.question(request)
            body = decoded("page_token", request.page_token, question)
            rule = self._rule(request)
            asked, view = await self._range(request)
            if asked is None:
                return pb.QueryBarsResponse()
            if body is not None:
                asked = Range(asked.instrument, asked.source, _PLACE.unpack(body)[0], asked.end)
            finish_by = time.monotonic() + current().remaining_s() * SHARE_OF_DEADLINE
            size = request.page_size or BARS_DEFAULT
            bars, following = await self._reader.blocking(queries.bar_page, view, asked, rule, size, finish_by)
            token = tokens.encode(_PLACE.pack(following), question) if following is not None else ""
            return pb.QueryBarsResponse(bars=bars, next_page_token=token, source=asked.source)

    async def StreamBars(self, request: pb.StreamBarsRequest, context: Any) -> AsyncIterator[pb.StreamBarsResponse]:
        with failures():
            wanted = bars_wanted(request, self._grace_ns)
            stream = BarStream(self._board, self._reader, wanted, self.source, self._grace_ns)
            async for message in stream.messages(current().ending):
                yield message

    async def Replay(self, request: pb.ReplayRequest, context: Any) -> AsyncIterator[pb.ReplayResponse]:
        with failures():
            view = await self._reader.view(request.instruments)
            wanted = await self._reader.blocking(replay_wanted, request, view, self.source, time.time_ns() + 1)
            async for message in Replay(view, self._reader, wanted).messages(current().ending):
                yield message

    async def ListCoverage(self, request: pb.ListCoverageRequest, context: Any) -> pb.ListCoverageResponse:
        with failures():
            question = tokens.question(request)
            body = decoded("page_token", request.page_token, question)
            start, end = _gap_range(request)
            view = await self._reader.view([request.instrument] if request.instrument else None)
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

    # What a request asks

    async def _range(self, request: Any) -> tuple[Range | None, View]:
        """The quotes that a request is about, and the state to look in; None if there are none of a known pair."""
        name = f"{request.base}/{request.counter}"
        start = moment("start_time", request.start_time)
        end = moment("end_time", request.end_time) if request.HasField("end_time") else time.time_ns() + 1
        if start > end:
            raise errors.invalid(errors.Violation("end_time", "it is before start_time", "history.range"))
        view = await self._reader.view([name])
        source = await self._reader.blocking(self.source, view, name, request.source)
        return (Range(name, source, start, end) if source is not None else None), view

    def source(self, view: View, name: str, source: str) -> str | None:
        """The source of a request; None if there are no quotes of a known instrument. Blocks."""
        try:
            return view.source(name, source)
        except SourceUnclear as error:
            raise errors.invalid(errors.Violation("source", str(error), "history.source")) from error
        except NothingStored:
            if source:
                raise errors.not_found("history", f"{name} from {source}") from None
            if self._catalogue.loaded and name not in self._catalogue:
                raise errors.not_found("instrument", name) from None
            return None

    def _rule(self, request: Any) -> BarRule:
        return rule_of(request, time.time_ns() - self._grace_ns)


@contextlib.contextmanager
def failures() -> Iterator[None]:
    """What goes wrong with the store or the log, as errors that cross a wire."""
    try:
        yield
    except LogUnavailable as error:
        raise errors.dependency_unavailable("nats") from error
    except HistoryError as error:
        raise errors.dependency_unavailable("history") from error


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
