"""The books of an instance and their readers: what a client puts together is what stands on the board."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossrate.api.marketdata.v1 import book_events_pb2 as events_pb
from crossrate.api.marketdata.v1 import book_pb2 as pb
from crossrate.api.marketdata.v1 import book_service_pb2 as books_pb
from crossrate.client.books import BookStream, LiveBook
from crossrate.client.resuming import Gap
from services.marketdata.books import subscription
from services.marketdata.books.board import PLACES_PER_ENTRY, BookBoard
from services.marketdata.books.subscription import ChangeReader, Wanted, reader
from services.marketdata.cursor import Cursor
from services.marketdata.domain.composite import Health
from services.marketdata.ring import CursorUnknown

SECOND = 1_000_000_000
PAIRS = ("EUR/USD", "USD/JPY")
BOTH = frozenset(PAIRS)


class Feed:
    """Writes a log of books by hand, for one feed; keeps what should stand there."""

    def __init__(self, board: BookBoard, name: str = "one", epoch: int = 1) -> None:
        self.board, self.name, self.epoch = board, name, epoch
        self.sequences: dict[str, int] = {}
        self.bids: dict[str, dict[float, float]] = {}
        self.health: dict[str, int] = {}

    def snapshot(self, pair: str, bids: dict[float, float], *, health: int = 1, now_ns: int = 0) -> pb.BookChange:
        number = self.sequences[pair] = self.sequences.get(pair, 0) + 1
        self.bids[pair], self.health[pair] = dict(bids), health
        book = pb.Book(instrument=pair, source=self.name, sequence=number, health=health)
        book.bids.extend(pb.BookLevel(price=p, quantity=q) for p, q in sorted(bids.items(), reverse=True))
        book.receive_time.FromNanoseconds(now_ns)
        return pb.BookChange(snapshot=book)

    def diff(self, pair: str, bids: dict[float, float], *, health: int = 1, now_ns: int = 0) -> pb.BookChange:
        number = self.sequences[pair] = self.sequences[pair] + 1
        diff = pb.BookDiff(
            instrument=pair, source=self.name, first_sequence=number, last_sequence=number, health=health
        )
        for price, quantity in bids.items():
            diff.bids.add(price=price, quantity=quantity)
            self.bids[pair][price] = quantity
        self.bids[pair] = {p: q for p, q in self.bids[pair].items() if q}
        self.health[pair] = health
        diff.receive_time.FromNanoseconds(now_ns)
        return pb.BookChange(diff=diff)

    def write(
        self, *changes: pb.BookChange, board: BookBoard | None = None, number: int = 0, round_: bool = False
    ) -> int:
        board = board or self.board
        entry = events_pb.BooksPublished(epoch=self.epoch, changes=changes)
        if round_:
            for pair, number_of in self.sequences.items():
                book = self.snapshot(pair, self.bids[pair], health=self.health[pair]).snapshot
                book.sequence = self.sequences[pair] = number_of
                entry.books.append(book)
        number = number or (board.place + 1) // PLACES_PER_ENTRY
        board.apply(entry, self.name, number)
        return number


@pytest.fixture
def board() -> BookBoard:
    return BookBoard(64, stale_after_s=10)


@pytest.fixture
def feed(board: BookBoard) -> Feed:
    made = Feed(board)
    made.write(made.snapshot("EUR/USD", {1.1: 1.0, 1.0: 2.0}), made.snapshot("USD/JPY", {150.0: 1.0}))
    return made


class Client:
    """What a client makes of what a reader takes."""

    def __init__(self, board: BookBoard, wanted: Wanted) -> None:
        self.reader = reader(board, wanted)
        self.stream = BookStream(
            sorted(wanted.names), source=wanted.source, depth=wanted.depth, conflation_s=wanted.conflation_s
        )

    def read(self) -> list[LiveBook | Gap]:
        return [event for message in self.messages() for event in self.stream._taken(message)]

    def messages(self) -> Iterator[books_pb.StreamBookResponse]:
        while self.reader.pending():
            message = books_pb.StreamBookResponse()
            message.books.MergeFromString(b"".join(self.reader.take()))
            yield message

    def book(self, pair: str = "EUR/USD") -> LiveBook:
        return self.stream.books[pair]


def test_a_reader_begins_with_whole_books_and_goes_on_with_every_change(board: BookBoard, feed: Feed) -> None:
    """First what stands there, then each change under its number; others' not at all."""
    client = Client(board, Wanted(frozenset({"EUR/USD"}), "one"))
    assert [e.sequence for e in client.read()] == [1]
    feed.write(feed.diff("EUR/USD", {1.1: 0.0}), feed.diff("USD/JPY", {1.0: 1.0}), feed.diff("EUR/USD", {1.2: 3.0}))
    assert [e.instrument for e in client.read()] == ["EUR/USD", "EUR/USD"]
    assert client.book().sequence == 3
    assert client.book().bids() == [(1.2, 3.0), (1.0, 2.0)]


def test_a_limited_view_is_told_what_is_within_it(board: BookBoard, feed: Feed) -> None:
    """A change beyond the depth is no message; a level that moves up into it is new, one that is pushed out goes."""
    client = Client(board, Wanted(frozenset({"EUR/USD"}), "one", depth=1))
    client.read()
    feed.write(feed.diff("EUR/USD", {1.0: 5.0, 0.9: 1.0}))
    assert client.read() == []
    feed.write(feed.diff("EUR/USD", {1.2: 1.0}))
    message = next(client.messages()).books.changes[0].diff
    assert (message.first_sequence, message.last_sequence) == (2, 3)
    assert [(u.action, u.price) for u in message.bids] == [
        (pb.BOOK_UPDATE_ACTION_DELETE, 1.1),
        (pb.BOOK_UPDATE_ACTION_NEW, 1.2),
    ]


@pytest.mark.parametrize("behind", [subscription.BACKLOG_MAX + 5, 70])
def test_a_reader_that_falls_behind_gets_the_book_and_the_exact_count(behind: int) -> None:
    """Whether the ring still has the changes or not."""
    board = BookBoard(4_096 if behind > 70 else 64, 10)
    feed = Feed(board)
    feed.write(feed.snapshot("EUR/USD", {1.1: 1.0}))
    client = Client(board, Wanted(frozenset({"EUR/USD"}), "one"))
    client.read()
    for number in range(behind):
        feed.write(feed.diff("EUR/USD", {1.0: 1.0 + number}))
    gap, book = client.read()
    assert isinstance(gap, Gap)
    assert (gap.instrument, gap.missing_count) == ("EUR/USD", behind - 1)
    assert isinstance(book, LiveBook)
    assert dict(book.bids()) == feed.bids["EUR/USD"]


def test_a_resumed_reader_gets_exactly_what_it_missed(board: BookBoard, feed: Feed) -> None:
    """On another instance too, which has the same changes under the same places."""
    other = BookBoard(64, 10)
    twin = Feed(other)
    twin.write(twin.snapshot("EUR/USD", {1.1: 1.0, 1.0: 2.0}), twin.snapshot("USD/JPY", {150.0: 1.0}))
    cursor = board.cursor(board.head)
    for each in (feed, twin):
        for number in range(5):
            each.write(each.diff("EUR/USD", {1.0: 5.0 + number}))
    position = other.find(cursor)
    assert position is not None
    chosen = ChangeReader(other, BOTH, "one")
    chosen.resume(position)
    assert chosen.take() == [e.encoded for e in board.between(2, BOTH, "one")]
    assert len(chosen.board.between(position, BOTH)) == 5
    with pytest.raises(CursorUnknown):
        other.find(Cursor(1, 3 * PLACES_PER_ENTRY + 5))
    assert other.find(Cursor(1, 900 * PLACES_PER_ENTRY)) is None


def test_a_book_that_grows_old_is_told_once(board: BookBoard, feed: Feed) -> None:
    """Under its number, to readers of every kind; a composite is then without it."""
    two = Feed(board, "two")
    two.write(two.snapshot("EUR/USD", {1.2: 1.0}, now_ns=10 * SECOND))
    clients = [
        Client(board, Wanted(frozenset({"EUR/USD"}), "one")),
        Client(board, Wanted(frozenset({"EUR/USD"}), "one", depth=1)),
        Client(board, Wanted(frozenset({"EUR/USD"}))),
    ]
    for client in clients:
        client.read()
    assert dict(clients[2].book().bids()) == {1.2: 1.0, 1.1: 1.0, 1.0: 2.0}
    assert board.mark_stale(11 * SECOND) == 2
    for client in clients:
        before = client.book().sequence
        assert len(client.read()) == 1
        assert client.book().sequence == before
    assert [client.book().health for client in clients] == [Health.STALE, Health.STALE, Health.LIVE]
    assert clients[2].book().bids() == [(1.2, 1.0)]
    assert board.mark_stale(12 * SECOND) == 2
    assert [client.read() for client in clients] == [[], [], []]
    feed.write(feed.diff("EUR/USD", {}, now_ns=12 * SECOND))
    assert [len(client.read()) for client in clients] == [1, 1, 1]
    assert clients[0].book().live
    assert len(clients[2].book().bids()) == 3


def test_a_composite_says_who_shows_what(board: BookBoard, feed: Feed) -> None:
    """Quantities at one price are summed and told apart; with one venue it is that venue's own book."""
    view = board.view("EUR/USD")
    assert view is not None
    assert view.shown.source == "one"
    client = Client(board, Wanted(frozenset({"EUR/USD"})))
    client.read()
    two = Feed(board, "two")
    two.write(two.snapshot("EUR/USD", {1.1: 4.0, 1.05: 1.0}))
    client.read()
    book = client.book()
    assert (book.source, book.sequence, book.bids(2)) == ("composite", 2, [(1.1, 5.0), (1.05, 1.0)])
    assert book.venues(1.1) == {"one": 1.0, "two": 4.0}
    two.write(two.diff("EUR/USD", {1.1: 0.0}))
    client.read()
    assert book.venues(1.1) == {"one": 1.0}


def test_a_gap_of_the_venue_reaches_the_client(board: BookBoard, feed: Feed) -> None:
    """With its numbers, and until the whole book comes."""
    client = Client(board, Wanted(frozenset({"EUR/USD"}), "one"))
    client.read()
    change = feed.diff("EUR/USD", {}, health=3)
    change.diff.gap.expected_sequence, change.diff.gap.received_sequence = 7, 9
    feed.write(change)
    client.read()
    assert client.book().gap is not None
    assert client.book().gap.expected_sequence == 7
    assert not client.book().live
    assert board.view("EUR/USD", "one").message().gap.received_sequence == 9
    feed.write(feed.snapshot("EUR/USD", {1.3: 1.0}))
    assert not [e for e in client.read() if isinstance(e, Gap)]
    assert client.book().live
    assert client.book().gap is None


def test_an_instance_that_begins_in_the_middle_is_whole_after_a_round(board: BookBoard, feed: Feed) -> None:
    """What comes before the round's book is passed on to readers who have the book, and is no gap."""
    late = BookBoard(64, 10)
    feed.write(feed.diff("EUR/USD", {1.0: 9.0}), board=late, number=7)
    assert late.view("EUR/USD") is None
    assert late.head == 1
    feed.write(board=late, number=8, round_=True)
    assert dict(late.view("EUR/USD").shown.bids[i][:2] for i in range(2)) == feed.bids["EUR/USD"]
    feed.write(feed.diff("EUR/USD", {1.0: 10.0}), board=late, number=9)
    assert late.held("EUR/USD", "one").ladder.bids.quantity(1.0) == 10.0
    assert late.holes == 0


def test_a_hole_in_the_log_is_a_gap_until_a_round(board: BookBoard, feed: Feed) -> None:
    """Nobody is shown a book that lacks what the log forgot; readers begin with the whole one."""
    client = Client(board, Wanted(frozenset({"EUR/USD"}), "one"))
    client.read()
    feed.diff("EUR/USD", {1.0: 9.0})
    feed.write(feed.diff("EUR/USD", {1.0: 10.0}))
    held = board.held("EUR/USD", "one")
    assert (held.health, held.gap.expected_sequence, held.gap.received_sequence) == (Health.GAPPED, 2, 3)
    feed.write(feed.diff("EUR/USD", {1.0: 11.0}))
    assert board.holes == 1
    feed.write(round_=True)
    fresh = Client(board, Wanted(frozenset({"EUR/USD"}), "one"))
    fresh.read()
    assert dict(fresh.book().bids()) == feed.bids["EUR/USD"]
    assert fresh.book().live


def test_what_the_board_has_already_changes_nothing(board: BookBoard, feed: Feed) -> None:
    """Older numbers of one term are left out; a greater term may begin a book anew."""
    entry = events_pb.BooksPublished(epoch=1, changes=[feed.snapshot("EUR/USD", {1.5: 1.0})])
    board.apply(entry, "one", 5)
    board.apply(entry, "one", 6)
    assert board.discarded == 1
    again = Feed(board, epoch=2)
    again.write(again.snapshot("EUR/USD", {1.7: 1.0}))
    assert board.held("EUR/USD", "one").sequence == 1
    assert board.view("EUR/USD").shown.bids[0].price == 1.7


def test_readers_of_the_same_share_what_is_encoded(board: BookBoard, feed: Feed) -> None:
    """One view for all who ask, one encoding of the way from one to the next."""
    clients = [Client(board, Wanted(BOTH, "one", depth=2)).reader for _ in range(3)]
    for each in clients:
        each.take()
    feed.write(feed.diff("EUR/USD", {1.1: 7.0}))
    first, *others = [each.take()[0] for each in clients]
    assert all(other is first for other in others)


def test_long_messages_are_divided(monkeypatch: pytest.MonkeyPatch) -> None:
    """At a limit of bytes, between elements; one that is longer alone goes alone."""
    monkeypatch.setattr(subscription, "MESSAGE_BYTES_MAX", 10)
    assert subscription.parts([b"1234", b"5678", b"90", b"x" * 20, b"1"]) == [
        [b"1234", b"5678", b"90"],
        [b"x" * 20],
        [b"1"],
    ]
    assert subscription.parts([]) == [[]]


async def test_frames_beat_conflate_and_end(board: BookBoard, feed: Feed) -> None:
    """A heartbeat in silence, one message in an interval however much changes, an end when it is told to."""
    clock, ending = [0.0], asyncio.Event()

    def passing() -> float:
        clock[0] += 0.004
        return clock[0]

    wanted = Wanted(frozenset({"EUR/USD"}), conflation_s=60.0, heartbeat_s=0.01)
    frames = subscription.frames(board, wanted, ending, monotonic=passing)
    first = books_pb.StreamBookResponse.FromString((await anext(frames)).encoded)
    assert first.books.changes[0].snapshot.sequence == 1
    for number in range(3):
        feed.write(feed.diff("EUR/USD", {1.0: 5.0 + number}))
    beat = books_pb.StreamBookResponse.FromString((await anext(frames)).encoded)
    assert beat.WhichOneof("event") == "heartbeat"
    assert beat.position.cursor == first.position.cursor
    clock[0] = 61.0
    merged = books_pb.StreamBookResponse.FromString((await anext(frames)).encoded)
    assert merged.position.sequence == 3
    diff = merged.books.changes[0].diff
    assert (diff.first_sequence, diff.last_sequence, diff.bids[0].quantity) == (2, 4, 7.0)
    ending.set()
    with pytest.raises(StopAsyncIteration):
        await anext(frames)


def expected(board: BookBoard, pair: str, wanted: Wanted) -> tuple[int, int, list[tuple[float, float]]] | None:
    """What a client should have of a book."""
    view = board.view(pair, wanted.source, wanted.depth)
    if view is None:
        return None
    return view.shown.sequence, int(view.shown.health), [level[:2] for level in view.shown.bids]


@settings(max_examples=80, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_whatever_happens_a_client_has_the_board(seed: int) -> None:
    """Two feeds that change, gap, heal and age, and clients of every kind that look when they like: each time, what a
    client has put together is the board's view of that book, and nothing is told twice or left out unsaid."""
    chance = random.Random(seed)
    board = BookBoard(32, stale_after_s=10)
    feeds = [Feed(board, "one"), Feed(board, "two")]
    kinds = [(source, depth, pace) for source in ("", "one", "two") for depth in (0, 1, 3) for pace in (0.0, 1.0)]
    clients = [(w, Client(board, w)) for w in (Wanted(BOTH, *kind) for kind in kinds)]
    now_ns = 0
    for _ in range(60):
        feed, pair = chance.choice(feeds), chance.choice(PAIRS)
        now_ns += chance.randint(0, 3) * SECOND
        changes = []
        for _ in range(chance.randint(1, 4)):
            levels = {chance.randint(1, 6) / 8: float(chance.randint(0, 3)) for _ in range(chance.randint(0, 3))}
            health = chance.choice([1, 1, 1, 1, 3, 5])
            if pair not in feed.sequences or chance.random() < 0.1:
                whole = {p: q for p, q in levels.items() if q}
                changes.append(feed.snapshot(pair, whole, health=health, now_ns=now_ns))
            else:
                changes.append(feed.diff(pair, levels, health=health, now_ns=now_ns))
        feed.write(*changes, round_=chance.random() < 0.1)
        if chance.random() < 0.3:
            board.mark_stale(now_ns)
        for wanted, client in clients:
            if chance.random() < 0.4:
                client.read()
                for each in PAIRS:
                    told = client.stream.books.get(each)
                    should = expected(board, each, wanted)
                    if should is None:
                        assert told is None
                    else:
                        assert told is not None
                        assert (told.health, [tuple(x) for x in told.bids()]) == should[1:]
                        # Of what is beyond its depth a client is not told, its number included.
                        assert told.sequence <= should[0]
                        if not wanted.depth and wanted.source and not wanted.conflation_s:
                            assert told.sequence == should[0]
