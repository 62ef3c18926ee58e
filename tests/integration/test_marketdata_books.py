"""Order books over a real NATS: one instance writes them, all have the same; what is missing is named and healed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import structlog

from crossrate.api.marketdata.v1 import quote_pb2
from crossrate.api.reference.v1 import instrument_pb2 as reference_pb
from crossrate.runtime import topology
from services.marketdata import ecb
from services.marketdata.books.instance import Books
from services.marketdata.domain.book import BookUpdate
from services.marketdata.domain.calibration import calibrate
from services.marketdata.domain.composite import Health
from services.marketdata.domain.simulation import Market
from services.marketdata.simulated import FEED
from tests.integration.book_instances import PAIRS, SETTINGS, Instance, check, running, same, whole_log
from tests.integration.conftest import Servers, eventually

pytestmark = pytest.mark.integration


@pytest.fixture
async def mesh(folder: Path) -> AsyncIterator[Servers]:
    """NATS with the platform's own topology."""
    servers = Servers(folder, topology.load())
    try:
        servers.issue()
        await servers.start_nats()
        await servers.nats.provision(servers.topology)
        yield servers
    finally:
        await asyncio.to_thread(servers.remove)


@pytest.fixture(scope="module")
def market() -> Market:
    history = ecb.load()
    return Market(calibrate(history, history.current(), window_days=780, half_life_days=120), seed=1)


async def test_every_instance_has_the_same_books(mesh: Servers, market: Market) -> None:
    """Three instances, one writer: the same books under the same numbers, their tops the quotes of the log."""
    async with running(mesh, market, 3) as instances:
        await eventually(lambda: all(i.board.head > 300 for i in instances))
        await same(instances)
        # Who was only slow learns with its next append that another one writes.
        await eventually(lambda: sum(i.feed.leading for i in instances) == 1)
        bids = check(await whole_log(instances[0].events))
        assert set(bids) == set(PAIRS)
        first, second, third = (i.board for i in instances)
        low, high = max(b.oldest for b in (first, second, third)), min(b.head for b in (first, second, third))
        for number in range(low, high + 1):
            assert second.find(first.cursor(number)) == third.find(first.cursor(number)) == number

        def tops_are_quotes() -> bool:
            # Books and quotes come by logs of their own, and either may be ahead.
            quoted = {(e.name, e.quote.bid, e.quote.ask) for e in instances[1].quotes.between(0, frozenset(PAIRS))}
            shown = {name: view.shown for name in PAIRS if (view := second.view(name, FEED)) is not None}
            tops = {(name, book.bids[0].price, book.asks[0].price) for name, book in shown.items()}
            return len(tops) == len(PAIRS) and tops <= quoted and all(b.health is Health.LIVE for b in shown.values())

        await eventually(tops_are_quotes)
        shown = [second.view(name, FEED).shown for name in PAIRS]
        assert {(len(book.bids), len(book.asks)) for book in shown} == {(SETTINGS.book_levels, SETTINGS.book_levels)}


async def test_a_missing_change_is_named_once_and_healed(mesh: Servers, market: Market) -> None:
    """One change of EUR/USD is lost on its way: GAPPED once, with its number, on every instance; then whole again."""
    async with running(mesh, market, 2) as instances:
        await eventually(lambda: all(i.board.head > 100 for i in instances))
        writer, other = sorted(instances, key=lambda i: not i.feed.leading)
        dropped: list[int] = []

        def lose_one(update: BookUpdate) -> bool:
            if update.instrument != "EUR/USD" or update.snapshot or dropped:
                return False
            dropped.append(update.last_sequence)
            return True

        writer.lost = lose_one
        await eventually(lambda: writer.counts["healed"] == 1)
        head = writer.board.head
        await eventually(lambda: all(i.board.head > head + 50 for i in instances))
        assert writer.counts["gaps"] == writer.counts["missing"] == 1
        told = [line for line in writer.lines if line.get("event") == "a book has a gap"]
        assert [(t["instrument"], t["expected"], t["received"]) for t in told] == [
            ("EUR/USD", dropped[0], dropped[0] + 1)
        ]
        gapped, healed = [], []
        for change in (c for entry in await whole_log(other.events) for c in entry.changes):
            if change.diff.health == quote_pb2.QUOTE_HEALTH_GAPPED:
                gapped.append(change.diff)
            elif gapped and not healed and change.snapshot.instrument == "EUR/USD":
                healed.append(change.snapshot)
        assert [d.gap.expected_sequence for d in gapped] == dropped
        assert [d.gap.received_sequence for d in gapped] == [dropped[0] + 1]
        assert healed[0].sequence == gapped[0].last_sequence + 1
        assert healed[0].health == quote_pb2.QUOTE_HEALTH_LIVE
        await eventually(lambda: other.health() is Health.LIVE)
        await same(instances)
        check(await whole_log(other.events))


async def test_while_the_venue_gives_no_snapshot_a_book_stays_gapped(mesh: Servers, market: Market) -> None:
    """Every instance serves it as GAPPED, with what is missing, until a snapshot comes; other books go on."""
    async with running(mesh, market, 2) as instances:
        await eventually(lambda: all(i.board.head > 100 for i in instances))
        writer, other = sorted(instances, key=lambda i: not i.feed.leading)
        seen = []

        def lost(update: BookUpdate) -> bool:
            if update.instrument != "EUR/USD":
                return False
            seen.append(update)
            return len(seen) == 1 or update.snapshot

        writer.lost = lost
        await eventually(lambda: other.health() is Health.GAPPED)
        head = other.board.head
        await eventually(lambda: other.board.head > head + 50)
        held = other.board.held("EUR/USD", FEED)
        assert held is not None
        assert held.gap is not None
        assert held.gap.expected_sequence == seen[0].last_sequence
        view = other.board.view("EUR/USD")
        assert view is not None
        assert view.message().gap == held.gap
        await eventually(lambda: other.health("USD/JPY") is Health.LIVE)
        assert writer.counts["gaps"] == 1
        writer.lost = lambda _update: False
        await eventually(lambda: other.health() is Health.LIVE)
        assert (writer.counts["gaps"], writer.counts["healed"]) == (1, 1)


async def test_a_writer_that_stops_or_dies_is_followed_by_another(mesh: Servers, market: Market) -> None:
    """In good order or without a word: numbers go on, and every book is whole and LIVE at once under the new writer."""
    async with running(mesh, market, 3) as instances:
        await eventually(lambda: all(i.board.head > 100 for i in instances))
        for end in ("stop", "die"):
            old = next(i for i in instances if i.feed.leading)
            instances.remove(old)
            await getattr(old, end)()
            await eventually(lambda: any(i.feed.leading for i in instances))
            head = instances[0].board.head
            await eventually(lambda h=head: all(i.board.head > h + 50 for i in instances))
        await eventually(lambda: all(i.health(name) is Health.LIVE for i in instances for name in PAIRS))
        entries = await whole_log(instances[0].events)
        check(entries)
        # A machine that stands still for longer than the silence adds terms of its own.
        assert len({e.epoch for e in entries}) >= 3


async def test_a_writer_of_an_older_term_is_stopped(mesh: Servers, market: Market) -> None:
    """What it appends after its successor is refused, and it writes nothing more."""
    async with running(mesh, market, 1) as (instance,):
        await eventually(lambda: instance.board.head > 50)
        rival = Books(instance.events, [FEED], SETTINGS, structlog.get_logger())
        await rival.follower.catch_up()
        epoch = rival.board.epochs[FEED] + 1
        feed = rival.feed(FEED)
        async with feed.lead(epoch, lambda _name: None) as term:
            term.put(BookUpdate("EUR/USD", [(1.0, 1e6)], [(1.1, 1e6)], True, last_sequence=1))
            # The older one writes a hundred times a second until then, so it may take more than one attempt.
            await eventually(lambda: instance.board.epochs[FEED] == epoch)
        await eventually(lambda: any("another instance writes" in str(line.get("event")) for line in instance.lines))
        entries = await whole_log(instance.events)
        check(entries)
        assert entries[-1].epoch == epoch
        assert instance.board.view("EUR/USD", FEED).shown.bids[0] == (1.0, 1e6, ())


async def test_two_venues_make_one_composite_on_every_instance(mesh: Servers, market: Market) -> None:
    """Of the same number and levels, each with who shows how much, while one of the two is GAPPED without it."""
    async with running(mesh, market, 2) as instances:
        await eventually(lambda: all(len(i.state()) == len(PAIRS) for i in instances))

        def composites() -> list[bytes]:
            views = [i.board.view("EUR/SEK") for i in instances]
            return [view.message().SerializeToString(deterministic=True) for view in views if view is not None]

        def sources() -> set[str]:
            view = instances[1].board.view("EUR/SEK")
            assert view is not None
            return {source for level in view.shown.bids for source, _ in level.venues}

        async with instances[0].books.feed("other").lead(1, lambda _name: None) as other:
            price = instances[0].board.view("EUR/SEK").shown.bids[0].price
            other.put(BookUpdate("EUR/SEK", [(price, 7e6)], [(price + 1, 1e6)], True, last_sequence=4))
            await eventually(lambda: sources() == {FEED, "other"})
            await eventually(lambda: len(set(composites())) == 1)
            other.put(BookUpdate("EUR/SEK", [(price, 8e6)], first_sequence=7, last_sequence=7))
            await eventually(lambda: sources() == {FEED})
            other.put(BookUpdate("EUR/SEK", [(price, 6e6)], [(price + 1, 1e6)], True, last_sequence=6))
            await eventually(lambda: sources() == {FEED, "other"})
            await eventually(lambda: len(set(composites())) == 1)
            held = instances[1].board.held("EUR/SEK", "other")
            assert (held.sequence, held.venue_sequence) == (3, 7)
            assert held.ladder.bids.quantity(price) == 8e6


async def test_an_instance_that_starts_late_has_every_book_at_once(mesh: Servers, market: Market) -> None:
    """It begins at the last whole round, and takes cursors that another one gave out."""
    async with running(mesh, market, 1) as instances:
        old = instances[0]
        await eventually(lambda: old.board.head > 300)
        late = await Instance(mesh, market).start()
        instances.append(late)
        await eventually(lambda: late.books.follower.complete)
        assert set(late.state()) == set(PAIRS)
        await same(instances)
        cursor = old.board.cursor(200)
        position = late.board.find(cursor)
        assert position is not None
        names = frozenset(PAIRS)
        mine = [e.encoded for e in old.board.between(200, names)]
        assert [e.encoded for e in late.board.between(position, names)][: len(mine)] == mine


async def test_nats_can_be_killed(mesh: Servers, market: Market) -> None:
    """After kill -9 of NATS and its return the books go on where they were, on every instance."""
    async with running(mesh, market, 2) as instances:
        await eventually(lambda: all(i.board.head > 50 for i in instances))
        mesh.kill("nats")
        await mesh.start_nats()
        head = max(i.board.head for i in instances)
        await eventually(lambda: all(i.board.head > head + 50 for i in instances))
        await same(instances)
        check(await whole_log(instances[0].events))


async def test_a_halt_closes_the_book(mesh: Servers, market: Market) -> None:
    """It keeps its levels, says CLOSED on every instance, and opens again."""
    async with running(mesh, market, 2) as instances:
        await eventually(lambda: all(i.board.head > 20 for i in instances))
        for version, status, health in (
            (2, reference_pb.INSTRUMENT_STATUS_HALTED, Health.CLOSED),
            (3, reference_pb.INSTRUMENT_STATUS_TRADING, Health.LIVE),
        ):
            changed = reference_pb.Instrument(
                name="EUR/USD", base="EUR", counter="USD", version=version, direct=True, price_precision=5
            )
            changed.status = status
            for instance in instances:
                instance.catalogue.take([changed])
            await eventually(lambda h=health: all(i.health() is h for i in instances))
            assert len(instances[1].board.held("EUR/USD", FEED).ladder.bids) > 0
