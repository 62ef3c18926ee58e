"""What others say of an order: broker of its venue, the ledger of what was booked."""

from __future__ import annotations

from collections.abc import Sequence

from crossrate.api.broker.v1 import routing_service_pb2, venue_report_pb2
from crossrate.api.broker.v1.routing_service_pb2_grpc import RoutingServiceStub
from crossrate.api.ledger.v1 import entry_pb2, ledger_service_pb2
from crossrate.api.ledger.v1.ledger_service_pb2_grpc import LedgerServiceStub
from crossrate.rpc.call_error import CallError

REPORTS_MAX = 1000
REFERENCES_MAX = 1000


class Elsewhere:
    """Asks; what cannot be had is said in words, and is no error."""

    def __init__(self, broker: RoutingServiceStub, ledger: LedgerServiceStub) -> None:
        self._broker = broker
        self._ledger = ledger

    async def reports(self, account: str, order_id: str) -> tuple[Sequence[venue_report_pb2.VenueReport], str]:
        """What broker has committed of an order, oldest first; and why there is nothing, else an empty text."""
        request = routing_service_pb2.ListReportsRequest(account=account, order_id=order_id, page_size=REPORTS_MAX)
        try:
            return (await self._broker.ListReports(request)).reports, ""
        except CallError as error:
            return [], f"broker: {error.message}"

    async def entries(self, account: str, references: Sequence[str]) -> tuple[Sequence[entry_pb2.Entry], str]:
        """What the ledger booked by some execution reports, likewise."""
        if not references:
            return [], ""
        request = ledger_service_pb2.ListPostingsRequest(
            account=account, page_size=REFERENCES_MAX, references=references[:REFERENCES_MAX]
        )
        try:
            return (await self._ledger.ListPostings(request)).entries, ""
        except CallError as error:
            return [], f"ledger: {error.message}"
