"""What the comparison asks of trading, the ledger and risk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from crossrate.api.common.v1 import gate_pb2
from crossrate.api.ledger.v1 import booked_trades_pb2 as ledger
from crossrate.api.ledger.v1.ledger_service_pb2_grpc import LedgerServiceStub
from crossrate.api.risk.v1 import break_gate_pb2
from crossrate.api.risk.v1.kill_switch_service_pb2_grpc import KillSwitchServiceStub
from crossrate.api.trading.v1 import trading_state_service_pb2 as state
from crossrate.api.trading.v1.trading_state_service_pb2_grpc import TradingStateServiceStub
from crossrate.rpc.call import new_request_id
from services.broker.domain.amounts import quantity_of

ASKED_MAX = 500


@dataclass(frozen=True, slots=True)
class Booked:
    """A fill as trading has it."""

    quantity: int
    price: Decimal


class Trading(Protocol):
    """Who has every fill of accounts. Everything raises CallError if it cannot be had."""

    async def fills(self, venue: str, told_ids: Sequence[str]) -> Mapping[str, Booked]:
        """Those of a venue's fills that trading has; what was taken back is left out."""
        ...

    async def take(self, account: str) -> None:
        """Has an instance of trading look after an account."""
        ...


@dataclass(frozen=True, slots=True)
class InBooks:
    """What the ledger says of an account's fills: those that it has, by the ids that it was told."""

    trades: Mapping[str, Booked]
    fault: str = ""
    """Why it books nothing further of the account; empty while it does."""


class Ledger(Protocol):
    """Who has every fill in an account's books."""

    async def trades(self, account: str, venue: str, told_ids: Sequence[str]) -> InBooks:
        """Those of a venue's fills that are booked; what was taken back is left out.

        Raises:
            CallError: it cannot be had.
        """
        ...


class Risk(Protocol):
    """Who refuses what is gated."""

    async def gate(self, said: break_gate_pb2.SetBreakGatesRequest) -> None:
        """Says what breaks stop at a venue, whole.

        Raises:
            CallError: it is not known whether risk has it; saying it again is safe.
        """
        ...


class TradingPeer:
    """See Trading."""

    def __init__(self, stub: TradingStateServiceStub) -> None:
        self._stub = stub

    async def fills(self, venue: str, told_ids: Sequence[str]) -> Mapping[str, Booked]:
        """See Trading."""
        found: dict[str, Booked] = {}
        for at in range(0, len(told_ids), ASKED_MAX):
            asked = told_ids[at : at + ASKED_MAX]
            answer = await self._stub.ListFills(state.ListFillsRequest(venue=venue, venue_exec_ids=asked))
            for each in answer.fills:
                if not each.withdrawn:
                    fill = each.fill
                    found[each.venue_exec_id] = Booked(quantity_of(fill.quantity), Decimal(fill.price))
        return found

    async def take(self, account: str) -> None:
        """See Trading."""
        await self._stub.TakeAccount(state.TakeAccountRequest(request_id=new_request_id(), account=account))


class LedgerPeer:
    """See Ledger."""

    def __init__(self, stub: LedgerServiceStub) -> None:
        self._stub = stub

    async def trades(self, account: str, venue: str, told_ids: Sequence[str]) -> InBooks:
        """See Ledger."""
        found: dict[str, Booked] = {}
        fault = ""
        for at in range(0, len(told_ids), ASKED_MAX):
            asked = told_ids[at : at + ASKED_MAX]
            request = ledger.ListTradesRequest(account=account, venue=venue, venue_exec_ids=asked)
            answer = await self._stub.ListTrades(request)
            fault = answer.fault
            for each in answer.trades:
                near = each.deals[0]
                found[each.trade_id] = Booked(abs(quantity_of(near.quantity)), Decimal(near.price))
        return InBooks(found, fault)


class RiskPeer:
    """See Risk."""

    def __init__(self, stub: KillSwitchServiceStub) -> None:
        self._stub = stub

    async def gate(self, said: break_gate_pb2.SetBreakGatesRequest) -> None:
        """See Risk."""
        said.request_id = new_request_id()
        await self._stub.SetBreakGates(said)


def market(instrument: str, venue: str, mode: int, break_ids: Sequence[str]) -> break_gate_pb2.BreakGate:
    """What breaks stop for an instrument at a venue; with an empty venue for orders that name none."""
    scope = gate_pb2.KillScope(kind="market", name=f"{instrument}@{venue}")
    return break_gate_pb2.BreakGate(scope=scope, mode=mode, break_ids=break_ids[:1000])
