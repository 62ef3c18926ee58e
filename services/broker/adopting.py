"""Orders that were placed at a venue by hand, as orders of the platform."""

from __future__ import annotations

from crossrate.api.broker.v1 import venue_report_pb2 as pb
from crossrate.api.trading.v1 import order_pb2
from crossrate.basics.pair import parse_pair
from services.broker.domain.amounts import price_text, quantity_text
from services.broker.domain.books import BUY, StatedOrder
from services.broker.domain.breaks import adopted_id
from services.broker.domain.dates import Calendar, put_date
from services.broker.routed import At, Routed

TEXT_MAX = 200


def adopted(
    venue: str, account: str, stated: StatedOrder, calendar: Calendar, time_ns: int
) -> tuple[Routed, pb.VenueReport]:
    """An order of a venue as one of ours that works there, and the report that says so to trading.

    Its ids are made of the venue's, so that it is adopted once however often it is seen.
    """
    order_id = adopted_id(venue, stated.venue_order_id)
    terms = order_pb2.NewOrder(
        client_order_id=order_id,  # no client has one like it
        account=account,
        instrument=stated.instrument,
        side=order_pb2.SIDE_BUY if stated.side == BUY else order_pb2.SIDE_SELL,
        quantity=quantity_text(stated.quantity),
        order_type=order_pb2.ORDER_TYPE_MARKET,
        time_in_force=order_pb2.TIME_IN_FORCE_GTC,
        venue=venue,
        text=f"placed by hand at {venue}{_waits(stated)}, its order {stated.venue_order_id}"[:TEXT_MAX],
    )
    if stated.price is not None:
        terms.order_type, terms.limit_price = order_pb2.ORDER_TYPE_LIMIT, price_text(stated.price)
    order = order_pb2.Order(
        order_id=order_id,
        terms=terms,
        status=order_pb2.ORDER_STATUS_NEW,
        cum_quantity="0",
        leaves_quantity=terms.quantity,
        venue=venue,
        version=1,
        confirmed=True,
        adopted=True,
        entered_by=f"venue:{venue}",
    )
    pair = parse_pair(stated.instrument)
    trade_date = calendar.session(pair, time_ns).trade_date
    put_date(order.trade_date, trade_date)
    put_date(order.settl_date, calendar.spot(pair, trade_date))
    order.create_time.FromNanoseconds(time_ns)
    routed = Routed(
        0,
        order_id,
        account,
        venue,
        stated.instrument,
        At.WORKS,
        1,
        stated.venue_order_id,
        0,
        0,
        order,
        stated.client_id,
    )
    words = f"placed at the venue by hand: {stated.side_word} {terms.quantity} {stated.instrument}"
    report = pb.VenueReport(kind=pb.VENUE_REPORT_KIND_ADOPTED, text=words, order=order)
    report.venue_time.FromNanoseconds(time_ns)
    return routed, report


def _waits(stated: StatedOrder) -> str:
    return f" with a trigger at {price_text(stated.trigger)}" if stated.trigger is not None else ""


def key_of(stated: StatedOrder) -> str:
    """By which a repeated adoption is known."""
    return f"A:{stated.venue_order_id}"
