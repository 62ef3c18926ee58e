"""Orders and prices as evidence: whose they are, what they say, what the tests make of them."""

from __future__ import annotations

import random
from typing import Any

import pytest
from google.protobuf import json_format

from crossrate.api.instance.v1 import instance_service_pb2 as instance_pb2
from crossrate.api.marketdata.v1 import marketdata_service_pb2 as marketdata
from crossrate.api.trading.v1 import execution_pb2 as execution
from crossrate.api.trading.v1 import order_history_pb2 as history
from crossrate.api.trading.v1 import order_pb2 as orders
from crossrate.rpc.contract import find_method
from services.control.envoy_api import message_class
from services.control.releases import business
from services.control.releases.business import Judged, Orders
from services.control.releases.calls import Ended, keys_of
from services.control.releases.judging import BY_ACCOUNT, Analyst
from services.control.releases.parts import Business
from services.control.releases.prices import Drift, Prices
from services.control.releases.rules import Analysis
from services.control.releases.sides import NEAR_S, Sides
from services.control.releases.specification import SpecificationError, read
from services.control.sticky import EXTRACTED

PATH = "/crossrate.api.trading.v1.TradingService/PlaceOrder"
REJECTS = Business(metric="reject_share", tolerance=0.01)


def test_an_account_has_the_version_that_answered_it_then() -> None:
    """Between its calls and for some seconds after them, and none where two answered at once."""
    sides = Sides()
    sides.add("alpha", 10.0, 11.0, False)
    sides.add("alpha", 12.0, 13.0, False)
    sides.add("alpha", 20.0, 21.0, True)
    assert [sides.of("alpha", at) for at in (10.5, 11.5, 13.5, 20.5)] == [False, False, False, True]
    assert sides.of("alpha", 9.0) is None
    assert sides.of("alpha", 21.0 + NEAR_S + 0.1) is None
    assert sides.of("beta", 10.5) is None
    sides.add("alpha", 20.2, 20.8, False)
    assert sides.of("alpha", 20.5) is None


def report(order_id: str, kind: str, status: str, *, account: str = "alpha", reason: str = "", at: float = 10.0) -> Any:
    """One execution report."""
    made = execution.ExecutionReport(exec_type=execution.ExecType.Value(f"EXEC_TYPE_{kind}"))
    made.order.order_id, made.order.status = order_id, orders.OrderStatus.Value(f"ORDER_STATUS_{status}")
    made.order.terms.account, made.order.terms.instrument = account, "EUR/USD"
    made.time.FromNanoseconds(round(at * 1e9))
    if reason:
        made.reason = execution.ExecutionReason.Value(f"EXECUTION_REASON_{reason}")
    return made


def judged(rules: list[Business], *reports: Any) -> list[tuple[str, bool, bool]]:
    """What orders say by rules: the rule, whether it was the candidate's, whether it went badly."""
    now = [0.0]
    sides = Sides()
    sides.add("alpha", 9.0, 11.0, False)
    sides.add("beta", 9.0, 11.0, True)
    read_orders = Orders(rules, sides.of, lambda: now[0])
    read_orders.take(history.ExecutionReports(reports=reports).SerializeToString())
    assert read_orders.judged() == []
    now[0] = business.HOLD_S
    return [(each.rule, each.candidate, each.bad) for each in read_orders.judged()]


def test_an_order_is_refused_or_taken_once_by_the_version_that_was_asked() -> None:
    """A venue's refusal after it was durable counts, what is filled later does not again; an account that nobody was
    seen to answer is left out."""
    told = judged(
        [REJECTS],
        report("1", "PENDING_NEW", "PENDING_NEW"),
        report("1", "NEW", "NEW", at=30),
        report("1", "TRADE", "FILLED", at=31),
        report("2", "PENDING_NEW", "PENDING_NEW", account="beta"),
        report("2", "REJECTED", "REJECTED", account="beta", reason="VENUE", at=40),
        report("3", "REJECTED", "REJECTED", account="gamma", reason="RISK"),
        report("4", "TRADE", "FILLED"),
    )
    assert told == [("reject_share", False, False), ("reject_share", True, True)]


def test_reasons_choose_which_refusals_count() -> None:
    """Others are answers like any other."""
    risk = Business(metric="reject_share", tolerance=0.01, reasons=("RISK",))
    refused = [report(str(n), "REJECTED", "REJECTED", reason=why) for n, why in enumerate(("RISK", "POST_ONLY"))]
    assert judged([risk], *refused) == [("reject_share", False, True), ("reject_share", False, False)]


def test_fills_count_of_orders_that_nobody_wanted_ended() -> None:
    """Filled whole is good, ended by the market is not, and a client's cancel says nothing."""
    fills = Business(metric="fill_ratio", tolerance=0.02)
    told = judged(
        [fills],
        *(report(str(n), "PENDING_NEW", "PENDING_NEW", account="beta") for n in range(3)),
        report("0", "TRADE", "FILLED", account="beta"),
        report("1", "CANCELLED", "CANCELLED", account="beta", reason="NO_LIQUIDITY"),
        report("2", "CANCELLED", "CANCELLED", account="beta", reason="CLIENT"),
    )
    assert told == [("fill_ratio", True, False), ("fill_ratio", True, True)]


def test_account_and_pair_are_what_the_proxy_read_out_of_the_request() -> None:
    """As Envoy logs them; a field that is there twice is no key."""
    logged = message_class("envoy.data.accesslog.v3.HTTPAccessLogEntry")()
    logged.request.path = PATH
    assert keys_of(logged) == ("", "")
    fields = logged.common_properties.metadata.filter_metadata[EXTRACTED].fields
    fields["order.account"].list_value.values.add().string_value = "alpha"
    fields["order.instrument"].list_value.values.add().string_value = "EUR/USD"
    assert keys_of(logged) == ("alpha", "EUR/USD")
    fields["order.instrument"].list_value.values.add().string_value = "USD/JPY"
    assert keys_of(logged) == ("alpha", "")


def tick(chance: random.Random, wrong: str, errors: float) -> list[Ended]:
    """A second of calls of 40 accounts, of which the first four are the candidate's; one of them fails."""
    return [
        Ended(PATH, number < 4, name == wrong and chance.random() < errors, 0.002, name, "EUR/USD")
        for number in range(40)
        for name in [f"account-{number}"]
        for _ in range(3)
    ]


def test_what_is_wrong_for_one_account_alone_is_found() -> None:
    """Half of the calls of one account of four fail: its own test says so by its name, though of all calls they are
    few; of the stable version's accounts it says nothing."""
    for wrong, found in (("account-2", True), ("", False)):
        chance = random.Random(3)
        analyst = Analyst(Analysis(errors_absolute=0.2), lambda path: True, keyed=True)
        for _ in range(60):
            analyst.look(tick(chance, wrong, 0.5))
            if analyst.against:
                break
        assert (f"{BY_ACCOUNT} of account-2 fails" in analyst.against) is found, analyst.against


def test_pairs_are_segments_of_errors() -> None:
    """A pair that fails on the candidate is named, with the same pair of stable beside it."""
    analyst = Analyst(Analysis(errors_absolute=0.3), lambda path: True)
    for _ in range(30):
        block = [
            Ended(PATH, candidate, candidate and pair == "USD/JPY" and n % 2 == 0, 0.002, "", pair)
            for candidate in (True, False)
            for pair in ("EUR/USD", "USD/JPY", "EUR/GBP")
            for n in range(6)
        ]
        analyst.look(block)
    assert "errors of USD/JPY fails" in analyst.against


@pytest.mark.parametrize(("candidate", "fails"), [(0.2, True), (0.02, False)])
def test_the_share_of_refused_orders_is_tested_with_its_tolerance(candidate: float, fails: bool) -> None:
    """Refusals of a fifth beside a fiftieth fail, in the pair too; equal shares pass with orders enough."""
    chance = random.Random(5)
    rule = Business(metric="reject_share", tolerance=0.05)
    analyst = Analyst(Analysis(errors_absolute=0.1), lambda path: True, business=[rule])
    for _ in range(150):
        found = [
            Judged("reject_share", f"account-{n}", "EUR/USD", n < 4, chance.random() < (candidate if n < 4 else 0.02))
            for n in range(40)
        ]
        analyst.look([], found)
        if analyst.against:
            break
    outcomes = {(f.metric, f.segment): f.outcome for f in analyst.findings()}
    assert outcomes["reject_share", ""] == ("FAIL" if fails else "PASS")
    assert ("reject_share fails" in analyst.against) is fails


def test_a_pass_waits_for_a_rule_unless_it_need_not() -> None:
    """Without any order a rule has said nothing, and what it waits for is waited for."""
    for waits in (True, False):
        rule = Business(metric="price_drift", tolerance=0.05, method="GetQuote", field="quote.bid", waits=waits)
        analyst = Analyst(Analysis(errors_absolute=0.3), lambda path: True, business=[rule])
        chance = random.Random(1)
        for _ in range(40):
            seconds = [chance.uniform(0.001, 0.002) for _ in range(60)]
            analyst.look([Ended(PATH, n % 2 == 0, False, s) for n, s in enumerate(seconds)])
        assert analyst.may_go_on is not waits


def passed(instance: str, request_id: str, direction: int, message: Any) -> Any:
    """What an instance shows of a call."""
    body = json_format.MessageToJson(message)
    return instance_pb2.TapMessagesResponse(
        instance=instance, request_id=request_id, direction=direction, body=body, method="GetQuote"
    )


def watched(
    rule: Business, *answers: tuple[str, float, float, float], quantity: tuple[float, ...] = (0,) * 9
) -> list[Drift]:
    """Drifts of answers to one question: the instance, when, bid and ask."""
    now = [0.0]
    prices = Prices(find_method("GetQuote"), [rule], lambda name: name.endswith("901"), lambda: now[0])
    asked = marketdata.GetQuoteRequest(base="EUR", counter="USD")
    for number, (instance, at, bid, ask) in enumerate(answers):
        now[0] = at
        answer = marketdata.GetQuoteResponse()
        answer.quote.instrument, answer.quote.bid, answer.quote.ask = "EUR/USD", bid, ask
        answer.quote.bid_quantity = quantity[number]
        for direction, message in (
            (instance_pb2.TAP_DIRECTION_REQUEST, asked),
            (instance_pb2.TAP_DIRECTION_RESPONSE, answer),
        ):
            prices.take(passed(instance, str(number), direction, message))
    return prices.drifts()


def test_prices_to_the_same_question_are_paired_once_and_told_in_pips() -> None:
    """Of the candidate less stable's newest, if that is young enough."""
    rule = Business(metric="price_drift", tolerance=0.05, method="GetQuote", field="quote.bid")
    found = watched(
        rule,
        ("marketdata-1", 0.0, 1.1000, 1.1002),
        ("marketdata-901", 0.1, 1.10002, 1.1002),
        ("marketdata-901", 0.2, 1.10002, 1.1002),
        ("marketdata-1", 1.0, 1.1000, 1.1002),
        ("marketdata-901", 9.0, 1.10002, 1.1002),
    )
    assert [(each.rule, each.pair) for each in found] == [("price_drift", "EUR/USD")]
    assert found[0].pips == pytest.approx(0.2)


async def test_what_is_too_much_of_stable_is_left_out_and_nothing_of_the_candidate() -> None:
    """A thousand answers of stable in one second hold up no answer of the candidate, which is paired with the newest
    that was taken."""
    rule = Business(metric="price_drift", tolerance=0.05, method="GetQuote", field="quote.bid")
    prices = Prices(find_method("GetQuote"), [rule], lambda name: name.endswith("901"), lambda: 1.0)
    asked = marketdata.GetQuoteRequest(base="EUR", counter="USD")

    async def messages() -> Any:
        for number in range(1000):
            instance = "marketdata-901" if number == 999 else "marketdata-1"
            answer = marketdata.GetQuoteResponse()
            answer.quote.instrument, answer.quote.bid = "EUR/USD", 1.1
            yield passed(instance, str(number), instance_pb2.TAP_DIRECTION_REQUEST, asked)
            yield passed(instance, str(number), instance_pb2.TAP_DIRECTION_RESPONSE, answer)

    await prices.read(messages())
    assert [(drift.pair, drift.pips) for drift in prices.drifts()] == [("EUR/USD", 0.0)]


def test_answers_of_the_same_moment_are_paired_whichever_came_first() -> None:
    """By the field that a rule names; others wait, and are compared with nothing else."""
    rule = Business(
        metric="price_drift", tolerance=0.05, method="GetQuote", field="quote.bid", same="quote.bid_quantity"
    )
    found = watched(
        rule,
        ("marketdata-901", 0.0, 1.1, 1.2),
        ("marketdata-1", 0.1, 1.1, 1.2),
        ("marketdata-901", 0.2, 1.1, 1.2),
        ("marketdata-901", 0.3, 1.1, 1.2),
        quantity=(1, 2, 2, 1),
    )
    assert [(each.pair, each.pips) for each in found] == [("EUR/USD", 0.0)]


def test_spreads_are_told_in_pips() -> None:
    """Ask less bid of the candidate, less that of stable."""
    rule = Business(metric="spread", tolerance=0.05, method="GetQuote", field="quote")
    (found,) = watched(rule, ("marketdata-1", 0, 1.1, 1.1002), ("marketdata-901", 0, 1.1, 1.10025))
    assert (found.rule, found.pips) == ("spread", pytest.approx(0.5))


@pytest.mark.parametrize(
    ("rule", "field", "words"),
    [
        ({"metric": "reject_share"}, "business[0].tolerance", "is missing"),
        ({"metric": "reject_share", "tolerance": 2}, "business[0]", "share of orders below 1"),
        ({"metric": "reject_share", "tolerance": 0.1, "reasons": ["MOOD"]}, "business[0].reasons", "no reason 'MOOD'"),
        ({"metric": "price_drift", "tolerance": 0.1}, "business[0]", "needs method and field"),
        (
            {"metric": "price_drift", "tolerance": 0.1, "method": "GetQuote", "field": "quote.bid"},
            "business[0].method",
            "of marketdata, not of trading",
        ),
        (
            {"metric": "price_drift", "tolerance": 0.1, "method": "Nothing", "field": "x"},
            "business[0].method",
            "Nothing",
        ),
        (
            {"metric": "price_drift", "tolerance": 0.1, "method": "GetOrder", "field": "order.colour"},
            "business[0].field",
            "no compared number",
        ),
    ],
)
def test_rules_that_cannot_be_tested_name_field_and_remedy(rule: dict[str, Any], field: str, words: str) -> None:
    """Before anything runs."""
    document = {
        "service": "trading",
        "candidate": {"version": "2"},
        "steps": [{"weight_percent": 5, "duration": "1m"}],
        "analysis": {},
        "business": [rule],
    }
    with pytest.raises(SpecificationError) as error:
        read(document, ["trading"], ["trading"])
    assert any(name == field and words in why for name, why in error.value.problems), error.value.problems


def test_rules_about_business_need_an_analysis_and_names_of_their_own() -> None:
    """Both are told with what to do."""
    document = {
        "service": "trading",
        "candidate": {"version": "2"},
        "steps": [{"weight_percent": 5, "duration": "1m"}],
        "business": [{"metric": "reject_share", "tolerance": 0.1}] * 2,
    }
    with pytest.raises(SpecificationError, match=r"add \[analysis\]"):
        read(document, ["trading"], ["trading"])
    with pytest.raises(SpecificationError, match="give each a name"):
        read(document | {"analysis": {}}, ["trading"], ["trading"])
    with pytest.raises(SpecificationError, match="names no account"):
        read(document | {"analysis": {}, "business": document["business"][:1]}, ["trading"], [])
