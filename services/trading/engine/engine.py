"""All that moves orders, put together: one for each instance."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from crossrate.api.broker.v1 import routing_service_pb2 as routing
from crossrate.api.broker.v1.routing_service_pb2_grpc import RoutingServiceStub
from crossrate.api.risk.v1.pretrade_service_pb2_grpc import PreTradeServiceStub
from crossrate.rpc.call import new_request_id
from crossrate.runtime.ending import Parts
from services.trading import messages
from services.trading.domain import settling
from services.trading.domain.account import Account, Instruct, Step
from services.trading.domain.lifecycle import Exec, Reason, Status
from services.trading.domain.order import Order, OrderType, Terms
from services.trading.engine.accounts import Accounts
from services.trading.engine.dispatch import Dispatch
from services.trading.engine.follower import Follower
from services.trading.engine.hub import Hub
from services.trading.engine.replay import Replays
from services.trading.engine.risk import PreTrade
from services.trading.engine.venue_reports import Applier
from services.trading.engine.writer import Writer
from services.trading.store import Batch, Reading, Store
from services.trading.store.batch import instruction_of


class Follows(Protocol):
    """Who acts on what was committed."""

    async def claimed(self, account: Account) -> None:
        """An account is here now."""
        ...

    def committed(self, batch: Batch) -> None:
        """A batch was committed."""
        ...


class Engine:
    """See the module. `run` is a task of the process; it ends by cancellation, or with the first part that fails.

    Args:
        writer_name: names this life of this instance to risk.
    """

    def __init__(
        self,
        store: Store,
        reading: Reading,
        pretrade: PreTradeServiceStub,
        routing_stub: RoutingServiceStub,
        writer_name: str,
        note: Any,
        clock_ns: Callable[[], int],
    ) -> None:
        self.note = note
        self.reading = reading
        self.clock_ns = clock_ns
        self.hub = Hub()
        self.accounts = Accounts(store, note)
        self.replays = Replays(reading)
        self.writer = Writer(self.accounts, store, self.replays.entries, self._settle, note, clock_ns)
        self.risk = PreTrade(
            pretrade,
            writer_name,
            self.accounts.held.get,
            self.writer.on_the_way,
            self.writer.settled,
            note,
        )
        self.writer.risk = self.risk
        self.dispatch = Dispatch(routing_stub, self._refused, note)
        self.applier = Applier(note)
        self.follower = Follower(routing_stub, self.accounts, self.writer, reading, self.applier, note)
        self.accounts.on_claimed(self._claimed)
        self.accounts.on_claimed(self.follower.claimed)
        self.writer.on_committed(self._committed)
        self._followers: list[Follows] = []
        self.parts: list[Callable[[], Any]] = []
        """Further tasks, by the functions that make them."""

    def follow(self, follower: Follows, *parts: Callable[[], Any]) -> None:
        """Tells a follower of each account that comes here and of each commit; its `parts` run with the others."""
        self._followers.append(follower)
        self.accounts.on_claimed(follower.claimed)
        self.parts += parts

    async def run(self) -> None:
        """Runs all parts."""
        async with Parts() as parts:
            for part in (
                self.writer.run_admission,
                self.writer.run_commits,
                self.accounts.run,
                self.risk.run,
                self.dispatch.run,
                self.follower.run,
                *self.parts,
            ):
                parts.create_task(part())
            # They end with the block; it ends when it is cancelled, by its own task or by the part that fails.
            await asyncio.Event().wait()

    def _settle(self, account: Account, batch: Batch) -> None:
        def make(parent: Order, client_order_id: str, terms: Terms) -> Order:
            return messages.protection_of(parent, new_request_id(), client_order_id, terms, batch.now_ns)

        settling.settle(account, batch, make)

    async def _claimed(self, account: Account) -> None:
        """What an account needs whose last owner may have died between a commit and what follows from it."""
        self.risk.whole([account.name])
        self.dispatch.add(
            [instruction_of(order, kind) for order in account.orders.values() for kind in outstanding(order)]
        )

    def _committed(self, batch: Batch) -> None:
        self.risk.reported(batch.reported)
        self.dispatch.add(batch.instructions)
        self.hub.publish(batch.reported)
        for each in self._followers:
            each.committed(batch)

    def _refused(self, instruction: routing.Instruction, why: str) -> None:
        """Broker will never take an instruction: the order, or its cancel or amendment, is refused by that."""
        order_id, kind = instruction.order.order_id, instruction.kind

        def do(account: Account, batch: Batch) -> None:
            order = account.orders.get(order_id)
            if order is None or order.final:
                return
            if kind == Instruct.NEW:
                step = Step(Exec.REJECTED, "", Reason.NO_VENUE, f"no venue takes it: {why}")
                account.end(order, Exec.REJECTED, step, batch)
            elif kind == Instruct.CANCEL and order.status is Status.PENDING_CANCEL:
                account.refuse(order, Exec.CANCEL_REJECTED, Reason.NO_VENUE, why, "", batch)
            elif kind == Instruct.REPLACE and order.proposed is not None:
                account.refuse(order, Exec.REPLACE_REJECTED, Reason.NO_VENUE, why, "", batch)

        self.writer.work(instruction.order.terms.account, do)


def outstanding(order: Order) -> tuple[Instruct, ...]:
    """What broker may not have been told: repeating it is safe, for an instruction is taken once.

    A cancel of an order that no venue has confirmed comes behind the order itself: of an order that broker never heard
    of it could only say that it has none, and the order would go on waiting.
    """
    if order.held or order.final or order.terms.order_type is OrderType.PREVIOUSLY_QUOTED:
        return ()
    match order.status:
        case Status.PENDING_NEW | Status.PENDING_UNKNOWN:
            return (Instruct.NEW,)
        case Status.PENDING_CANCEL:
            return (Instruct.CANCEL,) if order.confirmed else (Instruct.NEW, Instruct.CANCEL)
        case Status.PENDING_REPLACE:
            return (Instruct.REPLACE,)
    return ()
