"""What programs send over the v20 API, and what a venue of that API says: read strictly, written as the API writes."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossrate.api.broker.v1 import venue_report_pb2 as venue
from crossrate.api.trading.v1 import execution_pb2 as execution
from crossrate.api.trading.v1 import order_pb2 as pb
from services.broker.adopting import adopted
from services.broker.domain.dates import Calendar
from services.broker.oanda import asking, words
from services.broker.oanda.declared import OandaClientsInvalid, Tokens, load
from services.broker.oanda.faults import Fault, Refused
from services.broker.routed import At, Routed
from services.broker.venues import oanda_words
from services.broker.venues.declared import OandaVenue, VenuesInvalid, parse
from services.broker.venues.exchange_terms import Unfit
from services.broker.venues.oanda_statement import stated_of

MARKET = {"type": "MARKET", "instrument": "EUR_USD", "units": "100"}
TRADE = {"id": "7", "instrument": "EUR_USD", "currentUnits": "-40"}


@pytest.mark.parametrize(
    ("text", "time_ns"),
    [
        ("1970-01-01T00:00:01Z", 1_000_000_000),
        ("2016-06-22T18:41:36.201836422Z", 1466620896201836422),
        ("2016-06-22T20:41:36.2+02:00", 1466620896200000000),
        ("1466620896.201836422", 1466620896201836422),
        ("1466620896", 1466620896000000000),
        ("2016-02-30T00:00:00Z", None),
        ("yesterday", None),
        ("", None),
        ("-1", None),
    ],
)
def test_times_of_both_forms_are_read_to_the_nanosecond(text: str, time_ns: int | None) -> None:
    """RFC 3339 with any offset, and seconds since 1970; what is no time is none."""
    assert words.time_ns_of(text) == time_ns


@given(st.integers(0, 1 << 61))
def test_a_time_is_read_as_it_was_written(time_ns: int) -> None:
    """Both forms keep every nanosecond."""
    text = words.time_text(time_ns)
    assert words.time_ns_of(text) == time_ns == words.time_ns_of(words.unix_text(text))


def test_an_order_s_fields_become_the_platform_s_terms() -> None:
    """Sign is side, GFD is the trading day, INVERSE is the other side's price, protections are on_fill."""
    asked = asking.order_of(
        "alpha",
        {
            "type": "STOP",
            "instrument": "USD_JPY",
            "units": "-2500",
            "price": "150.5",
            "priceBound": "150.40",
            "timeInForce": "GFD",
            "triggerCondition": "INVERSE",
            "clientExtensions": {"id": "s-1", "tag": "trend"},
            "takeProfitOnFill": {"price": "148"},
            "stopLossOnFill": {"price": "152.25", "timeInForce": "GTC"},
        },
    )
    order = asked.order
    assert (order.side, order.quantity, order.instrument) == (pb.SIDE_SELL, "2500", "USD/JPY")
    assert (order.stop_price, order.price_bound, order.time_in_force) == ("150.5", "150.4", pb.TIME_IN_FORCE_DAY)
    assert order.trigger_source == pb.TRIGGER_SOURCE_ASK
    assert (order.on_fill.take_profit_price, order.on_fill.stop_loss_price) == ("148", "152.25")
    assert asked.client_id == "s-1"
    assert asked.order.client_order_id == asking.root_of("s-1") != asking.root_of("s-2")


def test_what_hangs_on_a_trade_reduces_it() -> None:
    """A stop loss of a short trade buys what is open, and nothing more."""
    order = asking.order_of("alpha", {"type": "STOP_LOSS", "tradeID": "7", "price": "1.2"}, TRADE).order
    assert (order.side, order.quantity, order.reduce_only) == (pb.SIDE_BUY, "40", True)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"units": "1.23456"}, "order.units"),
        ({"units": None}, "order.units"),
        ({"timeInForce": "GTC"}, "order.timeInForce"),
        ({"instrument": "EURUSD"}, "order.instrument"),
        ({"price": "1.1"}, "order.price"),
        ({"positionFill": "MAYBE"}, "order.positionFill"),
        ({"stopLossOnFill": {"distance": "0.1"}}, "stopLossOnFill.distance"),
        ({"takeProfitOnFill": {"price": "1.2", "timeInForce": "GFD"}}, "takeProfitOnFill.timeInForce"),
        ({"clientExtensions": {"id": "x" * 129}}, "clientExtensions.id"),
        ({"clientExtensions": {"name": "x"}}, "clientExtensions.name"),
        ({"clientExtensions": {"id": ""}}, "clientExtensions.id"),
        ({"guaranteed": True}, "order.guaranteed"),
    ],
)
def test_a_field_that_cannot_be_is_named(change: dict, field: str) -> None:
    """Nothing is left out in silence."""
    with pytest.raises(Fault, match=f"'{field}'"):
        asking.order_of("alpha", MARKET | change)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"units": "0"}, "UNITS_INVALID"),
        ({"positionFill": "OPEN_ONLY"}, "POSITION_FILL_INVALID"),
        (
            {"stopLossOnFill": {"price": "1"}, "trailingStopLossOnFill": {"distance": "0.1"}},
            "TRAILING_STOP_LOSS_ON_FILL_INVALID",
        ),
        (
            {"type": "LIMIT", "price": "1.1", "timeInForce": "GTD", "gtdTime": "2001-01-01T00:00:00Z"},
            "TIME_IN_FORCE_GTD_TIMESTAMP_IN_PAST",
        ),
        ({"type": "LIMIT", "price": "1.1", "triggerCondition": "MID"}, "TRIGGER_CONDITION_INVALID"),
    ],
)
def test_an_order_that_is_whole_but_cannot_be_has_a_reason(change: dict, reason: str) -> None:
    """It becomes a transaction that refuses it."""
    with pytest.raises(Refused) as caught:
        asking.order_of("alpha", MARKET | change)
    assert caught.value.reason == reason


VALUES = [
    None, True, 0, 1, -5, 10**30, 1.5, "", "1", "-100", "1.2", "1e5", "NaN", "EUR_USD", "USD_JPY", "EUR_EUR", "GTC",
    "FOK", "GTD", "MID", "DEFAULT", "2030-01-01T00:00:00Z", "\x00", "☂" * 200, [], [1], {}, {"price": "1.1"},
    {"id": "x"}, {"price": {}}, {"distance": "0.1"}, {"id": 5}, {"timeInForce": "GTC", "price": "9" * 12},
]  # fmt: skip
BODIES = st.dictionaries(
    st.sampled_from(sorted(set().union(*asking.FIELDS.values()))), st.sampled_from(VALUES), max_size=8
)


@settings(max_examples=400, deadline=None)
@given(BODIES, st.sampled_from([*asking.FIELDS, "", None]))
def test_any_body_is_an_order_or_is_refused_in_words(body: dict, kind: str | None) -> None:
    """No JSON of a program makes anything else than an order, a Fault or a refusal."""
    body = body | {"type": kind}
    try:
        asked = asking.order_of("alpha", body, TRADE)
    except (Fault, Refused):
        return
    json.dumps(asked.content)
    assert Decimal(asked.order.quantity) > 0


def test_who_is_declared_has_tokens_that_others_cannot_read(tmp_path: Path) -> None:
    """A token's file that is missing, readable by others or no SHA-256 is said with its path."""
    path = tmp_path / "clients.toml"
    path.write_text('[clients.desk]\naccounts = ["alpha", "beta"]\n[clients.fund]\naccounts = ["alpha"]\n')
    declared = load(path)
    assert declared.accounts == ("alpha", "beta")
    folder = tmp_path / "oanda"
    folder.mkdir()
    with pytest.raises(OandaClientsInvalid, match=r"desk\.token: cannot be read"):
        Tokens(tmp_path, declared)
    for name in ("desk", "fund"):
        (folder / f"{name}.token").write_text("plain")
        (folder / f"{name}.token").chmod(0o644)
    with pytest.raises(OandaClientsInvalid, match="others may read it"):
        Tokens(tmp_path, declared)
    for name in ("desk", "fund"):
        (folder / f"{name}.token").chmod(0o600)
    with pytest.raises(OandaClientsInvalid, match="one SHA-256 in hexadecimal a line"):
        Tokens(tmp_path, declared)
    path.write_text("[clients.desk]\naccounts = []\nrate = 1\n")
    with pytest.raises(OandaClientsInvalid, match=r"clients\.desk\.accounts"):
        load(path)


VENUE = """
[venues.v20]
kind = "oanda"
token_file = "v20.token"
account_id = "101-004-1435156-001"
{more}
[[routes]]
venues = ["v20"]
"""


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ('environment = "other"', "url: give it with environment"),
        ('url = "https://example.com"', "url: give it with environment"),
        ('environment = "other"\nurl = "http://example.com"', "would send the token in plain text"),
        ('environment = "demo"', "environment: Input should be"),
        ("requests_per_s_max = 0", "requests_per_s_max"),
        ('accounts = { alpha = "a b" }', "accounts"),
    ],
)
def test_a_venue_that_cannot_be_reached_safely_is_refused(more: str, problem: str) -> None:
    """The message names the field as it stands in the file."""
    with pytest.raises(VenuesInvalid, match=problem):
        parse(VENUE.format(more=more), "venues.toml")


def test_a_venue_s_token_is_its_owner_s_alone(tmp_path: Path) -> None:
    """A file that others may read is refused with the remedy."""
    spec = parse(VENUE.format(more=""), "venues.toml").venues["v20"]
    assert isinstance(spec, OandaVenue)
    path = tmp_path / "v20.token"
    with pytest.raises(VenuesInvalid, match="cannot be read"):
        spec.token(tmp_path)
    path.write_text("secret\n")
    path.chmod(0o640)
    with pytest.raises(VenuesInvalid, match="chmod 600"):
        spec.token(tmp_path)
    path.chmod(0o600)
    assert spec.token(tmp_path) == "secret"


def routed(**terms: object) -> Routed:
    """An order on its way."""
    values = {
        "account": "alpha",
        "instrument": "EUR/USD",
        "side": pb.SIDE_SELL,
        "quantity": "100",
        "order_type": pb.ORDER_TYPE_LIMIT,
        "limit_price": "1.085",
        "time_in_force": pb.TIME_IN_FORCE_GTC,
    } | terms
    order = pb.Order(order_id="o", terms=pb.NewOrder(**values))  # type: ignore[arg-type]
    return Routed(1, "o", "alpha", "v20", "EUR/USD", At.HERE, 1, "", 0, 0, order)


def test_an_order_goes_out_with_what_is_left_of_it() -> None:
    """Units have the side's sign; what was filled before is left out; the id is the instruction's."""
    order = routed()
    order.earlier, order.filled = 30 * 10_000, 20 * 10_000
    assert oanda_words.new_order(order, 9)["order"] == {
        "instrument": "EUR_USD",
        "units": "-70",
        "positionFill": "DEFAULT",
        "clientExtensions": {"id": "X9"},
        "type": "LIMIT",
        "price": "1.085",
        "timeInForce": "GTC",
    }
    assert oanda_words.replacement(order, order.order, 10)["order"]["units"] == "-50"
    for terms in (
        {"post_only": True},
        {"quantity": "1.5"},
        {"settlement": pb.Settlement(tenor="1M")},
        {"settlement": pb.Settlement(date={"year": 2027, "month": 1, "day": 4})},
        {"order_type": pb.ORDER_TYPE_STOP_LIMIT, "min_quantity": "1"},
    ):
        with pytest.raises(Unfit):
            oanda_words.new_order(routed(**terms), 1)


FILL = json.loads(
    """{"accountBalance":"6505.3973","accountID":"101-004-1435156-001","batchID":"6367","financing":"0.0000","id":"6368",
    "instrument":"EUR_USD","orderID":"6367","pl":"0.0000","price":"1.13027","fullVWAP":"1.13027","reason":"LIMIT_ORDER",
    "time":"2016-06-22T18:41:29.285982286Z","tradeOpened":{"tradeID":"6368","units":"-100"},"type":"ORDER_FILL",
    "units":"-100","userID":1435156,"commission":"0.1500"}"""
)
"""As the public documentation has it."""


def test_a_fill_has_its_price_its_moment_and_its_dates() -> None:
    """Units lose their sign, the venue's id is account and transaction, the spot date follows from the moment."""
    report = oanda_words.fill("v20", "101", FILL, routed(), Calendar())
    assert (report.fill.quantity, report.fill.price, report.fill.venue_exec_id) == ("100", "1.13027", "101/6368")
    assert report.venue_time.ToNanoseconds() == 1466620889285982286
    assert (report.fill.settl_date.day, report.fill.commission) == (24, "0.15")
    for broken in ({"units": None}, {"price": "NaN", "fullVWAP": None}, {"units": "0"}, {"commission": "x"}):
        with pytest.raises(ValueError, match="6368"):
            oanda_words.fill("v20", "101", FILL | broken, routed(), Calendar())


@pytest.mark.parametrize(
    ("reason", "force", "kind", "why"),
    [
        ("CLIENT_REQUEST", "GTC", "CANCELLED", "CLIENT"),
        ("TIME_IN_FORCE_EXPIRED", "GTD", "EXPIRED", "EXPIRED"),
        ("TIME_IN_FORCE_EXPIRED", "IOC", "CANCELLED", "NO_LIQUIDITY"),
        ("BOUNDS_VIOLATION", "FOK", "CANCELLED", "NO_LIQUIDITY"),
        ("MARKET_HALTED", "GTC", "CANCELLED", "VENUE"),
        ("SOMETHING_NEW", "GTC", "CANCELLED", "VENUE"),
    ],
)
def test_why_an_order_ended_is_told_in_trading_s_words(reason: str, force: str, kind: str, why: str) -> None:
    """The venue's word stands in the text."""
    ended = oanda_words.ended({"reason": reason}, routed(time_in_force=words.FORCES[force]))
    assert venue.VenueReportKind.Name(ended.kind) == f"VENUE_REPORT_KIND_{kind}"
    assert execution.ExecutionReason.Name(ended.reason) == f"EXECUTION_REASON_{why}"
    assert ended.text == reason


@pytest.mark.parametrize(("kind", "limit", "trigger"), [("LIMIT", "1.07", None), ("STOP", None, "1.07")])
def test_an_order_by_hand_with_a_trigger_is_not_taken_for_a_limit_order(
    kind: str, limit: str | None, trigger: str | None
) -> None:
    """It has no limit here, says what sets it off, and is not amended: a replacement would take its trigger away."""
    told = {"id": "7", "type": f"{kind}_ORDER", "instrument": "EUR_USD", "units": "-5000", "price": "1.07"}
    stated = stated_of("101", told)
    assert stated is not None
    assert (stated.price, stated.trigger) == (limit and Decimal(limit), trigger and Decimal(trigger))
    order, report = adopted("v20", "adopted", stated, Calendar(), 1_795_900_000_000_000_000)
    assert report.order.terms.limit_price == (limit or "")
    assert ("trigger at 1.07" in report.order.terms.text) is (trigger is not None)
    if trigger is None:
        assert oanda_words.replacement(order, order.order, 3)["order"]["price"] == "1.07"
        return
    with pytest.raises(Unfit, match="placed by hand"):
        oanda_words.replacement(order, order.order, 3)
