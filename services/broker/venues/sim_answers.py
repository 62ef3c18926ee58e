"""What the simulated exchange says of an instruction without asking its book; amendments that it has not answered."""

from __future__ import annotations

from collections import deque

from crossrate.api.broker.v1 import routing_service_pb2 as routing
from crossrate.api.broker.v1 import venue_report_pb2 as pb
from crossrate.api.trading.v1 import execution_pb2 as execution
from crossrate.exchange.event import Event, EventKind, Reason
from crossrate.exchange.order import Operation
from services.broker.engine.desk import Desk
from services.broker.indications import Indication
from services.broker.routed import At, Routed, Waiting
from services.broker.store import Outcome

TEXT_MAX = 500
UNQUOTED = "no quote is live: enter it again when one is, or with a limit"


def refuse(desk: Desk, outcome: Outcome, routed: Routed, each: Waiting, text: str, reason: int, now_ns: int) -> None:
    """Refuses an instruction; a new order ends by that."""
    kinds = {
        routing.INSTRUCTION_KIND_NEW: pb.VENUE_REPORT_KIND_REJECTED,
        routing.INSTRUCTION_KIND_REPLACE: pb.VENUE_REPORT_KIND_REPLACE_REJECTED,
    }
    kind = kinds.get(each.kind, pb.VENUE_REPORT_KIND_CANCEL_REJECTED)
    if kind == pb.VENUE_REPORT_KIND_REJECTED:
        routed.status = At.ENDED
    report = pb.VenueReport(kind=kind, text=text, reason=reason, version=each.version)
    report.venue_time.FromNanoseconds(now_ns)
    desk.told(outcome, routed, report)
    outcome.done.append(each.number)


def unpriced(desk: Desk, outcome: Outcome, routed: Routed, each: Waiting, found: Indication, now_ns: int) -> None:
    """Refuses an order whose dates pricing gives no price for: it is never dealt at another date's."""
    reason = execution.EXECUTION_REASON_VENUE if found.refused else execution.EXECUTION_REASON_NO_VENUE
    text = f"settlement: there is no price for its dates: {found.why_not}"[:TEXT_MAX]
    refuse(desk, outcome, routed, each, text, reason, now_ns)


def unquoted(desk: Desk, outcome: Outcome, routed: Routed, each: Waiting, now_ns: int) -> None:
    """Ends a market order while no quote is live: what rests may be as far from the market as it likes."""
    routed.venue_order_id = f"S{routed.number}"
    for kind, status in ((pb.VENUE_REPORT_KIND_ACCEPTED, At.WORKS), (pb.VENUE_REPORT_KIND_CANCELLED, At.ENDED)):
        report = pb.VenueReport(kind=kind, version=each.version)
        report.venue_time.FromNanoseconds(now_ns)
        if status is At.ENDED:
            report.text, report.reason = UNQUOTED, execution.EXECUTION_REASON_NO_LIQUIDITY
        routed.status = status
        desk.told(outcome, routed, report)
    outcome.done.append(each.number)


class Amending:
    """Amendments that the exchange was sent and has not answered, by order."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[Waiting]] = {}

    def asked(self, each: Waiting) -> None:
        """The exchange is sent one."""
        self._waiting.setdefault(each.order_id, deque()).append(each)

    def answered(self, outcome: Outcome, order_id: str, event: Event) -> Waiting | None:
        """The amendment that an event answers; it is done."""
        answers = event.kind in (EventKind.REPLACED, EventKind.REJECTED) or event.reason is Reason.QUANTITY_FILLED
        waiting = self._waiting.get(order_id)
        if event.operation != Operation.REPLACE or not answers or not waiting:
            return None
        amended = waiting.popleft()
        if not waiting:
            del self._waiting[order_id]
        outcome.done.append(amended.number)
        if amended.number in outcome.sent:
            outcome.sent.remove(amended.number)
        return amended
