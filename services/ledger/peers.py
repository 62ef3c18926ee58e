"""What the ledger asks of others: trading for reports that are missing."""

from __future__ import annotations

from crossrate.api.trading.v1 import execution_pb2
from crossrate.api.trading.v1 import order_history_pb2 as pb
from crossrate.api.trading.v1.trading_service_pb2_grpc import TradingServiceStub

PAGE_SIZE = 500


class TradingReports:
    """Trading, seen from here."""

    def __init__(self, stub: TradingServiceStub) -> None:
        self._stub = stub

    async def executions(self, account: str, after_sequence: int) -> tuple[list[execution_pb2.ExecutionReport], int]:
        """The next reports of an account after a number, and its newest number.

        Raises:
            CallError: trading does not answer.
        """
        request = pb.ListExecutionsRequest(account=account, after_sequence=after_sequence, page_size=PAGE_SIZE)
        answer = await self._stub.ListExecutions(request)
        return list(answer.reports), answer.last_sequence
