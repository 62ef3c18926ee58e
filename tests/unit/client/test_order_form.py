"""Orders from words and exact numbers."""

import datetime
from decimal import Decimal

import pytest

from crossrate.api.trading.v1 import order_pb2 as pb
from crossrate.client import new_order
from crossrate.client.order_form import changed, decimal


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("1.0825", "1.0825"),
        (Decimal("1.08250"), "1.0825"),
        (100_000, "100000"),
        ("1e5", "100000"),
        (Decimal("1E+5"), "100000"),
        ("100000.00", "100000"),
        ("0", "0"),
        ("100_000", "100000"),
    ],
)
def test_a_number_is_written_plainly(given: object, text: str) -> None:
    """Without exponent, and without zeros that say nothing."""
    assert decimal(given, "quantity") == text


def test_a_float_is_refused_with_what_to_write_instead() -> None:
    """The message has the number as it could be given exactly."""
    with pytest.raises(TypeError, match=r"quantity is the float 0\.1.*Decimal\('0\.1'\) or '0\.1'"):
        decimal(0.1, "quantity")


@pytest.mark.parametrize("endless", ["1e99999999", "1e-99999999", Decimal("9e40"), "9" * 41])
def test_a_number_without_end_is_refused_before_it_is_written(endless: object) -> None:
    """A slip in the exponent does not fill the memory; of zero no exponent makes more."""
    with pytest.raises(ValueError, match="quantity has more than 40 digits"):
        decimal(endless, "quantity")
    assert decimal("0e99999999", "quantity") == "0"


@pytest.mark.parametrize("bad", ["", "x", "NaN", "Infinity", "-1", Decimal("-0.1")])
def test_what_is_no_amount_is_refused_by_its_field(bad: object) -> None:
    """Signs and words are none."""
    with pytest.raises(ValueError, match="limit_price is"):
        decimal(bad, "limit_price")


def test_the_limit_of_a_swap_may_be_below_zero() -> None:
    """It is one on swap points; nothing else has a sign. An amendment does not say what the order is: trading does."""
    order = new_order("alpha", "EUR/USD", "buy", 100_000, limit_price="-0.000420", far_tenor="1M")
    assert (order.limit_price, order.order_type) == ("-0.00042", pb.ORDER_TYPE_LIMIT)
    assert new_order("alpha", "EUR/USD", "buy", 100_000, limit_price=0, far_tenor="1M").limit_price == "0"
    with pytest.raises(ValueError, match="limit_price is"):
        new_order("alpha", "EUR/USD", "buy", 100_000, limit_price="-1.08")
    assert changed({"limit_price": "-0.00042", "quantity": 5}) == {"limit_price": "-0.00042", "quantity": "5"}
    with pytest.raises(ValueError, match="quantity is"):
        changed({"quantity": -5})


@pytest.mark.parametrize("bad", [True, None, b"1", [1]])
def test_what_is_no_number_at_all_is_a_type_error(bad: object) -> None:
    """A truth value too."""
    with pytest.raises(TypeError, match="give a Decimal, a str or an int"):
        decimal(bad, "quantity")


@pytest.mark.parametrize(
    ("prices", "kind", "lasting"),
    [
        ({}, pb.ORDER_TYPE_MARKET, pb.TIME_IN_FORCE_IOC),
        ({"limit_price": "1.08"}, pb.ORDER_TYPE_LIMIT, pb.TIME_IN_FORCE_DAY),
        ({"stop_price": "1.1"}, pb.ORDER_TYPE_STOP, pb.TIME_IN_FORCE_DAY),
        ({"limit_price": "1.11", "stop_price": "1.1"}, pb.ORDER_TYPE_STOP_LIMIT, pb.TIME_IN_FORCE_DAY),
        ({"trailing_distance": "0.005"}, pb.ORDER_TYPE_TRAILING_STOP, pb.TIME_IN_FORCE_DAY),
        ({"quote_id": "0" * 36}, pb.ORDER_TYPE_PREVIOUSLY_QUOTED, pb.TIME_IN_FORCE_IOC),
        ({"stop_price": "1.1", "order_type": "market-if-touched"}, pb.ORDER_TYPE_MARKET_IF_TOUCHED, 2),
        ({"limit_price": "1.08", "time_in_force": "gtc"}, pb.ORDER_TYPE_LIMIT, pb.TIME_IN_FORCE_GTC),
    ],
)
def test_the_type_follows_from_the_prices(prices: dict[str, str], kind: int, lasting: int) -> None:
    """And how long an order works from its type, unless it is said."""
    order = new_order("alpha", "EUR/USD", "buy", 100_000, **prices)
    assert (order.order_type, order.time_in_force) == (kind, lasting)


def test_an_end_makes_an_order_good_till_date() -> None:
    """A time with its zone; one without is refused, since nobody knows whose it is."""
    end = datetime.datetime(2030, 1, 2, 15, tzinfo=datetime.UTC)
    order = new_order("alpha", "EUR/USD", "sell", "1", limit_price="1.2", expire_time=end)
    assert order.time_in_force == pb.TIME_IN_FORCE_GTD
    assert order.expire_time.ToDatetime(datetime.UTC) == end
    with pytest.raises(ValueError, match="time zone"):
        new_order("alpha", "EUR/USD", "sell", "1", limit_price="1.2", expire_time=end.replace(tzinfo=None))


def test_each_order_has_an_id_of_its_own() -> None:
    """Unless one is given."""
    one, other = (new_order("alpha", "EUR/USD", "buy", 1) for _ in range(2))
    assert one.client_order_id != other.client_order_id
    assert new_order("alpha", "EUR/USD", "buy", 1, client_order_id="mine").client_order_id == "mine"


def test_what_an_order_does_not_have_is_refused() -> None:
    """With the fields that it has, and with the words that a side has."""
    with pytest.raises(TypeError, match=r"no field colour: it has client_order_id"):
        new_order("alpha", "EUR/USD", "buy", 1, colour="red")
    with pytest.raises(ValueError, match="side is 'hold': give one of buy, sell"):
        new_order("alpha", "EUR/USD", "hold", 1)


def test_protections_are_part_of_the_order() -> None:
    """Take profit and stop loss of the position that it opens."""
    order = new_order("a", "EUR/USD", "buy", 1, take_profit_price=Decimal("1.2"), stop_loss_price="1.0", tenor="1M")
    assert (order.on_fill.take_profit_price, order.on_fill.stop_loss_price) == ("1.2", "1")
    assert order.settlement.tenor == "1M"
