"""The gRPC surface of books."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from crossrate.api.marketdata.v1 import book_pb2
from crossrate.api.marketdata.v1 import book_service_pb2 as pb
from crossrate.api.marketdata.v1 import book_service_pb2_grpc as pb_grpc
from crossrate.rpc import errors
from crossrate.rpc.call import current
from crossrate.rpc.frames import Frame, frames_of
from crossrate.rpc.values import seconds
from services.marketdata import cursor as cursors
from services.marketdata.books import subscription
from services.marketdata.books.board import BookBoard
from services.marketdata.books.messages import stamp, venues_message
from services.marketdata.books.view import View
from services.marketdata.catalogue import Catalogue
from services.marketdata.domain.composite_book import SharedLevel, fill_shared
from services.marketdata.quote_log import LogUnavailable
from services.marketdata.ring import CursorUnknown, Look

HEARTBEAT_S = 5.0
RESUME_PATIENCE_S = 0.25
"""How long a resumed stream waits for an instance that has not come as far as its cursor, before the log is asked."""


class BookService(pb_grpc.BookServiceServicer):
    """Books from the board."""

    def __init__(self, board: BookBoard, catalogue: Catalogue, look: Look) -> None:
        """For one instance; `look` reads the log of books to its end."""
        self._look = look
        self._board = board
        self._catalogue = catalogue

    async def GetBook(self, request: pb.GetBookRequest, context: Any) -> pb.GetBookResponse:
        view = self._view(request.base, request.counter, request.source, request.depth)
        return pb.GetBookResponse(book=view.message())

    async def GetTieredPrices(self, request: pb.GetTieredPricesRequest, context: Any) -> pb.GetTieredPricesResponse:
        view = self._view(request.base, request.counter, request.source, 0)
        shown = view.shown
        answer = pb.GetTieredPricesResponse(
            instrument=view.name, source=shown.source, sequence=shown.sequence, health=int(shown.health)
        )
        stamp(answer, shown.venue_time, shown.receive_time)
        for quantity in request.quantities:
            answer.prices.add(quantity=quantity, bid=_fill(shown.bids, quantity), ask=_fill(shown.asks, quantity))
        return answer

    async def StreamBook(self, request: pb.StreamBookRequest, context: Any) -> AsyncIterator[Frame]:
        for name in request.instruments:
            if not self._board.venues(name):
                self._known(name)
        wanted = subscription.Wanted(
            names=frozenset(request.instruments),
            source=request.source,
            depth=request.depth,
            conflation_s=seconds(request.conflation_interval),
            heartbeat_s=seconds(request.heartbeat_interval) or HEARTBEAT_S,
            messages_max=request.max_messages,
            position=await self._place(request.resume_cursor),
        )
        async for frame in subscription.frames(self._board, wanted, current().ending):
            yield frame

    def _view(self, base: str, counter: str, source: str, depth: int) -> View:
        name = f"{base}/{counter}"
        view = self._board.view(name, source, depth)
        if view is None:
            self._known(name)
            raise errors.no_quote(name, "UNSPECIFIED")
        return view

    def _known(self, name: str) -> None:
        """Refuses an instrument that is not one of the platform's, as far as that is known yet."""
        if self._catalogue.loaded and name not in self._catalogue:
            raise errors.not_found("instrument", name)

    async def _place(self, text: str) -> int | None:
        """The position of the change that a stream continues after; None to begin with whole books."""
        if not text:
            return None
        try:
            cursor = cursors.decode(text, cursors.BOOKS)
        except ValueError as error:
            raise errors.invalid(errors.Violation("resume_cursor", str(error), "resume_cursor.unknown")) from error
        if cursor.place == 0:
            return None
        try:
            return await self._board.found(cursor, RESUME_PATIENCE_S, self._look)
        except LogUnavailable as error:
            raise errors.dependency_unavailable("nats") from error
        except CursorUnknown as error:
            raise errors.cursor_expired(str(error)) from error


def _fill(levels: list[SharedLevel], quantity: float) -> book_pb2.Fill:
    done, given = fill_shared(levels, quantity)
    return book_pb2.Fill(
        average_price=done.average_price,
        worst_price=done.worst_price,
        filled_quantity=done.filled,
        unfilled_quantity=done.unfilled,
        level_count=done.level_count,
        venues=venues_message(given),
    )


register_books = frames_of(pb_grpc.add_BookServiceServicer_to_server, "StreamBook")
"""Adds the service to a server as the generated function does, but sends frames as the bytes that they are."""
