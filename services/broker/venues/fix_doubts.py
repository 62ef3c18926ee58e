"""What a break leaves in doubt at a venue that speaks FIX: orders and amendments that were sent and not answered.

A venue handles our messages in their order and its reports come in theirs. So what answers a question about an
amendment, asked by the amendment's own ClOrdID, stands behind everything that the venue told of that amendment.
"""

from __future__ import annotations

import time

from crossrate.api.broker.v1 import routing_service_pb2 as routing
from crossrate.api.broker.v1 import venue_report_pb2 as pb
from crossrate.api.trading.v1 import execution_pb2 as execution
from crossrate.fix.application import Unit
from crossrate.fix.enums import ExecType, MassStatusReqType, OrdRejReason, OrdStatus
from crossrate.fix.orders import OrderMassStatusRequest
from crossrate.fix.reports import ExecutionReport
from services.broker.engine.desk import Desk
from services.broker.routed import At, Routed, Waiting
from services.broker.store import Outcome
from services.broker.venues import fix_words as words
from services.broker.venues.declared import FixVenue

PENDING = (OrdStatus.PENDING_REPLACE, OrdStatus.PENDING_CANCEL)
"""What a venue has not decided yet."""
DOUBTFUL = (At.SENT, At.UNKNOWN)


async def ask(desk: Desk, spec: FixVenue, unit: Unit, outcome: Outcome, prefix: str) -> int:
    """Asks for every order and amendment whose fate is not known, and for all that works there; how many they are."""
    count = 0
    for order_id in [each.order_id for each in await desk.reading.open_orders(desk.venue) if each.status in DOUBTFUL]:
        # Read once more in the session's transaction: what came in the meantime may have answered.
        routed = await desk.reading.within(unit.transaction, order_id)
        if routed is None or routed.status not in DOUBTFUL:
            continue
        if routed.status is At.SENT:
            routed.status = At.UNKNOWN
            text = "the session broke before the venue answered: it is being asked"
            report = pb.VenueReport(kind=pb.VENUE_REPORT_KIND_UNKNOWN, text=text)
            report.venue_time.GetCurrentTime()
            desk.told(outcome, routed, report)
        unit.send(words.question(spec, routed))
        count += 1
    for each in await desk.reading.unanswered(desk.venue):
        if each.kind != routing.INSTRUCTION_KIND_REPLACE:
            continue
        routed = outcome.orders.get(each.order_id) or await desk.reading.within(unit.transaction, each.order_id)
        if routed is not None:
            unit.send(words.question(spec, routed, f"{prefix}{each.number}"))
            count += 1
    name = f"{prefix}{time.time_ns()}"
    unit.send(OrderMassStatusRequest(mass_status_req_id=name, mass_status_req_type=MassStatusReqType.ALL))
    return count


async def cancel_again(desk: Desk, spec: FixVenue, unit: Unit, outcome: Outcome, prefix: str) -> None:
    """Sends what cancels were not answered once more, as PossResend under their own ClOrdIDs: the session's numbers, by
    which the venue would have asked for them, were reset. Nothing else is sent twice."""
    for each in await desk.reading.unanswered(desk.venue):
        if each.kind != routing.INSTRUCTION_KIND_CANCEL:
            continue
        routed = outcome.orders.get(each.order_id) or await desk.reading.within(unit.transaction, each.order_id)
        if routed is not None:
            unit.send(words.cancel(spec, routed, f"{prefix}{each.number}"), header=[(97, "Y")])


def answer_amendment(desk: Desk, outcome: Outcome, routed: Routed, asked: Waiting, value: ExecutionReport) -> None:
    """What any report under an amendment's own ClOrdID but its answer says of it, while it was not answered.

    It was never there if the venue does not know it, and was carried out if the order goes by its ClOrdID: the report
    that said so was passed over (SequenceReset), since it stands before this one. While it is pending its answer is
    still to come.
    """
    if value.ord_status is OrdStatus.PENDING_REPLACE or value.exec_type is ExecType.PENDING_REPLACE:
        return
    report = pb.VenueReport(version=asked.version)
    report.venue_time.FromNanoseconds(value.transact_time or time.time_ns())
    if value.ord_rej_reason is OrdRejReason.UNKNOWN_ORDER or value.order_id == "NONE":
        report.kind = pb.VENUE_REPORT_KIND_REPLACE_REJECTED
        report.text = "the venue does not have the amendment: it was not sent again"
        report.reason = execution.EXECUTION_REASON_NO_VENUE
        # The key of the venue's own refusal: who refuses an amendment does not know it afterwards.
        desk.told(outcome, routed, report, f"9:{value.cl_ord_id}")
    else:
        report.kind = pb.VENUE_REPORT_KIND_REPLACED
        report.venue_order_id = value.order_id
        report.text = "the venue has the amendment: its own report was passed over"
        words.moved(routed, value, report.kind, asked)
        desk.told(outcome, routed, report)
    outcome.done.append(asked.number)
