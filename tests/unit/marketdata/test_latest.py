"""What the writer of a feed tells on the instruments' subjects; that it arrives is tested over a real NATS."""

from __future__ import annotations

import pytest

from crossrate.api.marketdata.v1 import quote_pb2 as pb
from services.marketdata.board import Board
from services.marketdata.latest import REFRESH_S, Latest
from tests.unit.marketdata.test_board import SECOND, Venue


class Told:
    """Keeps what is published, and the time."""

    def __init__(self) -> None:
        self.now = 100.0
        self.messages: list[tuple[str, pb.Quote]] = []

    async def publish_core(self, subject: str, payload: bytes) -> None:
        self.messages.append((subject.removeprefix("crossrate.marketdata.v1.quote."), pb.Quote.FromString(payload)))

    def take(self) -> dict[str, tuple[int, str]]:
        """Sequence and source by subject; each subject once."""
        made = {subject: (quote.sequence, quote.source) for subject, quote in self.messages}
        assert len(made) == len(self.messages)
        self.messages.clear()
        return made


@pytest.fixture
def told() -> Told:
    return Told()


async def test_an_entry_is_one_message_an_instrument(told: Told) -> None:
    """The newest of each in the entry; instruments that it does not quote are told again only after five seconds."""
    board = Board(64, stale_after_s=10)
    venue, latest = Venue(board), Latest(told, board, "simulated", lambda: told.now)  # type: ignore[arg-type]
    entry = venue.entry("EUR/USD", "USD/JPY", "EUR/USD")
    venue.apply(entry)
    await latest.publish(entry)
    assert told.take() == {"EUR-USD": (2, ""), "USD-JPY": (1, "")}
    entry = venue.entry("USD/JPY")
    venue.apply(entry)
    await latest.publish(entry)
    assert told.take() == {"USD-JPY": (2, "")}
    told.now += REFRESH_S
    nothing = venue.entry()
    venue.apply(nothing)
    await latest.publish(nothing)
    assert told.take() == {"EUR-USD": (2, ""), "USD-JPY": (2, "")}
    await latest.publish(nothing)
    assert told.take() == {}


async def test_what_is_not_quoted_any_more_is_said_to_be_stale(told: Told) -> None:
    """The refresh tells of the board as it is, not of what was once published."""
    board = Board(64, stale_after_s=10)
    venue, latest = Venue(board), Latest(told, board, "simulated", lambda: told.now)  # type: ignore[arg-type]
    entry = venue.entry("EUR/USD", now_ns=100 * SECOND)
    venue.apply(entry)
    await latest.publish(entry)
    board.mark_stale(111 * SECOND)
    told.now += REFRESH_S
    await latest.publish(venue.entry())
    assert [quote.health for _, quote in told.messages] == [pb.QUOTE_HEALTH_LIVE, pb.QUOTE_HEALTH_STALE]


async def test_with_several_venues_the_composite_is_told(told: Told) -> None:
    """As GetQuote answers without a source: numbered by the sum of its venues' numbers."""
    board = Board(64, stale_after_s=10)
    first, second = Venue(board), Venue(board, feed="other")
    first.say("EUR/USD", "EUR/USD")
    latest = Latest(told, board, "other", lambda: told.now)  # type: ignore[arg-type]
    entry = second.entry("EUR/USD", "GBP/USD")
    second.apply(entry)
    await latest.publish(entry)
    assert told.take() == {"EUR-USD": (3, "composite"), "GBP-USD": (1, "")}
