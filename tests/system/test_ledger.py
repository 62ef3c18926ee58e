"""Books through the whole mesh: an order that is filled at the simulated venue is in the books, and they are proved."""

import asyncio
import uuid
from decimal import Decimal

import grpc
import pytest

from crossrate.api.ledger.v1 import ledger_service_pb2 as pb
from crossrate.api.ledger.v1 import movement_service_pb2 as moves
from crossrate.api.ledger.v1.ledger_service_pb2_grpc import LedgerServiceStub
from crossrate.api.ledger.v1.movement_service_pb2_grpc import MovementServiceStub
from crossrate.api.trading.v1 import execution_pb2, order_entry_pb2, order_history_pb2, order_pb2
from crossrate.api.trading.v1.trading_service_pb2_grpc import TradingServiceStub
from tests.accounts import open_account
from tests.mesh import Mesh

pytestmark = pytest.mark.system


def local(mesh: Mesh, service: str) -> grpc.aio.Channel:
    """A channel to an instance's own socket, as the local operator."""
    return grpc.aio.insecure_channel(f"unix:{mesh.place.service_socket(f'{service}-1')}")


def identity() -> str:
    """A new request id."""
    return str(uuid.uuid4())


async def opened(channel: grpc.aio.Channel, name: str) -> None:
    """Opens an account with a million dollars."""
    await open_account(channel, name)
    money = moves.DepositRequest(request_id=identity(), account=name, currency="USD", amount="1000000")
    await MovementServiceStub(channel).Deposit(money)


async def reports(channel: grpc.aio.Channel, name: str) -> list[execution_pb2.ExecutionReport]:
    """What trading has of an account."""
    request = order_history_pb2.ListExecutionsRequest(account=name)
    return list((await TradingServiceStub(channel).ListExecutions(request)).reports)


async def test_a_filled_order_is_in_the_books(mesh: Mesh) -> None:
    """The position has the quantity and the money of the fills that trading reports, and the proof holds."""
    name = f"books-{uuid.uuid4().hex[:8]}"
    async with local(mesh, "ledger") as ledger, local(mesh, "trading") as trading, asyncio.timeout(120):
        await opened(ledger, name)
        fills: list[execution_pb2.Fill] = []
        number = 0
        # Refused while risk has not heard of the account; the simulated venue may refuse a deal as any venue may.
        while not fills:
            number += 1
            order = order_pb2.NewOrder(
                client_order_id=f"order-{number}",
                account=name,
                instrument="EUR/USD",
                side=order_pb2.SIDE_BUY,
                quantity="100000",
                order_type=order_pb2.ORDER_TYPE_MARKET,
                time_in_force=order_pb2.TIME_IN_FORCE_IOC,
            )
            request = order_entry_pb2.PlaceOrderRequest(request_id=identity(), order=order)
            await TradingServiceStub(trading).PlaceOrder(request)
            await asyncio.sleep(0.5)
            told = await reports(trading, name)
            fills = [each.fill for each in told if each.exec_type == execution_pb2.EXEC_TYPE_TRADE]
        listing = pb.ListPositionsRequest(account=name)
        while True:
            told = await reports(trading, name)
            found = await LedgerServiceStub(ledger).ListPositions(listing)
            if found.execution_sequence == len(told):
                break
            await asyncio.sleep(0.1)
        fills = [each.fill for each in told if each.exec_type == execution_pb2.EXEC_TYPE_TRADE]
        (position,) = found.positions
        assert Decimal(position.quantity) == sum(Decimal(fill.quantity) for fill in fills)
        paid = sum(Decimal(fill.quantity) * Decimal(fill.price) for fill in fills)
        assert Decimal(position.counter_amount) == -paid
        proof = await MovementServiceStub(ledger).VerifyBooks(moves.VerifyBooksRequest(), timeout=60)
        assert list(proof.differences) == []
        assert proof.books >= 1
