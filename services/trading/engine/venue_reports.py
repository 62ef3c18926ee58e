"""What a venue's report does to its order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from prometheus_client import Counter

from crossrate.api.broker.v1 import venue_report_pb2 as pb
from crossrate.api.trading.v1 import order_pb2
from services.trading import messages
from services.trading.domain.account import Account, Deal, Step
from services.trading.domain.lifecycle import Exec, Illegal, Reason
from services.trading.domain.order import Order
from services.trading.store import Batch

_ENDS = {
    pb.VENUE_REPORT_KIND_REJECTED: Exec.REJECTED,
    pb.VENUE_REPORT_KIND_CANCELLED: Exec.CANCELLED,
    pb.VENUE_REPORT_KIND_EXPIRED: Exec.EXPIRED,
}
ILLEGAL = Counter("crossrate_trading_illegal_reports_total", "Reports of venues that were no step of their order")
_OF_A_FILL = (pb.VENUE_REPORT_KIND_TRADE_CANCELLED, pb.VENUE_REPORT_KIND_TRADE_CORRECTED)


@dataclass(frozen=True, slots=True)
class Prepared:
    """What was read for a report: its order, which has ended, as it is kept, and the fill that it is about."""

    content: bytes | None
    exec_ids: tuple[str, ...] = ()
    deal: Deal | None = None

    def order(self) -> Order | None:
        """The order, made anew for each attempt to commit."""
        if self.content is None:
            return None
        order = messages.order_of(order_pb2.Order.FromString(self.content))
        order.exec_ids.update(self.exec_ids)
        return order


_slots = attrgetter(*Order.__slots__)


class _Before:
    """An order and its position as they were before a report."""

    def __init__(self, account: Account, order: Order) -> None:
        self._account = account
        self._order = order
        self._slots = _slots(order)
        self._exec_ids = order.exec_ids.copy()
        self._positions = _of_instrument(account.positions, order.instrument)
        self._strategies = _of_instrument(account.strategies, order.instrument)

    def put_back(self) -> None:
        """Makes them so again."""
        for name, value in zip(Order.__slots__, self._slots, strict=True):
            setattr(self._order, name, value)
        self._order.exec_ids = self._exec_ids
        for held, before in (
            (self._account.positions, self._positions),
            (self._account.strategies, self._strategies),
        ):
            for key in _of_instrument(held, self._order.instrument):
                if key in before:
                    held[key][:] = before[key]
                else:
                    del held[key]


def _of_instrument(held: dict[Any, list[int]], instrument: str) -> dict[Any, list[int]]:
    return {key: list(value) for key, value in held.items() if key[0] == instrument}


class Applier:
    """Applies reports within a commit. Whatever a report says, the account's position moves past it."""

    def __init__(self, note: Any) -> None:
        self._note = note
        self.quote: Callable[[str], tuple[str, str] | None] = lambda instrument: None
        """Bid and ask of an instrument now, for what is kept with a fill."""
        self.stuck: Callable[[str], None] = lambda account: None
        """Called for an account whose next report is about something that is not in memory."""
        self.foreign = 0
        """Reports of orders that are not here."""

    def apply(self, account: Account, batch: Batch, report: pb.VenueReport, prepared: Prepared | None = None) -> None:
        """Applies one report, unless it was applied before. What needs more than memory has is left for when that was
        read, and so is everything behind it."""
        if report.sequence <= account.venue_sequence or (account.stuck and prepared is None):
            return
        order = account.orders.get(report.order_id)
        if prepared is None and (order is None or report.kind in _OF_A_FILL):
            account.stuck = True
            self.stuck(account.name)
            return
        batch.holds(account)
        account.venue_sequence = report.sequence
        if order is None and prepared is not None and (order := prepared.order()) is not None:
            account.add(order)
        if order is None and report.kind == pb.VENUE_REPORT_KIND_ADOPTED and report.HasField("order"):
            self._adopt(account, batch, report)
            return
        if order is None:
            self.foreign += 1
            kind = pb.VenueReportKind.Name(report.kind)
            self._note.error("a venue's report of an order that was not entered here", kind=kind, order=report.order_id)
            return
        cause = f"{report.venue}:{report.sequence}"
        before = _Before(account, order)
        try:
            self._do(account, batch, order, report, cause, prepared)
        except ValueError as error:
            before.put_back()
            self._note.error("a venue's report cannot be read", order=order.order_id, cause=cause, why=str(error))
        except Illegal as error:
            # Left out, loudly: an instance that broke down on it would break down on it again after each restart. The
            # broker's reconciliation finds what is different then.
            before.put_back()
            ILLEGAL.inc()
            self._note.critical("a venue's report is no step of its order", order=order.order_id, why=str(error))

    def _adopt(self, account: Account, batch: Batch, report: pb.VenueReport) -> None:
        """An order that was placed by hand at its venue: it works there, and risk has not been asked."""
        image = order_pb2.Order()
        image.CopyFrom(report.order)
        image.status, image.adopted = order_pb2.ORDER_STATUS_UNSPECIFIED, True
        image.cum_quantity, image.cum_counter_amount, image.venue = "0", "", report.venue
        cause = f"{report.venue}:{report.sequence}"
        try:
            order = messages.order_of(image)
            order.confirmed = True
            account.adopt(order, Step(Exec.NEW, cause, None, messages.venue_text(report)), batch)
        except (ValueError, KeyError) as error:
            why = str(error)
            self._note.error("an adopted order cannot be read", order=report.order_id, cause=cause, why=why)

    def _do(
        self,
        account: Account,
        batch: Batch,
        order: Order,
        report: pb.VenueReport,
        cause: str,
        prepared: Prepared | None,
    ) -> None:
        text = messages.venue_text(report)
        reason = Reason(report.reason) if report.HasField("reason") else None
        match report.kind:
            case pb.VENUE_REPORT_KIND_ACCEPTED:
                account.confirm(order, report.venue, cause, batch)
            case pb.VENUE_REPORT_KIND_FILLED:
                deal = messages.deal_of(report, order.position_id)
                if (quote := self.quote(order.instrument)) is not None:
                    deal.image.market_bid, deal.image.market_ask = quote
                if deal.venue_exec_id not in order.exec_ids:
                    account.deal(order, deal, batch, cause)
            case pb.VENUE_REPORT_KIND_REPLACED:
                account.replaced(order, cause, batch)
            case pb.VENUE_REPORT_KIND_CANCEL_REJECTED:
                account.refuse(order, Exec.CANCEL_REJECTED, reason or Reason.VENUE, text, cause, batch)
            case pb.VENUE_REPORT_KIND_REPLACE_REJECTED:
                account.refuse(order, Exec.REPLACE_REJECTED, reason or Reason.VENUE, text, cause, batch)
            case pb.VENUE_REPORT_KIND_UNKNOWN:
                account.unknown(order, text or "the venue's answer is not known: it is being asked", cause, batch)
            case kind if kind in _OF_A_FILL:
                assert prepared is not None
                self._correct(account, batch, order, report, cause, prepared.deal)
            case kind if kind in _ENDS:
                order.venue = order.venue or report.venue
                if kind == pb.VENUE_REPORT_KIND_REJECTED:
                    reason = reason or Reason.VENUE
                elif kind == pb.VENUE_REPORT_KIND_EXPIRED:
                    reason = Reason.EXPIRED
                elif reason is Reason.CLIENT and order.reason is not None:
                    reason = None  # to the venue all cancels are its client's; why it was asked for is known here
                account.end(order, _ENDS[kind], Step(_ENDS[kind], cause, reason, text), batch)
            case _:
                self._note.warning("a venue's report of a kind that does nothing", kind=report.kind, cause=cause)

    def _correct(
        self, account: Account, batch: Batch, order: Order, report: pb.VenueReport, cause: str, was: Deal | None
    ) -> None:
        if was is None:
            why = "the fill that it is about is not known, or was taken back before"
            self._note.error("a venue's correction cannot be applied", order=order.order_id, cause=cause, why=why)
            return
        now = None
        if report.kind == pb.VENUE_REPORT_KIND_TRADE_CORRECTED:
            now = messages.deal_of(report, was.position_id)
        account.correct(order, was, now, cause, messages.venue_text(report), batch)
