"""Sessions through a real server: numbers, answers, reports without a gap, resumption, silence, replacement, loss."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import grpc
import pytest
import pytest_asyncio

from crossrate.api.common.v1 import stream_pb2
from crossrate.api.trading.v1 import order_history_pb2 as history
from crossrate.api.trading.v1 import order_pb2
from crossrate.api.trading.v1 import session_pb2 as pb
from crossrate.rpc.errors import ErrorReason, Failure
from tests.integration import trading_stand as stand
from tests.integration.trading_stand import Floor, cancel, floor, new, place, status

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running() -> AsyncIterator[Floor]:
    """One instance."""
    async with floor() as made:
        yield made


class Client:
    """One connection of a session."""

    def __init__(self, floor: Floor, account: str, session: str = "desk", **logon) -> None:
        self.call = floor.trading().TradeSession()
        self.account = account
        self.number = 0
        self.reports: list[int] = []
        self.answers: list[pb.SessionAnswer] = []
        self.positions: list[int] = []
        self.last = pb.TradeSessionResponse()
        self._logon = pb.SessionLogon(account=account, session=session, **logon)

    async def say(self, **content) -> int:
        """One message."""
        self.number += 1
        await self.call.write(pb.TradeSessionRequest(number=self.number, **content))
        return self.number

    async def open(self) -> pb.SessionOpened:
        """Logs on."""
        await self.say(logon=self._logon)
        while not self.last.HasField("opened"):
            await self.read()
        return self.last.opened

    async def read(self) -> bool:
        """The next message; False at the end."""
        try:
            message = await self.call.read()
        except grpc.aio.AioRpcError:
            if self.last.HasField("error"):  # which was the last message
                return False
            raise
        if message is grpc.aio.EOF:
            return False
        self.last = message
        self.positions.append(message.position.sequence)
        self.reports += [report.sequence for report in message.reports.reports]
        if message.HasField("answer"):
            self.answers.append(message.answer)
        return True

    async def until(self, condition) -> None:
        """Reads until a condition holds."""
        async with asyncio.timeout(30):
            while not condition():
                assert await self.read(), "the session has ended"


async def test_orders_go_in_and_reports_come_out(running: Floor) -> None:
    """Each order has its result, what is wrong with one is its own, reports have no gap, and resume where they were."""
    client = Client(running, "busy")
    assert (await client.open()).last_sequence == 0
    orders = [new("busy") for _ in range(20)]
    orders[7].quantity = "1"
    first = await client.say(orders=pb.SessionOrders(orders=orders))
    second = await client.say(cancel=cancel(orders[3]))
    await client.until(lambda: len(client.answers) == 2)
    assert [answer.number for answer in client.answers] == [first, second]
    results = client.answers[0].results
    assert [each.client_order_id for each in results] == [each.client_order_id for each in orders]
    failed = [i for i, each in enumerate(results) if each.error.code]
    assert failed == [7]
    assert "smallest" in results[7].error.message
    # 19 orders entered and accepted, one cancel under way and done.
    await client.until(lambda: len(client.reports) == 40)
    assert client.reports == list(range(1, 41))
    assert client.positions == list(range(1, len(client.positions) + 1))
    await client.say(logout=pb.SessionLogout(text="lunch"))
    while await client.read():
        pass
    assert client.last.end.reason == stream_pb2.STREAM_END_REASON_COMPLETE
    again = Client(running, "busy", after_sequence=25)
    assert (await again.open()).last_sequence == 40
    await again.say(orders=pb.SessionOrders(orders=orders))
    await again.until(lambda: again.answers and len(again.reports) == 15)
    assert again.reports == list(range(26, 41))
    assert [r.sequence for r in again.answers[0].results] == [r.sequence for r in results]
    again.call.cancel()


async def failure(client: Client) -> Failure:
    """How a session fails."""
    while await client.read():
        pass
    found = Failure.from_status(client.last.error)
    assert found is not None, client.last
    return found


async def test_a_session_begins_with_its_logon_and_counts(running: Floor) -> None:
    """Anything else first, a number that is not the next, and another account are refused with the field."""
    client = Client(running, "strict")
    await client.say(heartbeat=stream_pb2.Heartbeat())
    with pytest.raises(grpc.aio.AioRpcError, match="first message"):
        await client.read()
    client = Client(running, "strict")
    await client.open()
    await client.say(cancel=cancel(new("other")))
    await client.until(lambda: client.answers)
    assert "cancel.account" in client.answers[0].status.message
    client.number += 1
    await client.say(heartbeat=stream_pb2.Heartbeat())
    found = await failure(client)
    assert (found.reason, found.violations[0].field) == (ErrorReason.INVALID_REQUEST, "number")


async def test_a_newer_connection_takes_the_session(running: Floor) -> None:
    """The older one is told so; nothing is cancelled."""
    older = Client(running, "moves", cancel_on_disconnect=True)
    await older.open()
    order = new("moves")
    await older.say(orders=pb.SessionOrders(orders=[order]))
    await older.until(lambda: older.answers)
    newer = Client(running, "moves", cancel_on_disconnect=True)
    await newer.open()
    found = await failure(older)
    assert found.metadata["state"] == "REPLACED"
    assert (await stand.got(running.trading(), order)).status != order_pb2.ORDER_STATUS_CANCELLED
    await newer.say(logout=pb.SessionLogout())
    while await newer.read():
        pass


async def test_a_lost_session_takes_its_orders_with_it(running: Floor) -> None:
    """Those that were entered on it, two heartbeats after it fell silent; others stay."""
    client = Client(running, "lost", cancel_on_disconnect=True)
    client._logon.heartbeat_interval.seconds = 1
    await client.open()
    mine, other = new("lost"), new("lost")
    stub = running.trading()
    await stub.PlaceOrder(place(other))
    await client.say(orders=pb.SessionOrders(orders=[mine]))
    await client.until(lambda: client.answers)
    found = await failure(client)
    assert found.metadata["state"] == "SILENT"
    ended = await status(stub, mine, order_pb2.ORDER_STATUS_CANCELLED)
    assert ended.reason == "DISCONNECT"
    assert (await stand.got(stub, other)).status == order_pb2.ORDER_STATUS_NEW


async def test_reports_are_streamed_from_memory_and_from_the_journal(running: Floor) -> None:
    """All of an account, from a number, from now, or behind a cursor; not behind one that no report has had."""
    stub = running.trading()
    orders = [new("stream") for _ in range(3)]
    for order in orders:
        await stub.PlaceOrder(place(order))
        await status(stub, order, order_pb2.ORDER_STATUS_NEW)
    call = stub.StreamExecutions(history.StreamExecutionsRequest(account="stream"))
    seen: list[int] = []
    while len(seen) < 6:
        message = await call.read()
        seen += [report.sequence for report in message.reports.reports]
    await stub.CancelOrder(cancel(orders[0]))
    while len(seen) < 8:
        message = await call.read()
        seen += [report.sequence for report in message.reports.reports]
    assert seen == list(range(1, 9))
    cursor = message.position.cursor
    call.cancel()
    behind = stub.StreamExecutions(history.StreamExecutionsRequest(account="stream", resume_cursor="6"))
    assert [r.sequence for r in (await behind.read()).reports.reports] == [7, 8]
    behind.cancel()
    now = stub.StreamExecutions(history.StreamExecutionsRequest(account="stream", resume_cursor=cursor))
    await stub.PlaceOrder(place(new("stream")))
    assert (await now.read()).reports.reports[0].sequence == 9
    now.cancel()
    with pytest.raises(grpc.aio.AioRpcError, match="resume_cursor"):
        await stub.StreamExecutions(history.StreamExecutionsRequest(account="a", resume_cursor="x")).read()
    for ahead in ({"after_sequence": 999}, {"resume_cursor": "999"}):
        request = history.StreamExecutionsRequest(account="stream", **ahead)
        with pytest.raises(grpc.aio.AioRpcError, match=f"{next(iter(ahead))}: the account's newest report is"):
            await stub.StreamExecutions(request).read()
