"""The books of `ledger` on a real PostgreSQL and NATS, from facts as trading publishes them."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
from google.type import date_pb2

from crossrate.api.ledger.v1 import account_pb2, balance_pb2, entry_pb2
from crossrate.api.ledger.v1 import account_service_pb2 as accounts_pb
from crossrate.api.ledger.v1 import booked_trades_pb2 as trades_pb
from crossrate.api.ledger.v1 import ledger_service_pb2 as pb
from crossrate.api.ledger.v1 import movement_service_pb2 as moves
from crossrate.api.trading.v1 import execution_pb2
from crossrate.events import Events
from crossrate.rpc.errors import ErrorReason
from services.ledger.messages import date_of
from tests.integration.conftest import eventually
from tests.integration.ledger_stand import Stand, Stubs, applied, deposit, failure, opened, stand_in

pytestmark = pytest.mark.integration


@pytest.fixture
async def stand(folder: Path) -> AsyncIterator[Stand]:
    """Everything around the ledger."""
    async with stand_in(folder) as made:
        yield made


async def proved(stubs: Stubs) -> moves.VerifyBooksResponse:
    """The proof, which finds nothing wrong."""
    proof = await stubs.movements.VerifyBooks(moves.VerifyBooksRequest(), timeout=60)
    assert list(proof.differences) == []
    return proof


async def positions(stubs: Stubs, account: str) -> list[balance_pb2.Position]:
    """An account's positions."""
    return list((await stubs.ledger.ListPositions(pb.ListPositionsRequest(account=account), timeout=10)).positions)


def cash(balances: balance_pb2.Balances) -> dict[tuple[str, dt.date | None], Decimal]:
    """Cash by currency and value date."""
    return {
        (each.currency, date_of(each.value_date) if each.HasField("value_date") else None): Decimal(each.amount)
        for each in balances.cash
    }


async def booked(stubs: Stubs, account: str, venue: str = "sim") -> tuple[dict[str, tuple[str, str]], str]:
    """Which of the fills a to d the books have, and why they book nothing further."""
    request = trades_pb.ListTradesRequest(account=account, venue=venue, venue_exec_ids=list("abcd"))
    answer = await stubs.ledger.ListTrades(request, timeout=10)
    return {each.trade_id: (each.deals[0].quantity, each.deals[0].price) for each in answer.trades}, answer.fault


async def test_fills_become_positions_cash_and_profit(stand: Stand) -> None:
    """What is bought and partly sold is a position at its price, realised cash on its date, a commission, margin."""
    async with stand.assembled() as stubs:
        await opened(stubs, "alpha")
        await stubs.movements.Deposit(deposit("alpha", "USD", "100000"), timeout=10)
        await stand.quote("EUR/USD", 1.25, 1.26)
        await stand.publish(
            stand.report("alpha"),
            stand.trade("alpha", 100_000, "1.10", commission="2.5"),
            stand.trade("alpha", 100_000, "1.20"),
            stand.trade("alpha", -150_000, "1.30"),
        )
        balances = await applied(stubs, "alpha", 4)
        assert balances.fault == ""
        (position,) = await positions(stubs, "alpha")
        assert (position.quantity, position.average_price, position.counter_amount) == ("50000", "1.2", "-60000")
        # First in, first out: 100,000 at 0.20 and 50,000 at 0.10.
        assert cash(balances)["USD", dt.date(2026, 12, 1)] == Decimal("25000") - Decimal("2.5")
        await eventually(lambda: _unrealised(stubs, "2500"))
        request = pb.GetProfitAndLossRequest(account="alpha")
        profit = (await stubs.ledger.GetProfitAndLoss(request, timeout=10)).total
        assert (profit.realised, profit.commission, profit.unrealised, profit.net) == (
            "25000",
            "-2.5",
            "2500",
            "27497.5",
        )
        balances = (await stubs.ledger.GetBalances(pb.GetBalancesRequest(account="alpha"), timeout=10)).balances
        assert (balances.equity, balances.margin_used) == ("127497.5", "3150")  # 50,000 at the ask of 1.26, 5 %
        assert balances.margin_state == balance_pb2.MARGIN_STATE_OK
        proof = await proved(stubs)
        assert (proof.entries, proof.books) == (4, 1)
        again = await proved(stubs)
        assert again == proof


async def _unrealised(stubs: Stubs, wanted: str) -> bool:
    found = await stubs.ledger.GetBalances(pb.GetBalancesRequest(account="alpha"), timeout=10)
    return found.balances.unrealised == wanted


async def test_what_comes_twice_counts_once_and_what_is_missing_is_asked_for(stand: Stand) -> None:
    """A report published again under another id changes nothing; a gap is filled from ListExecutions."""
    async with stand.assembled() as stubs:
        await opened(stubs, "alpha")
        first = stand.trade("alpha", 1000, "1.1")
        await stand.publish(first)
        await applied(stubs, "alpha", 1)
        stand.trade("alpha", 2000, "1.1")  # never published
        await stand.publish(stand.trade("alpha", 3000, "1.1"))
        await applied(stubs, "alpha", 3)
        (position,) = await positions(stubs, "alpha")
        assert position.quantity == "6000"
        assert stand.trading.asked == 1
        entries = (await stubs.ledger.ListPostings(pb.ListPostingsRequest(account="alpha"), timeout=10)).entries
        assert [entry.reference for entry in entries] == ["alpha:1", "alpha:2", "alpha:3"]
        assert [entry.sequence for entry in entries] == [1, 2, 3]
        for entry in entries:
            for currency in ("EUR", "USD"):
                assert sum(Decimal(p.amount) for p in entry.postings if p.currency == currency) == 0
        events = await Events.open(stand.servers.runtime("ledger"))
        try:
            await eventually(lambda: _entries_published(events, 3))
        finally:
            await events.close()
        await proved(stubs)


async def _entries_published(events: Events, count: int) -> bool:
    found = await events.read("ledger", 0, subject="crossrate.ledger.v1.entry_posted.alpha")
    return len(found) == count


async def test_venues_take_fills_back_and_correct_them(stand: Stand) -> None:
    """After a cancel and a correction, position and profit are as if the fills had been so from the start."""
    async with stand.assembled() as stubs:
        for name in ("alpha", "beta"):
            await opened(stubs, name, cost_method=account_pb2.COST_METHOD_AVERAGE)
        kinds = execution_pb2
        await stand.publish(
            stand.trade("alpha", 1000, "1.1", exec_id="a", commission="1"),
            stand.trade("alpha", 3000, "1.2", exec_id="b"),
            stand.trade("alpha", -2000, "1.3", exec_id="c"),
            stand.trade("alpha", 1000, "1.1", exec_id="a", refers_to="a", exec_type=kinds.EXEC_TYPE_TRADE_CANCEL),
            stand.trade("alpha", -1000, "1.4", exec_id="d", refers_to="c", exec_type=kinds.EXEC_TYPE_TRADE_CORRECT),
            stand.trade("beta", 3000, "1.2", exec_id="b"),
            stand.trade("beta", -1000, "1.4", exec_id="d"),
        )
        ours, model = await applied(stubs, "alpha", 5), await applied(stubs, "beta", 2)
        assert cash(ours) == cash(model)
        assert await positions(stubs, "alpha") == await positions(stubs, "beta")
        assert await booked(stubs, "alpha") == ({"b": ("3000", "1.2"), "d": ("-1000", "1.4")}, "")
        assert await booked(stubs, "alpha", "elsewhere") == ({}, "")
        assert await booked(stubs, "ghost") == ({}, "")
        await proved(stubs)


async def test_what_cannot_be_booked_stops_its_account_alone(stand: Stand) -> None:
    """A correction of a fill that never was leaves the account where it stood, says why, and no other waits for it."""
    async with stand.assembled() as stubs:
        await opened(stubs, "alpha")
        await opened(stubs, "beta")
        wrong = stand.trade("alpha", 5, "1.1", refers_to="never", exec_type=execution_pb2.EXEC_TYPE_TRADE_CANCEL)
        await stand.publish(wrong, stand.trade("alpha", 7, "1.1"), stand.trade("beta", 9, "1.1"))
        assert (await positions_when(stubs, "beta", 1))[0].quantity == "9"
        balances = await applied(stubs, "alpha", 1)
        assert "never" in balances.fault
        assert balances.execution_sequence == 0
        equities = (await stubs.ledger.ListEquity(pb.ListEquityRequest(accounts=["alpha"]), timeout=10)).equities
        assert "never" in equities[0].fault
        has, why = await booked(stubs, "alpha")
        assert (has, "never" in why) == ({}, True)
        await proved(stubs)


async def positions_when(stubs: Stubs, account: str, sequence: int) -> list[balance_pb2.Position]:
    """Positions, once a report was applied."""
    await applied(stubs, account, sequence)
    return await positions(stubs, account)


async def test_swaps_and_hedging_keep_their_dates_and_positions(stand: Stand) -> None:
    """A swap's legs settle on their dates; a hedging account has long and short side by side, margin on the larger."""
    far = dt.date(2027, 1, 4)
    async with stand.assembled() as stubs:
        await opened(stubs, "alpha")
        await opened(stubs, "hedge", position_mode=account_pb2.POSITION_MODE_HEDGING)
        await stand.quote("EUR/USD", 1.0, 1.0)
        await stand.publish(
            stand.trade("alpha", 1000, "1.1", far=("1.103", far)),
            stand.trade("hedge", 5000, "1.1", position_id="one"),
            stand.trade("hedge", -3000, "1.1", position_id="two"),
        )
        (swap,) = await positions_when(stubs, "alpha", 1)
        flows = [(f.value_date.month, f.base_amount, f.counter_amount) for f in swap.flows]
        # The far leg closes what the near leg opened: its points are a loss of 3, in cash on the far date.
        assert flows == [(12, "-1000", "1100"), (1, "1000", "-1100")]
        assert cash(await applied(stubs, "alpha", 1)) == {("USD", far): Decimal(-3)}
        both = await positions_when(stubs, "hedge", 2)
        assert [(p.position_id, p.quantity) for p in both] == [("one", "5000"), ("two", "-3000")]
        balances = await applied(stubs, "hedge", 2)
        assert balances.margin_used == "250"
        await proved(stubs)


async def test_a_day_ends_once(stand: Stand) -> None:
    """RollDay carries positions on and books their financing; a second time nothing; a missing price is named."""
    async with stand.assembled() as stubs:
        await opened(stubs, "alpha")
        await stand.publish(stand.trade("alpha", 1_000_000, "1.1", settles=dt.date(2026, 11, 20)))
        await applied(stubs, "alpha", 1)
        day = date_pb2.Date(year=2026, month=11, day=18)
        request = moves.RollDayRequest(request_id=str(uuid.uuid4()), trade_date=day)
        unpriced = await stubs.movements.RollDay(request, timeout=30)
        assert list(unpriced.missing) == ["EUR/USD"]
        assert unpriced.accounts == 0
        await stand.quote("EUR/USD", 1.1, 1.1)
        rehearsal = moves.RollDayRequest(request_id=str(uuid.uuid4()), trade_date=day, validate_only=True)
        await eventually(lambda: _priced(stubs, rehearsal))
        rolled = await stubs.movements.RollDay(request, timeout=30)
        assert (rolled.accounts, rolled.positions) == (1, 1)
        (position,) = await positions(stubs, "alpha")
        # Wednesday the 18th: from Friday the 20th to Monday the 23rd.
        assert [f.value_date.day for f in position.flows] == [23]
        entries = (await stubs.ledger.ListPostings(pb.ListPostingsRequest(account="alpha"), timeout=10)).entries
        (line,) = entries[-1].financing
        assert (line.days, line.source) == (3, "interest")
        assert Decimal(line.amount) == -Decimal("1000000") * Decimal(line.points)
        assert Decimal(line.amount) < 0  # dollars cost more than euros bring
        again = await stubs.movements.RollDay(request, timeout=30)
        assert (again.accounts, list(again.totals)) == (0, [])
        future = date_pb2.Date(year=2049, month=11, day=26)
        refused = await failure(
            stubs.movements.RollDay(moves.RollDayRequest(request_id=str(uuid.uuid4()), trade_date=future), timeout=30)
        )
        assert refused.reason is ErrorReason.WRONG_STATE
        await proved(stubs)


async def _priced(stubs: Stubs, request: moves.RollDayRequest) -> bool:
    return (await stubs.movements.RollDay(request, timeout=30)).accounts == 1


async def test_accounts_change_within_what_their_books_admit(stand: Stand) -> None:
    """Margin rates change under their version; what is fixed, an old version and closing with cash are refused."""
    async with stand.assembled() as stubs:
        account = await opened(stubs, "alpha")
        await stubs.movements.Deposit(deposit("alpha", "USD", "10"), timeout=10)

        async def change(**fields: object) -> account_pb2.Account:
            wanted = account_pb2.Account()
            wanted.CopyFrom(account)
            for name, value in fields.items():
                setattr(wanted, name, value)
            request = accounts_pb.ChangeAccountRequest(request_id=str(uuid.uuid4()), account=wanted)
            return (await stubs.accounts.ChangeAccount(request, timeout=10)).account

        refused = await failure(change(currency="EUR"))
        assert (refused.reason, refused.metadata["state"]) == (ErrorReason.WRONG_STATE, "HAS_ENTRIES")
        refused = await failure(change(status=account_pb2.ACCOUNT_STATUS_CLOSED))
        assert refused.metadata["state"] == "HAS_BALANCES"
        changed = await change(margin_rate="0.02")
        assert (changed.version, changed.margin_rate) == (2, "0.02")
        assert (await failure(change(desk="other"))).reason is ErrorReason.VERSION_CONFLICT
        assert (await stubs.accounts.GetAccount(accounts_pb.GetAccountRequest(account="alpha"))).account == changed


async def test_statements_are_of_their_moment(stand: Stand) -> None:
    """A statement as of a moment before later entries has none of them, and is the book that stood then."""
    async with stand.assembled() as stubs:
        await opened(stubs, "alpha")
        first = (await stubs.movements.Deposit(deposit("alpha", "USD", "10"), timeout=10)).entry
        then = await stubs.ledger.GetStatement(pb.GetStatementRequest(account="alpha"), timeout=10)
        await stand.publish(stand.trade("alpha", 1000, "1.1"))
        await applied(stubs, "alpha", 1)
        request = pb.GetStatementRequest(account="alpha", as_of=first.time, since=first.time)
        past = await stubs.ledger.GetStatement(request, timeout=10)
        assert past.book == then.book
        assert list(past.entries) == []
        now = await stubs.ledger.GetStatement(pb.GetStatementRequest(account="alpha", since=first.time), timeout=10)
        assert now.opening == then.book
        assert [entry.kind for entry in now.entries] == [entry_pb2.ENTRY_KIND_TRADE]
        assert now.book.positions[0].lots[0].quantity == "1000"
