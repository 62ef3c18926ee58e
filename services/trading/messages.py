"""Orders, fills and reports as messages, and back. What is kept of an order is its message: nothing else is needed."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from google.type import date_pb2

from crossrate.api.broker.v1 import venue_report_pb2
from crossrate.api.trading.v1 import account_state_pb2, execution_pb2, order_entry_pb2, order_pb2
from crossrate.rpc.frames import element
from services.trading.domain import amounts, order
from services.trading.domain.account import Account, Deal, Step
from services.trading.domain.dates import Dates
from services.trading.domain.lifecycle import Reason, Status
from services.trading.domain.order import (
    TRIGGERED_TYPES,
    Amendment,
    Contingency,
    Order,
    OrderType,
    Protection,
    Terms,
    TimeInForce,
    TriggerSource,
)

SUBJECT = "crossrate.trading.v1.execution_reported."
SIDES = {order_pb2.SIDE_BUY: order.BUY, order_pb2.SIDE_SELL: order.SELL}
WORDS = {each.name: each for each in Reason}
NS = 1_000_000_000


def _price(text: str) -> int:
    return amounts.price(text) if text else 0


def _limit(text: str) -> int | None:
    return amounts.price(text) if text else None


def _quantity(text: str) -> int:
    return amounts.quantity(text) if text else 0


def ns_of(time: Timestamp) -> int:
    """A moment in ns since 1970, UTC."""
    return time.seconds * NS + time.nanos


def put_ns(time: Timestamp, ns: int) -> None:
    """Writes a moment."""
    time.seconds, time.nanos = divmod(ns, NS)


def date_of(message: date_pb2.Date) -> dt.date:
    """A date.

    Raises:
        ValueError: it is none.
    """
    return dt.date(message.year, message.month, message.day)


def put_date(message: date_pb2.Date, day: dt.date) -> None:
    """Writes a date."""
    message.year, message.month, message.day = day.year, day.month, day.day


def terms_of(new: order_pb2.NewOrder) -> Terms:
    """What was entered, parsed. The contract's patterns hold, so that every number is one."""
    swap = new.HasField("far_leg")
    quantity = amounts.quantity(new.quantity)
    far = new.far_leg.quantity if swap else ""
    return Terms(
        side=SIDES[new.side],
        quantity=quantity,
        order_type=OrderType(new.order_type),
        time_in_force=TimeInForce(new.time_in_force),
        limit_price=_limit(new.limit_price),
        stop_price=_price(new.stop_price),
        trailing_distance=_price(new.trailing_distance),
        price_bound=_price(new.price_bound),
        display_quantity=_quantity(new.display_quantity),
        min_quantity=_quantity(new.min_quantity),
        far_quantity=(_quantity(far) or quantity) if swap else 0,
        expire_ns=ns_of(new.expire_time) if new.HasField("expire_time") else 0,
        trigger_source=TriggerSource(new.trigger_source or TriggerSource.DEALING_SIDE),
        post_only=new.post_only,
        # What closes a position never turns it round.
        reduce_only=new.reduce_only or bool(new.position_id),
        swap=swap,
        protection=_protection(new.on_fill) if new.HasField("on_fill") else None,
        position_id=new.position_id,
        quote_id=new.quote_id,
        strategy=new.strategy,
    )


def _protection(given: order_pb2.OnFill) -> Protection:
    return Protection(
        _price(given.take_profit_price),
        _price(given.stop_loss_price),
        _price(given.trailing_distance),
        TriggerSource(given.trigger_source or TriggerSource.DEALING_SIDE),
    )


_PRICES = ("stop_price", "trailing_distance", "price_bound")
"""But for the limit, which of a swap may be zero."""
_PROTECTIONS = ("take_profit_price", "stop_loss_price", "trailing_distance")


def zeros_of(new: order_pb2.NewOrder | order_entry_pb2.AmendOrderRequest) -> list[tuple[str, str]]:
    """Prices that are given and are zero, each with what to do: taken as left out they would be lost in silence."""
    wrong = _zeros(new, _PRICES if isinstance(new, order_pb2.NewOrder) else _PRICES[:2], "")
    if isinstance(new, order_pb2.NewOrder) and new.HasField("on_fill"):
        wrong += _zeros(new.on_fill, _PROTECTIONS, "on_fill.")
    return wrong


def _zeros(given: Message, names: tuple[str, ...], prefix: str) -> list[tuple[str, str]]:
    words = "is 0, which is no price: give one above zero, or leave it empty"
    return [(prefix + name, words) for name in names if (text := getattr(given, name)) and not text.strip("0.")]


def leg_of(settlement: order_pb2.Settlement) -> str | dt.date | None:
    """A leg's settlement: tenor, date, or None for spot.

    Raises:
        ValueError: both are given, or the date is none.
    """
    if settlement.HasField("date"):
        if settlement.tenor:
            raise ValueError("give a tenor or a date, not both")
        return date_of(settlement.date)
    return settlement.tenor or None


def amendment_of(request: order_entry_pb2.AmendOrderRequest) -> Amendment:
    """The new terms of a request."""
    return Amendment(
        quantity=_quantity(request.quantity),
        limit_price=_limit(request.limit_price),
        stop_price=_price(request.stop_price),
        trailing_distance=_price(request.trailing_distance),
        expire_ns=ns_of(request.expire_time) if request.HasField("expire_time") else 0,
    )


def image_of(
    new: order_pb2.NewOrder,
    order_id: str,
    dates: Dates,
    entered_by: str,
    now_ns: int,
    *,
    session: str = "",
    hedging: bool = False,
) -> order_pb2.Order:
    """A new order as a message, before its first step."""
    image = order_pb2.Order(
        order_id=order_id, terms=new, cum_quantity="0", version=1, entered_by=entered_by, session=session
    )
    if hedging:
        image.position_id = new.position_id or order_id
    put_date(image.settl_date, dates.settle)
    put_date(image.trade_date, dates.trade)
    if dates.far is not None:
        put_date(image.far_settl_date, dates.far)
    put_ns(image.create_time, now_ns)
    return image


def protection_of(parent: Order, order_id: str, client_order_id: str, terms: Terms, now_ns: int) -> Order:
    """An order that protects what another one has filled, as it would have been entered."""
    of: order_pb2.Order = parent.image
    new = order_pb2.NewOrder(
        client_order_id=client_order_id,
        account=parent.account,
        instrument=parent.instrument,
        side=order_pb2.SIDE_BUY if terms.side == order.BUY else order_pb2.SIDE_SELL,
        quantity=amounts.quantity_text(terms.quantity),
        order_type=terms.order_type.value,
        time_in_force=terms.time_in_force.value,
        reduce_only=True,
        strategy=of.terms.strategy,
        venue=of.terms.venue,
        position_id=terms.position_id,
    )
    put_terms(new, terms)
    if terms.order_type in TRIGGERED_TYPES:
        new.trigger_source = terms.trigger_source.value
    if of.terms.HasField("settlement"):
        new.settlement.CopyFrom(of.terms.settlement)
    image = order_pb2.Order(
        order_id=order_id, terms=new, cum_quantity="0", version=1, entered_by=of.entered_by, session=of.session
    )
    image.settl_date.CopyFrom(of.settl_date)
    image.trade_date.CopyFrom(of.trade_date)
    image.position_id = of.position_id
    put_ns(image.create_time, now_ns)
    made = Order(order_id, parent.account, client_order_id, parent.instrument, terms, image)
    made.session = of.session
    return made


def order_of(image: order_pb2.Order) -> Order:
    """An order from its message: the state is in it, whole."""
    terms = image.terms
    made = Order(image.order_id, terms.account, terms.client_order_id, terms.instrument, terms_of(terms), image)
    made.status = Status(image.status)
    made.cum = amounts.quantity(image.cum_quantity)
    made.value = amounts.number(image.cum_counter_amount or "0", amounts.VALUE_PLACES)
    made.withdrawn = _quantity(image.withdrawn_quantity)
    made.version, made.sequence, made.pending_sequence = image.version, image.sequence, image.pending_sequence
    made.triggered, made.confirmed, made.venue = image.triggered, image.confirmed, image.venue
    made.trigger_price = _price(image.trigger_price)
    made.list_id, made.parent_id = image.list_id, image.parent_order_id
    made.contingency = Contingency(image.contingency)
    made.entered = _quantity(image.entered_quantity)
    made.gate_version, made.session, made.position_id = image.gate_version, image.session, image.position_id
    made.reason, made.reason_text = WORDS.get(image.reason), image.reason_text
    if image.HasField("proposed"):
        made.proposed = _difference(image.proposed)
    return made


def _difference(proposed: order_pb2.NewOrder) -> Amendment:
    # All of them: what is the same changes nothing.
    return Amendment(
        quantity=_quantity(proposed.quantity),
        limit_price=_limit(proposed.limit_price),
        stop_price=_price(proposed.stop_price),
        trailing_distance=_price(proposed.trailing_distance),
        expire_ns=ns_of(proposed.expire_time) if proposed.HasField("expire_time") else 0,
    )


def put_terms(message: order_pb2.NewOrder, terms: Terms | Amendment) -> None:
    """Writes what an amendment can change."""
    if terms.quantity:
        message.quantity = amounts.quantity_text(terms.quantity)
    if terms.limit_price is not None:
        message.limit_price = amounts.price_text(terms.limit_price)
    for name in ("stop_price", "trailing_distance"):
        if price := getattr(terms, name):
            setattr(message, name, amounts.price_text(price))
    if terms.expire_ns:
        put_ns(message.expire_time, terms.expire_ns)


def refresh(made: Order, now_ns: int) -> order_pb2.Order:
    """Writes an order's state into its message and returns it."""
    image: order_pb2.Order = made.image
    image.status = made.status.value
    image.leaves_quantity = amounts.quantity_text(made.leaves)
    if made.cum or image.cum_quantity != "0":
        image.cum_quantity = amounts.quantity_text(made.cum)
        image.cum_counter_amount = amounts.value_text(made.value) if made.cum else ""
        image.avg_price = amounts.price_text(amounts.average(made.value, made.cum)) if made.cum else ""
    if made.withdrawn or image.withdrawn_quantity:
        image.withdrawn_quantity = amounts.quantity_text(made.withdrawn) if made.withdrawn else ""
    if made.version != image.version or made.entered:
        put_terms(image.terms, made.terms)
        image.version = made.version
        image.entered_quantity = amounts.quantity_text(made.entered) if made.entered else ""
    if made.terms.order_type in TRIGGERED_TYPES:
        image.trigger_price = amounts.price_text(made.trigger_price) if made.trigger_price else ""
        image.triggered = made.triggered
    image.confirmed, image.venue = made.confirmed, made.venue
    if made.proposed is not None:
        image.proposed.CopyFrom(image.terms)
        put_terms(image.proposed, made.proposed)
    else:
        image.ClearField("proposed")
    image.pending_sequence, image.gate_version = made.pending_sequence, made.gate_version
    if made.contingency:
        image.contingency = made.contingency.value
    image.list_id, image.parent_order_id = made.list_id, made.parent_id
    image.reason = made.reason.name if made.reason is not None else ""
    image.reason_text = made.reason_text
    image.sequence = made.sequence
    put_ns(image.update_time, now_ns)
    return image


@dataclass(frozen=True, slots=True)
class Encoded:
    """A step as it is kept and told. The order's bytes are in the report's, and its alone.

    Attributes:
        order: the order after it.
        told: the report without what risk itself said.
        report: the whole of it.
    """

    order: bytes
    told: bytes
    report: bytes


def report_of(account: Account, made: Order, step: Step, now_ns: int) -> Encoded:
    """A step as a report; the order's message is brought up to date first."""
    order = refresh(made, now_ns).SerializeToString()
    report = execution_pb2.ExecutionReport(
        sequence=made.sequence,
        exec_id=f"{account.name}:{made.sequence}",
        exec_type=step.exec_type.value,
        exec_ref_id=step.exec_ref_id,
        text=step.text[:1000],
        cause=step.cause,
    )
    if step.reason is not None:
        report.reason = step.reason.value
    if step.deal is not None:
        fill = report.fill
        if step.deal.image is not None:
            fill.CopyFrom(step.deal.image)
        fill.position_id = step.deal.position_id
    put_ns(report.time, now_ns)
    told = report.SerializeToString() + element(4, order)
    return Encoded(order, told, told + step.admission.seen if step.admission is not None else told)


def event_of(report: bytes) -> bytes:
    """An encoded report as an encoded ExecutionReported; joined, such events are an encoded ExecutionReports."""
    return element(1, report)


def deal_of(report: venue_report_pb2.VenueReport, hedging_position: str) -> Deal:
    """A venue's fill.

    Raises:
        ValueError: a number of it is none, or is not above zero.
    """
    fill = execution_pb2.Fill()
    fill.CopyFrom(report.fill)
    fill.venue = fill.venue or report.venue
    fill.position_id = hedging_position
    deal = deal_of_fill(fill)
    if deal.quantity <= 0:
        raise ValueError(f"a fill of {fill.quantity}")
    return deal


def deal_of_fill(fill: execution_pb2.Fill) -> Deal:
    """A fill as it is kept."""
    return Deal(
        venue=fill.venue,
        venue_exec_id=fill.venue_exec_id,
        quantity=amounts.quantity(fill.quantity),
        price=amounts.price(fill.price),
        far_quantity=_quantity(fill.far_quantity),
        far_price=_price(fill.far_price),
        position_id=fill.position_id,
        image=fill,
    )


def state_of(account: Account) -> account_state_pb2.AccountState:
    """An account as a message."""
    state = account_state_pb2.AccountState(account=account.name, sequence=account.sequence)
    state.working.extend(each.image for each in account.orders.values() if not each.final)
    parts = {(*key, ""): list(value) for key, value in account.positions.items()}
    for (instrument, position_id, strategy), (units, counter) in account.strategies.items():
        parts[instrument, position_id, strategy] = [units, counter]
        rest = parts[instrument, position_id, ""]
        rest[0] -= units
        rest[1] -= counter
    for (instrument, position_id, strategy), (units, counter) in sorted(parts.items()):
        if units or counter:
            state.positions.add(
                instrument=instrument,
                position_id=position_id,
                quantity=amounts.quantity_text(units),
                counter_amount=amounts.value_text(counter),
                strategy=strategy,
            )
    return state


def venue_text(report: venue_report_pb2.VenueReport) -> str:
    """A venue's words, with whose they are."""
    return f"{report.venue}: {report.text}" if report.text else ""
