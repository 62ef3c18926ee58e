"""Orders in FIX 4.4 for a venue, and a venue's reports in trading's words: what settles at another date than spot."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from crossrate.api.trading.v1 import order_pb2 as pb
from crossrate.fix.codec import encode
from crossrate.fix.enums import ExecType, OrdStatus, OrdType, Side
from crossrate.fix.parts import ExecutedLeg
from crossrate.fix.reports import ExecutionReport
from services.broker.domain.dates import Calendar, put_date
from services.broker.routed import At, Routed
from services.broker.venues import fix_words as words
from services.broker.venues.declared import FixVenue
from services.broker.venues.exchange_terms import Unfit

NEAR, FAR = dt.date(2026, 12, 2), dt.date(2027, 3, 2)


def spec(*deals: str) -> FixVenue:
    """A venue that deals some of what settles later."""
    return FixVenue(kind="fix", host="127.0.0.1", port=1, sender_comp_id="HOUSE", target_comp_id="PRIME", deals=deals)


def routed(**terms: Any) -> Routed:
    """An order for a million; with `far_leg` a swap."""
    values = {
        "account": "alpha",
        "instrument": "EUR/USD",
        "side": pb.SIDE_BUY,
        "quantity": "1000000",
        "order_type": pb.ORDER_TYPE_MARKET,
        "time_in_force": pb.TIME_IN_FORCE_FOK,
    } | terms
    order = pb.Order(order_id="o", version=1, terms=pb.NewOrder(**values))
    if order.terms.HasField("settlement") or order.terms.HasField("far_leg"):
        put_date(order.settl_date, NEAR)
    if order.terms.HasField("far_leg"):
        put_date(order.far_settl_date, FAR)
    return Routed(1, "o", "alpha", "prime", "EUR/USD", At.WORKS, 1, "V1", 0, 0, order)


DATED = {"settlement": pb.Settlement(tenor="1W")}
BROKEN = {"settlement": pb.Settlement(date={"year": 2026, "month": 12, "day": 2})}
SWAP = {"far_leg": pb.FarLeg(settlement=pb.Settlement(tenor="3M"), quantity="1100000")}


@pytest.mark.parametrize("terms", [DATED, BROKEN])
def test_a_forward_goes_out_with_its_date_or_not_at_all(terms: dict[str, Any]) -> None:
    """A tenor and a date of one's own are a date at the venue; who deals spot alone is sent neither."""
    with pytest.raises(Unfit, match="deals no forwards"):
        words.new_order(spec(), routed(**terms), "X1")
    sent = words.new_order(spec("forward"), routed(**terms), "X1")
    assert (sent.settl_type, sent.settl_date, sent.settl_date2) == ("B", NEAR, None)
    limit = {"order_type": pb.ORDER_TYPE_LIMIT, "limit_price": "1.1", "time_in_force": pb.TIME_IN_FORCE_GTC}
    order = routed(**terms, **limit)
    again = words.replacement(spec("forward"), order, order.order, "X2")
    assert (again.settl_date, again.price) == (NEAR, Decimal("1.1"))
    encode(again)


def test_a_spot_order_names_no_date() -> None:
    """As before there were dates; the tenor SP is spot."""
    for terms in ({}, {"settlement": pb.Settlement(tenor="SP")}):
        sent = words.new_order(spec("forward", "swap"), routed(**terms), "X1")
        assert (sent.settl_type, sent.settl_date) == (None, None)


def test_a_swap_is_one_order_of_two_dates() -> None:
    """Its side is that of the far leg, as the order's is; what FIX 4.4 cannot say of a swap is refused."""
    with pytest.raises(Unfit, match="deals no swaps"):
        words.new_order(spec("forward"), routed(**SWAP), "X1")
    sent = words.new_order(spec("swap"), routed(**SWAP), "X1")
    assert (sent.side, sent.ord_type, sent.order_qty, sent.order_qty2) == (
        Side.BUY,
        OrdType.MARKET,
        1_000_000,
        1_100_000,
    )
    assert (sent.settl_date, sent.settl_date2) == (NEAR, FAR)
    encode(sent)
    priced = routed(**SWAP, order_type=pb.ORDER_TYPE_LIMIT, limit_price="0.0021")
    with pytest.raises(Unfit, match="no word for a limit on swap points"):
        words.new_order(spec("swap"), priced, "X1")
    with pytest.raises(Unfit, match="not amended"):
        words.replacement(spec("swap"), priced, priced.order, "X2")


def fill(**fields: Any) -> ExecutionReport:
    """A fill of the whole."""
    values = {
        "order_id": "V1",
        "cl_ord_id": "X1",
        "exec_id": "E1",
        "exec_type": ExecType.TRADE,
        "ord_status": OrdStatus.FILLED,
        "symbol": "EUR/USD",
        "side": Side.BUY,
        "last_qty": Decimal(1_000_000),
        "last_px": Decimal("1.1002"),
        "leaves_qty": Decimal(0),
        "cum_qty": Decimal(1_000_000),
        "avg_px": Decimal("1.1002"),
        "transact_time": 1_795_900_000_000_000_000,
    }
    return ExecutionReport(**(values | fields))


def told(message: ExecutionReport, order: Routed) -> Any:
    """The fill that a report tells."""
    said = words.report_of(spec(), "prime", message, order, Calendar())
    assert said is not None
    return said[0].fill


def test_a_forward_s_fill_settles_when_the_order_does() -> None:
    """By the venue's date, or by the order's where the venue names none; never at spot."""
    agreed = told(fill(), routed(**DATED)).settl_date
    assert (agreed.year, agreed.month, agreed.day) == (2026, 12, 2)
    said = told(fill(settl_date=dt.date(2026, 12, 3)), routed(**DATED)).settl_date
    assert (said.month, said.day) == (12, 3)


def test_a_spot_order_that_rested_settles_by_the_day_of_its_fill() -> None:
    """Not by the day on which it was entered."""
    rested = routed()
    put_date(rested.order.settl_date, dt.date(2026, 11, 27))
    assert (told(fill(), rested).settl_date.month, told(fill(), rested).settl_date.day) != (11, 27)


def test_a_swap_s_fill_has_both_legs() -> None:
    """By the spot rate and points, or by legs; without a far rate it is not made up."""
    points = {"last_spot_rate": Decimal("1.1"), "last_forward_points2": Decimal("0.0045")}
    by_points = told(fill(**points, settl_date=NEAR, settl_date2=FAR, order_qty2=Decimal(1_100_000)), routed(**SWAP))
    assert (by_points.quantity, by_points.price) == ("1000000", "1.1002")
    assert (by_points.far_quantity, by_points.far_price) == ("1100000", "1.1045")
    assert (by_points.far_settl_date.year, by_points.far_settl_date.month) == (2027, 3)
    legs = tuple(
        ExecutedLeg(leg_symbol="EUR/USD", leg_settl_date=day, leg_qty=Decimal(quantity), leg_last_px=Decimal(price))
        for day, quantity, price in ((FAR, 550_000, "1.1044"), (NEAR, 500_000, "1.1003"))
    )
    by_legs = told(fill(last_qty=Decimal(500_000), legs=legs), routed(**SWAP))
    assert (by_legs.quantity, by_legs.price, by_legs.settl_date.day) == ("500000", "1.1003", 2)
    assert (by_legs.far_quantity, by_legs.far_price, by_legs.far_settl_date.month) == ("550000", "1.1044", 3)
    with pytest.raises(ValueError, match="far rate"):
        told(fill(), routed(**SWAP))
    with pytest.raises(ValueError, match="far quantity"):
        told(fill(last_qty=Decimal(1), **points), routed(**SWAP))
