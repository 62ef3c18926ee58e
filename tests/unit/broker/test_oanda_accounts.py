"""What a v20 account says of itself: the ledger's figures, all of one entry, and not older than its transactions."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from crossrate.api.ledger.v1 import account_pb2, balance_pb2
from crossrate.api.ledger.v1 import account_service_pb2 as accounts_pb
from crossrate.api.ledger.v1 import ledger_service_pb2 as ledger_pb
from services.broker.oanda.accounts import Accounts

REPORT, TRANSACTION = 7, 12


class Ledger:
    """Stands at an entry, and goes on to the next one at every so many questions."""

    def __init__(self, reports: list[int], *, every: int) -> None:
        self._reports, self._every = reports, every
        self.asked = 0

    def _at(self) -> int:
        self.asked += 1
        return min((self.asked - 1) // self._every, len(self._reports) - 1)

    async def GetBalances(self, request: Any) -> ledger_pb.GetBalancesResponse:
        at = self._at()
        cash = str(1000 + at)
        balances = balance_pb2.Balances(cash_value=cash, last_entry=at, execution_sequence=self._reports[at])
        return ledger_pb.GetBalancesResponse(balances=balances)

    async def GetProfitAndLoss(self, request: Any) -> ledger_pb.GetProfitAndLossResponse:
        return ledger_pb.GetProfitAndLossResponse(total=balance_pb2.ProfitAndLoss(realised=str(self._at())))

    async def GetAccount(self, request: Any) -> accounts_pb.GetAccountResponse:
        return accounts_pb.GetAccountResponse(account=account_pb2.Account(account="alpha", margin_rate="0.05"))


def account_beside(ledger: Ledger) -> Accounts:
    """An account whose transactions tell of report 7."""

    async def listed(table: str, terms: dict[str, Any]) -> list[Any]:
        return []

    kept = SimpleNamespace(account="alpha", listed=listed)
    follower = SimpleNamespace(last_report=REPORT, last_transaction=TRANSACTION)
    desk: Any = SimpleNamespace(kept=kept, follower=follower)
    other: Any = None
    stub: Any = ledger
    return Accounts(desk, other, stub, stub)


async def test_it_waits_for_what_its_transactions_tell() -> None:
    """A ledger that has not applied their reports yet is asked again."""
    ledger = Ledger([5, 6, REPORT], every=2)
    found = await account_beside(ledger).summary()
    assert (found["balance"], found["pl"], found["lastTransactionID"]) == ("1002.0000", "2.0000", str(TRANSACTION))


async def test_profit_and_balances_are_of_one_entry() -> None:
    """Where an entry comes between the two questions both are asked again."""
    ledger = Ledger([REPORT] * 3, every=3)
    found = await account_beside(ledger).summary()
    assert ledger.asked == 3
    assert (found["balance"], found["pl"]) == ("1000.0000", "0.0000")
    ledger = Ledger([REPORT] * 3, every=2)
    found = await account_beside(ledger).summary()
    assert ledger.asked == 7
    assert (found["balance"], found["pl"]) == ("1002.0000", "2.0000")


async def test_a_ledger_that_is_far_behind_is_told_as_it_is(monkeypatch) -> None:
    """The answer does not wait for ever."""
    monkeypatch.setattr("services.broker.oanda.accounts.BEHIND_S_MAX", 0.05)
    found = await account_beside(Ledger([5], every=1)).summary()
    assert (found["balance"], found["pl"]) == ("1000.0000", "0.0000")
