"""Stand-ins by their contracts for what broker asks of trading and risk when it compares books."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossrate.api.broker.v1 import venue_report_pb2 as venue
from crossrate.api.risk.v1 import break_gate_pb2
from crossrate.api.risk.v1.kill_switch_service_pb2_grpc import KillSwitchServiceServicer
from crossrate.api.trading.v1 import trading_state_service_pb2 as state
from crossrate.api.trading.v1.trading_state_service_pb2_grpc import TradingStateServiceServicer
from crossrate.rpc import errors

if TYPE_CHECKING:
    from tests.integration.broker_stand import Reader


class TradingState(TradingStateServiceServicer):
    """Has every fill that a reader has heard, but for those that it is told to lose."""

    def __init__(self) -> None:
        self.reader: Reader | None = None
        self.lost: set[str] = set()
        self.taken: list[str] = []

    async def ListFills(self, request, context):
        """See the contract."""
        found = self.applied()
        asked = set(request.venue_exec_ids) - self.lost
        return state.ListFillsResponse(fills=[each for exec_id, each in found.items() if exec_id in asked])

    def applied(self) -> dict[str, state.AppliedFill]:
        """Every fill that was heard, by the venue's id.

        Raises:
            Failure: nobody listens.
        """
        if self.reader is None:
            raise errors.dependency_unavailable("trading")
        found: dict[str, state.AppliedFill] = {}
        for each in self.reader.reports:
            if each.kind == venue.VENUE_REPORT_KIND_FILLED:
                exec_id = each.fill.venue_exec_id
                found[exec_id] = state.AppliedFill(
                    venue_exec_id=exec_id, account=each.account, order_id=each.order_id, fill=each.fill
                )
            elif each.kind == venue.VENUE_REPORT_KIND_TRADE_CANCELLED:
                found[each.exec_ref_id].withdrawn = True
            elif each.kind == venue.VENUE_REPORT_KIND_TRADE_CORRECTED:
                found[each.exec_ref_id].fill.CopyFrom(each.fill)
        return found

    async def TakeAccount(self, request, context):
        """See the contract."""
        self.taken.append(request.account)
        return state.TakeAccountResponse()


class Gates(KillSwitchServiceServicer):
    """What breaks stop, by the name of the market."""

    def __init__(self) -> None:
        self.said: list[break_gate_pb2.SetBreakGatesRequest] = []

    @property
    def markets(self) -> dict[str, int]:
        """What is stopped now, and how much."""
        newest = {each.venue: each for each in self.said}
        return {gate.scope.name: gate.mode for said in newest.values() for gate in said.gates}

    async def SetBreakGates(self, request, context):
        """See the contract."""
        self.said.append(request)
        return break_gate_pb2.SetBreakGatesResponse(number=request.number, gate_version=1, applied=True)
