"""What people ask of broker about breaks, and what a test waits for."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable
from typing import Any

from crossrate.api.broker.v1 import break_pb2 as pb
from crossrate.api.broker.v1 import reconciliation_service_pb2 as calls
from crossrate.api.broker.v1.reconciliation_service_pb2_grpc import ReconciliationServiceStub
from crossrate.api.trading.v1 import order_pb2
from crossrate.rpc.caller import CLIENT_HEADER
from tests.integration.broker_stand import NEW, Floor, Reader, instruct, instruction, order

MARKET = order_pb2.ORDER_TYPE_MARKET


class Books:
    """The calls of people about one venue, and what a test waits for."""

    def __init__(self, running: Floor, reader: Reader, venue: str) -> None:
        self.running, self.reader, self.venue = running, reader, venue
        self.stub = ReconciliationServiceStub(running.channel())

    async def listed(self, **which: Any) -> list[pb.Break]:
        """Breaks."""
        return list((await self.stub.ListBreaks(calls.ListBreaksRequest(venue=self.venue, **which))).breaks)

    async def until(self, holds: Callable[[list[pb.Break]], bool], closed: bool = True) -> list[pb.Break]:
        """Breaks once something holds of them.

        Where the machine is slow a comparison takes long, and the next one waits fifty times as long: it is asked for.
        """
        end = time.monotonic() + 60
        while not holds(found := await self.listed(closed=closed)):
            assert time.monotonic() < end, [(pb.BreakType.Name(e.type), e.state, e.text) for e in found]
            await asyncio.sleep(0.05)
            if time.monotonic() > end - 30:
                await self.compared()
        return found

    @property
    def gates(self) -> dict[str, int]:
        """What is stopped at the venue."""
        markets = self.running.gates.markets
        return {name: mode for name, mode in markets.items() if name.endswith(f"@{self.venue}")}

    async def restart(self) -> None:
        """Broker is killed and starts anew."""
        self.running.kill()
        await self.running.start()
        # The channel waits a while before it tries again.
        await self.stub.ListBreaks(calls.ListBreaksRequest(), wait_for_ready=True, timeout=60)

    async def break_of(self, kind: int) -> pb.Break:
        """The only open break, which is of a kind."""
        found = await self.until(lambda found: any(each.type == kind for each in found), closed=False)
        assert [each.type for each in found] == [kind], [(pb.BreakType.Name(e.type), e.text) for e in found]
        return found[0]

    async def propose(self, found: pb.Break, who: str = "ann", **fields: Any) -> pb.Break:
        """A proposal by a person."""
        request = calls.ProposeCorrectionRequest(
            request_id=str(uuid.uuid4()), break_id=found.break_id, reason="by the venue's desk", **fields
        )
        return getattr(await self.stub.ProposeCorrection(request, metadata=by(who)), "break")

    async def approve(self, found: pb.Break, who: str = "bob", **fields: Any) -> pb.Break:
        """Its approval by another."""
        request = calls.ApproveCorrectionRequest(
            request_id=str(uuid.uuid4()),
            break_id=found.break_id,
            correction_id=found.correction.correction_id,
            **fields,
        )
        return getattr(await self.stub.ApproveCorrection(request, metadata=by(who)), "break")

    async def correct(self, found: pb.Break, **fields: Any) -> pb.Break:
        """Two persons correct a break; as it is once it has closed."""
        await self.approve(await self.propose(found, **fields))
        return await self.closed(found)

    async def closed(self, found: pb.Break) -> pb.Break:
        """A break once it is closed."""

        def over(all_of_them: list[pb.Break]) -> bool:
            return any(e.break_id == found.break_id and e.state == pb.BREAK_STATE_CLOSED for e in all_of_them)

        every = await self.until(over)
        return next(each for each in every if each.break_id == found.break_id)

    async def deal(self, **fields: Any) -> order_pb2.Order:
        """A market order that is sent and done at the exchange."""
        bought = order(order_type=MARKET, venue=self.venue, **fields)
        await self.running.routing().Instruct(instruct(instruction(NEW, bought)))
        return bought

    async def rest(self, price: str = "1.07", **fields: Any) -> order_pb2.Order:
        """A limit order that rests."""
        rests = order(limit_price=price, venue=self.venue, **fields)
        await self.running.routing().Instruct(instruct(instruction(NEW, rests)))
        await self.reader.until(lambda: self.reader.kinds(rests)[:1] == ["ACCEPTED"])
        return rests

    async def compared(self, whole: bool = False) -> calls.RunReconciliationResponse:
        """A comparison that is asked for and done."""
        request = calls.RunReconciliationRequest(request_id=str(uuid.uuid4()), venue=self.venue, whole=whole)
        return await self.stub.RunReconciliation(request, metadata=by("ann"))


def by(who: str) -> tuple[tuple[str, str], tuple[str, str]]:
    """Who calls."""
    edge = ("x-forwarded-client-cert", "By=spiffe://crossrate/broker;Hash=0;URI=spiffe://crossrate/edge")
    return edge, (CLIENT_HEADER, f"spiffe://crossrate/client/{who}")
