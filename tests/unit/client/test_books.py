"""Books from their stream: what does not follow is found, what is sent again is left out, what is missing is said."""

from collections.abc import Iterator
from typing import Any

import grpc

from crossrate.api.common.v1 import stream_pb2
from crossrate.api.marketdata.v1 import book_pb2
from crossrate.api.marketdata.v1 import book_service_pb2 as pb
from crossrate.client.books import BookStream, LiveBook
from crossrate.client.resuming import Gap, Resumption
from crossrate.rpc.call_error import CallError

FAST = Resumption(pause_s=0.0001, pause_s_max=0.001, unreachable_s_max=60.0)
COMPLETE = pb.StreamBookResponse(end=stream_pb2.StreamEnd(reason=stream_pb2.STREAM_END_REASON_COMPLETE))


def message(cursor: str, *changes: book_pb2.BookChange) -> pb.StreamBookResponse:
    """A message with changes."""
    made = pb.StreamBookResponse()
    made.position.cursor = cursor
    made.books.changes.extend(changes)
    return made


def whole(sequence: int, **bids: float) -> book_pb2.BookChange:
    """A whole book; bids as `p110=1.0` for 1.0 at 1.10."""
    book = book_pb2.Book(instrument="EUR/USD", source="one", sequence=sequence, health=1)
    for name, quantity in bids.items():
        book.bids.add(price=int(name[1:]) / 100, quantity=quantity)
    book.asks.add(price=1.2, quantity=4.0)
    return book_pb2.BookChange(snapshot=book)


def diff(first: int, last: int = 0, health: int = 1, **bids: float) -> book_pb2.BookChange:
    """A change."""
    made = book_pb2.BookDiff(
        instrument="EUR/USD", source="one", first_sequence=first, last_sequence=last or first, health=health
    )
    for name, quantity in bids.items():
        made.bids.add(price=int(name[1:]) / 100, quantity=quantity)
    return book_pb2.BookChange(diff=made)


class Connections:
    """A service whose connections carry what the test says; an exception in one is how it breaks."""

    def __init__(self, *connections: list[Any]) -> None:
        self._connections: Iterator[list[Any]] = iter(connections)
        self.cursors: list[str] = []

    def StreamBook(self, request: pb.StreamBookRequest) -> "Connection":
        self.cursors.append(request.resume_cursor)
        return Connection(next(self._connections))


class Connection:
    """One of them."""

    def __init__(self, events: list[Any]) -> None:
        self._events = iter(events)

    async def read(self) -> Any:
        event = next(self._events, grpc.aio.EOF)
        if isinstance(event, Exception):
            raise event
        return event

    def cancel(self) -> None:
        pass


async def read(service: Connections, source: str = "one") -> tuple[list[Any], LiveBook]:
    """Sequences and gaps as they came, and the book in the end."""
    stream = BookStream(["EUR/USD"], source=source, resumption=FAST)
    events = [e if isinstance(e, Gap) else e.sequence async for e in stream.events(service)]
    return events, stream.books["EUR/USD"]


async def test_changes_make_the_book() -> None:
    """Levels come, change and go; both sides tell what an amount gets."""
    service = Connections(
        [message("a", whole(5, p110=1.0, p109=2.0)), message("b", diff(6, p110=0.0, p108=3.0)), COMPLETE]
    )
    events, book = await read(service)
    assert events == [5, 6]
    assert book.bids() == [(1.09, 2.0), (1.08, 3.0)]
    assert book.bids(1) == [(1.09, 2.0)]
    assert book.sell(4.0).average_price == (2 * 1.09 + 2 * 1.08) / 4
    assert book.buy(5.0).unfilled == 1.0
    assert book.live
    assert repr(book) == "<EUR/USD one 6 1.09/1.2 LIVE>"


async def test_a_broken_stream_goes_on_where_it_broke() -> None:
    """What is sent again is left out, as what belongs together is sent again from its beginning."""
    gone = CallError(grpc.StatusCode.UNAVAILABLE, "gone", method="/m")
    service = Connections(
        [message("a", whole(5, p110=1.0)), message("b", diff(6, p110=2.0), diff(7, p109=1.0)), gone],
        [message("c", diff(6, p110=9.0), diff(7, p109=1.0)), message("d", diff(8, p110=3.0)), COMPLETE],
    )
    events, book = await read(service)
    assert events == [5, 6, 7, 8]
    assert service.cursors == ["", "b"]
    assert book.bids() == [(1.1, 3.0), (1.09, 1.0)]


async def test_a_change_that_does_not_follow_is_a_gap() -> None:
    """The reader is told before anything else, and begins anew with the whole book."""
    service = Connections(
        [message("a", whole(5, p110=1.0)), message("b", diff(8, p110=2.0))],
        [message("c", whole(9, p107=1.0)), COMPLETE],
    )
    events, book = await read(service)
    assert [events[0], events[2]] == [5, 9]
    assert "begins with 8, and 5 is known" in events[1].reason
    assert service.cursors == ["", ""]
    assert book.bids() == [(1.07, 1.0)]


async def test_until_it_is_whole_again_nobody_trades_on_it() -> None:
    """After a gap the book's health is not LIVE."""
    service = Connections([message("a", whole(5, p110=1.0)), message("b", diff(8, p110=2.0))], [COMPLETE])
    stream = BookStream(["EUR/USD"], source="one", resumption=FAST)
    async for event in stream.events(service):
        if isinstance(event, Gap):
            assert not stream.books["EUR/USD"].live


async def test_an_expired_cursor_is_a_gap_and_a_new_beginning() -> None:
    """The service does not have what came in between."""
    expired = CallError(grpc.StatusCode.OUT_OF_RANGE, "too old", method="/m")
    expired.reason = "CURSOR_EXPIRED"
    service = Connections([message("a", whole(5, p110=1.0))], [expired], [message("z", whole(99, p110=2.0)), COMPLETE])
    events, _ = await read(service)
    assert [events[0], events[2]] == [5, 99]
    assert "could not be resumed" in events[1].reason
    assert service.cursors == ["", "a", ""]


async def test_a_reader_of_every_change_hears_that_some_were_merged() -> None:
    """With their exact number; one that asked for no more than the state does not."""
    for source, count in (("one", 1), ("", 0)):
        service = Connections([message("a", whole(5, p110=1.0)), message("b", whole(9, p110=2.0)), COMPLETE])
        events, _ = await read(service, source)
        gaps = [e for e in events if isinstance(e, Gap)]
        assert [g.missing_count for g in gaps] == [3] * count


async def test_a_book_that_grows_old_keeps_its_number() -> None:
    """Health alone may change, and a composite's levels with it."""
    service = Connections(
        [
            message("a", whole(5, p110=1.0)),
            message("b", diff(6, 5, health=2)),
            message("c", diff(6, p110=2.0)),
            COMPLETE,
        ]
    )
    events, book = await read(service)
    assert events == [5, 5, 6]
    assert book.live


async def test_shares_of_venues_are_kept() -> None:
    """Of a composite's levels: who shows how much, as it changes."""
    first = whole(5, p110=3.0)
    first.snapshot.bids[0].venues.add(source="a", quantity=1.0)
    first.snapshot.bids[0].venues.add(source="b", quantity=2.0)
    second = diff(6, p110=2.0)
    second.diff.bids[0].venues.add(source="b", quantity=2.0)
    stream = BookStream(["EUR/USD"], resumption=FAST)
    seen = []
    async for book in stream.events(
        Connections([message("a", first), message("b", second), message("c", diff(7, p110=0.0)), COMPLETE])
    ):
        seen.append(book.venues(1.1))
    assert seen == [{"a": 1.0, "b": 2.0}, {"b": 2.0}, {}]
