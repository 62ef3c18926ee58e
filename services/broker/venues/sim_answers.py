"""What the simulated exchange says of an instruction without asking its book; amendments that it has not answered."""

from __future__ import annotations

from collections import deque

from crossrate.api.broker.v1 import routing_service_pb2 as routing
from crossrate.api.broker.v1 import venue_report_pb2 as pb
from crossrate.api.trading.v1 import execution_pb2 as execution
from crossrate.exchange.event import Event, EventKind, Reason
from crossrate.exchange.order import Operation
from services.broker.domain.amounts import quantity_of
from services.broker.engine.desk import Desk
from services.broker.indications import Indication
from services.broker.routed import At, Routed, Waiting
from services.broker.store import Outcome
from services.broker.venues.declared import SimulatedVenue
from services.broker.venues.exchange_terms import Unfit

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


def may_enter(desk: Desk, spec: SimulatedVenue, outcome: Outcome, routed: Routed, each: Waiting, now_ns: int) -> bool:
    """Whether a new order is to be looked at; what waited for too long is refused.

    Raises:
        Unfit: it, or the orders that are open, are more than the venue takes.
    """
    if routed.status is not At.HERE:
        desk.note.error("an order is there already; it is not sent again", instruction=each.instruction_id)
        outcome.done.append(each.number)
        return False
    if each.age_s > spec.unsent_s_max:
        text = f"it waited {each.age_s:.0f} s for its venue, which is longer than {spec.unsent_s_max:g} s"
        refuse(desk, outcome, routed, each, text, execution.EXECUTION_REASON_NO_VENUE, now_ns)
        return False
    limits = spec.limits
    if quantity_of(routed.order.terms.quantity) > quantity_of(limits.order_quantity_max):
        raise Unfit(f"quantity: the venue's limit is {limits.order_quantity_max} an order; send less at once")
    if len(desk.orders) > limits.open_orders_max:
        raise Unfit(f"the venue's limit of {limits.open_orders_max} open orders is reached: cancel some")
    return True


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
