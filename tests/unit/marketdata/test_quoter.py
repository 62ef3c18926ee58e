"""The simulated venue: what it writes into the log."""

import asyncio
import dataclasses

import pytest

from crossrate.api.marketdata.v1 import marketdata_events_pb2 as events_pb
from crossrate.api.marketdata.v1 import quote_pb2 as pb
from crossrate.api.reference.v1 import instrument_pb2 as reference_pb
from services.marketdata import ecb
from services.marketdata.board import Board
from services.marketdata.catalogue import Catalogue
from services.marketdata.domain.calibration import calibrate
from services.marketdata.domain.simulation import Market
from services.marketdata.quoter import Quoter
from services.marketdata.settings import FeedConfig
from services.marketdata.simulated import FEED, Simulated
from services.marketdata.term import BOARD_EVERY, BOARD_EVERY_QUOTES
from services.marketdata.term import Term as Writing

NAMES = ("EUR/USD", "USD/JPY", "USD/TRY", "EUR/SKK", "NOK/SEK")
CONFIG = FeedConfig(quotes_per_s=20.0, hours=False)


def instrument(name: str, status: int = reference_pb.INSTRUMENT_STATUS_TRADING, version: int = 1):
    base, counter = name.split("/")
    made = reference_pb.Instrument(name=name, base=base, counter=counter, price_precision=5, direct=name != "NOK/SEK")
    made.status, made.version = status, version
    return made


@pytest.fixture(scope="module")
def market() -> Market:
    history = ecb.load()
    return Market(calibrate(history, history.current(), window_days=780, half_life_days=120), seed=1)


@dataclasses.dataclass
class Term:
    """A writer whose entries reach the board at once."""

    market: Market
    catalogue: Catalogue
    board: Board
    writing: Writing
    now_ns: int = 1_000_000_000
    number: int = 0
    config: FeedConfig = CONFIG
    state: events_pb.FeedState = dataclasses.field(default_factory=events_pb.FeedState)

    def __post_init__(self) -> None:
        self.quoter = Quoter(self.market, self.catalogue, lambda: self.config, self.writing)

    def tick(self, elapsed_s: float = 0.1, always: bool = False):
        self.now_ns += round(elapsed_s * 1e9)
        entry = self.quoter.tick(elapsed_s, self.now_ns, always=always)
        if entry is not None:
            self.number += 1
            self.writing.appended(entry, self.number)
            self.board.apply(entry, FEED, self.number)
            self.state = entry.state
        return entry

    def newest(self, name: str) -> pb.Quote:
        return self.board.newest()[name].quote

    def succeed(self) -> "Term":
        standing = self.board.feeds[FEED]
        newest = {name: entry.quote for name, entry in self.board.newest(FEED).items()}
        writing = Writing(FEED, standing.epoch + 1, standing.sequence + 1, newest, self.state)
        return dataclasses.replace(self, writing=writing)


@pytest.fixture
def term(market: Market) -> Term:
    catalogue = Catalogue()
    catalogue.take(instrument(n) for n in NAMES)
    return Term(market, catalogue, Board(4_096, 10), Writing(FEED, 1))


def test_every_direct_instrument_is_quoted_at_once(term: Term) -> None:
    """The first entry has one quote of each; neither a currency that ended nor a cross is quoted."""
    entry = term.tick()
    assert sorted(q.instrument for q in entry.quotes) == ["EUR/USD", "USD/JPY", "USD/TRY"]
    for quote in entry.quotes:
        assert quote.bid < quote.ask
        assert quote.sequence == 1
        assert quote.health == pb.QUOTE_HEALTH_LIVE
        assert quote.source == "simulated"


def test_the_rate_is_kept_whatever_the_ticks(term: Term) -> None:
    """Ten seconds at 20 quotes a second give 200 quotes, in ticks of any length, also beyond one of each a tick."""
    term.tick()
    for tick_s in (0.01, 0.1, 1.0):
        head = term.board.head
        for _ in range(round(10 / tick_s)):
            term.tick(tick_s)
        assert term.board.head - head == pytest.approx(200, abs=1)


def test_sequences_have_no_gaps_over_terms(term: Term) -> None:
    """Three writers one after the other number every instrument 1, 2, 3 …, and the feed as well."""
    seen: dict[str, list[int]] = {}
    numbers: list[int] = []
    for _ in range(3):
        for _ in range(50):
            entry = term.tick()
            if entry is not None:
                numbers += range(entry.first_sequence, entry.first_sequence + len(entry.quotes))
                for quote in entry.quotes:
                    seen.setdefault(quote.instrument, []).append(quote.sequence)
        term = term.succeed()
    assert numbers == list(range(1, len(numbers) + 1))
    assert all(s == list(range(1, len(s) + 1)) for s in seen.values())


def test_the_market_goes_on_under_the_next_writer(term: Term) -> None:
    """A successor quotes what the writer itself would have quoted: prices do not jump."""
    for _ in range(20):
        term.tick()
    heir = term.succeed()
    heir.tick(always=True)
    assert list(heir.state.log_rates) == list(term.quoter.tick(0.1, 0, always=True).state.log_rates)
    assert heir.state.step == 21


def test_another_calibration_begins_at_its_own_rates(term: Term, market: Market) -> None:
    """A state is not continued under a calibration that it does not belong to."""
    term.tick()
    term.state.calibration = "another"
    heir = term.succeed()
    heir.tick(1e-9, always=True)
    assert heir.state.step == 1


def test_a_halted_instrument_is_closed_once_and_quoted_no_more(term: Term) -> None:
    """A halt is said by one CLOSED quote at the last price; reopening is the next sequence."""
    term.tick()
    before = term.newest("EUR/USD")
    term.catalogue.take([instrument("EUR/USD", reference_pb.INSTRUMENT_STATUS_HALTED, 2)])
    for _ in range(30):
        term.tick()
    halted = term.newest("EUR/USD")
    assert (halted.health, halted.bid, halted.ask) == (pb.QUOTE_HEALTH_CLOSED, before.bid, before.ask)
    assert halted.sequence == before.sequence + 1
    term.catalogue.take([instrument("EUR/USD", reference_pb.INSTRUMENT_STATUS_TRADING, 3)])
    for _ in range(30):
        term.tick()
    again = term.newest("EUR/USD")
    assert again.health == pb.QUOTE_HEALTH_LIVE
    assert again.sequence > halted.sequence


def test_a_change_that_comes_late_or_twice_does_not_count(term: Term) -> None:
    """Only a greater version of an instrument is news."""
    halt = instrument("EUR/USD", reference_pb.INSTRUMENT_STATUS_HALTED, 5)
    assert term.catalogue.take([halt]) == 1
    assert term.catalogue.take([halt, instrument("EUR/USD", version=4)]) == 0
    assert not next(i for i in term.catalogue.direct() if i.name == "EUR/USD").quoted


def test_a_closed_session_closes_quotes(term: Term) -> None:
    """Outside of its session an instrument is CLOSED, inside it is live."""
    term.tick()
    term.catalogue.set_open("USD/JPY", False)
    term.tick()
    assert term.newest("USD/JPY").health == pb.QUOTE_HEALTH_CLOSED
    term.catalogue.set_open("USD/JPY", True)
    for _ in range(10):
        term.tick()
    assert term.newest("USD/JPY").health == pb.QUOTE_HEALTH_LIVE


def test_nothing_due_is_no_entry_unless_one_is_wanted(term: Term) -> None:
    """Silence is broken only on demand, by an entry without quotes."""
    term.tick()
    assert term.tick(1e-6) is None
    entry = term.tick(1e-6, always=True)
    assert not entry.quotes
    assert entry.first_sequence == term.board.head + 1


def test_the_board_is_in_the_log_often_enough(term: Term) -> None:
    """The first entry of a term and every 150th after it carry the newest quote of each instrument before them."""
    boards = [len(term.tick(always=True).board) for _ in range(BOARD_EVERY + 1)]
    assert boards[0] == 0
    assert boards[BOARD_EVERY] == 3
    assert not any(boards[1:BOARD_EVERY])
    heir = term.succeed()
    newest = {n: e.quote for n, e in term.board.newest().items()}
    assert {q.instrument: q for q in heir.tick(always=True).board} == newest


def test_entries_of_other_feeds_count_for_the_board(term: Term) -> None:
    """A feed that writes little beside one that writes much tells its board as often by the length of the log."""
    boards = []
    for _ in range(10):
        entry = term.tick(always=True)
        boards.append(bool(entry.board))
        # Others write before the next.
        term.number += BOARD_EVERY // 3 - 1
    assert [index for index, board in enumerate(boards) if board] == [4, 8]


def test_a_reader_is_told_where_the_board_is(term: Term) -> None:
    """Every entry names the newest one before it that carries the board, also when quotes are many."""
    numbers = []
    for _ in range(BOARD_EVERY + 2):
        numbers.append(term.tick(always=True).board_number)
    assert numbers == [0] * (BOARD_EVERY + 1) + [BOARD_EVERY + 1]
    quotes, count = [pb.Quote(instrument="EUR/USD")] * 5_000, 0
    while not term.writing.entry(1, quotes).board:
        count += len(quotes)
    assert count <= BOARD_EVERY_QUOTES


def test_live_configuration_applies_to_the_next_tick(term: Term) -> None:
    """Spreads widen by their multiplier."""
    term.tick()
    for _ in range(10):
        term.tick()
    narrow = term.newest("EUR/USD")
    term.config = FeedConfig(quotes_per_s=20, spread_multiplier=10, hours=False)
    for _ in range(10):
        term.tick()
    wide = term.newest("EUR/USD")
    assert wide.ask - wide.bid == pytest.approx(10 * (narrow.ask - narrow.bid), rel=0.25)


def test_quotes_are_dealt_by_weight_at_any_rate(term: Term) -> None:
    """At 20,000 quotes a second too, EUR/USD is quoted eight times as often as an exotic pair, and moves in between."""
    term.tick()
    term.config = FeedConfig(quotes_per_s=20_000, hours=False)
    quotes = [q for _ in range(20) for q in term.tick(0.01).quotes]
    counts = {n: sum(q.instrument == n for q in quotes) for n in ("EUR/USD", "USD/JPY", "USD/TRY")}
    assert sum(counts.values()) == pytest.approx(4_000, abs=1)
    assert counts["EUR/USD"] == pytest.approx(8 * counts["USD/TRY"], rel=0.01)
    assert counts["USD/JPY"] == pytest.approx(6 * counts["USD/TRY"], rel=0.01)
    times = [q.venue_time.ToNanoseconds() for q in quotes]
    assert times == sorted(times)
    assert all(q.venue_time.ToNanoseconds() <= q.receive_time.ToNanoseconds() for q in quotes)
    euro = [(q.venue_time.ToNanoseconds(), q.sequence) for q in quotes if q.instrument == "EUR/USD"]
    assert len({when for when, _ in euro}) == len(euro)


def test_hours_change_the_pace(term: Term) -> None:
    """With hours, a day has as many quotes as without, within 1 %, and 09:00 in New York more than twice 17:00's."""
    term.config = FeedConfig(quotes_per_s=1.0)
    midnight = 1_772_427_600 * 10**9
    counts = []
    for minute in range(1_440):
        term.now_ns = midnight + minute * 60 * 10**9
        entries = [term.tick(1.0) for _ in range(60)]
        counts.append(sum(len(e.quotes) for e in entries if e is not None))
    hourly = [sum(counts[60 * hour : 60 * hour + 60]) for hour in range(24)]
    assert sum(counts) == pytest.approx(86_400, rel=0.01)
    assert hourly[9] > 2 * hourly[17]


@pytest.mark.parametrize(("quotes_per_s", "interval_s"), [(80, 0.2), (800, 0.02), (1_600, 0.01), (100_000, 0.01)])
async def test_the_more_is_quoted_the_sooner_it_is_told(term: Term, quotes_per_s: float, interval_s: float) -> None:
    """An entry has sixteen quotes, or follows at the shortest interval that is set; the feed's own tick bounds it."""
    config = FeedConfig(quotes_per_s=quotes_per_s, hours=False)
    source = Simulated(term.market, term.catalogue, lambda: config, tick_s_min=0.01)
    async with source.open(Writing(FEED, 1)) as venue:
        venue.tick(0.1, term.now_ns, always=True)
        assert venue.interval_s == pytest.approx(interval_s)


async def test_a_faster_rate_applies_to_the_tick_that_is_awaited_next(term: Term) -> None:
    """However long ticks were before: what was due in minutes is due in milliseconds."""
    config, stopping = FeedConfig(quotes_per_s=0.1, hours=False), asyncio.Event()
    source = Simulated(term.market, term.catalogue, lambda: config)
    async with source.open(Writing(FEED, 1)) as venue:
        venue.tick(0.1, term.now_ns, always=True)
        for _ in range(3):
            await venue.pause(stopping, 0.001)
        config = FeedConfig(quotes_per_s=100_000, hours=False)
        async with asyncio.timeout(60):
            assert not await venue.pause(stopping, 600)
