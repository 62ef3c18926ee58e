"""The FIX adapter against a venue on loopback: everything that a session can go through."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import structlog

from crossrate.api.marketdata.v1 import marketdata_events_pb2 as events_pb
from crossrate.fix.rules import Numbers
from services.marketdata.adapter import Disconnected
from services.marketdata.adapters.fix import GARBLED, Fix
from services.marketdata.domain.book import BookUpdate
from services.marketdata.domain.normalise import GAPPED, Raw
from services.marketdata.feeds import FixFeed
from tests.ending import ended
from tests.integration.conftest import eventually
from tests.ports import free_port
from tests.venues.certificate import certificate
from tests.venues.fix_acceptor import Acceptor, Peer

pytestmark = pytest.mark.integration

EUR, JPY = "EUR/USD", "USD/JPY"


class Heard:
    """A sink that keeps what it hears."""

    def __init__(self) -> None:
        self.quotes: list[Raw] = []
        self.updates: list[BookUpdate] = []
        self.wanted: set[str] = set()
        self.ups: list[str] = []
        self.gaps: list[int] = []
        self.missing = 0
        self.rejected: dict[str, int] = {}
        self.full = False
        self.has_room = asyncio.Event()

    def up(self, words: str) -> None:
        """See Sink."""
        self.ups.append(words)

    def restart(self) -> None:
        """See Sink."""

    def put(self, quotes: Sequence[Raw], place: events_pb.ReplayPlace | None = None) -> None:
        """See Sink."""
        self.quotes += quotes

    def depth(self, updates: Sequence[tuple[BookUpdate, int]]) -> None:
        """See Sink."""
        self.updates += [update for update, _ in updates]

    def gapped(self, missing: int) -> None:
        """See Sink."""
        self.gaps.append(missing)

    def missed(self, missing: int) -> None:
        """See Sink."""
        self.missing += missing

    def reject(self, reason: str, count: int = 1) -> None:
        """See Sink."""
        self.rejected[reason] = self.rejected.get(reason, 0) + count

    async def room(self) -> None:
        """See Sink."""
        await self.has_room.wait()

    def bids(self, symbol: str) -> list[float]:
        """The bids of a symbol, in order."""
        return [raw.bid for raw in self.quotes if raw.symbol == symbol]


class Stand:
    """A venue, and the adapter that is connected to it."""

    def __init__(self, acceptor: Acceptor, port: int, folder: Path, **fields: object) -> None:
        self.acceptor, self.sink = acceptor, Heard()
        declared = {"sender_comp_id": "HOUSE", "target_comp_id": "VENUE", "instruments": (EUR, JPY)} | fields
        self.spec = FixFeed(kind="fix", host="127.0.0.1", port=port, **declared)
        self.numbers = Numbers()
        self.fix = Fix("trial", self.spec, folder, self.numbers, structlog.get_logger())
        self.running: asyncio.Task[None] | None = None

    async def connect(self) -> Peer:
        """Runs the adapter, and returns the venue's side of the connection once it is subscribed."""
        known = len(self.acceptor.peers)
        self.running = asyncio.create_task(self.fix.run(self.sink))
        await eventually(lambda: len(self.acceptor.peers) > known and self.acceptor.peers[-1].subscribed)
        return self.acceptor.peers[-1]

    async def ended(self) -> str:
        """Why the connection ended."""
        assert self.running is not None
        with pytest.raises(Disconnected) as caught:
            await asyncio.wait_for(self.running, 60)
        return str(caught.value)

    async def close(self) -> None:
        """Ends what still runs."""
        if self.running is not None:
            await ended([self.running], "the connection")


@contextlib.asynccontextmanager
async def stand(folder: Path, *, venue: dict | None = None, **fields: object) -> AsyncIterator[Stand]:
    """A venue that listens; what is left of both sides at the end is ended."""
    port = free_port()
    acceptor = await Acceptor(**(venue or {})).start(port)
    made = Stand(acceptor, port, folder, **fields)
    try:
        yield made
    finally:
        await made.close()
        await acceptor.stop()


async def test_snapshots_and_updates_become_quotes(folder: Path) -> None:
    """The top of each book comes with the snapshot, and with every update after it, in order."""
    async with stand(folder) as at:
        peer = await at.connect()
        for step in range(50):
            at.acceptor.move(EUR, 1.1 + step / 10_000, 1.2 + step / 10_000)
        await eventually(lambda: len(at.sink.bids(EUR)) == 51)
        assert at.sink.bids(EUR) == [1.1, *(1.1 + step / 10_000 for step in range(50))]
        assert at.sink.bids(JPY) == [150.0]
        newest = at.sink.quotes[-1]
        assert (newest.bid_quantity, newest.ask_quantity) == (1_000_000, 2_000_000)
        assert abs(newest.venue_time / 1e9 - dt.datetime.now(dt.UTC).timestamp()) < 60
        assert at.sink.ups == ["logged on"]
        assert not peer.violations
        await at.close()
        await eventually(peer.closed.is_set)
        assert peer.count(b"5") == 1


async def test_a_wrong_password_is_told(folder: Path) -> None:
    """The venue's words are the reason; the password comes from a file that others may not read."""
    secret = folder / "password"
    secret.write_text("right\n")
    secret.chmod(0o644)
    async with stand(folder, venue={"password": "right"}, username="u", password_file="password") as at:
        at.running = asyncio.create_task(at.fix.run(at.sink))
        assert "chmod 600" in await at.ended()
        assert not at.acceptor.peers
        secret.chmod(0o600)
        await at.connect()
        await at.close()
        secret.write_text("wrong")
        at.running = asyncio.create_task(at.fix.run(at.sink))
        assert await at.ended() == "the venue refused the logon: wrong password"


async def test_nobody_listens(folder: Path) -> None:
    """A venue that is not there is a reason in words."""
    async with stand(folder) as at:
        await at.acceptor.stop()
        at.running = asyncio.create_task(at.fix.run(at.sink))
        assert "cannot be reached" in await at.ended()


async def test_garbled_messages_are_left_out_and_come_again(folder: Path) -> None:
    """A wrong checksum, a wrong length and bytes of nothing: what they stood for is asked for again, and comes."""
    async with stand(folder) as at:
        peer = await at.connect()
        await eventually(lambda: at.sink.bids(JPY))
        for spoil in (
            lambda data: data[:-4] + b"000\x01" if data[-4:-1] != b"000" else data[:-4] + b"001\x01",
            lambda data: data.replace(b"\x019=", b"\x019=1", 1),
            lambda data: b"nonsense\x01" + data[20:],
        ):
            before = len(at.sink.bids(EUR))
            body = [(262, "r"), (268, 2), (279, 1), (269, 0), (55, EUR), (270, 1.05), (279, 1), (269, 1), (55, EUR)]
            peer.raw(spoil(peer.message("X", [*body, (270, 1.06)])))
            at.acceptor.move(EUR, 1.07, 1.08)
            await eventually(lambda count=before: len(at.sink.bids(EUR)) == count + 2)
            assert at.sink.bids(EUR)[-2:] == [1.05, 1.07]
        assert at.sink.rejected[GARBLED] >= 3
        assert at.sink.gaps == [0, 0, 0]
        assert peer.count(b"2") == 3


async def test_a_gap_that_is_filled_is_healed_by_snapshots(folder: Path) -> None:
    """Where the venue passes over what is missing, every book is GAPPED until its snapshot comes."""
    async with stand(folder) as at:
        peer = await at.connect()
        await eventually(lambda: at.sink.bids(JPY))
        at.acceptor.fills_gaps = True
        peer.message("X", [])  # one number, and nothing is sent
        at.acceptor.quotes[EUR] = (1.3, 1.4)
        peer.update(JPY, 151.0, 151.1)
        await eventually(lambda: 1.3 in at.sink.bids(EUR) and 151.0 not in at.sink.bids(JPY)[-1:])
        assert sum(at.sink.gaps) >= 1
        assert at.sink.gaps[0] == 0
        assert not any(raw.note & GAPPED for raw in at.sink.quotes[-2:])
        assert not peer.violations


async def test_a_number_too_low_ends_the_session(folder: Path) -> None:
    """A message whose number came already, and that does not say so, is a reason to log out; a duplicate is not."""
    async with stand(folder) as at:
        peer = await at.connect()
        peer.send("0", number=1, duplicate=True)
        at.acceptor.move(EUR, 1.5, 1.6)
        await eventually(lambda: 1.5 in at.sink.bids(EUR))
        peer.send("0", number=1)
        assert "MsgSeqNum too low" in await at.ended()
        await eventually(lambda: peer.count(b"5") == 1)


async def test_silence_is_tested_and_then_ends_the_session(folder: Path) -> None:
    """A venue without heartbeats is asked with a TestRequest, and left if it does not answer."""
    async with stand(folder, heartbeat_s=1) as at:
        peer = await at.connect()
        peer.silent = True
        assert "did not answer a TestRequest" in await at.ended()
        assert peer.count(b"1") == 1


async def test_heartbeats_and_test_requests_are_answered(folder: Path) -> None:
    """We send heartbeats as agreed, and answer a TestRequest with its id."""
    async with stand(folder, heartbeat_s=1) as at:
        peer = await at.connect()
        peer.send("1", [(112, "are you there")])
        await eventually(lambda: any(m.get(112) == b"are you there" for m in peer.received))
        await eventually(lambda: peer.count(b"0") >= 3)
        assert not at.running.done()
        assert not peer.violations


async def test_a_connection_can_end_in_the_middle_of_a_message(folder: Path) -> None:
    """Half a message is no quote, and the reason says what happened."""
    async with stand(folder) as at:
        peer = await at.connect()
        await eventually(lambda: at.sink.bids(JPY))
        before = len(at.sink.quotes)
        peer.raw(peer.message("X", [(262, "r"), (268, 1), (279, 1), (269, 0), (55, EUR), (270, 9.0)])[:60])
        await peer.writer.drain()
        peer.writer.close()
        assert await at.ended() == "the venue closed the connection in the middle of a message"
        assert len(at.sink.quotes) == before


async def test_a_second_logon_ends_the_session(folder: Path) -> None:
    """There is one logon in a session."""
    async with stand(folder) as at:
        peer = await at.connect()
        peer.send("A", [(98, 0), (108, 30)])
        assert "second Logon" in await at.ended()


async def test_a_logout_is_answered_and_told(folder: Path) -> None:
    """The venue's words are the reason, and it gets its Logout back."""
    async with stand(folder) as at:
        peer = await at.connect()
        peer.send("5", [(58, "end of day")])
        assert await at.ended() == "the venue logged out: end of day"
        await eventually(lambda: peer.count(b"5") == 1)


async def test_a_reader_that_is_slow_loses_nothing(folder: Path) -> None:
    """While there is no room the venue is not read, heartbeats go on, and afterwards every quote comes in order."""
    async with stand(folder, heartbeat_s=1) as at:
        peer = await at.connect()
        await eventually(lambda: at.sink.bids(JPY))
        at.sink.full = True
        for step in range(5_000):
            at.acceptor.move(EUR, 1.0 + step / 1e6, 1.1)
        beats = peer.count(b"0")
        await eventually(lambda: peer.count(b"0") > beats + 1)
        got = len(at.sink.bids(EUR))
        assert got < 5_001
        at.sink.full = False
        at.sink.has_room.set()
        await eventually(lambda: len(at.sink.bids(EUR)) == 5_001)
        assert at.sink.bids(EUR)[1:] == [1.0 + step / 1e6 for step in range(5_000)]
        assert not at.running.done()


async def test_numbers_go_on_over_reconnections_if_they_shall(folder: Path) -> None:
    """With reset "memory" the second logon continues, and what was sent in between comes again."""
    async with stand(folder, reset="memory") as at:
        peer = await at.connect()
        await eventually(lambda: at.sink.bids(JPY))
        peer.drop()
        assert "the connection" in await at.ended()
        peer.update(EUR, 1.9, 2.0)
        peer = await at.connect()
        await eventually(lambda: 1.9 in at.sink.bids(EUR))
        assert peer.received[0].get(141) == b"N"
        assert int(peer.received[0].get(34)) > 2
        assert not peer.violations


async def test_a_venue_that_lost_its_numbers_is_asked_to_begin_anew(folder: Path) -> None:
    """After "too low" at a logon the next one asks for a reset."""
    async with stand(folder, reset="memory") as at:
        peer = await at.connect()
        peer.drop()
        await at.ended()
        at.acceptor.numbers.out = 1
        at.running = asyncio.create_task(at.fix.run(at.sink))
        assert "too low" in await at.ended()
        peer = await at.connect()
        assert peer.received[0].get(141) == b"Y"


async def test_a_resend_request_is_answered(folder: Path) -> None:
    """Requests for market data go again as they were, administrative messages as gap fills."""
    async with stand(folder) as at:
        peer = await at.connect()
        seen = len(peer.received)
        peer.send("2", [(7, 1), (16, 0)])
        await eventually(lambda: len(peer.received) >= seen + 2)
        fill, again = peer.received[seen : seen + 2]
        assert (fill.get(35), fill.get(123), fill.get(36), fill.get(34)) == (b"4", b"Y", b"2", b"1")
        assert (again.get(35), again.get(43), again.get(34)) == (b"V", b"Y", b"2")
        assert again.get(122)


async def test_what_the_venue_refuses_is_told(folder: Path) -> None:
    """A refused request is counted with its reason; if all are refused, the connection is of no use."""
    async with stand(folder, instruments=(EUR, "AUD/USD"), symbols_per_request=1) as at:
        await at.connect()
        await eventually(lambda: at.sink.rejected)
        assert at.sink.rejected == {"the venue refuses market data: unknown symbol AUD/USD": 1}
        assert at.sink.bids(EUR)
        assert not at.running.done()
    async with stand(folder, instruments=("AUD/USD",)) as at:
        at.running = asyncio.create_task(at.fix.run(at.sink))
        assert "refuses all market data" in await at.ended()


async def test_the_venues_list_can_be_subscribed_to(folder: Path) -> None:
    """What the venue lists and the platform knows is subscribed to, the rest is not."""
    venue = {"prices": {"EURUSD": 1.1, "XAUUSD.c": 2000.0, "USDJPY": 150.0}}
    async with stand(folder, venue=venue, instruments=(), security_list=True) as at:
        peer = await at.connect()
        await eventually(lambda: len(at.sink.quotes) == 2)
        assert list(peer.subscribed.values()) == [("EURUSD", "USDJPY")]


async def test_a_message_from_somebody_else_ends_the_session(folder: Path) -> None:
    """CompIDs that are not those of the session are rejected with a reason, and no quote comes of them."""
    async with stand(folder) as at:
        peer = await at.connect()
        peer.send("0", names=("OTHER", "HOUSE"))
        assert "CompIDs are OTHER to HOUSE" in await at.ended()
        await eventually(lambda: peer.count(b"3") == 1 and peer.count(b"5") == 1)


async def test_tls_checks_the_venue(folder: Path) -> None:
    """With the venue's root the session stands; with the system's roots it is refused before a byte of FIX."""
    context = certificate(folder)
    async with stand(folder, venue={"tls": context}, tls=True, ca_file="ca.pem") as at:
        await at.connect()
        await eventually(lambda: at.sink.bids(JPY))
    async with stand(folder, venue={"tls": context}, tls=True) as at:
        at.running = asyncio.create_task(at.fix.run(at.sink))
        assert "cannot be reached" in await at.ended()
        assert not any(peer.received for peer in at.acceptor.peers)
