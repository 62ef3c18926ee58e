"""Clients of orders: they enter, amend and cancel by gRPC through the edge, and repeat what was not answered.

Each writes into the diary before it asks and after it was told. Followers have the execution reports of an account
streamed, and go on behind the last one when the stream breaks.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
import uuid
from collections.abc import Callable
from typing import Any

import grpc
from google.protobuf.message import Message

from crossrate.api.common.v1 import gate_pb2
from crossrate.api.risk.v1 import kill_switch_service_pb2 as kills
from crossrate.api.risk.v1.kill_switch_service_pb2_grpc import KillSwitchServiceStub
from crossrate.api.trading.v1 import order_entry_pb2 as pb
from crossrate.api.trading.v1 import order_history_pb2 as history
from crossrate.api.trading.v1 import order_pb2
from crossrate.api.trading.v1.trading_service_pb2_grpc import TradingServiceStub
from crossrate.rpc.errors import failure_of
from tests.chaos.checker import Broken, Problem
from tests.chaos.diary import Diary, digest
from tests.chaos.readers import heard
from tests.integration.conftest import eventually

Channel = Callable[[], grpc.aio.Channel]

UNANSWERED = (
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
)
"""Whoever is told so repeats; after the others nothing was done."""
SAID_NO = (grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.NOT_FOUND)
MAY_BE_LATE = (pb.CancelOrderRequest, pb.AmendOrderRequest)
"""A cancel or an amendment that comes too late is told so; whatever else is told so was not expected to be."""
ATTEMPT_S_MAX = 3.0
ANSWERED_S_MAX = 120.0
AGAIN_S = 0.1
PAUSE_S = 0.03
OPERATIONS_MAX = 120
"""Of one client in a round."""
AGAIN_SHARE = 0.08
"""How many answered entries are repeated: the same answer has to come."""
BATCH = 5
SILENCE_S_MAX = 20.0


class Trader:
    """One client of one account.

    Args:
        resting: it enters only what is not filled: orders far from the market.
        early: the fault that a check must find: it takes as promised what it has only asked for.
        forgetful: the same: it writes nothing down before it asks.
    """

    def __init__(
        self,
        channel: Channel,
        account: str,
        diary: Diary,
        seed: int,
        *,
        resting: bool = False,
        early: bool = False,
        forgetful: bool = False,
    ) -> None:
        self.account = account
        self._channel = channel
        self._diary = diary
        self._chance = random.Random(seed)
        self._resting = resting
        self._early = early
        self._forgetful = forgetful
        self._working: list[str] = []
        self._entered: list[tuple[str, pb.PlaceOrderRequest]] = []
        self.gives_up = False
        """Whether it asks only once."""
        self.problems: list[Problem] = []

    async def run(self, stopping: asyncio.Event) -> None:
        """Until the round is over; what was begun is answered first."""
        async with self._channel() as channel:
            stub = TradingServiceStub(channel)
            for _ in range(OPERATIONS_MAX):
                if stopping.is_set():
                    return
                await self._operate(stub)
                # Its own pace; nothing is waited for.
                await asyncio.sleep(PAUSE_S)

    async def _operate(self, stub: Any) -> None:
        drawn = self._chance.random()
        if self._entered and drawn < AGAIN_SHARE:
            await self.repeat(stub, *self._chance.choice(self._entered[-200:]))
        elif self._working and drawn < 0.35:
            await self._cancel(stub, self._working.pop(self._chance.randrange(len(self._working))))
        elif self._working and drawn < 0.42:
            await self._amend(stub, self._chance.choice(self._working))
        elif drawn < 0.5:
            await self._enter_list(stub)
        else:
            await self._enter(stub)

    def order(self) -> order_pb2.NewOrder:
        """The next one that it would enter."""
        chance = self._chance
        buys = chance.random() < 0.5
        order = order_pb2.NewOrder(
            client_order_id=uuid.UUID(int=chance.getrandbits(128)).hex,
            account=self.account,
            instrument="EUR/USD",
            side=order_pb2.SIDE_BUY if buys else order_pb2.SIDE_SELL,
            quantity=str(chance.randrange(1, 50) * 1000),
            time_in_force=order_pb2.TIME_IN_FORCE_GTC,
        )
        drawn = chance.random()
        if drawn < 0.2:
            order.order_type = order_pb2.ORDER_TYPE_STOP
            order.stop_price = "1.16" if buys else "1.07"
        elif drawn < 0.6 and not self._resting:
            order.order_type, order.time_in_force = order_pb2.ORDER_TYPE_MARKET, order_pb2.TIME_IN_FORCE_IOC
        else:
            order.order_type = order_pb2.ORDER_TYPE_LIMIT
            order.limit_price = "1.08" if buys else "1.15"
        return order

    async def _enter(self, stub: Any) -> None:
        request = pb.PlaceOrderRequest(request_id=str(uuid.uuid4()), order=self.order())
        op = uuid.uuid4().hex
        self._sent(op, "place", request.order.client_order_id)
        if self._early:
            name = request.order.client_order_id
            self._diary.write("answered", op, told=[(name, "", order_pb2.ORDER_STATUS_PENDING_NEW)], digest="")
        answer = await self._asked(op, stub.PlaceOrder, request)
        if answer is not None:
            self._entered.append((op, request))
            self._told(op, answer, [answer])

    async def repeat(self, stub: Any, op: str, request: pb.PlaceOrderRequest) -> None:
        """Enters an order that was answered before."""
        answer = await self._asked(op, stub.PlaceOrder, request)
        if answer is not None:
            self._diary.write("answered", op, told=[_told(answer)], digest=digest(answer))

    async def repeat_all(self, count: int) -> None:
        """Repeats the last entries that were answered."""
        async with self._channel() as channel:
            for op, request in self._entered[-count:]:
                await self.repeat(TradingServiceStub(channel), op, request)

    async def _enter_list(self, stub: Any) -> None:
        orders = [self.order() for _ in range(BATCH)]
        request = pb.PlaceOrdersRequest(request_id=str(uuid.uuid4()), account=self.account, orders=orders)
        op = uuid.uuid4().hex
        self._sent(op, "list", *(order.client_order_id for order in orders))
        answer = await self._asked(op, stub.PlaceOrders, request)
        if answer is not None:
            self._told(op, answer, answer.results)

    async def _cancel(self, stub: Any, name: str) -> None:
        request = pb.CancelOrderRequest(request_id=str(uuid.uuid4()), account=self.account, client_order_id=name)
        op = uuid.uuid4().hex
        self._sent(op, "cancel", name)
        answer = await self._asked(op, stub.CancelOrder, request)
        if answer is not None:
            self._diary.write("answered", op, told=[], digest=digest(answer))

    async def _amend(self, stub: Any, name: str) -> None:
        request = pb.AmendOrderRequest(request_id=str(uuid.uuid4()), account=self.account, client_order_id=name)
        request.quantity = str(self._chance.randrange(1, 50) * 1000)
        op = uuid.uuid4().hex
        self._sent(op, "amend", name)
        answer = await self._asked(op, stub.AmendOrder, request)
        if answer is not None:
            self._diary.write("answered", op, told=[], digest=digest(answer))

    async def cancel_all(self) -> None:
        """Cancels all that works."""
        self._working.clear()
        request = pb.CancelAllRequest(request_id=str(uuid.uuid4()), account=self.account)
        op = uuid.uuid4().hex
        self._sent(op, "cancel all")
        async with self._channel() as channel:
            answer = await self._asked(op, TradingServiceStub(channel).CancelAll, request)
        if answer is not None:
            self._diary.write("answered", op, told=[], digest=digest(answer))

    def _sent(self, op: str, call: str, *orders: str) -> None:
        orders = () if self._forgetful else orders
        self._diary.write("sent", op, call=call, account=self.account, orders=list(orders))

    def _told(self, op: str, answer: Message, results: Any) -> None:
        self._diary.write("answered", op, told=[_told(each) for each in results], digest=digest(answer))
        ended = (order_pb2.ORDER_STATUS_REJECTED, order_pb2.ORDER_STATUS_CANCELLED, order_pb2.ORDER_STATUS_FILLED)
        self._working += [
            each.order.terms.client_order_id
            for each in results
            if each.order.status not in ended and each.order.terms.order_type != order_pb2.ORDER_TYPE_MARKET
        ]

    async def _asked(self, op: str, method: Any, request: Message) -> Any:
        """The answer, asked for again while there is none; None if the answer is an error."""
        end = time.monotonic() + ANSWERED_S_MAX
        while True:
            try:
                return await method(request, timeout=ATTEMPT_S_MAX)
            except grpc.aio.AioRpcError as error:
                failure = failure_of(error)
                said = f"{error.code().name} {failure.reason.name if failure is not None else ''}".strip()
                if error.code() not in UNANSWERED:
                    self._diary.write("refused", op, error=said)
                    if error.code() not in SAID_NO or not isinstance(request, MAY_BE_LATE):
                        words = f"{type(request).__name__}: {said}: {error.details()}"
                        self.problems.append(Problem(Broken.REFUSED, f"client of {self.account}", words))
                    return None
                self._diary.write("silent", op, error=f"{said} {error.details() or ''}".strip())
                if self.gives_up:
                    return None
                if time.monotonic() > end:
                    words = f"{type(request).__name__} was not answered in {ANSWERED_S_MAX:g} s: {said}"
                    self.problems.append(Problem(Broken.STUCK, f"client of {self.account}", words))
                    return None
                await asyncio.sleep(AGAIN_S)


def _told(answer: pb.PlaceOrderResponse) -> tuple[str, str, int]:
    return answer.order.terms.client_order_id, answer.order.order_id, answer.order.status


class Follower:
    """Follows the execution reports of an account.

    Attributes:
        at: the last report.
        breaks: how often its stream broke.
        lapse: the fault that a check must find: "gap" loses a report, "repeat" takes one twice; once.
    """

    def __init__(self, channel: Channel, account: str) -> None:
        self.account = account
        self.at = 0
        self.breaks = 0
        self.problems: list[Problem] = []
        self.lapse = ""
        self._channel = channel

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            with contextlib.suppress(grpc.aio.AioRpcError, TimeoutError):
                async with self._channel() as channel:
                    await self._follow(TradingServiceStub(channel))
            self.breaks += 1
            await asyncio.sleep(AGAIN_S)

    async def _follow(self, stub: Any) -> None:
        call = stub.StreamExecutions(history.StreamExecutionsRequest(account=self.account, after_sequence=self.at))
        try:
            while (message := await heard(call, SILENCE_S_MAX)) is not grpc.aio.EOF:
                for report in message.reports.reports:
                    self._take(report.sequence)
        finally:
            call.cancel()

    def _take(self, number: int) -> None:
        expected = self.at + 1
        if self.lapse:
            expected += 1 if self.lapse == "repeat" else -1
            self.lapse = ""
        if number != expected:
            broken = Broken.GAP if number > expected else Broken.REPEAT
            self.problems.append(Problem(broken, f"follower of {self.account}", f"{expected} was due, {number} came"))
        self.at = number


class Officer:
    """Engages the kill switch on an account, and has it resumed by two people."""

    def __init__(self, proposes: Channel, approves: Channel) -> None:
        self._proposes = proposes
        self._approves = approves
        self.kills = 0

    async def halt(self, account: str) -> str:
        """The id of the kill, once trading has committed its gate."""
        scope = gate_pb2.KillScope(kind="account", name=account)
        request = kills.EngageRequest(
            request_id=str(uuid.uuid4()), scope=scope, mode=gate_pb2.KILL_MODE_HALT, comment="a round of chaos"
        )
        async with self._proposes() as channel:
            stub = KillSwitchServiceStub(channel)
            answer = await _until_answered(stub.Engage, request)

            async def applied() -> bool:
                state = (await _until_answered(stub.GetState, kills.GetStateRequest())).state
                return state.applied_version >= answer.kill.gate_version

            await eventually(applied, ANSWERED_S_MAX)
        self.kills += 1
        return answer.kill.kill_id

    async def resume(self, kill_id: str) -> None:
        """Ends the kill."""
        async with self._proposes() as first, self._approves() as second:
            request = kills.ProposeResumeRequest(request_id=str(uuid.uuid4()), kill_id=kill_id, comment="it is over")
            answer = await _until_answered(KillSwitchServiceStub(first).ProposeResume, request)
            approval = kills.ApproveResumeRequest(request_id=str(uuid.uuid4()), proposal_id=answer.proposal.proposal_id)
            await _until_answered(KillSwitchServiceStub(second).ApproveResume, approval)


async def _until_answered(method: Any, request: Message) -> Any:
    async with asyncio.timeout(ANSWERED_S_MAX):
        while True:
            try:
                return await method(request, timeout=ATTEMPT_S_MAX)
            except grpc.aio.AioRpcError as error:
                if error.code() not in UNANSWERED:
                    raise
                await asyncio.sleep(AGAIN_S)
