"""What risk needs of trading: accounts as they are committed, and the gate."""

from __future__ import annotations

from typing import Any

from crossrate.api.trading.v1 import trading_state_service_pb2 as pb
from crossrate.api.trading.v1.trading_state_service_pb2_grpc import TradingStateServiceServicer
from services.trading import messages
from services.trading.engine.gate import GateKeeper
from services.trading.service.failures import failures
from services.trading.store import Reading

PAGE_DEFAULT = 100


class TradingStateService(TradingStateServiceServicer):
    """States and gate, from the database alone: any instance answers for all."""

    def __init__(self, reading: Reading, gate: GateKeeper) -> None:
        self._reading = reading
        self._gate = gate

    async def ListAccountStates(
        self, request: pb.ListAccountStatesRequest, context: Any
    ) -> pb.ListAccountStatesResponse:
        """See the contract."""
        size = request.page_size or PAGE_DEFAULT
        with failures():
            names = await self._reading.account_names(request.page_token, size + 1)
            accounts = await self._reading.accounts(names[:size])
            version = await self._gate.version()
        answer = pb.ListAccountStatesResponse(states=map(messages.state_of, accounts), gate_version=version)
        if len(names) > size:
            answer.next_page_token = names[size - 1]
        return answer

    async def ApplyGate(self, request: pb.ApplyGateRequest, context: Any) -> pb.ApplyGateResponse:
        """See the contract."""
        with failures(request.request_id):
            version, working = await self._gate.apply(request.gate)
        return pb.ApplyGateResponse(version=version, working=working)
