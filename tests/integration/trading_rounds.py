"""Load on trading while its instances are killed, round after round, and the books afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import random
from dataclasses import dataclass
from typing import Any

import grpc

from crossrate.api.trading.v1 import order_entry_pb2 as pb
from crossrate.api.trading.v1 import order_history_pb2 as history
from crossrate.api.trading.v1 import order_pb2
from tests.integration import trading_stand as stand
from tests.integration.conftest import eventually
from tests.integration.trading_stand import Floor, cancel, new, place

CLIENTS = 4
ORDERS_A_ROUND = 25
ACCOUNTS = ("alpha", "beta")


@dataclass
class Done:
    """What happened in all rounds."""

    orders: int = 0
    unanswered: int = 0
    kills: int = 0


async def rounds(desk: Floor, made: Any, seed: int, count: int) -> Done:
    """Some rounds: orders and cancels from several clients, a kill at a random moment, the next instance goes on.

    Raises:
        AssertionError: an order was lost, is there twice, or is not what was answered.
    """
    chance, done = random.Random(seed), Done()
    answered: dict[str, pb.PlaceOrderResponse] = {}
    orders: dict[str, order_pb2.NewOrder] = {}
    desk.broker.answer = stand.filling
    for number in range(1, count + 1):
        name = f"trading-{number}"
        await made.start(name, CROSSRATE_SETTLE_S="0", CROSSRATE_GRACE_S="1")
        stub = desk.trading(name)
        if number > 1:
            # Whoever did not learn the outcome repeats the call, and everybody has the answer that was given before.
            for key, order in orders.items():
                answer = await stub.PlaceOrder(place(order))
                assert answered.setdefault(key, answer) == answer
        kill_after = chance.randrange(1, CLIENTS * ORDERS_A_ROUND)
        clients = [
            asyncio.ensure_future(_client(desk, stub, chance.randrange(1 << 30), orders, answered))
            for _ in range(CLIENTS)
        ]
        enough = kill_after + len(answered)
        await eventually(lambda most=enough, all_of=clients: len(answered) >= most or _over(all_of), 60)
        if number < count:
            made.kill(name)
            done.kills += 1
        results = await asyncio.gather(*clients)
        done.unanswered += sum(results)
        done.orders = len(orders)
    await _books(desk, stub, orders, answered)
    return done


def _over(clients: list[asyncio.Future[int]]) -> bool:
    return all(client.done() for client in clients)


async def _client(desk: Floor, stub: Any, seed: int, orders: dict, answered: dict) -> int:
    """Enters orders until it fails; returns how many calls were not answered."""
    chance = random.Random(seed)
    for _ in range(ORDERS_A_ROUND):
        order = new(chance.choice(ACCOUNTS), quantity=str(chance.randrange(1, 50) * 1000))
        orders[order.client_order_id] = order
        try:
            answered[order.client_order_id] = await stub.PlaceOrder(place(order))
            if chance.random() < 0.3:
                with contextlib.suppress(grpc.aio.AioRpcError):
                    await stub.CancelOrder(cancel(order))
        except grpc.aio.AioRpcError:
            return 1
    return 0


async def _books(desk: Floor, stub: Any, orders: dict, answered: dict) -> None:
    for key, order in orders.items():
        answer = await stub.PlaceOrder(place(order))
        assert answered.setdefault(key, answer) == answer
    await eventually(lambda: _final(stub), 60)
    for account in ACCOUNTS:
        listed = []
        token = ""
        while True:
            request = history.ListOrdersRequest(account=account, page_size=50, page_token=token)
            page = await stub.ListOrders(request)
            listed += [order.terms.client_order_id for order in page.orders]
            token = page.next_page_token
            if not token:
                break
        mine = {key for key, order in orders.items() if order.account == account}
        assert sorted(listed) == sorted(mine)
    await desk.is_proved(*ACCOUNTS)
    for instruction in desk.broker.taken.values():
        assert instruction.order.terms.client_order_id in orders


async def _final(stub: Any) -> bool:
    for account in ACCOUNTS:
        answer = await stub.ListOrders(history.ListOrdersRequest(account=account, working=True))
        if answer.orders:
            return False
    return True
