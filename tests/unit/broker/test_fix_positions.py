"""What a FIX venue answers to the question about its positions, and what is no answer."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from crossrate.fix.codec import encode
from crossrate.fix.enums import PosReqResult, PosReqStatus, SettlPriceType
from crossrate.fix.positions import PositionQty, PositionReport, RequestForPositionsAck
from services.broker.venues.fix_positions import AskedPositions

TODAY = dt.date(2026, 11, 30)


def asked(*accounts: str) -> AskedPositions:
    """The question, sent."""
    made = AskedPositions("P1", accounts or ("ACC-1",), TODAY, 1_795_900_000_000_000_000)
    for each in made.questions():
        encode(each)
    return made


def ack(number: int, total: int | None, **fields: Any) -> RequestForPositionsAck:
    """How many reports an account gets."""
    values = {
        "pos_maint_rpt_id": "A",
        "pos_req_id": f"P1.{number}",
        "total_num_pos_reports": total,
        "pos_req_result": PosReqResult.VALID,
        "pos_req_status": PosReqStatus.COMPLETED,
        "account": "ACC-1",
        "account_type": 1,
    }
    return RequestForPositionsAck(**(values | fields))


def report(number: int, symbol: str | None, net: int, **fields: Any) -> PositionReport:
    """One position."""
    quantity = PositionQty(pos_type="TOT", long_qty=Decimal(max(net, 0)), short_qty=Decimal(max(-net, 0)))
    values = {
        "pos_maint_rpt_id": "R",
        "pos_req_id": f"P1.{number}",
        "pos_req_result": PosReqResult.VALID,
        "clearing_business_date": TODAY,
        "account": "ACC-1",
        "account_type": 1,
        "symbol": symbol,
        "settl_price": Decimal(1),
        "settl_price_type": SettlPriceType.THEORETICAL,
        "prior_settl_price": Decimal(1),
        "positions": (quantity,),
    }
    return PositionReport(**(values | fields))


def test_an_answer_is_complete_when_every_account_has_told_all() -> None:
    """Accounts are added up; who holds nothing says so; the number is that of the last message."""
    question = asked("ACC-1", "ACC-2", "ACC-3")
    question.take(ack(0, 2), 10)
    question.take(report(0, "EURUSD", 100), 10)
    question.take(ack(2, None, pos_req_result=PosReqResult.NO_POSITIONS), 10)
    question.take(report(0, "USD/JPY", -5), 10)
    assert not question.complete.is_set()
    question.take(ack(1, 1), 11)
    question.take(report(1, "EUR/USD", -30), 12)
    assert question.complete.is_set()
    assert (question.upto, question.moved, question.refused) == (12, False, "")
    assert question.positions() == {"EUR/USD": 700_000, "USD/JPY": -50_000}


def test_a_venue_that_sends_no_acknowledgement_says_how_many_reports_there_are() -> None:
    """In each report; what answers another question counts for nothing."""
    question = asked()
    question.take(report(7, "EUR/USD", 1, total_num_pos_reports=1), 1)
    question.take(report(0, "EUR/USD", 1, total_num_pos_reports=2), 2)
    assert not question.complete.is_set()
    question.take(report(0, "USD/JPY", 1, total_num_pos_reports=2), 3)
    assert question.upto == 3


def test_a_fill_in_the_midst_of_an_answer_makes_it_one_of_no_moment() -> None:
    """Before its first message and after its last it does not."""
    question = asked()
    question.fill()
    question.take(ack(0, 1), 1)
    assert not question.moved
    question.fill()
    question.take(report(0, "EUR/USD", 1), 2)
    assert question.moved
    quiet = asked()
    quiet.take(ack(0, 0), 1)
    quiet.fill()
    assert not quiet.moved


def test_a_refusal_is_told_in_the_venue_s_words() -> None:
    """By the acknowledgement, or by a reject of the message."""
    question = asked()
    question.take(ack(0, 0, pos_req_status=PosReqStatus.REJECTED, text="not for you"), 1)
    assert question.refused == "account ACC-1: not for you"
    other = asked()
    other.refuse("")
    assert other.complete.is_set()
    assert other.refused


@pytest.mark.parametrize("fields", [{"symbol": "GOLD"}, {"symbol": None}, {"currency": "USD"}])
def test_a_position_that_is_of_no_pair_in_its_base_currency_is_none(fields: dict[str, Any]) -> None:
    """It is not taken for something that it is not."""
    question = asked()
    symbol, more = fields.get("symbol", "EUR/USD"), {k: v for k, v in fields.items() if k != "symbol"}
    question.take(report(0, symbol, 1, total_num_pos_reports=1, **more), 1)
    with pytest.raises(ValueError, match="none of a pair"):
        question.positions()
