"""Instances of trading that are killed, replaced and doubled: nothing is lost, nothing is there twice."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable

import grpc
import pytest

from crossrate.api.broker.v1 import routing_service_pb2 as routing
from crossrate.api.broker.v1 import venue_report_pb2 as venue
from crossrate.api.common.v1 import gate_pb2
from crossrate.api.trading.v1 import order_history_pb2 as history
from crossrate.api.trading.v1 import order_pb2
from crossrate.api.trading.v1 import trading_state_service_pb2 as state_pb
from crossrate.api.trading.v1.trading_service_pb2_grpc import TradingServiceStub
from tests.integration import trading_stand as stand
from tests.integration.conftest import eventually
from tests.integration.test_marketdata_process import Processes
from tests.integration.trading_rounds import rounds
from tests.integration.trading_stand import SELL, Floor, accepting, cancel, filling, floor, got, new, place, status

pytestmark = pytest.mark.integration

NEW, CANCELLED = order_pb2.ORDER_STATUS_NEW, order_pb2.ORDER_STATUS_CANCELLED
STOP = {"order_type": order_pb2.ORDER_TYPE_STOP, "stop_price": "1.09"}


@contextlib.asynccontextmanager
async def processes(desk: Floor) -> AsyncIterator[Processes]:
    """Instances as processes of their own, on the floor's servers and stand-ins."""
    made = Processes(desk.servers)
    try:
        yield made
    finally:
        await asyncio.to_thread(made.remove)


async def start(made: Processes, name: str) -> None:
    """An instance that ends at once when it is told to."""
    await made.start(name, CROSSRATE_SETTLE_S="0", CROSSRATE_GRACE_S="1")


async def test_a_kill_in_the_middle_of_a_commit_loses_nothing() -> None:
    """The commit waits for the gate when its instance is killed: whatever became of it, the repetition tells, once."""
    async with floor("none") as desk, processes(desk) as made:
        await start(made, "trading-1")
        stub = desk.trading("trading-1")
        await stub.PlaceOrder(place(new("alpha")))
        order = new("alpha")
        async with desk.database.transaction() as connection:
            await connection.execute("UPDATE gate SET version = version")
            asked = asyncio.ensure_future(stub.PlaceOrder(place(order)))
            await eventually(lambda: waits(desk))
            made.kill("trading-1")
            with pytest.raises(grpc.aio.AioRpcError):
                await asked
        await start(made, "trading-2")
        again = desk.trading("trading-2")
        answer = await again.PlaceOrder(place(order))
        assert await again.PlaceOrder(place(order)) == answer
        await status(again, order, NEW)
        assert len([i for i in desk.broker.taken.values() if i.order.order_id == answer.order.order_id]) == 1
        await desk.is_proved("alpha")


async def waits(desk: Floor) -> bool:
    """Whether a commit waits for a lock."""
    async with desk.database.connection() as connection:
        return bool(await connection.fetchval("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"))


async def test_a_commit_that_broke_is_not_mistaken_for_one_of_another_instance() -> None:
    """Its connection ends before it is done, and the account has come as far by somebody else: nothing was entered."""
    async with floor("none") as desk, processes(desk) as made:
        for name in ("trading-1", "trading-2"):
            await start(made, name)
        first, second = desk.trading("trading-1"), desk.trading("trading-2")
        resting, order = new("alpha", **STOP), new("alpha", **STOP)
        await first.PlaceOrder(place(resting))
        async with desk.database.transaction() as connection:
            await connection.execute("UPDATE gate SET version = version")
            asked = asyncio.ensure_future(first.PlaceOrder(place(order)))
            await eventually(lambda: waits(desk))
            # A cancel waits for no gate: it takes the account over, and writes the report that the order would have.
            await second.CancelOrder(cancel(resting))
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            )
            with pytest.raises(grpc.aio.AioRpcError) as raised:
                await asked
        assert raised.value.code() is grpc.StatusCode.UNAVAILABLE
        answer = await first.PlaceOrder(place(order))
        assert answer.order.status == NEW
        assert (await got(second, order)).order_id == answer.order.order_id
        await desk.is_proved("alpha")


async def test_what_broker_was_not_told_is_told_after_a_kill() -> None:
    """The instance is killed when its instruction arrives: the next one sends it again under the same id, and the order
    that is held here is looked after by whoever is left."""
    async with floor("none") as desk, processes(desk) as made:
        await start(made, "trading-1")
        order, held = new("alpha"), new("alpha", **STOP)

        def killing(broker, instruction):
            made.kill("trading-1")
            broker.answer = stand.accepting
            return stand.accepting(broker, instruction)

        stub = desk.trading("trading-1")
        await stub.PlaceOrder(place(held))
        desk.broker.answer = killing
        with contextlib.suppress(grpc.aio.AioRpcError):
            await stub.PlaceOrder(place(order))
        await eventually(lambda: desk.broker.taken)
        await start(made, "trading-2")
        again = desk.trading("trading-2")
        await status(again, order, NEW)
        assert len(desk.broker.taken) == 1
        desk.market.tick("EUR/USD", 1.0899, 1.0901)
        await eventually(lambda: len(desk.broker.taken) == 2)
        await desk.is_proved("alpha")


async def test_a_cancel_wins_when_broker_was_never_told_of_its_order() -> None:
    """Broker is away while the order is entered and cancelled, and trading is killed: then it is told of both, the
    order first, so that what ends it is about an order that it knows; the order never goes on by itself."""
    async with floor("none") as desk, processes(desk) as made:
        desk.broker.away = True
        await start(made, "trading-1")
        stub, order = desk.trading("trading-1"), new("alpha")
        await stub.PlaceOrder(place(order))
        answer = await stub.CancelOrder(cancel(order))
        assert answer.order.status == order_pb2.ORDER_STATUS_PENDING_CANCEL
        made.kill("trading-1")

        def knows(broker, instruction):
            told = [each.order.order_id for each in broker.instructions(routing.INSTRUCTION_KIND_NEW)]
            if instruction.kind == routing.INSTRUCTION_KIND_CANCEL and instruction.order.order_id not in told:
                return [stand.report_of(instruction.order, venue.VENUE_REPORT_KIND_CANCEL_REJECTED)]
            if instruction.kind == routing.INSTRUCTION_KIND_NEW:
                return []
            return stand.accepting(broker, instruction)

        desk.broker.answer, desk.broker.away = knows, False
        await start(made, "trading-2")
        again = desk.trading("trading-2")
        await status(again, order, CANCELLED)
        kinds = [each.kind for each in desk.broker.taken.values()]
        assert kinds == [routing.INSTRUCTION_KIND_NEW, routing.INSTRUCTION_KIND_CANCEL]
        await desk.is_proved("alpha")


async def test_rounds_of_kills_leave_the_books_right() -> None:
    """Load while instances are killed at any moment: every order is there once, as it was answered."""
    async with floor("none") as desk, processes(desk) as made:
        done = await rounds(desk, made, seed=1, count=3)
        assert done.orders > 50
        assert done.unanswered >= 0


async def test_two_instances_take_accounts_over_from_each_other() -> None:
    """Each call is served by whoever gets it; the one before finds its commit refused and forgets what it knew."""
    async with floor("trading-1", "trading-2") as desk:
        stubs = [desk.trading("trading-1"), desk.trading("trading-2")]
        orders = [new("alpha") for _ in range(30)]
        answers = await asyncio.gather(*(stubs[i % 2].PlaceOrder(place(order)) for i, order in enumerate(orders)))
        assert [answer.order.terms.client_order_id for answer in answers] == [o.client_order_id for o in orders]
        for i, order in enumerate(orders):
            await status(stubs[i % 2], order, NEW)
        await stubs[0].CancelOrder(cancel(orders[0]))
        await status(stubs[1], orders[0], CANCELLED)
        await desk.broker.fill(answers[1].order, "100000", "1.08")
        await status(stubs[0], orders[1], order_pb2.ORDER_STATUS_FILLED)
        for i, order in enumerate(orders):
            assert await stubs[(i + 1) % 2].PlaceOrder(place(order)) == answers[i]
        assert len(desk.broker.instructions(routing.INSTRUCTION_KIND_NEW)) == 30
        await desk.is_proved("alpha")


async def test_what_venues_report_takes_no_account_back() -> None:
    """Every instance hears of every report; the one that had the account before drops it, and leaves it where it is."""
    async with floor("trading-1", "trading-2") as desk:
        first, second = desk.trading("trading-1"), desk.trading("trading-2")
        orders = [new("alpha", quantity="100000") for _ in range(4)]
        for order in orders[:-1]:
            await first.PlaceOrder(place(order))
            await status(first, order, NEW)
        # From here on the account is the second's, and the first does not know it yet.
        await second.PlaceOrder(place(orders[-1]))
        await status(second, orders[-1], NEW)
        epoch = await lease_epoch(desk, "alpha")
        for order in orders:
            kept = await got(second, order)
            await desk.broker.fill(kept, "50000", "1.08")
            await desk.broker.fill(kept, "50000", "1.08")
        for order in orders:
            await status(second, order, order_pb2.ORDER_STATUS_FILLED)
        assert await lease_epoch(desk, "alpha") == epoch
        await desk.is_proved("alpha")


async def lease_epoch(desk: Floor, account: str) -> int:
    """How often an account was claimed."""
    async with desk.database.connection() as connection:
        return await connection.fetchval("SELECT epoch FROM lease WHERE name = $1", f"accounts/{account}")


async def test_the_gate_holds_in_every_instance() -> None:
    """After ApplyGate nothing is committed that was admitted before it; what works and may not is cancelled."""
    async with floor("trading-1", "trading-2") as desk:
        first, second = desk.trading("trading-1"), desk.trading("trading-2")
        bought, sold, other = (
            new("alpha"),
            new("beta", side=SELL),
            new("gamma", instrument="USD/JPY", limit_price="150"),
        )
        await first.PlaceOrder(place(bought))
        await second.PlaceOrder(place(sold))
        await second.PlaceOrder(place(other))
        for stub, order in ((first, bought), (second, sold), (second, other)):
            await status(stub, order, NEW)
        gate = gate_pb2.Gate(version=1)
        gate.rules.add(scope=gate_pb2.KillScope(kind="instrument", name="EUR/USD"), mode=gate_pb2.KILL_MODE_HALT)
        request = state_pb.ApplyGateRequest(request_id=str(uuid.uuid4()), gate=gate)
        answer = await desk.state("trading-1").ApplyGate(request)
        assert answer.version == 1
        assert {order.terms.account for order in answer.working} == {"alpha", "beta"}
        for stub, order in ((first, bought), (second, sold)):
            assert (await status(stub, order, CANCELLED)).reason == "KILL_SWITCH"
        assert (await got(second, other)).status == NEW
        # Risk stands where it was before the gate: nothing that it admits is committed.
        refused = await stand.failure(first.PlaceOrder(place(new("alpha"))))
        assert refused.metadata["dependency"] == "risk"
        desk.risk.gate_version = 1
        late = new("alpha")
        await first.PlaceOrder(place(late))
        await status(first, late, NEW)
        older = state_pb.ApplyGateRequest(request_id=str(uuid.uuid4()), gate=gate_pb2.Gate(version=1))
        assert (await desk.state("trading-2").ApplyGate(older)).version == 1
        # An order that was admitted under the gate is not ended by it, also when its account is claimed anew.
        assert (await second.PlaceOrder(place(late))).order.order_id
        await second.PlaceOrder(place(new("alpha")))
        assert (await got(second, late)).status == NEW
        await desk.is_proved("alpha", "beta", "gamma")


async def test_a_restart_of_the_database_is_survived() -> None:
    """Calls fail while it is away, with their reason; afterwards everything is as it was answered."""
    async with floor() as desk:
        stub = desk.trading()
        order = new("alpha")
        answer = await stub.PlaceOrder(place(order))
        await status(stub, order, NEW)
        desk.servers.kill("postgres")
        failed = await stand.failure(stub.PlaceOrder(place(new("alpha"))))
        assert failed.reason.name in ("DEPENDENCY_UNAVAILABLE", "OUTCOME_UNKNOWN")
        await desk.servers.start_postgres()
        await eventually(lambda: answers(stub, order))
        assert await stub.PlaceOrder(place(order)) == answer
        await desk.broker.fill(answer.order, "100000", "1.08")
        await status(stub, order, order_pb2.ORDER_STATUS_FILLED)
        await desk.is_proved("alpha")


async def answers(stub: TradingServiceStub, order: order_pb2.NewOrder) -> bool:
    """Whether a reading call succeeds."""
    with contextlib.suppress(grpc.aio.AioRpcError):
        await stub.ListOrders(history.ListOrdersRequest(account=order.account))
        await stub.PlaceOrder(place(order))
        return True
    return False


async def test_a_strategy_keeps_its_position_over_a_restart() -> None:
    """What strategies hold of one instrument is told apart, before a kill and after it, and adds up to the position."""
    async with floor("none") as desk, processes(desk) as made:
        desk.broker.answer = filling
        await start(made, "trading-1")
        stub = desk.trading("trading-1")
        orders = [
            new("alpha", strategy="carry"),
            new("alpha", strategy="trend", side=SELL, quantity="30000"),
            new("alpha"),
        ]
        for order in orders:
            await stub.PlaceOrder(place(order))
            await status(stub, order, order_pb2.ORDER_STATUS_FILLED)
        expected = {"": "100000", "carry": "100000", "trend": "-30000"}
        assert await by_strategy(desk, "trading-1") == expected
        made.kill("trading-1")
        await start(made, "trading-2")
        assert await by_strategy(desk, "trading-2") == expected
        await desk.is_proved("alpha")


async def test_who_ends_in_order_gives_its_accounts_up() -> None:
    """Risk knows all of them then, and what works goes on with another instance; what is idle waits to be asked for."""
    async with floor("trading-1", "trading-2") as desk:
        desk.broker.answer = accepting
        await desk.trading("trading-1").PlaceOrder(place(new("works")))
        order = new("idle")
        await desk.trading("trading-1").PlaceOrder(place(order))
        await desk.trading("trading-1").CancelOrder(cancel(order))
        await status(desk.trading("trading-1"), order, order_pb2.ORDER_STATUS_CANCELLED)
        await desk.stop("trading-1")

        async def holders() -> dict[str, str]:
            async with desk.database.connection() as connection:
                return dict(await connection.fetch("SELECT substr(name, 10), split_part(holder, '/', 1) FROM lease"))

        await eventually(lambda: holds(holders, {"works": "trading-2", "idle": ""}))
        await desk.is_proved("works", "idle")


async def holds(look: Callable[[], Awaitable[object]], expected: object) -> bool:
    """Whether it is so by now."""
    return await look() == expected


async def by_strategy(desk: Floor, instance: str) -> dict[str, str]:
    """Quantities of an account's position by strategy."""
    request = state_pb.ListAccountStatesRequest()
    answer = await desk.state(instance).ListAccountStates(request)
    return {each.strategy: each.quantity for state in answer.states for each in state.positions}
