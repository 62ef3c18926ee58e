"""The gRPC surface of bars."""

from __future__ import annotations

import functools
import struct
import time
from collections.abc import AsyncIterator
from typing import Any

from crossrate.api.marketdata.v1 import bar_service_pb2 as pb
from crossrate.api.marketdata.v1 import bar_service_pb2_grpc, history_pb2
from crossrate.rpc import errors
from crossrate.rpc.call import current
from services.marketdata.board import Board
from services.marketdata.catalogue import Catalogue
from services.marketdata.history import queries, tokens
from services.marketdata.history.asked import decoded, rule_of
from services.marketdata.history.bar_stream import BarStream
from services.marketdata.history.queries import Range
from services.marketdata.history.reader import Reader
from services.marketdata.history.streams import bars_wanted
from services.marketdata.history.subject import Subject, failures

BARS_DEFAULT = 1_000
SHARE_OF_DEADLINE = 0.5
"""A page that is not done by then ends early."""
_PLACE = struct.Struct(">q")


class BarService(bar_service_pb2_grpc.BarServiceServicer):
    """Bars of stored quotes and of those that come."""

    def __init__(self, board: Board, reader: Reader, catalogue: Catalogue, grace_ns: int) -> None:
        self._board = board
        self._reader = reader
        self._subject = Subject(reader, catalogue)
        self._grace_ns = grace_ns

    async def QueryBars(self, request: pb.QueryBarsRequest, context: Any) -> pb.QueryBarsResponse:
        with failures():
            question = tokens.question(request)
            body = decoded("page_token", request.page_token, question)
            rule = rule_of(request, time.time_ns() - self._grace_ns)
            asked, view, store = await self._subject.of_bars(request)
            if asked is None:
                return pb.QueryBarsResponse()
            if body is not None:
                asked = Range(asked.instrument, asked.source, _PLACE.unpack(body)[0], asked.end)
            finish_by = time.monotonic() + current().remaining_s() * SHARE_OF_DEADLINE
            size = request.page_size or BARS_DEFAULT
            if store is None:
                origin, ask = history_pb2.BAR_ORIGIN_BUILT, functools.partial(queries.bar_page, view)
            else:
                origin, ask = history_pb2.BAR_ORIGIN_VENUE, functools.partial(queries.venue_bar_page, store)
                if "mid" in rule.sides:
                    words = f"{asked.source} has bars of its own, and their mids are not known: ask for bid and ask"
                    raise errors.invalid(errors.Violation("sides", words, "bars.sides"))
            try:
                bars, following = await self._reader.blocking(ask, asked, rule, size, finish_by)
            except ValueError as wrong:
                if store is None:
                    raise
                raise errors.invalid(errors.Violation("period", str(wrong), "bars.period")) from wrong
            token = tokens.encode(_PLACE.pack(following), question) if following is not None else ""
            return pb.QueryBarsResponse(bars=bars, next_page_token=token, source=asked.source, origin=origin)

    async def StreamBars(self, request: pb.StreamBarsRequest, context: Any) -> AsyncIterator[pb.StreamBarsResponse]:
        with failures():
            wanted = bars_wanted(request, self._grace_ns)
            stream = BarStream(self._board, self._reader, wanted, self._subject.source, self._grace_ns)
            async for message in stream.messages(current().ending):
                yield message
