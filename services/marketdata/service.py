"""The gRPC surface of market data."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

from crossrate.api.marketdata.v1 import feed_list_pb2 as list_pb
from crossrate.api.marketdata.v1 import marketdata_service_pb2 as pb
from crossrate.api.marketdata.v1 import marketdata_service_pb2_grpc as pb_grpc
from crossrate.rpc import errors
from crossrate.rpc.call import current
from crossrate.rpc.frames import Frame, frames_of
from crossrate.rpc.values import seconds
from services.marketdata import cursor as cursors
from services.marketdata import health_stream, subscription
from services.marketdata.board import Board
from services.marketdata.catalogue import Catalogue
from services.marketdata.daily import answers
from services.marketdata.daily.sources import DailySources
from services.marketdata.health import ChangesForgotten, HealthBoard
from services.marketdata.quote_log import LogUnavailable
from services.marketdata.ring import CursorUnknown, Look

HEARTBEAT_S = 5.0
RESUME_PATIENCE_S = 0.25
"""How long a resumed stream waits for an instance that has not come as far as its cursor, before the log is asked."""


class MarketDataService(pb_grpc.MarketDataServiceServicer):
    """Quotes from the board, rates from the daily sources."""

    def __init__(
        self, board: Board, catalogue: Catalogue, daily: DailySources, health: HealthBoard, look: Look
    ) -> None:
        """For one instance; `look` reads the log of quotes to its end."""
        self._look = look
        self._health = health
        self._board = board
        self._catalogue = catalogue
        self._daily = daily

    async def GetQuote(self, request: pb.GetQuoteRequest, context: Any) -> pb.GetQuoteResponse:
        name = f"{request.base}/{request.counter}"
        entry = self._board.last(name, request.source)
        if entry is None:
            self._known(name)
            raise errors.no_quote(name, "UNSPECIFIED")
        return entry.response()

    async def StreamQuotes(self, request: pb.StreamQuotesRequest, context: Any) -> AsyncIterator[Frame]:
        for name in request.instruments:
            if self._board.last(name, request.source) is None:
                self._known(name)
        wanted = subscription.Wanted(
            names=frozenset(request.instruments),
            conflation_s=seconds(request.conflation_interval),
            heartbeat_s=seconds(request.heartbeat_interval) or HEARTBEAT_S,
            messages_max=request.max_messages,
            position=await self._place(request.resume_cursor),
            source=request.source,
        )
        async for frame in subscription.frames(self._board, wanted, current().ending):
            yield frame

    async def ListFeeds(self, request: list_pb.ListFeedsRequest, context: Any) -> list_pb.ListFeedsResponse:
        return list_pb.ListFeedsResponse(feeds=self._health.feeds())

    async def StreamHealth(
        self, request: list_pb.StreamHealthRequest, context: Any
    ) -> AsyncIterator[list_pb.StreamHealthResponse]:
        after = None
        if request.resume_cursor:
            try:
                cursor = _cursor(request.resume_cursor, health_stream.decode)
                after = await health_stream.place(self._health, cursor, RESUME_PATIENCE_S, self._look)
            except LogUnavailable as error:
                raise errors.dependency_unavailable("nats") from error
            except ChangesForgotten as error:
                raise errors.cursor_expired(str(error)) from error
        wanted = health_stream.Wanted(
            instruments=frozenset(request.instruments),
            sources=frozenset(request.sources),
            heartbeat_s=seconds(request.heartbeat_interval) or HEARTBEAT_S,
            messages_max=request.max_messages,
            after=after,
        )
        async for message in health_stream.messages(self._health, wanted, current().ending):
            yield message

    async def ListDailyRates(self, request: pb.ListDailyRatesRequest, context: Any) -> pb.ListDailyRatesResponse:
        return answers.rates(self._daily, request)

    async def ListDailySources(self, request: pb.ListDailySourcesRequest, context: Any) -> pb.ListDailySourcesResponse:
        return answers.listed(self._daily)

    def _known(self, name: str) -> None:
        """Refuses an instrument that is not one of the platform's, as far as that is known yet."""
        if self._catalogue.loaded and name not in self._catalogue:
            raise errors.not_found("instrument", name)

    async def _place(self, text: str) -> int | None:
        """The position of the quote that a stream continues after; None to begin with the newest."""
        if not text:
            return None
        cursor = _cursor(text, cursors.decode)
        if cursor.place == 0:
            return None
        try:
            return await self._board.found(cursor, RESUME_PATIENCE_S, self._look)
        except LogUnavailable as error:
            # It has not expired: this instance lags, and cannot know how far.
            raise errors.dependency_unavailable("nats") from error
        except CursorUnknown as error:
            raise errors.cursor_expired(str(error)) from error


def _cursor(text: str, decode: Callable[[str], cursors.Cursor]) -> cursors.Cursor:
    try:
        return decode(text)
    except ValueError as error:
        raise errors.invalid(errors.Violation("resume_cursor", str(error), "resume_cursor.unknown")) from error


register = frames_of(pb_grpc.add_MarketDataServiceServicer_to_server, "StreamQuotes")
"""Adds the service to a server as the generated function does, but sends frames as the bytes that they are."""
