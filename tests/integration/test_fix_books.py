"""Order books from a FIX 4.4 venue on loopback: depth by MDEntryID or position, gaps, a connection that goes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from crossrate.api.marketdata.v1 import book_pb2 as pb
from crossrate.api.marketdata.v1 import book_service_pb2 as books_pb
from crossrate.api.reference.v1 import instrument_pb2 as reference_pb
from services.marketdata.books.held import HeldBook
from services.marketdata.domain.composite import Health
from tests.integration.conftest import Servers, eventually
from tests.integration.feeds_stand import EUR, Instance, fix, mesh, running, venue
from tests.ports import free_port
from tests.venues.fix_acceptor import Acceptor, Peer

__all__ = ["mesh"]

pytestmark = pytest.mark.integration

DEPTH = "depth = 0"


@dataclass
class Desk:
    """The venue's own book of EUR/USD: side, price and size by MDEntryID; changes have numbers by RptSeq."""

    acceptor: Acceptor
    number: int = 10
    entries: dict[str, tuple[int, float, int]] = field(default_factory=dict)

    def whole(self, peer: Peer, request: str) -> None:
        """Sends a W of all of it."""
        body: list[tuple[int, object]] = [(262, request or "r"), (55, EUR), (83, self.number), (268, len(self.entries))]
        for name, (side, price, size) in self.entries.items():
            body += [(269, side), (278, name), (270, price), (271, size)]
        peer.send("W", body)

    def change(self, action: int, name: str, price: float = 0.0, size: int = 0, *, sent: bool = True) -> None:
        """Changes a bid, and sends an X unless it gets lost."""
        self.number += 1
        if action == 2:
            del self.entries[name]
        else:
            self.entries[name] = (0, price, size)
        body: list[tuple[int, object]] = [(262, "r"), (268, 1), (279, action), (269, 0), (278, name), (55, EUR)]
        body += [(83, self.number)] if action == 2 else [(270, price), (271, size), (83, self.number)]
        for peer in self.acceptor.alive if sent else []:
            peer.send("X", body)

    def bids(self) -> list[tuple[float, float]]:
        """Its bids by price, best first."""
        standing = [(price, size) for side, price, size in self.entries.values() if side == 0]
        prices = sorted({price for price, _ in standing}, reverse=True)
        return [(price, float(sum(size for p, size in standing if p == price))) for price in prices]


@pytest.fixture
async def desk(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Desk, int]]:
    """A venue whose snapshots of EUR/USD are those of the desk."""
    port = free_port()
    async with venue(port) as acceptor:
        made = Desk(acceptor)
        made.entries = {"a": (0, 1.1, 1_000_000), "b": (0, 1.0999, 2_000_000), "c": (1, 1.1002, 3_000_000)}
        top = Peer.snapshot

        def snapshot(peer: Peer, symbol: str, request: str = "") -> None:
            if symbol == EUR:
                made.whole(peer, request)
            else:
                top(peer, symbol, request)

        monkeypatch.setattr(Peer, "snapshot", snapshot)
        yield made, port


def book(instance: Instance) -> HeldBook:
    """EUR/USD of the venue as the instance has it; empty while it has none."""
    return instance.books.board.held(EUR, "trial") or HeldBook()


def bids(instance: Instance) -> list[tuple[float, float]]:
    """Its bids."""
    return [tuple(level) for level in book(instance).ladder.bids.levels()]


def same(house: Desk, *instances: Instance) -> bool:
    """Whether all have the venue's book and trust it."""
    return all(bids(i) == house.bids() and book(i).health is Health.LIVE for i in instances)


async def test_depth_of_a_venue_is_a_book(mesh: Servers, desk: tuple[Desk, int], tmp_path: Path) -> None:
    """Entries sum to levels on every instance; what is new, changed, deleted arrives; the quote is the book's top."""
    house, port = desk
    async with running(mesh, fix(port, DEPTH), tmp_path, 2) as instances:
        await eventually(lambda: same(house, *instances))
        house.change(0, "d", 1.1, 4_000_000)
        house.change(1, "b", 1.0998, 1_000_000)
        house.change(0, "e", 1.1001, 1_000_000)
        house.change(2, "e")
        await eventually(lambda: all(bids(i) == [(1.1, 5e6), (1.0998, 1e6)] for i in instances))
        assert book(instances[1]).venue_sequence == house.number
        await eventually(lambda: instances[1].quote(EUR).bid_quantity == 5e6)


async def test_a_gap_by_rptseq_is_exact_and_healed(mesh: Servers, desk: tuple[Desk, int], tmp_path: Path) -> None:
    """Expected 12, received 13, once, on every instance; the snapshot that is asked for makes the book whole."""
    house, port = desk
    async with running(mesh, fix(port, DEPTH), tmp_path, 2) as instances:
        await eventually(lambda: same(house, *instances))
        house.change(1, "a", 1.1, 2_000_000)
        await eventually(lambda: all(book(i).venue_sequence == 11 for i in instances))
        before = book(instances[1]).sequence
        house.change(1, "a", 1.1, 3_000_000, sent=False)
        house.change(1, "b", 1.0999, 9_000_000)
        await eventually(lambda: same(house, *instances))
        assert bids(instances[0]) == [(1.1, 3e6), (1.0999, 9e6)]
        # The gap and the whole book, and nothing else.
        assert book(instances[1]).sequence == before + 2
        board = instances[1].books.board
        gaps = [
            c.diff.gap for e in board.between(0, frozenset({EUR})) for c in changes(e.encoded) if c.diff.HasField("gap")
        ]
        missing = [(g.expected_sequence, g.received_sequence) for g in gaps if g.expected_sequence]
        assert missing == [(12, 13)]


def changes(encoded: bytes) -> list[pb.BookChange]:
    """Elements of a batch."""
    return list(books_pb.BookBatch.FromString(encoded).changes)


async def test_a_connection_that_goes_gaps_its_books(mesh: Servers, desk: tuple[Desk, int], tmp_path: Path) -> None:
    """The next connection's snapshot makes them whole, whatever happened in between."""
    house, port = desk
    async with running(mesh, fix(port, DEPTH), tmp_path) as (instance,):
        await eventually(lambda: same(house, instance))
        house.change(1, "a", 1.1, 7_000_000, sent=False)
        before = book(instance).sequence
        house.acceptor.alive[0].drop()
        await eventually(lambda: same(house, instance))
        # The gap and the whole book.
        assert book(instance).sequence == before + 2


async def test_another_writer_begins_with_whole_books(mesh: Servers, desk: tuple[Desk, int], tmp_path: Path) -> None:
    """The book that a dead writer left is GAPPED once another one connects, until it has come whole."""
    house, port = desk
    async with running(mesh, fix(port, DEPTH), tmp_path, 2) as instances:
        await eventually(lambda: same(house, *instances))
        dead, heir = sorted(instances, key=lambda i: not i.leading)
        before = book(heir).sequence
        # The heir may connect before its predecessor is gone altogether: its first snapshot has the change.
        house.change(1, "a", 1.1, 7_000_000, sent=False)
        await dead.die()
        instances.remove(dead)
        await eventually(lambda: same(house, heir))
        assert book(heir).sequence == before + 2


async def test_a_halt_closes_the_venues_book(mesh: Servers, desk: tuple[Desk, int], tmp_path: Path) -> None:
    """At once, without a word of the venue; and it opens again, and goes on."""
    house, port = desk
    async with running(mesh, fix(port, DEPTH), tmp_path) as (instance,):
        await eventually(lambda: same(house, instance))
        for version, status, health in (
            (2, reference_pb.INSTRUMENT_STATUS_HALTED, Health.CLOSED),
            (3, reference_pb.INSTRUMENT_STATUS_TRADING, Health.LIVE),
        ):
            listed = reference_pb.Instrument(name=EUR, base="EUR", counter="USD", price_precision=5, version=version)
            listed.status = status
            instance.catalogue.take([listed])
            await eventually(lambda h=health: book(instance).health is h)
        house.change(1, "a", 1.1, 7_000_000)
        await eventually(lambda: same(house, instance))


async def test_depth_by_position_alone(mesh: Servers, desk: tuple[Desk, int], tmp_path: Path) -> None:
    """New and Delete move what stands behind; what does not fit gaps the book; the venue's snapshot heals it."""
    house, port = desk

    def send(*entries: tuple[int, int, float | None, int | None]) -> None:
        """An X of bids: action, position, price, size."""
        body: list[tuple[int, object]] = [(262, "r"), (268, len(entries))]
        for action, position, price, size in entries:
            body += [(279, action), (269, 0), (55, EUR), (290, position)]
            body += [(270, price)] if price is not None else []
            body += [(271, size)] if size is not None else []
        house.acceptor.alive[0].send("X", body)

    async with running(mesh, fix(port, 'depth = 5\nentry_key = "position"'), tmp_path) as (instance,):
        await eventually(lambda: same(house, instance))
        send((0, 1, 1.1001, 5_000_000), (2, 3, None, None), (1, 2, None, 7_000_000))
        await eventually(lambda: bids(instance) == [(1.1001, 5e6), (1.1, 7e6)])
        assert book(instance).health is Health.LIVE
        before = book(instance).sequence
        # There is no fourth one.
        send((2, 4, None, None))
        await eventually(lambda: same(house, instance))
        assert book(instance).sequence == before + 2
