"""Repetitions that nobody remembers: the commit finds them, and they are answered as they were."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import grpc
import pytest
import pytest_asyncio

from crossrate.api.trading.v1 import order_history_pb2 as history
from crossrate.api.trading.v1 import order_pb2
from crossrate.rpc.errors import ErrorReason
from services.trading.domain import account as accounts
from services.trading.store import commits
from tests.integration.trading_stand import Floor, failure, floor, new, place, status

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk() -> AsyncIterator[Floor]:
    """One instance that remembers the newest order of an account alone."""
    patch = pytest.MonkeyPatch()
    patch.setattr(accounts, "RECENT_MAX", 1)
    patch.setattr(commits, "RECENT", commits.RECENT.replace("LIMIT 200", "LIMIT 1"))
    async with floor() as made:
        made.stub = made.trading()
        yield made
    patch.undo()


async def count(desk: Floor, account: str) -> int:
    """Reports of an account, whose numbers have no gap."""
    answer = await desk.stub.ListExecutions(history.ListExecutionsRequest(account=account, page_size=1000))
    assert [report.sequence for report in answer.reports] == list(range(1, answer.last_sequence + 1))
    return answer.last_sequence


async def test_a_forgotten_order_is_answered_again_and_others_are_entered(desk: Floor) -> None:
    """The same bytes as before, whoever is in the same commit; an order under its id is refused."""
    first = new("alpha")
    answer = await desk.stub.PlaceOrder(place(first))
    await status(desk.stub, first, order_pb2.ORDER_STATUS_NEW)
    for _ in range(3):
        other = new("alpha")
        await desk.stub.PlaceOrder(place(other))
        await status(desk.stub, other, order_pb2.ORDER_STATUS_NEW)
    before = await count(desk, "alpha")
    beside = [new("alpha"), *(new("beta") for _ in range(4))]
    again, *entered = await asyncio.gather(
        desk.stub.PlaceOrder(place(first)), *(desk.stub.PlaceOrder(place(each)) for each in beside)
    )
    assert again == answer
    assert all(each.order.status == order_pb2.ORDER_STATUS_PENDING_NEW for each in entered)
    for each in beside:
        await status(desk.stub, each, order_pb2.ORDER_STATUS_NEW)
    assert await count(desk, "alpha") == before + 2
    assert await count(desk, "beta") == 8
    changed = new("alpha", client_order_id=first.client_order_id, quantity="77000")
    refused = await failure(desk.stub.PlaceOrder(place(changed)))
    assert refused.reason is ErrorReason.REQUEST_ID_REUSED
    assert await desk.stub.PlaceOrder(place(first)) == answer
    await desk.is_proved("alpha", "beta")


async def test_a_forgotten_order_is_answered_without_risk(desk: Floor) -> None:
    """What was answered before is answered again; what is new is not admitted."""
    first, other = new("gamma"), new("gamma")
    answer = await desk.stub.PlaceOrder(place(first))
    await desk.stub.PlaceOrder(place(other))
    await status(desk.stub, other, order_pb2.ORDER_STATUS_NEW)
    desk.risk.away = True
    try:
        assert await desk.stub.PlaceOrder(place(first)) == answer
        with pytest.raises(grpc.aio.AioRpcError) as away:
            await desk.stub.PlaceOrder(place(new("gamma")))
        assert away.value.code() is grpc.StatusCode.UNAVAILABLE
    finally:
        desk.risk.away = False
