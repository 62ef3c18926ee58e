"""Broker is killed while orders deal: nothing is lost, nothing comes twice, and the books stand where they stood."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter

import grpc
import pytest

from crossrate.api.broker.v1 import routing_service_pb2 as routing
from crossrate.api.broker.v1 import venue_report_pb2 as venue
from crossrate.api.trading.v1 import order_pb2
from tests.integration.broker_stand import (
    CANCEL,
    NEW,
    REPLACE,
    SELL,
    Floor,
    Reader,
    floor,
    instruct,
    instruction,
    kind_of,
    order,
)

pytestmark = pytest.mark.integration
KILLS = 4
VENUES = """
[venues.sim]
kind = "simulated"
seed = 11
tiers = [{ offset = 0, quantity = "300000" }, { offset = 2, quantity = "500000" }]
inbound = { fixed_ms = 1, median_ms = 3 }
outbound = { fixed_ms = 1, median_ms = 4 }
reject_rate = 0.05
slippage = { rate = 0.2, ticks = 3 }
partial_fills = { rate = 0.3, share = 0.2 }
last_look = { hold_ms = 5, tolerance = 4, refuse_rate = 0.05 }
[[routes]]
venues = ["sim"]
"""
ENDS = {"REJECTED", "CANCELLED", "EXPIRED"}
ANSWERS = {
    "new": {"ACCEPTED", "REJECTED", "CANCELLED"},  # cancelled while a last look held it
    "replace": {"REPLACED", "REPLACE_REJECTED", "CANCELLED"},
    "cancel": {"CANCELLED", "CANCEL_REJECTED"},
}


class Client:
    """Sends orders, amendments and cancels by a seed; repeats each call until it is taken, as trading does."""

    def __init__(self, running: Floor, seed: int) -> None:
        self.random = random.Random(seed)
        self.running = running
        self.orders: dict[str, order_pb2.Order] = {}
        self.sent: list[routing.Instruction] = []

    def next(self) -> list[routing.Instruction]:
        """What is instructed next."""
        made = []
        for _ in range(self.random.randint(1, 6)):
            kind = self.random.choice([NEW, NEW, NEW, CANCEL, REPLACE]) if self.orders else NEW
            if kind == NEW:
                market = self.random.random() < 0.3
                side = self.random.choice([order_pb2.SIDE_BUY, SELL])
                about = order(
                    self.random.choice(["alpha", "beta", "gamma"]),
                    side=side,
                    quantity=str(self.random.randint(1, 9) * 100_000),
                    **({"order_type": order_pb2.ORDER_TYPE_MARKET} if market else {"limit_price": self._price()}),
                )
            else:
                about = order_pb2.Order()
                about.CopyFrom(self.random.choice(list(self.orders.values())))
                about.version += 1
                if kind == REPLACE:
                    if about.terms.order_type != order_pb2.ORDER_TYPE_LIMIT:
                        continue
                    about.terms.limit_price = self._price()
            self.orders[about.order_id] = about
            made.append(instruction(kind, about))
        self.sent += made
        return made

    def _price(self) -> str:
        return f"1.08{self.random.randint(0, 20):02d}"

    async def say(self, instructions: list[routing.Instruction]) -> None:
        """Instructs until broker has taken it."""
        if not instructions:
            return
        call = instruct(*instructions)
        while True:
            with contextlib.suppress(grpc.aio.AioRpcError):
                await self.running.routing().Instruct(call, timeout=5)
                return
            await asyncio.sleep(0.05)


async def _market(running: Floor, chance: random.Random) -> None:
    while True:
        bid = 1.08 + chance.randint(0, 20) / 10_000
        await running.market.say("EUR/USD", round(bid, 5), round(bid + 0.0001, 5))
        await asyncio.sleep(0.01)


async def test_kills_lose_nothing_and_double_nothing() -> None:
    """However often it is killed: every instruction is answered, fills are unique and never beyond an order."""
    async with floor(VENUES) as running:
        client, chance = Client(running, 5), random.Random(6)
        moving = asyncio.create_task(_market(running, chance))
        try:
            for _ in range(KILLS):
                reader = Reader(running.routing())
                seen = len(reader.reports)
                for _ in range(chance.randint(3, 8)):
                    await client.say(client.next())
                # Somewhere in the middle of what it does: after it has told something, whatever else waits.
                await reader.until(lambda r=reader, s=seen: len(r.reports) > s)
                calls = asyncio.create_task(client.say(client.next()))
                running.kill()
                await reader.close()
                await running.start()
                await calls
            reader = Reader(running.routing())
            await _settle(client, reader)
            reports = list(reader.reports)
            await reader.close()
        finally:
            moving.cancel()
        _judge(client, reports)


async def _settle(client: Client, reader: Reader) -> None:
    """Cancels everything and waits until every order has ended."""
    last = []
    for each in client.orders.values():
        each.version += 1
        last.append(instruction(CANCEL, each))
    client.sent += last
    for begin in range(0, len(last), 200):
        await client.say(last[begin : begin + 200])

    await reader.until(lambda: all(_ended(reader, each) for each in client.orders.values()), 60)
    await reader.until(
        lambda: not _unanswered(client, reader.reports), 60, lambda: str(_unanswered(client, reader.reports))
    )


def _ended(reader: Reader, about: order_pb2.Order) -> bool:
    kinds = reader.kinds(about)
    return bool(ENDS & set(kinds)) or _filled(reader.about(about)) == int(about.terms.quantity)


def _filled(reports: list[venue.VenueReport]) -> int:
    return sum(int(each.fill.quantity) for each in reports if each.kind == venue.VENUE_REPORT_KIND_FILLED)


def _unanswered(client: Client, reports: list[venue.VenueReport]) -> list[str]:
    """Instructions for which there are fewer answers than there were instructions of their kind."""
    missing = []
    told = Counter((r.order_id, kind_of(r)) for r in reports)
    asked = Counter((i.order.order_id, i.instruction_id.rpartition(":")[2]) for i in client.sent)
    for (order_id, word), count in asked.items():
        answers = sum(told[order_id, kind] for kind in ANSWERS[word])
        # A cancellation may answer a cancel, or end an order by itself: there are never fewer answers.
        if answers < count:
            missing.append(f"{order_id}:{word}: {answers} of {count}")
    return missing


def _judge(client: Client, reports: list[venue.VenueReport]) -> None:
    assert [each.sequence for each in reports] == list(range(1, len(reports) + 1))
    fills = [each.fill.venue_exec_id for each in reports if each.kind == venue.VENUE_REPORT_KIND_FILLED]
    assert len(fills) == len(set(fills))
    assert fills, "nothing was dealt: the test says nothing"
    by_order: dict[str, list[venue.VenueReport]] = {}
    for each in reports:
        by_order.setdefault(each.order_id, []).append(each)
    assert set(by_order) == set(client.orders)
    for order_id, of_it in by_order.items():
        kinds = [kind_of(each) for each in of_it]
        held = "ACCEPTED" not in kinds and "CANCELLED" in kinds
        assert held or kinds[0] in ("ACCEPTED", "REJECTED", "REPLACE_REJECTED"), kinds
        assert sum(kind in ("ACCEPTED", "REJECTED") for kind in kinds) == (0 if held else 1), kinds
        assert _filled(of_it) <= int(client.orders[order_id].terms.quantity), kinds
        assert sum(kind in ENDS for kind in kinds) <= 1, kinds
        end = next((n for n, kind in enumerate(kinds) if kind in ENDS), len(kinds))
        assert "FILLED" not in kinds[end:], kinds
        amended = kinds.count("REPLACED") + kinds.count("REPLACE_REJECTED")
        assert amended <= sum(i.kind == REPLACE and i.order.order_id == order_id for i in client.sent), kinds
