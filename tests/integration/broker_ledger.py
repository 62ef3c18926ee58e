"""Stand-ins of `ledger` by its contract: one account in dollars with a million, whatever it is called."""

from __future__ import annotations

from decimal import Decimal

from crossrate.api.ledger.v1 import account_pb2, balance_pb2, booked_trades_pb2, entry_pb2
from crossrate.api.ledger.v1 import account_service_pb2 as accounts
from crossrate.api.ledger.v1 import ledger_service_pb2 as ledger
from crossrate.api.ledger.v1.account_service_pb2_grpc import AccountServiceServicer
from crossrate.api.ledger.v1.ledger_service_pb2_grpc import LedgerServiceServicer
from crossrate.rpc import errors
from tests.integration.broker_books import TradingState

NETTING = account_pb2.POSITION_MODE_NETTING


class Accounts(AccountServiceServicer):
    """Every account is there but "ghost"; "hedge" keeps both sides apart."""

    async def GetAccount(self, request, context):
        if request.account == "ghost":
            raise errors.not_found("account", request.account)
        account = account_pb2.Account(
            account=request.account,
            currency="USD",
            margin_rate="0.05",
            position_mode=account_pb2.POSITION_MODE_HEDGING if request.account == "hedge" else NETTING,
            version=1,
        )
        account.create_time.FromSeconds(1_700_000_000)
        return accounts.GetAccountResponse(account=account)


class Ledger(LedgerServiceServicer):
    """Nothing is earned or used. It has booked every fill that trading's stand-in has.

    Attributes:
        lost: ids of fills that it has not.
        doubled: ids of those that it has with twice their quantity.
        fault: why it books nothing further.
        positions: what every account holds.
        away: it cannot be asked for them.
    """

    def __init__(self, trading: TradingState) -> None:
        self._trading = trading
        self.lost: set[str] = set()
        self.doubled: set[str] = set()
        self.fault = ""
        self.positions: list[balance_pb2.Position] = []
        self.away = False

    async def ListPositions(self, request, context):
        if self.away:
            raise errors.dependency_unavailable("postgres")
        found = [each for each in self.positions if request.instrument in ("", each.instrument)]
        return ledger.ListPositionsResponse(positions=found, execution_sequence=12)

    async def ListTrades(self, request, context):
        answer = booked_trades_pb2.ListTradesResponse(fault=self.fault)
        for exec_id, each in self._trading.applied().items():
            if exec_id in set(request.venue_exec_ids) - self.lost and not each.withdrawn:
                quantity = Decimal(each.fill.quantity) * (2 if exec_id in self.doubled else 1)
                deal = entry_pb2.Deal(quantity=f"-{quantity}", price=each.fill.price)
                answer.trades.add(trade_id=exec_id, counterparty=f"venue:{request.venue}", deals=[deal])
        return answer

    async def GetBalances(self, request, context):
        balances = balance_pb2.Balances(
            account=request.account, currency="USD", cash_value="1000000", equity="1000000", margin_free="1000000"
        )
        balances.execution_sequence = 1 << 62
        return ledger.GetBalancesResponse(balances=balances)

    async def GetProfitAndLoss(self, request, context):
        return ledger.GetProfitAndLossResponse(total=balance_pb2.ProfitAndLoss(currency="USD", realised="0"))
