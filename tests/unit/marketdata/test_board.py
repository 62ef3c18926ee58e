"""The board and the streams that read it."""

import asyncio

import pytest

from crossrate.api.marketdata.v1 import marketdata_events_pb2 as events_pb
from crossrate.api.marketdata.v1 import marketdata_service_pb2 as service_pb
from crossrate.api.marketdata.v1 import quote_pb2 as pb
from services.marketdata import cursor as cursors
from services.marketdata import subscription
from services.marketdata.board import PLACES_PER_ENTRY, Board
from services.marketdata.cursor import Cursor
from services.marketdata.quote_log import LogUnavailable
from services.marketdata.ring import CursorUnknown
from services.marketdata.subscription import BACKLOG_MAX, BATCH_MAX, Reader, Wanted
from tests.unit.marketdata.looks import away, never, nothing

SECOND = 1_000_000_000
BOTH = frozenset({"EUR/USD", "USD/JPY"})


def quote(name: str, sequence: int, now_ns: int = 0) -> pb.Quote:
    made = pb.Quote(instrument=name, bid=1.0 + sequence * 1e-4, ask=1.1 + sequence * 1e-4, sequence=sequence)
    made.health = pb.QUOTE_HEALTH_LIVE
    made.receive_time.FromNanoseconds(now_ns)
    return made


class Venue:
    """Writes a log by hand: quotes numbered as a feed does."""

    def __init__(self, board: Board, epoch: int = 1, feed: str = "simulated") -> None:
        self.board, self.epoch, self.next, self.feed = board, epoch, 1, feed
        self.sequences: dict[str, int] = {}

    def entry(self, *names: str, now_ns: int = 0) -> events_pb.QuotesPublished:
        quotes = []
        for name in names:
            self.sequences[name] = self.sequences.get(name, 0) + 1
            quotes.append(quote(name, self.sequences[name], now_ns))
        made = events_pb.QuotesPublished(epoch=self.epoch, first_sequence=self.next, quotes=quotes)
        self.next += len(names)
        return made

    def say(self, *names: str, now_ns: int = 0) -> None:
        self.apply(self.entry(*names, now_ns=now_ns))

    def apply(self, entry: events_pb.QuotesPublished, number: int = 0, board: Board | None = None) -> None:
        """As the log's next entry, or with a number of one's own."""
        board = board or self.board
        board.apply(entry, self.feed, number or board.place // (2 * PLACES_PER_ENTRY) + 1)


@pytest.fixture
def board() -> Board:
    return Board(8_192, stale_after_s=10)


@pytest.fixture
def venue(board: Board) -> Venue:
    return Venue(board)


def sequences(batch: subscription.Batch | None) -> list[tuple[str, int]]:
    return [] if batch is None else [(e.name, e.quote.sequence) for e in batch.entries]


def test_a_reader_begins_with_the_newest_and_goes_on_with_every_quote(board: Board, venue: Venue) -> None:
    """First the last value of each instrument, then all that follow, none twice, others' not at all."""
    venue.say("EUR/USD", "USD/JPY", "EUR/USD", "GBP/USD")
    reader = Reader(board, BOTH, conflate=False)
    assert sequences(reader.take()) == [("USD/JPY", 1), ("EUR/USD", 2)]
    assert not reader.pending()
    venue.say("EUR/USD", "GBP/USD", "EUR/USD")
    batch = reader.take()
    assert sequences(batch) == [("EUR/USD", 3), ("EUR/USD", 4)]
    assert batch is not None
    assert batch.conflated == 0
    venue.say("GBP/USD")
    assert reader.take() is None
    assert not reader.pending()


def test_a_reader_that_fell_behind_gets_the_newest_and_the_exact_count(board: Board, venue: Venue) -> None:
    """Whether the ring still has them or not, what was left out is counted to the quote."""
    for behind in (BACKLOG_MAX + 1, 2 * BACKLOG_MAX):
        venue.say("EUR/USD", "USD/JPY")
        reader = Reader(board, BOTH, conflate=False)
        reader.take()
        for _ in range(behind):
            venue.say("EUR/USD")
        batch = reader.take()
        assert batch is not None
        assert sequences(batch) == [("EUR/USD", venue.sequences["EUR/USD"])]
        assert batch.conflated == behind - 1
        assert not reader.pending()


def test_a_reader_that_is_a_little_behind_gets_every_quote(board: Board, venue: Venue) -> None:
    """What does not fit into one message comes in the next, without conflation."""
    venue.say("EUR/USD", "USD/JPY")
    reader = Reader(board, BOTH, conflate=False)
    reader.take()
    for _ in range(BACKLOG_MAX):
        venue.say("EUR/USD")
    got, sizes = [], []
    while reader.pending() and (batch := reader.take()):
        assert batch.conflated == 0
        got += [sequence for _, sequence in sequences(batch)]
        sizes.append(len(batch.entries))
    assert got == list(range(2, BACKLOG_MAX + 2))
    assert sizes == [BATCH_MAX] * (BACKLOG_MAX // BATCH_MAX)


def test_a_resumed_reader_gets_exactly_what_it_missed(board: Board, venue: Venue) -> None:
    """However much that is, as long as the ring has it, in batches, then live; without loss or repetition."""
    venue.say("EUR/USD", "USD/JPY", "GBP/USD")
    at = board.head
    for _ in range(600):
        venue.say("EUR/USD", "GBP/USD", "USD/JPY")
    reader = Reader(board, BOTH, conflate=False)
    reader.resume(at)
    got, sizes = [], []
    while batch := reader.take():
        got += sequences(batch)
        sizes.append(len(batch.entries))
    assert got == [(n, s) for s in range(2, 602) for n in ("EUR/USD", "USD/JPY")]
    assert max(sizes) == BATCH_MAX
    venue.say("USD/JPY")
    assert sequences(reader.take()) == [("USD/JPY", 602)]


def test_a_resumed_reader_that_conflates_counts_from_its_cursor(board: Board, venue: Venue) -> None:
    """Nothing sent on this stream before, and yet the count is exact."""
    venue.say("EUR/USD", "USD/JPY")
    at = board.head
    venue.say("EUR/USD", "EUR/USD", "EUR/USD")
    reader = Reader(board, BOTH, conflate=True)
    reader.resume(at)
    batch = reader.take()
    assert sequences(batch) == [("EUR/USD", 4)]
    assert batch is not None
    assert batch.conflated == 2


def test_a_quote_that_ages_is_stale_once(board: Board, venue: Venue) -> None:
    """Stale is said once under the quote's own number, and the next quote is live again."""
    venue.say("EUR/USD", "USD/JPY", now_ns=100 * SECOND)
    reader = Reader(board, BOTH, conflate=False)
    reader.take()
    assert board.mark_stale(110 * SECOND) == 0
    venue.say("USD/JPY", now_ns=105 * SECOND)
    reader.take()
    assert board.mark_stale(112 * SECOND) == 1
    batch = reader.take()
    assert batch is not None
    assert sequences(batch) == [("EUR/USD", 1)]
    assert batch.entries[0].quote.health == pb.QUOTE_HEALTH_STALE
    assert board.mark_stale(113 * SECOND) == 1
    assert reader.take() is None
    last = board.last("EUR/USD")
    assert last is not None
    assert last.response().quote.health == pb.QUOTE_HEALTH_STALE
    venue.say("EUR/USD", now_ns=114 * SECOND)
    assert board.mark_stale(114 * SECOND) == 0
    batch = reader.take()
    assert batch is not None
    assert batch.entries[0].quote.health == pb.QUOTE_HEALTH_LIVE


def test_entries_that_come_again_change_nothing(board: Board, venue: Venue) -> None:
    """Applying a log twice, or an entry of a term that is over, is applying it once."""
    first, second = venue.entry("EUR/USD"), venue.entry("EUR/USD")
    for entry in (first, second, first, second):
        venue.apply(entry)
    assert board.head == 2
    venue.epoch = 0
    venue.say("EUR/USD")
    assert board.head == 2
    assert board.discarded == 3


def test_a_board_begun_in_the_middle_is_complete_with_the_log_s_own_board() -> None:
    """Last values that are older than the ring come with the entry that carries the board."""
    late = Board(64, 10)
    entry = events_pb.QuotesPublished(epoch=5, first_sequence=101, quotes=[quote("EUR/USD", 51)])
    entry.board.extend([quote("USD/JPY", 7), quote("EUR/USD", 50)])
    late.apply(entry, "simulated", 77)
    assert (late.oldest, late.head) == (1, 1)
    assert {n: e.quote.sequence for n, e in late.newest().items()} == {"USD/JPY": 7, "EUR/USD": 51}


def test_places_of_every_instance_are_the_same(venue: Venue, board: Board) -> None:
    """A cursor of one board is a place in another that read the same log, also if it began later."""
    other = Board(64, 10)
    for number in range(1, 41):
        entry = venue.entry("EUR/USD", "USD/JPY")
        venue.apply(entry, number)
        if number > 10:
            venue.apply(entry, number, other)
    found = other.find(board.cursor(50))
    assert found == 30
    assert other.between(found, BOTH)[0].encoded == board.between(50, BOTH)[0].encoded
    with pytest.raises(CursorUnknown):
        other.find(board.cursor(15))


async def test_a_place_ahead_is_looked_for_and_one_that_is_another_s_is_unknown(venue: Venue, board: Board) -> None:
    """An instance that lags asks the log: what is there is found, what is not has expired, and no answer is none."""
    venue.say("EUR/USD", "EUR/USD")
    newest = board.cursor(2).place
    assert board.find(board.cursor(2)) == 2
    with pytest.raises(CursorUnknown):
        board.find(Cursor(0, newest))
    other = Board(64, 10)
    ahead = venue.entry("EUR/USD")
    venue.apply(ahead, 3, other)
    cursor = other.cursor(1)
    assert cursor.place > newest
    assert board.find(cursor) is None

    async def read() -> None:
        venue.apply(ahead, 3)

    with pytest.raises(LogUnavailable):
        await board.found(cursor, 0.0, away)
    with pytest.raises(CursorUnknown):
        await board.found(cursor, 0.0, nothing)
    assert await board.found(cursor, 0.0, read) == board.head


def test_whoever_has_quotes_of_a_log_that_was_lost_has_no_cursor_that_begins_anew_in_silence(
    venue: Venue, board: Board
) -> None:
    """Until the next quote a board without its log gives out a place that no ring has, and not that of a beginner."""
    assert board.cursor(0).place == 0
    venue.say("EUR/USD")
    board.forget_places()
    cursor = board.cursor(board.head)
    assert cursor.place > 0
    assert board.find(cursor) is None
    other = Board(64, 10)
    Venue(other, epoch=99).say("EUR/USD")
    with pytest.raises(CursorUnknown):
        other.find(cursor)


def test_a_feed_that_begins_anew_gives_readers_the_newest(venue: Venue, board: Board) -> None:
    """When a log was lost with all its writers, a greater epoch counts from 1, and readers begin again."""
    venue.say("EUR/USD", "EUR/USD", "USD/JPY")
    reader = Reader(board, BOTH, conflate=False)
    reader.take()
    again = Venue(board, epoch=99)
    again.say("USD/JPY")
    assert board.generation == 1
    assert sequences(reader.take()) == [("USD/JPY", 1)]


async def test_the_ring_forgets_the_oldest() -> None:
    """A ring of 2,048 has the last 2,048 quotes; a cursor older than that is expired and the oldest place is told."""
    board = Board(2_048, stale_after_s=10)
    venue = Venue(board)
    cursor = board.cursor(0)
    for _ in range(4_000):
        venue.say("EUR/USD")
        cursor = cursor if cursor.place else board.cursor(1)
    assert (board.oldest, board.head) == (1_953, 4_000)
    with pytest.raises(CursorUnknown) as caught:
        await board.found(cursor, 0.0, never)
    assert board.find(caught.value.oldest) == 1_953
    assert len(board.between(1_952, BOTH)) == 2_048


async def test_frames_are_what_the_contract_says(board: Board, venue: Venue) -> None:
    """The bytes of a frame parse to the message that they stand for, numbered from 1, each with its cursor."""
    venue.say("EUR/USD", "USD/JPY")
    stream = subscription.frames(board, Wanted(BOTH, 0.0, 5.0, messages_max=2), asyncio.Event())
    first = service_pb.StreamQuotesResponse.FromString((await anext(stream)).encoded)
    assert first.position.sequence == 1
    assert cursors.decode(first.position.cursor) == board.cursor(2)
    assert list(first.quotes.quotes) == [board.newest()[n].quote for n in ("EUR/USD", "USD/JPY")]
    for _ in range(BACKLOG_MAX + 1):
        venue.say("EUR/USD")
    second = service_pb.StreamQuotesResponse.FromString((await anext(stream)).encoded)
    assert second.position.sequence == 2
    assert second.quotes.conflated_count == BACKLOG_MAX
    with pytest.raises(StopAsyncIteration):
        await anext(stream)


async def test_silence_is_broken_by_heartbeats(board: Board, venue: Venue) -> None:
    """Without quotes of interest there is a heartbeat, and its cursor moves with the feed."""
    stream = subscription.frames(board, Wanted(BOTH, 0.0, 0.02), asyncio.Event())
    venue.say("GBP/USD")
    beat = service_pb.StreamQuotesResponse.FromString((await anext(stream)).encoded)
    assert beat.HasField("heartbeat")
    assert cursors.decode(beat.position.cursor) == board.cursor(1)
    await stream.aclose()


async def test_conflation_sends_at_most_one_message_in_its_interval(board: Board, venue: Venue) -> None:
    """Quotes inside of the interval wait, and only the newest of each is sent at its end, half an interval later at
    least."""
    loop = asyncio.get_running_loop()
    stream = subscription.frames(board, Wanted(BOTH, 0.05, 5.0), asyncio.Event())
    venue.say("EUR/USD")
    await anext(stream)
    begun = loop.time()
    for _ in range(5):
        venue.say("EUR/USD", "USD/JPY")
    batch = service_pb.StreamQuotesResponse.FromString((await anext(stream)).encoded).quotes
    assert loop.time() - begun > 0.02
    assert [(q.instrument, q.sequence) for q in batch.quotes] == [("EUR/USD", 6), ("USD/JPY", 5)]
    assert batch.conflated_count == 8
    await stream.aclose()


async def test_many_streams_send_fewer_messages_with_every_quote(board: Board, venue: Venue) -> None:
    """Among a thousand streams one sends ten messages a second at most, and leaves nothing out; alone it does not
    wait, and a stream that ended does not count any more."""
    loop = asyncio.get_running_loop()
    stream = subscription.frames(board, Wanted(BOTH, 0.0, 5.0), asyncio.Event())
    venue.say("EUR/USD")
    await anext(stream)
    assert board.readers == 1
    board.readers += 999
    venue.say("EUR/USD")
    await anext(stream)
    begun = loop.time()
    for _ in range(7):
        venue.say("EUR/USD", "USD/JPY")
    batch = service_pb.StreamQuotesResponse.FromString((await anext(stream)).encoded).quotes
    assert loop.time() - begun > 0.08
    assert (len(batch.quotes), batch.conflated_count) == (14, 0)
    await stream.aclose()
    assert board.readers == 999


async def test_a_stopped_reader_costs_the_others_nothing(board: Board, venue: Venue) -> None:
    """One stream is not read at all while another gets every quote, and later it gets the newest."""
    stopped = subscription.frames(board, Wanted(BOTH, 0.0, 5.0), asyncio.Event())
    reading = subscription.frames(board, Wanted(BOTH, 0.0, 5.0), asyncio.Event())
    venue.say("EUR/USD")
    await anext(stopped)
    got = 0
    for _ in range(6_000):
        venue.say("EUR/USD")
        frame = service_pb.StreamQuotesResponse.FromString((await anext(reading)).encoded)
        got += len(frame.quotes.quotes)
        assert frame.quotes.conflated_count == 0
    assert got == 6_000
    late = service_pb.StreamQuotesResponse.FromString((await anext(stopped)).encoded)
    assert [q.sequence for q in late.quotes.quotes] == [6_001]
    assert late.quotes.conflated_count == 5_999
    await stopped.aclose()
    await reading.aclose()


@pytest.mark.parametrize(
    "text", ["x", "AAAA", "!" * 28, Cursor(1, 2).encode()[:-4], Cursor(1, 2).encode()[:-2] + "AA", "A" * 28]
)
def test_a_cursor_that_was_tampered_with_is_refused(text: str) -> None:
    """Cut, mistyped or made up: an error, never a place."""
    with pytest.raises(ValueError, match="cursor"):
        cursors.decode(text)


def test_cursors_survive_the_wire() -> None:
    """Encoding and decoding is the identity, in 28 characters."""
    for cursor in (Cursor(0, 0), Cursor(1_763_000_000_000, 2**63)):
        assert cursors.decode(cursor.encode()) == cursor
        assert len(cursor.encode()) == 28
