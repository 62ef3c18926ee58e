"""What clients say over FIX 4.4 as orders of the platform, and what they are told: trailing stops, swaps, positions."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from crossrate.api.ledger.v1 import balance_pb2
from crossrate.api.ledger.v1 import ledger_service_pb2 as ledger
from crossrate.api.trading.v1 import execution_pb2 as ex
from crossrate.api.trading.v1 import order_pb2 as pb
from crossrate.fix.codec import encode
from crossrate.fix.enums import OrdType, PosReqResult, PosReqStatus, PosReqType, Side, SubscriptionRequestType
from crossrate.fix.orders import NewOrderMultileg, NewOrderSingle, OrderCancelReplaceRequest
from crossrate.fix.parts import Leg
from crossrate.fix.positions import RequestForPositions
from crossrate.rpc import errors
from crossrate.rpc.call_error import CallError
from services.broker.gateway import positions, words_in, words_out
from services.broker.gateway.words_in import Refused
from services.broker.gateway.words_out import Chain

TIME_NS = 1_795_900_000_000_000_000
TODAY, TOMORROW = dt.date(2026, 11, 28), dt.date(2026, 11, 29)
NEAR, FAR = dt.date(2026, 12, 2), dt.date(2027, 3, 2)


def single(**fields: Any) -> NewOrderSingle:
    """A trailing stop that sells a million."""
    values = {
        "cl_ord_id": "t-1",
        "symbol": "EUR/USD",
        "side": Side.SELL,
        "transact_time": TIME_NS,
        "order_qty": Decimal(1_000_000),
        "ord_type": OrdType.PEGGED,
        "exec_inst": ("a",),
        "peg_offset_value": Decimal("-0.0025"),
    }
    return NewOrderSingle(**(values | fields))


def test_a_trailing_stop_comes_in_and_is_told_and_amended() -> None:
    """The sign of its distance says nothing that its side does not."""
    made = words_in.new_order(single(), "alpha")
    assert (made.order_type, made.trailing_distance) == (pb.ORDER_TYPE_TRAILING_STOP, "0.0025")
    assert made.time_in_force == pb.TIME_IN_FORCE_DAY
    told = words_out.standing(pb.Order(order_id="o", terms=made, status=pb.ORDER_STATUS_NEW, trigger_price="1.0975"))
    assert (told["ord_type"], told["exec_inst"], told["peg_offset_value"]) == (
        OrdType.PEGGED,
        ("a",),
        Decimal("0.0025"),
    )
    assert told["stop_px"] == Decimal("1.0975")
    change = OrderCancelReplaceRequest(
        orig_cl_ord_id="t-1",
        cl_ord_id="t-2",
        symbol="EUR/USD",
        side=Side.SELL,
        transact_time=TIME_NS,
        ord_type=OrdType.PEGGED,
        stop_px=Decimal("1.0975"),
        peg_offset_value=Decimal("0.003"),
    )
    amended = words_in.amendment("desk", change, "alpha", "t-1")
    assert (amended.trailing_distance, amended.stop_price) == ("0.003", "")


@pytest.mark.parametrize(
    ("fields", "tag"),
    [
        ({"exec_inst": ("R",)}, "18"),
        ({"exec_inst": ("a", "G")}, "18"),
        ({"ord_type": OrdType.MARKET, "exec_inst": ("a",)}, "18"),
        ({"ord_type": OrdType.MARKET, "exec_inst": ("6", "G")}, "18"),
        ({"exec_inst": None}, "18"),
        ({"peg_offset_value": None}, "211"),
        ({"peg_offset_value": Decimal(0)}, "211"),
        ({"extra": ((836, b"2"),)}, "836"),
    ],
)
def test_other_pegs_are_refused_by_their_tag(fields: dict[str, Any], tag: str) -> None:
    """Nothing is entered as something else, and no instruction is dropped, such as all or none (G)."""
    with pytest.raises(Refused, match=f"^{tag}[:=]"):
        words_in.new_order(single(**fields), "alpha")


def test_a_refusal_by_trading_names_the_tags() -> None:
    """In the place of the contract's fields; what has no tag keeps its name, and what names no field its text."""
    failed = errors.invalid(("order.limit_price", "a LIMIT order needs one above zero"), ("order.strategy", "is none"))
    error = CallError.of_status(failed.to_status(), "PlaceOrder")
    assert words_out.refusal_text(error) == "44: a LIMIT order needs one above zero; order.strategy: is none"
    closed = CallError.of_status(errors.wrong_state("CLOSED", "account alpha is closed").to_status(), "PlaceOrder")
    assert words_out.refusal_text(closed) == "account alpha is closed"
    fields = {name for each in (pb.NewOrder, pb.FarLeg) for name in each.DESCRIPTOR.fields_by_name}
    assert {name.removeprefix("far_leg.") for name in words_out.TAGS} <= fields


def test_a_text_that_fix_cannot_carry_is_told_as_far_as_it_can() -> None:
    """A reason of a person, on a report: it is written, and keeps none of those that follow."""
    report = ex.ExecutionReport(exec_type=ex.EXEC_TYPE_CANCELLED, exec_id="alpha:7", text="Zürich – 5 €\x0158=x" * 50)
    report.order.terms.CopyFrom(words_in.new_order(single(), "alpha"))
    report.order.status, report.order.order_id = pb.ORDER_STATUS_CANCELLED, "1"
    report.order.cum_quantity = report.order.leaves_quantity = "0"
    report.order.reason_text = report.text
    for kind in (ex.EXEC_TYPE_CANCELLED, ex.EXEC_TYPE_REPLACE_REJECTED):
        report.exec_type = kind
        message = words_out.message_of(report, Chain("t-1", "t-2"), False)
        assert message.text.startswith("Zürich ? 5 ? 58=x")
        assert b"\x0158=Z\xfcrich ? 5 ? 58=x" in encode(message)


def leg(day: dt.date, side: Side, quantity: int | None, **fields: Any) -> Leg:
    """One leg."""
    amount = Decimal(quantity) if quantity is not None else None
    return Leg(**({"leg_symbol": "EUR/USD", "leg_side": side, "leg_settl_date": day, "leg_qty": amount} | fields))


def multileg(**fields: Any) -> NewOrderMultileg:
    """A swap that sells on the near date and buys on the far one."""
    values = {
        "cl_ord_id": "s-1",
        "side": Side.AS_DEFINED,
        "legs": (leg(FAR, Side.BUY, 1_100_000), leg(NEAR, Side.SELL, 1_000_000)),
        "transact_time": TIME_NS,
        "ord_type": OrdType.MARKET,
    }
    return NewOrderMultileg(**(values | fields))


def test_two_legs_are_one_swap_whose_side_is_the_far_leg_s() -> None:
    """In whichever order they come; the same as a single order of two dates."""
    made = words_in.new_order(words_in.swap(multileg()), "alpha")
    assert (made.side, made.quantity, made.far_leg.quantity) == (pb.SIDE_BUY, "1000000", "1100000")
    assert (made.settlement.date.day, made.far_leg.settlement.date.month) == (2, 3)
    single_order = single(
        ord_type=OrdType.MARKET,
        exec_inst=None,
        peg_offset_value=None,
        cl_ord_id="s-1",
        side=Side.BUY,
        settl_date=NEAR,
        settl_date2=FAR,
        order_qty2=Decimal(1_100_000),
    )
    assert words_in.new_order(single_order, "alpha") == made
    for limited in (
        lambda: words_in.new_order(replace(single_order, ord_type=OrdType.LIMIT, price=Decimal("0.0021")), "alpha"),
        lambda: words_in.swap(multileg(ord_type=OrdType.LIMIT, price=Decimal("0.0021"))),
    ):
        with pytest.raises(words_in.Refused, match="no word for a limit on swap points"):
            limited()
    ratio = multileg(order_qty=Decimal(500_000), legs=(leg(NEAR, Side.SELL, None), leg(FAR, Side.BUY, None)))
    assert words_in.swap(ratio).order_qty2 == 500_000


@pytest.mark.parametrize(
    ("fields", "tag"),
    [
        ({"legs": (leg(NEAR, Side.SELL, 1),)}, "555"),
        ({"legs": (leg(NEAR, Side.SELL, 1), leg(FAR, Side.BUY, 1, leg_settl_date=None))}, "555"),
        ({"legs": (leg(NEAR, Side.SELL, 1), leg(FAR, Side.BUY, 1, leg_symbol="USD/JPY"))}, "600"),
        ({"legs": (leg(NEAR, Side.BUY, 1), leg(FAR, Side.BUY, 1))}, "624"),
        ({"side": Side.SELL}, "54"),
        ({"ord_type": OrdType.LIMIT, "price": Decimal("0.002")}, "40"),
        ({"legs": (leg(NEAR, Side.SELL, None), leg(FAR, Side.BUY, None))}, "687"),
    ],
)
def test_legs_that_are_no_swap_are_refused_by_their_tag(fields: dict[str, Any], tag: str) -> None:
    """Each with what would be taken."""
    with pytest.raises(Refused, match=f"^{tag}"):
        words_in.swap(multileg(**fields))


def test_a_swap_s_fill_is_told_with_both_legs() -> None:
    """In the report and in the trade, each leg with its side, its rate and its date. A copy of one that was entered by
    a call has its limit on points as it is."""
    terms = words_in.new_order(words_in.swap(multileg()), "alpha")
    order = pb.Order(order_id="o", terms=terms, status=pb.ORDER_STATUS_FILLED, cum_quantity="1000000")
    order.far_settl_date.CopyFrom(terms.far_leg.settlement.date)
    fill = ex.Fill(venue_exec_id="E1", quantity="1000000", price="1.1", far_quantity="1100000", far_price="1.1045")
    fill.settl_date.CopyFrom(terms.settlement.date)
    fill.far_settl_date.CopyFrom(terms.far_leg.settlement.date)
    fill.trade_date.year, fill.trade_date.month, fill.trade_date.day = 2026, 11, 30
    report = ex.ExecutionReport(sequence=1, exec_id="alpha:1", exec_type=ex.EXEC_TYPE_TRADE, order=order, fill=fill)
    terms.order_type, terms.limit_price = pb.ORDER_TYPE_LIMIT, "-0.0004"
    order.terms.CopyFrom(terms)
    copied = ex.ExecutionReport(sequence=1, exec_id="alpha:1", exec_type=ex.EXEC_TYPE_TRADE, order=order, fill=fill)
    limited = words_out.message_of(copied, Chain("s-1"), copy=True)
    assert (limited.ord_type, limited.price) == (OrdType.LIMIT, Decimal("-0.0004"))
    encode(limited)
    message = words_out.message_of(report, Chain("s-1"), copy=False)
    assert (message.settl_date, message.settl_date2, message.order_qty2) == (NEAR, FAR, 1_100_000)
    trade = words_out.trade_of(report, Chain("s-1"))
    for said in (message, trade):
        encode(said)
        legs = [(each.leg_side, each.leg_qty, each.leg_last_px, each.leg_settl_date) for each in said.legs]
        assert legs == [
            (Side.SELL, 1_000_000, Decimal("1.1"), NEAR),
            (Side.BUY, 1_100_000, Decimal("1.1045"), FAR),
        ]


def question(**fields: Any) -> RequestForPositions:
    """What a client asks."""
    values = {
        "pos_req_id": "p-1",
        "pos_req_type": PosReqType.POSITIONS,
        "account": "alpha",
        "account_type": 1,
        "clearing_business_date": TODAY,
        "transact_time": TIME_NS,
    }
    return RequestForPositions(**(values | fields))


@pytest.mark.parametrize(
    ("fields", "tag"),
    [
        ({"pos_req_id": "p" * 65}, "710"),
        ({"pos_req_type": PosReqType.TRADES}, "724"),
        ({"subscription_request_type": SubscriptionRequestType.SUBSCRIBE}, "263"),
        ({"account": "gamma"}, "1="),
        ({"clearing_business_date": dt.date(2026, 11, 27)}, "715"),
    ],
)
def test_positions_that_are_not_told_are_refused_by_the_tag(fields: dict[str, Any], tag: str) -> None:
    """Those of another account as not allowed, the rest as not supported."""
    asked = question(**fields)
    with pytest.raises(Refused, match=f"^{tag}") as refused:
        positions.asked(asked, ["alpha", "beta"], (TODAY, TOMORROW))
    said = positions.refusal(positions.Question("p-1", asked.account, 1), "R1", str(refused.value))
    assert said.pos_req_status is PosReqStatus.REJECTED
    assert said.pos_req_result is (PosReqResult.NOT_AUTHORISED if tag == "1=" else PosReqResult.UNSUPPORTED)
    encode(said)


def held(instrument: str, quantity: str, **fields: Any) -> balance_pb2.Position:
    """A position of the ledger."""
    mark = balance_pb2.Mark(instrument=instrument, bid="1.1010", ask="1.1012", live=True)
    values = {"average_price": "1.1", "unrealised_counter": "250", "mark": mark} | fields
    return balance_pb2.Position(instrument=instrument, quantity=quantity, **values)


def test_positions_are_told_with_their_values_and_up_to_which_fill_they_count() -> None:
    """Valued at the side at which they would be closed; what is flat is left out; what has no price says so."""
    asked = positions.Question("p-1", "alpha", 1)
    told = ledger.ListPositionsResponse(
        positions=[held("EUR/USD", "-250000"), held("GBP/USD", "0"), held("USD/JPY", "5", unrealised_counter="")],
        execution_sequence=12,
    )
    ack, euro, yen = positions.answer(asked, 7, TODAY, told)
    assert (ack.total_num_pos_reports, ack.pos_req_result, ack.pos_maint_rpt_id) == (2, PosReqResult.VALID, "P7")
    assert (euro.symbol, euro.currency, euro.net) == ("EUR/USD", "EUR", -250_000)
    assert (euro.settl_price, euro.prior_settl_price) == (Decimal("1.1012"), Decimal("1.1"))
    assert [(each.pos_amt_type, each.pos_amt) for each in euro.amounts] == [("TVAR", 250)]
    assert "alpha:12" in euro.text
    assert (yen.settl_price, yen.amounts) == (Decimal("1.1"), ())
    assert "no price" in yen.text
    for each in (ack, euro, yen):
        encode(each)
    (none,) = positions.answer(asked, 8, TODAY, ledger.ListPositionsResponse())
    assert (none.pos_req_result, none.total_num_pos_reports) == (PosReqResult.NO_POSITIONS, 0)


def test_a_report_counts_all_of_a_position_once() -> None:
    """By the total where it is told, and by its parts otherwise."""
    told = ledger.ListPositionsResponse(positions=[held("EUR/USD", "100")])
    _, report = positions.answer(positions.Question("p-1", "alpha", 1), 7, TODAY, told)
    (total,) = report.positions
    parts = (replace(total, pos_type="SOD", long_qty=Decimal(70)), replace(total, pos_type="TQ", short_qty=Decimal(30)))
    assert replace(report, positions=(*parts, total)).net == 100
    assert replace(report, positions=parts).net == 140
