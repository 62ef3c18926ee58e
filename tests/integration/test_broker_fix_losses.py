"""FIX clients whose orders go with their session, also with the instance that served it; TLS of the gateway; a second
instance that takes a gateway and a venue's live session over."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import ssl
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest

from crossrate.api.trading.v1 import order_pb2
from tests.integration.broker_stand import NEW, Floor, Reader, floor, instruct, instruction
from tests.integration.broker_stand import order as routed
from tests.integration.conftest import eventually
from tests.integration.test_broker_fix_clients import Trader, order
from tests.integration.test_broker_fix_venue import trading_at
from tests.ports import free_port
from tests.venues.certificate import certificate

pytestmark = pytest.mark.integration
CANCELLED, WORKS = order_pb2.ORDER_STATUS_CANCELLED, order_pb2.ORDER_STATUS_NEW


@contextlib.asynccontextmanager
async def serving(certificate_path: str = "") -> AsyncIterator[tuple[Floor, int]]:
    """Broker with a client whose orders go with its session, and one whose orders stay."""
    port = free_port()
    tls = f'certificate = "{certificate_path}"' if certificate_path else ""
    clients = f"""
[gateway]
port = {port}
{tls}
[clients.desk]
comp_id = "DESK"
accounts = ["alpha", "beta"]
cancel_on_disconnect = true
[clients.copy]
comp_id = "COPY"
accounts = ["gamma"]
"""
    async with floor(fix_clients=clients, passwords={"desk": "s3cret", "copy": "0ther"}) as running:
        yield running, port


def status(running: Floor, account: str, name: str) -> int | None:
    """How an order of trading stands; None if it never came there."""
    found = running.trading.orders.get((account, name))
    return found.status if found is not None else None


async def test_a_lost_session_takes_its_orders_with_it() -> None:
    """Those of all its accounts; those of a client who did not ask for it stay, and new ones of the next session."""
    async with serving() as (running, port):
        desk, stays = Trader(port), Trader(port, "0ther", "COPY")
        try:
            await desk.send(order("a"), order("b", account="beta"))
            await stays.send(order("c"))
            await eventually(lambda: status(running, "beta", "b") == status(running, "gamma", "c") == WORKS)
            await desk.lose()
            await stays.lose()
            await eventually(lambda: status(running, "alpha", "a") == status(running, "beta", "b") == CANCELLED)
            assert status(running, "gamma", "c") == WORKS
            desk = Trader(port)
            await desk.send(order("d"))
            await eventually(lambda: status(running, "alpha", "d") == WORKS)
            await eventually(lambda: desk.types("a")[-2:] == ["PENDING_CANCEL", "CANCELED"])
            assert status(running, "alpha", "d") == WORKS
        finally:
            await desk.close()


async def test_what_a_lost_session_had_sent_is_cancelled_and_not_entered_afterwards() -> None:
    """Trading is away when the order comes and the session breaks: when trading is back the order does not work."""
    async with serving() as (running, port):
        desk = Trader(port)
        await asyncio.wait_for(desk.standing.wait(), 60)
        running.trading.away = True
        await desk.send(order("late"))
        await kept(running)
        await desk.lose()
        again = Trader(port)
        try:
            await asyncio.wait_for(again.standing.wait(), 60)
            running.trading.away = False
            await eventually(lambda: status(running, "alpha", "late") == CANCELLED)
            await again.send(order("next"))
            await eventually(lambda: status(running, "alpha", "next") == WORKS)
        finally:
            await again.close()


async def kept(running: Floor) -> None:
    """Waits until the order was kept, which trading cannot take yet."""
    log = running.servers.place.log("broker-1")
    await eventually(lambda: "a client's requests wait" in log.read_text())


async def test_a_kill_of_the_gateway_is_a_loss_of_its_sessions() -> None:
    """The next instance cancels what the lost session had working, whether or not the client comes back."""
    async with serving() as (running, port):
        desk = Trader(port)
        await desk.send(order("a"))
        await eventually(lambda: status(running, "alpha", "a") == WORKS)
        running.kill()
        await desk.lose()
        assert status(running, "alpha", "a") == WORKS
        await running.start("broker-2")
        await eventually(lambda: status(running, "alpha", "a") == CANCELLED)


async def test_the_gateway_speaks_tls_and_nothing_else(tmp_path: Path) -> None:
    """A client that knows its root trades; one without TLS, one that does not know the root, one with an old version
    get no session."""
    certificate(tmp_path)
    both = tmp_path / "gateway.pem"
    both.write_text((tmp_path / "ca.pem").read_text() + (tmp_path / "key.pem").read_text())
    async with serving(str(both)) as (running, port):
        known = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
        trader = Trader(port, tls=known)
        try:
            await trader.send(order("a"))
            await eventually(lambda: trader.types("a") == ["PENDING_NEW", "NEW"])
        finally:
            await trader.close()
        await eventually(lambda: status(running, "alpha", "a") == CANCELLED)
        old = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
        with pytest.warns(DeprecationWarning, match="TLSv1_1"):
            old.maximum_version = ssl.TLSVersion.TLSv1_1
        for context in (ssl.create_default_context(), old):
            with pytest.raises((ssl.SSLError, ConnectionError)):
                await asyncio.to_thread(handshake, port, context)
        assert await asyncio.to_thread(plain, port) == b""


def handshake(port: int, context: ssl.SSLContext) -> None:
    """A TLS handshake with the gateway."""
    with (
        socket.create_connection(("127.0.0.1", port), 20) as raw,
        context.wrap_socket(raw, server_hostname="127.0.0.1"),
    ):
        pass


def plain(port: int) -> bytes:
    """What the gateway says of FIX that is a Logon without TLS, but for a TLS alert: nothing."""
    with socket.create_connection(("127.0.0.1", port), 20) as raw:
        raw.sendall(
            b"8=FIX.4.4\x019=65\x0135=A\x0134=1\x0149=DESK\x0152=20260101-00:00:00\x0156=CROSSRATE\x0110=000\x01"
        )
        told = b""
        with contextlib.suppress(ConnectionError):
            while more := raw.recv(4096):
                told += more
    return b"" if told[:1] == b"\x15" else told


async def test_a_second_instance_takes_a_live_venue_session_over() -> None:
    """The first is stopped dead in a living session (SIGSTOP): once the venue has missed its heartbeats the second logs
    on, knows what works, sends nothing twice; the first, awake again, has lost the venue and says nothing to it."""
    async with trading_at("unsent_s_max = 300.0") as (running, prime, reader):
        first = routed(venue="prime")
        await running.routing().Instruct(instruct(instruction(NEW, first)))
        await reader.until(lambda: reader.kinds(first) == ["ACCEPTED"])
        await running.start("broker-2")
        second = Reader(running.routing("broker-2"))
        try:
            running.processes["broker-1"].send_signal(signal.SIGSTOP)
            later = routed(venue="prime")
            await running.routing("broker-2").Instruct(instruct(instruction(NEW, later)))
            await second.until(lambda: second.kinds(later)[-1:] == ["ACCEPTED"], 120)
            (held,) = [each for each in prime.orders.values() if each["id"] == second.about(first)[-1].venue_order_id]
            await prime.fill(held, 30_000, "1.08")
            await second.until(lambda: second.kinds(first) == ["ACCEPTED", "FILLED"], 60)
            running.processes["broker-1"].send_signal(signal.SIGCONT)
            last = routed(venue="prime")
            await running.routing("broker-1").Instruct(instruct(instruction(NEW, last)))
            await second.until(lambda: second.kinds(last)[-1:] == ["ACCEPTED"], 120)
            assert len(prime.received_orders) == len(set(prime.received_orders)) == 3
            assert second.about(first)[-1].fill.quantity == "30000"
            assert Decimal(held["cum"]) == 30_000
        finally:
            running.processes["broker-1"].send_signal(signal.SIGCONT)
            await second.close()
