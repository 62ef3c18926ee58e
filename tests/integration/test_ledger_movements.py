"""What operators book: money, corrections by two persons, allocations; and what others are told of it."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import grpc
import pytest

from crossrate.api.ledger.v1 import account_pb2, account_service_pb2, balance_pb2, correction_pb2
from crossrate.api.ledger.v1 import ledger_service_pb2 as pb
from crossrate.api.ledger.v1 import movement_service_pb2 as moves
from crossrate.rpc.caller import CLIENT_HEADER
from crossrate.rpc.errors import ErrorReason
from tests.integration.conftest import eventually
from tests.integration.ledger_stand import Stand, Stubs, applied, deposit, failure, opened, stand_in
from tests.integration.test_ledger_books import proved

pytestmark = pytest.mark.integration


@pytest.fixture
async def stand(folder: Path) -> AsyncIterator[Stand]:
    """Everything around the ledger."""
    async with stand_in(folder) as made:
        yield made


def identity() -> str:
    """A request id."""
    return str(uuid.uuid4())


def withdrawal(currency: str, amount: str) -> moves.WithdrawRequest:
    """A request to withdraw from alpha."""
    return moves.WithdrawRequest(request_id=identity(), account="alpha", currency=currency, amount=amount)


async def balances(stubs: Stubs, account: str) -> pb.GetBalancesResponse:
    """An account's balances."""
    return (await stubs.ledger.GetBalances(pb.GetBalancesRequest(account=account), timeout=10)).balances


async def test_money_moves_once_and_no_further_than_it_reaches(stand: Stand) -> None:
    """A deposit repeated is the same entry; more than settled cash or free margin is refused with what is missing."""
    async with stand.assembled() as stubs:
        await opened(stubs, "alpha")
        request = deposit("alpha", "USD", "1000.25")
        entry = (await stubs.movements.Deposit(request, timeout=10)).entry
        assert (await stubs.movements.Deposit(request, timeout=10)).entry == entry
        request.amount = "1000.26"
        assert (await failure(stubs.movements.Deposit(request, timeout=10))).reason is ErrorReason.REQUEST_ID_REUSED
        rehearsal = deposit("alpha", "USD", "5")
        rehearsal.validate_only = True
        await stubs.movements.Deposit(rehearsal, timeout=10)
        assert (await balances(stubs, "alpha")).equity == "1000.25"
        places = await failure(stubs.movements.Deposit(deposit("alpha", "JPY", "0.5"), timeout=10))
        assert places.violations[0].field == "amount"
        missing = await failure(stubs.movements.Deposit(deposit("beta", "USD", "1"), timeout=10))
        assert missing.reason is ErrorReason.NOT_FOUND
        later = deposit("alpha", "USD", "100")
        later.value_date.year, later.value_date.month, later.value_date.day = 2049, 1, 4
        await stubs.movements.Deposit(later, timeout=10)
        refused = await failure(stubs.movements.Withdraw(withdrawal("USD", "1000.26"), timeout=10))
        assert refused.metadata["state"] == "NOT_ENOUGH_CASH"
        assert "1000.25 has settled" in refused.message
        await stand.publish(stand.trade("alpha", 10_000, "1.1"))
        await applied(stubs, "alpha", 1)
        blind = await failure(stubs.movements.Withdraw(withdrawal("USD", "1"), timeout=10))
        assert blind.reason is ErrorReason.NO_QUOTE
        await stand.quote("EUR/USD", 1.1, 1.1)
        await eventually(lambda: _valued(stubs))
        refused = await failure(stubs.movements.Withdraw(withdrawal("USD", "1000"), timeout=10))
        assert refused.metadata["state"] == "NOT_ENOUGH_MARGIN"  # 550 are used, 100.25 would be left
        assert "449.75 USD" in refused.message
        await stubs.movements.Withdraw(withdrawal("USD", "550.25"), timeout=10)
        assert (await balances(stubs, "alpha")).margin_free == "0"
        await proved(stubs)


async def _valued(stubs: Stubs) -> bool:
    return not (await balances(stubs, "alpha")).unvalued


async def test_a_correction_takes_two_persons(stand: Stand) -> None:
    """Who proposed cannot approve; another can, once; what is booked is the reverse, and a trade cannot be reversed."""
    async with stand.assembled() as stubs:
        await opened(stubs, "alpha")
        wrong = (await stubs.movements.Deposit(deposit("alpha", "USD", "777"), timeout=10)).entry
        await stand.publish(stand.trade("alpha", 1000, "1.1"))
        await applied(stubs, "alpha", 1)
        proposed = await _proposed(stubs, wrong.sequence)
        again = await failure(_proposed(stubs, wrong.sequence))
        assert again.metadata["state"] == "PROPOSED"
        trade = await failure(_proposed(stubs, wrong.sequence + 1))
        assert trade.metadata["state"] == "TRADE"
        approval = moves.ApproveCorrectionRequest(request_id=identity(), correction_id=proposed.correction_id)
        approve = stubs.movements.ApproveCorrection
        alone = await failure(approve(approval, timeout=10, metadata=client("local")))
        assert alone.reason is ErrorReason.CALLER_NOT_ALLOWED
        approved = await approve(approval, timeout=10, metadata=client("second"))
        assert approved.correction.state == correction_pb2.CORRECTION_STATE_APPROVED
        assert (approved.entry.entered_by, approved.entry.approved_by) == ("client:local", "client:second")
        assert approved.entry.reverses == wrong.sequence
        mirrored = [Decimal(posting.amount) for posting in approved.entry.postings]
        assert mirrored == [-Decimal(posting.amount) for posting in wrong.postings]
        approval.request_id = identity()
        late = await failure(approve(approval, timeout=10, metadata=client("second")))
        assert late.reason is ErrorReason.WRONG_STATE
        reversed_twice = await failure(_proposed(stubs, wrong.sequence))
        assert reversed_twice.metadata["state"] == "REVERSED"
        assert (await balances(stubs, "alpha")).cash_value == "0"
        await _adjusted(stubs)
        listed = (await stubs.movements.ListCorrections(moves.ListCorrectionsRequest(), timeout=10)).corrections
        assert [each.state for each in listed] == [
            correction_pb2.CORRECTION_STATE_REJECTED,
            correction_pb2.CORRECTION_STATE_APPROVED,
            correction_pb2.CORRECTION_STATE_APPROVED,
        ]
        await proved(stubs)


def client(name: str) -> tuple[tuple[str, str], ...]:
    """What the edge says of a client."""
    edge = ("x-forwarded-client-cert", "URI=spiffe://crossrate/edge")
    return edge, (CLIENT_HEADER, f"spiffe://crossrate/client/{name}")


async def _proposed(stubs: Stubs, reverses: int, amount: str = "") -> correction_pb2.Correction:
    request = moves.ProposeCorrectionRequest(
        request_id=identity(), account="alpha", reverses=reverses, reason="paid to another account"
    )
    if amount:
        request.adjustment.currency, request.adjustment.amount = "USD", amount
    answer = await stubs.movements.ProposeCorrection(request, timeout=10, metadata=client("local"))
    return answer.correction


async def _adjusted(stubs: Stubs) -> None:
    """An adjustment is booked by the second person's approval, and not by a refusal."""
    for amount, reject in (("-1.5", False), ("99", True)):
        proposed = await _proposed(stubs, 0, amount)
        decision = moves.ApproveCorrectionRequest(
            request_id=identity(), correction_id=proposed.correction_id, reject=reject
        )
        await stubs.movements.ApproveCorrection(decision, timeout=10, metadata=client("second"))
    assert (await balances(stubs, "alpha")).cash_value == "-1.5"


async def test_a_block_is_shared_at_its_price(stand: Stand) -> None:
    """Shares have the block's price and date, the block what is left; too much, or the block itself, is refused."""
    async with stand.assembled() as stubs:
        for name in ("block", "alpha", "beta"):
            await opened(stubs, name)
        await stand.publish(stand.trade("block", 3000, "1.1", exec_id="deal"))
        await applied(stubs, "block", 1)
        request = moves.AllocateBlockRequest(request_id=identity(), account="block", trade_id="deal")
        request.shares.add(account="alpha", quantity="1000")
        request.shares.add(account="beta", quantity="1500")
        shared = await stubs.movements.AllocateBlock(request, timeout=10)
        assert (len(shared.entries), shared.unallocated) == (3, "500")
        assert await stubs.movements.AllocateBlock(request, timeout=10) == shared
        equities = (await stubs.ledger.ListEquity(pb.ListEquityRequest(), timeout=10)).equities
        told = {e.account: [(m.quantity, m.counter_amount) for m in e.movements] for e in equities}
        assert told == {"alpha": [("1000", "-1100")], "beta": [("1500", "-1650")], "block": [("-2500", "2750")]}
        await _told_since(stubs, [entry.sequence for entry in shared.entries])
        request.request_id = identity()
        refused = await failure(stubs.movements.AllocateBlock(request, timeout=10))
        assert refused.metadata["state"] == "NOT_ENOUGH_LEFT"
        request.shares.add(account="alpha", quantity="1")
        assert (await failure(stubs.movements.AllocateBlock(request, timeout=10))).violations[0].field == "shares"
        await proved(stubs)


async def _told_since(stubs: Stubs, sequences: list[int]) -> None:
    """Whoever asks for what is new after an entry is told accounts with later ones, and the number to go on from."""
    for after, names in ((sequences[0] - 1, ["alpha", "beta", "block"]), (sequences[1], ["beta"]), (sequences[2], [])):
        answer = await stubs.ledger.ListEquity(pb.ListEquityRequest(after_entry=after), timeout=10)
        assert [each.account for each in answer.equities] == names
        assert answer.last_entry == sequences[-1]


async def test_margin_is_told_by_the_levels_of_account_desk_or_platform(stand: Stand) -> None:
    """An account's own level goes before its desk's, and that before the platform's, each level by itself; without
    positions there is no margin level; levels that leave no room for a call are refused."""
    async with stand.assembled() as stubs:
        await opened(stubs, "alpha", margin_levels=account_pb2.MarginLevels(call="1.5"))
        await opened(stubs, "beta")
        desk = account_pb2.DeskMargin(desk="spot", levels=account_pb2.MarginLevels(call="1.2", close_out="0.8"))
        ask = account_service_pb2.SetDeskMarginRequest(request_id=identity(), desk_margin=desk)
        made = (await stubs.accounts.SetDeskMargin(ask, timeout=10)).desk_margin
        assert made.version == 1
        assert (await stubs.accounts.SetDeskMargin(ask, timeout=10)).desk_margin == made
        late = account_service_pb2.SetDeskMarginRequest(request_id=identity(), desk_margin=desk)
        assert (await failure(stubs.accounts.SetDeskMargin(late, timeout=10))).reason is ErrorReason.VERSION_CONFLICT
        late.desk_margin.levels.close_out = "1.3"
        refused = await failure(stubs.accounts.SetDeskMargin(late, timeout=10))
        assert refused.violations[0].field == "desk_margin.levels.close_out"
        listed = await stubs.accounts.ListDeskMargins(account_service_pb2.ListDeskMarginsRequest(), timeout=10)
        assert (list(listed.desk_margins), listed.platform.call, listed.platform.close_out) == ([made], "1", "0.5")
        await stubs.movements.Deposit(deposit("alpha", "USD", "100"), timeout=10)
        answer = await stubs.ledger.ListEquity(pb.ListEquityRequest(include_margin=True), timeout=10)
        told = {each.account: (each.margin_levels.call, each.margin_levels.close_out) for each in answer.equities}
        assert told == {"alpha": ("1.5", "0.8"), "beta": ("1.2", "0.8")}
        margin = answer.equities[0].margin
        assert (margin.currency, margin.equity, margin.used, margin.free, margin.level) == (
            "USD",
            "100",
            "0",
            "100",
            "",
        )
        assert margin.state == balance_pb2.MARGIN_STATE_OK


async def test_risk_is_told_what_no_fill_tells(stand: Stand) -> None:
    """Cash is what was realised and what came otherwise; the number is that of the last report, with a fill or not."""
    async with stand.assembled() as stubs:
        await opened(stubs, "alpha")
        await opened(stubs, "beta")
        await stubs.movements.Deposit(deposit("alpha", "USD", "100"), timeout=10)
        await stand.publish(
            stand.trade("alpha", 1000, "1.1", commission="0.5"),
            stand.trade("alpha", -1000, "1.2"),
            stand.report("alpha"),
        )
        await applied(stubs, "alpha", 3)
        request = pb.ListEquityRequest(accounts=["beta", "alpha", "gamma"])
        alpha, beta = (await stubs.ledger.ListEquity(request, timeout=10)).equities
        assert (alpha.account, alpha.execution_sequence) == ("alpha", 3)
        assert [(c.currency, c.amount) for c in alpha.cash] == [("USD", "199.5")]
        assert [(c.currency, c.amount) for c in alpha.non_trade] == [("USD", "99.5")]
        assert [(c.currency, c.amount) for c in alpha.commissions] == [("USD", "-0.5")]
        assert (beta.account, beta.execution_sequence, list(beta.cash)) == ("beta", 0, [])
        page = await stubs.ledger.ListEquity(pb.ListEquityRequest(page_size=1), timeout=10)
        assert ([e.account for e in page.equities], page.next_page_token) == (["alpha"], "alpha")


async def test_balances_stream_what_quotes_and_entries_change(stand: Stand) -> None:
    """The stream begins with what is, and tells of a quote and of a deposit; it ends after the messages asked for."""
    async with stand.assembled() as stubs:
        await opened(stubs, "alpha")
        await stand.publish(stand.trade("alpha", 1000, "1.1"))
        await applied(stubs, "alpha", 1)
        request = pb.StreamBalancesRequest(account="alpha", max_messages=3)
        request.interval.nanos = 100_000_000
        told = []
        async for message in stubs.ledger.StreamBalances(request, timeout=60):
            if message.HasField("balances"):
                told.append(message.balances.equity)
                if len(told) == 1:
                    await stand.quote("EUR/USD", 1.2, 1.2)
                elif len(told) == 2:
                    await stubs.movements.Deposit(deposit("alpha", "USD", "1"), timeout=10)
        assert told == ["0", "100", "101"]
        assert message.WhichOneof("content") == "end"


async def test_two_instances_keep_one_set_of_books(stand: Stand) -> None:
    """Side by side they book every report once, in order, and deposits through both have numbers without a gap."""
    async with stand.assembled("ledger-1") as one, stand.assembled("ledger-2") as other:
        await opened(one, "alpha")
        reports = [stand.trade("alpha", 10, "1.1") for _ in range(60)]
        each = [stubs.movements.Deposit for stubs in (one, other) for _ in range(10)]
        calls = [call(deposit("alpha", "USD", "1"), timeout=30) for call in each]
        await asyncio.gather(stand.publish(*reports), *calls)
        await applied(other, "alpha", 60)
        proof = await proved(other)
        assert proof.entries == 80
        assert (await balances(one, "alpha")).cash_value == "20"
        assert stand.trading.asked == 0


async def test_accounts_are_needed(stand: Stand) -> None:
    """Every read of an account that nobody opened is NOT_FOUND, with the remedy."""
    async with stand.assembled() as stubs:
        calls = [
            stubs.ledger.GetBalances(pb.GetBalancesRequest(account="nobody"), timeout=10),
            stubs.ledger.ListPositions(pb.ListPositionsRequest(account="nobody"), timeout=10),
            stubs.ledger.ListPostings(pb.ListPostingsRequest(account="nobody"), timeout=10),
            stubs.ledger.GetStatement(pb.GetStatementRequest(account="nobody"), timeout=10),
            stubs.ledger.GetProfitAndLoss(pb.GetProfitAndLossRequest(account="nobody"), timeout=10),
        ]
        for call in calls:
            found = await failure(call)
            assert found.code is grpc.StatusCode.NOT_FOUND
            assert "OpenAccount" in found.message
