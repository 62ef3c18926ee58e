"""What a venue's report does to its order."""

from __future__ import annotations

from typing import Any

from crossrate.api.broker.v1 import venue_report_pb2 as pb
from services.trading import messages
from services.trading.domain import amounts
from services.trading.domain.account import Account, Step
from services.trading.domain.lifecycle import Exec, Reason
from services.trading.domain.order import Order
from services.trading.store import Batch, Reading

_ENDS = {
    pb.VENUE_REPORT_KIND_REJECTED: Exec.REJECTED,
    pb.VENUE_REPORT_KIND_CANCELLED: Exec.CANCELLED,
    pb.VENUE_REPORT_KIND_EXPIRED: Exec.EXPIRED,
}


class Applier:
    """Applies reports within a commit. Whatever a report says, the account's position moves past it."""

    def __init__(self, reading: Reading, note: Any) -> None:
        self._reading = reading
        self._note = note
        self.foreign = 0
        """Reports of orders that are not here."""

    def apply(self, account: Account, batch: Batch, report: pb.VenueReport, quote: Any = None) -> None:
        """Applies one report, unless it was applied before."""
        if report.sequence <= account.venue_sequence:
            return
        batch.holds(account)
        account.venue_sequence = report.sequence
        order = account.orders.get(report.order_id)
        if order is None:
            self.foreign += 1
            kind = pb.VenueReportKind.Name(report.kind)
            self._note.warning("a venue's report of an order that does not work here", kind=kind, order=report.order_id)
            return
        cause = f"{report.venue}:{report.sequence}"
        try:
            self._do(account, batch, order, report, cause, quote)
        except ValueError as error:
            self._note.error("a venue's report cannot be read", order=order.order_id, cause=cause, why=str(error))

    def _do(self, account: Account, batch: Batch, order: Order, report: pb.VenueReport, cause: str, quote: Any) -> None:
        text = messages.venue_text(report)
        reason = Reason(report.reason) if report.HasField("reason") else None
        match report.kind:
            case pb.VENUE_REPORT_KIND_ACCEPTED:
                account.confirm(order, report.venue, cause, batch)
            case pb.VENUE_REPORT_KIND_FILLED:
                deal = messages.deal_of(report, order.position_id)
                if quote is not None:
                    deal.image.market_bid, deal.image.market_ask = quote
                if not batch.saw_fill(deal.venue, deal.venue_exec_id):
                    account.deal(order, deal, batch, cause)
            case pb.VENUE_REPORT_KIND_REPLACED:
                account.replaced(order, cause, batch)
            case pb.VENUE_REPORT_KIND_CANCEL_REJECTED:
                account.refuse(order, Exec.CANCEL_REJECTED, reason or Reason.VENUE, text, cause, batch)
            case pb.VENUE_REPORT_KIND_REPLACE_REJECTED:
                account.refuse(order, Exec.REPLACE_REJECTED, reason or Reason.VENUE, text, cause, batch)
            case pb.VENUE_REPORT_KIND_UNKNOWN:
                account.unknown(order, text or "the venue's answer is not known: it is being asked", cause, batch)
            case kind if kind in _ENDS:
                order.venue = order.venue or report.venue
                if kind == pb.VENUE_REPORT_KIND_REJECTED:
                    reason = reason or Reason.VENUE
                elif kind == pb.VENUE_REPORT_KIND_EXPIRED:
                    reason = Reason.EXPIRED
                account.end(order, _ENDS[kind], Step(_ENDS[kind], cause, reason, text), batch)
            case _:
                self._note.warning("a venue's report of a kind that does nothing", kind=report.kind, cause=cause)


def quote_texts(bid: float, ask: float) -> tuple[str, str]:
    """A quote as decimals."""
    return amounts.price_text(round(bid * amounts.PRICE_UNIT)), amounts.price_text(round(ask * amounts.PRICE_UNIT))
