"""Why an order is where it is: its reports in order, each with who says so and what it was decided by."""

from __future__ import annotations

import asyncio
from datetime import UTC

from crossrate.api.broker.v1 import venue_report_pb2
from crossrate.api.ledger.v1 import entry_pb2
from crossrate.api.trading.v1 import execution_pb2 as execution
from crossrate.api.trading.v1 import order_history_pb2 as pb
from crossrate.api.trading.v1 import order_pb2
from crossrate.rpc import errors
from services.trading.service.elsewhere import Elsewhere
from services.trading.store import Reading

_WORDS = {
    execution.EXEC_TYPE_PENDING_NEW: "entered and durable; on its way to a venue",
    execution.EXEC_TYPE_NEW: "works",
    execution.EXEC_TYPE_PENDING_CANCEL: "its cancel is under way",
    execution.EXEC_TYPE_CANCELLED: "cancelled",
    execution.EXEC_TYPE_PENDING_REPLACE: "an amendment is under way",
    execution.EXEC_TYPE_REPLACED: "amended",
    execution.EXEC_TYPE_REJECTED: "refused",
    execution.EXEC_TYPE_CANCEL_REJECTED: "the cancel was refused; the order is as it was",
    execution.EXEC_TYPE_REPLACE_REJECTED: "the amendment was refused; the order is as it was",
    execution.EXEC_TYPE_EXPIRED: "its time ended",
    execution.EXEC_TYPE_SUSPENDED: "waits for another order of its list",
    execution.EXEC_TYPE_RESTATED: "works with new terms",
    execution.EXEC_TYPE_TRIGGERED: "its trigger was reached; it goes to a venue",
    execution.EXEC_TYPE_UNKNOWN: "the venue's answer is not known; it is being asked",
    execution.EXEC_TYPE_TRADE_CANCEL: "a fill was taken back",
    execution.EXEC_TYPE_TRADE_CORRECT: "a fill was changed",
}


async def explained(reading: Reading, elsewhere: Elsewhere, account: str, name: str) -> pb.ExplainOrderResponse:
    """The chain of causes of an order: what trading knows, what its venue said, what was booked.

    Raises:
        Failure: NOT_FOUND.
        StoreUnavailable: the database is away.
    """
    kept = await reading.order(account, name)
    if kept is None:
        raise errors.not_found("order", f"{account}/{name}", "ListOrders has the orders of the account")
    content, sequences = kept
    events = await reading.events_of(account, sequences)
    answer = pb.ExplainOrderResponse(order=order_pb2.Order.FromString(content))
    _entered(answer)
    reports = pb.ExecutionReports.FromString(b"".join(events)).reports
    for report in reports:
        _quote(answer, report)
        _checks(answer, report)
        _itself(answer, report)
    booked = [report.exec_id for report in reports if report.HasField("fill")]
    (said, no_broker), (entries, no_ledger) = await asyncio.gather(
        elsewhere.reports(account, answer.order.order_id), elsewhere.entries(account, booked)
    )
    for each in said:
        _venue(answer, each)
    for entry in entries:
        _entry(answer, entry)
    if not no_ledger and len(entries) < len(booked):
        no_ledger = f"ledger: {len(booked) - len(entries)} of {len(booked)} fills are not booked yet"
    answer.missing.extend(each for each in (no_broker, no_ledger) if each)
    # Stable: what bears the same time stays as it came, cause before effect.
    causes = sorted(answer.causes, key=lambda cause: (cause.time.seconds, cause.time.nanos))
    del answer.causes[:]
    answer.causes.extend(causes)
    return answer


def _entered(answer: pb.ExplainOrderResponse) -> None:
    """Who entered it, and why if that was said: a close-out names itself and the level of margin."""
    order = answer.order
    if order.terms.text:
        who = order.entered_by or "unknown"
        cause = answer.causes.add(
            time=order.create_time, service="trading", text=f"entered by {who}: {order.terms.text}"
        )
        cause.references.append(f"client order {order.terms.client_order_id}")


def _venue(answer: pb.ExplainOrderResponse, report: venue_report_pb2.VenueReport) -> None:
    kind = venue_report_pb2.VenueReportKind.Name(report.kind).removeprefix("VENUE_REPORT_KIND_")
    at = report.venue_time.ToDatetime(UTC).isoformat(timespec="microseconds")
    words = f"{report.venue or 'no venue'} said {kind} at {at} by its clock"
    if report.fill.venue_exec_id:
        words = f"{words}: {report.fill.quantity} at {report.fill.price}"
    if report.text:
        words = f"{words}: {report.text}"
    cause = answer.causes.add(time=report.time, service="broker", text=words[:2000])
    cause.references.append(f"broker report {report.sequence}")
    if report.venue_order_id:
        cause.references.append(f"{report.venue} order {report.venue_order_id}")
    if report.fill.venue_exec_id:
        cause.references.append(f"{report.venue} execution {report.fill.venue_exec_id}")


def _entry(answer: pb.ExplainOrderResponse, entry: entry_pb2.Entry) -> None:
    kind = entry_pb2.EntryKind.Name(entry.kind).removeprefix("ENTRY_KIND_")
    lines = [
        f"{entry_pb2.LedgerKind.Name(each.ledger).removeprefix('LEDGER_KIND_').lower()} {each.amount} {each.currency}"
        for each in entry.postings
    ]
    cause = answer.causes.add(time=entry.time, service="ledger", text=f"booked {kind}: {'; '.join(lines)}"[:2000])
    cause.references.extend((f"ledger entry {entry.sequence}", f"execution {entry.reference}"))
    if entry.trade.trade_id:
        cause.references.append(f"{entry.trade.counterparty} execution {entry.trade.trade_id}")


def _quote(answer: pb.ExplainOrderResponse, report: execution.ExecutionReport) -> None:
    if report.HasField("quote_seen"):
        seen = report.quote_seen
        words = f"the market was {seen.bid} / {seen.ask}, by {seen.source or 'the composite'} number {seen.sequence}"
        answer.causes.add(time=seen.receive_time, service="marketdata", text=words)


def _checks(answer: pb.ExplainOrderResponse, report: execution.ExecutionReport) -> None:
    if not report.checks:
        return
    failed = [check for check in report.checks if not check.passed]
    words = f"{len(report.checks)} checks, all passed"
    if failed:
        words = f"{len(failed)} of {len(report.checks)} checks failed: " + "; ".join(check.text for check in failed)
    cause = answer.causes.add(time=report.time, service="risk", text=words[:2000])
    cause.references.extend(f"limits version {v}" for v in sorted({c.limits_version for c in report.checks}))


def _itself(answer: pb.ExplainOrderResponse, report: execution.ExecutionReport) -> None:
    venue, _, number = report.cause.partition(":")
    from_venue = number.isdecimal() and bool(report.order.venue)
    service = f"venue:{venue}" if from_venue else "trading"
    words = _WORDS.get(report.exec_type, execution.ExecType.Name(report.exec_type))
    if report.exec_type == execution.EXEC_TYPE_TRADE:
        fill = report.fill
        words = f"filled {fill.quantity} at {fill.price}; {report.order.cum_quantity} of {report.order.terms.quantity}"
    if report.HasField("reason"):
        reason = execution.ExecutionReason.Name(report.reason).removeprefix("EXECUTION_REASON_")
        words = f"{words} ({reason})"
    if report.text:
        words = f"{words}: {report.text}"
    cause = answer.causes.add(time=report.time, service=service, text=words, report=report)
    cause.references.append(f"journal accounts/{report.order.terms.account}:{report.sequence}")
    if from_venue:
        cause.references.append(f"broker report {number}")
    if report.fill.venue_exec_id:
        cause.references.append(f"{report.fill.venue} execution {report.fill.venue_exec_id}")
