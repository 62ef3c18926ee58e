"""What risk asks of trading: the state of accounts, the gate in its database, how orders ended, orders that close."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

import grpc

from crossrate.api.common.v1 import gate_pb2
from crossrate.api.trading.v1 import account_state_pb2, order_entry_pb2, order_history_pb2, order_pb2
from crossrate.api.trading.v1 import trading_state_service_pb2 as pb
from crossrate.api.trading.v1.trading_service_pb2_grpc import TradingServiceStub
from crossrate.api.trading.v1.trading_state_service_pb2_grpc import TradingStateServiceStub
from crossrate.rpc.call import new_request_id
from crossrate.rpc.client import CallError, ContractChannel

PAGE_SIZE = 1000


class Trading(Protocol):
    """The trading service, seen from here. Everything raises CallError if it cannot be had."""

    async def apply_gate(self, gate: gate_pb2.Gate) -> tuple[int, list[order_pb2.Order]]:
        """Puts a gate where orders are committed; its version there, and what worked within it at that moment."""
        ...

    def states(self) -> AsyncIterator[account_state_pb2.AccountState]:
        """The state of every account, as committed."""
        ...

    async def order(self, account: str, order_id: str) -> order_pb2.Order | None:
        """An order as it stands; None if the account has none of that id."""
        ...

    async def place(self, order: order_pb2.NewOrder, request_id: str) -> order_pb2.Order:
        """Enters an order; the same id and order have the same answer for ever."""
        ...

    async def cancel_all(self, account: str, instrument: str, *, sells: bool) -> None:
        """Cancels what works on one side of an instrument."""
        ...


class TradingPeer:
    """See Trading."""

    def __init__(self, channel: ContractChannel) -> None:
        self._state = TradingStateServiceStub(channel)
        self._orders = TradingServiceStub(channel)

    async def apply_gate(self, gate: gate_pb2.Gate) -> tuple[int, list[order_pb2.Order]]:
        """See Trading."""
        answer = await self._state.ApplyGate(pb.ApplyGateRequest(request_id=new_request_id(), gate=gate))
        return answer.version, list(answer.working)

    async def states(self) -> AsyncIterator[account_state_pb2.AccountState]:
        """See Trading."""
        token = ""
        while True:
            request = pb.ListAccountStatesRequest(page_size=PAGE_SIZE, page_token=token)
            page = await self._state.ListAccountStates(request)
            for state in page.states:
                yield state
            token = page.next_page_token
            if not token:
                return

    async def order(self, account: str, order_id: str) -> order_pb2.Order | None:
        """See Trading."""
        try:
            answer = await self._orders.GetOrder(order_history_pb2.GetOrderRequest(account=account, order=order_id))
        except CallError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                return None
            raise
        return answer.order

    async def place(self, order: order_pb2.NewOrder, request_id: str) -> order_pb2.Order:
        """See Trading."""
        answer = await self._orders.PlaceOrder(order_entry_pb2.PlaceOrderRequest(request_id=request_id, order=order))
        return answer.order

    async def cancel_all(self, account: str, instrument: str, *, sells: bool) -> None:
        """See Trading."""
        side = order_pb2.SIDE_SELL if sells else order_pb2.SIDE_BUY
        request = order_entry_pb2.CancelAllRequest(
            request_id=new_request_id(), account=account, instrument=instrument, side=side
        )
        await self._orders.CancelAll(request)
