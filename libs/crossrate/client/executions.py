"""The execution reports of an account without a gap and none twice, whatever happens to the connection."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from crossrate.api.trading.v1 import order_history_pb2 as pb
from crossrate.client.resuming import Gap, ResumingStream, Resumption, Torn

if TYPE_CHECKING:
    from crossrate.api.trading.v1.execution_pb2 import ExecutionReport

METHOD = "/crossrate.api.trading.v1.TradingService/StreamExecutions"


class ExecutionStream(ResumingStream["ExecutionReport"]):
    """The state of one reader: the number of the last report. It resumes by that number and needs no cursor."""

    oneof = "content"

    def __init__(self, account: str, after: int, resumption: Resumption | None = None) -> None:
        request = pb.StreamExecutionsRequest(account=account, after_sequence=after)
        super().__init__(METHOD, request, resumption or Resumption())

    async def reports(self, stub: Any) -> AsyncIterator[ExecutionReport]:
        """The reports, without end."""
        async for event in self.events(stub):
            assert not isinstance(event, Gap), "reports are kept for ever: none can be missing"
            yield event

    def _taken(self, message: pb.StreamExecutionsResponse) -> list[ExecutionReport | Gap]:
        taken: list[ExecutionReport | Gap] = []
        for report in message.reports.reports:
            last = self._request.after_sequence
            if report.sequence <= last:
                continue
            if report.sequence > last + 1:
                raise Torn(f"report {report.sequence} of {self._request.account} came after {last}")
            self._request.after_sequence = report.sequence
            taken.append(report)
        return taken

    def _moved(self, message: pb.StreamExecutionsResponse) -> None:
        """The number is the cursor."""

    def _begin_anew(self, reason: str) -> list[Gap]:
        return []
