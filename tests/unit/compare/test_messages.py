"""How single fields are compared."""

from __future__ import annotations

import math

import numpy as np
import pytest
from google.protobuf import any_pb2, struct_pb2
from google.rpc import error_details_pb2, status_pb2
from hypothesis import given, settings
from hypothesis import strategies as st

from crossrate.api.marketdata.v1 import marketdata_service_pb2, quote_pb2
from crossrate.api.pricing.v1 import market_pb2, pricing_service_pb2
from crossrate.api.pricing.v1 import quote_pb2 as quoting_pb2
from crossrate.compare.difference import Manner
from crossrate.compare.message import DIFFERENCES_MAX, Comparator
from crossrate.compare.pips import pip_of
from crossrate.compare.rules import Bound
from crossrate.compare.values import arrays_apart, numbers_apart

COMPARE = Comparator(pip_of)


def quote(**fields) -> quote_pb2.Quote:
    """A quote of EUR/USD."""
    return quote_pb2.Quote(**{"instrument": "EUR/USD", "bid": 1.1, "ask": 1.1002} | fields)


def test_pips_are_those_of_the_instrument() -> None:
    """Half a pip is tolerated in a quote: 0.00005 of EUR/USD, 0.005 of USD/JPY; sizes are in tolerances."""
    assert COMPARE.compare(quote(), quote(bid=1.10004)) == []
    (found,) = COMPARE.compare(quote(), quote(bid=1.1002))
    assert (found.path, found.manner) == ("bid", Manner.VALUE)
    assert found.size == pytest.approx(4)
    assert COMPARE.compare(quote(instrument="USD/JPY", bid=150.0), quote(instrument="USD/JPY", bid=150.004)) == []
    assert COMPARE.compare(quote(instrument="XXX/YYY"), quote(instrument="XXX/YYY", bid=1.10004)) != []
    assert pip_of("EUR/USD") == 0.0001
    assert pip_of("nonsense") is None


def test_clocks_are_ignored_and_enums_named() -> None:
    """Ignored fields may differ; a health is told by its name."""
    one, other = quote(sequence=1, health=1), quote(sequence=2, health=2)
    other.receive_time.FromSeconds(5)
    (found,) = COMPARE.compare(one, other)
    assert (found.stable, found.candidate) == ("QUOTE_HEALTH_LIVE", "QUOTE_HEALTH_STALE")
    assert str(found) == "health: value QUOTE_HEALTH_LIVE became QUOTE_HEALTH_STALE"


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [("1.10", "1.1", True), ("100", "100.00", True), ("1.1", "1.1001", False), ("", "1.1", False), ("7", "07", False)],
)
def test_decimals_are_compared_as_decimals(one: str, other: str, equal: bool) -> None:
    """Zeros at the end do not matter; whole numbers may be ids, of which each sign does."""
    found = COMPARE.compare(quoting_pb2.QuotedSide(px=one), quoting_pb2.QuotedSide(px=other))
    assert (found == []) is equal


def test_lists_are_paired_by_their_key() -> None:
    """Legs in another order are the same legs; one that lacks or is new is named by its key."""
    one, other = pricing_service_pb2.PriceResponse(), pricing_service_pb2.PriceResponse()
    for message, order in ((one, ("near", "far")), (other, ("far", "near"))):
        for name in order:
            message.legs.add(name=name)
    assert COMPARE.compare(one, other) == []
    other.legs[0].name = "middle"
    missing, extra = COMPARE.compare(one, other)
    assert (missing.path, missing.manner) == ("legs[far]", Manner.MISSING)
    assert (extra.path, extra.manner, extra.field) == ("legs[middle]", Manner.EXTRA, "legs[]")


def test_lists_without_a_key_are_paired_by_order() -> None:
    """What lacks at the end is a difference of length, and the rest is compared."""
    one, other = quote(flags=[1, 2, 3]), quote(flags=[1, 3])
    length, value = COMPARE.compare(one, other)
    assert (length.manner, length.stable, length.candidate) == (Manner.LENGTH, "3", "2")
    assert (value.path, value.field) == ("flags[1]", "flags[]")


def test_choices_and_presence_are_told() -> None:
    """Another member of a oneof is a choice; what is set on one side only is presence."""
    good, bad = pricing_service_pb2.PricedProduct(), pricing_service_pb2.PricedProduct()
    good.price.par_rate = 1.1
    bad.error.code = 3
    (found,) = COMPARE.compare(good, bad)
    assert (found.path, found.manner, found.stable, found.candidate) == ("result", Manner.CHOICE, "price", "error")
    half = pricing_service_pb2.PriceResponse()
    half.valuation.SetInParent()
    (found,) = COMPARE.compare(pricing_service_pb2.PriceResponse(), half)
    assert (found.path, found.manner, found.candidate) == ("valuation", Manner.PRESENCE, "a Valuation")


def test_arrays_are_one_difference() -> None:
    """Of an array the largest difference is told, with how many there are; NaN equals NaN."""
    price = np.linspace(0.01, 0.02, 1000)
    one = pricing_service_pb2.PriceBatchResponse(price=price, delta=[math.nan])
    price[[17, 500]] *= [1.1, 1.01]
    price[3] *= 1 + 1e-11
    other = pricing_service_pb2.PriceBatchResponse(price=price, delta=[math.nan])
    (found,) = COMPARE.compare(one, other)
    assert (found.path, found.field, found.count) == ("price[17]", "price[]", 2)
    assert found.relative == pytest.approx(0.1 / 1.1)
    other.price.append(1.0)
    assert [f.manner for f in COMPARE.compare(one, other)] == [Manner.LENGTH, Manner.VALUE]
    other = pricing_service_pb2.PriceBatchResponse(price=one.price, delta=[0.5])
    (found,) = COMPARE.compare(one, other)
    assert found.size == math.inf


def test_unknown_fields_are_named() -> None:
    """A field that the contract lacks is told by its number, in the message in which it stands."""
    one = marketdata_service_pb2.GetQuoteResponse(quote=quote())
    strange = quote_pb2.Quote.FromString(quote().SerializeToString() + b"\xf8\x07\x05")
    other = marketdata_service_pb2.GetQuoteResponse(quote=strange)
    (found,) = COMPARE.compare_bytes(type(one), one.SerializeToString(), other.SerializeToString())
    assert (found.path, found.manner) == ("quote.#127", Manner.UNKNOWN)


def test_maps_are_paired_by_their_keys() -> None:
    """A map has no order; a key that lacks is named."""
    one, other = struct_pb2.Struct(), struct_pb2.Struct()
    one.update({"a": 1.0, "b": "x"})
    other.update({"b": "y", "c": 1.0})
    found = {f.path: f.manner for f in COMPARE.compare(one, other)}
    assert found == {
        "fields[a]": Manner.MISSING,
        "fields[b].string_value": Manner.VALUE,
        "fields[c]": Manner.EXTRA,
    }


def test_details_of_errors_are_opened() -> None:
    """Ids of requests do not count, reasons do; details that nobody knows are bytes."""
    made = []
    for request_id, reason in (("1", "NO_QUOTE"), ("2", "NO_QUOTE"), ("3", "NOT_FOUND")):
        status = status_pb2.Status(code=5)
        for detail in (
            error_details_pb2.RequestInfo(request_id=request_id),
            error_details_pb2.ErrorInfo(reason=reason),
        ):
            status.details.add().Pack(detail)
        made.append(status)
    assert COMPARE.compare(made[0], made[1]) == []
    (found,) = COMPARE.compare(made[0], made[2])
    assert found.path.endswith("(ErrorInfo).reason")
    strange = [any_pb2.Any(type_url="type.googleapis.com/no.Such", value=v) for v in (b"a", b"bc")]
    (found,) = COMPARE.compare(*(status_pb2.Status(details=[s]) for s in strange))
    assert (found.stable, found.candidate) == ("1 bytes", "2 other bytes")


def test_bytes_that_are_no_message_are_told() -> None:
    """A broken answer of the candidate is a difference, of stable an error."""
    kind, good = quote_pb2.Quote, quote().SerializeToString()
    (found,) = COMPARE.compare_bytes(kind, good, b"\xff\xff")
    assert found.candidate == "bytes that are no such message"
    with pytest.raises(ValueError, match=r"Quote"):
        COMPARE.compare_bytes(kind, b"\xff\xff", good)
    with pytest.raises(TypeError, match="cannot compare"):
        COMPARE.compare(quote(), market_pb2.SpotRate())


def test_differences_are_bounded() -> None:
    """Two answers that agree in nothing are told apart by a thousand differences."""
    spots = market_pb2.Market(), market_pb2.Market()
    for i in range(2000):
        spots[0].spots.add(instrument=f"{i}", bid=1.0)
        spots[1].spots.add(instrument=f"{i}", bid=2.0)
    assert len(COMPARE.compare(*spots)) == DIFFERENCES_MAX


@given(st.floats(), st.floats(), st.floats(0, 10), st.sampled_from([1, 2, 3]))
@settings(max_examples=300, deadline=None)
def test_comparison_is_symmetric(a: float, b: float, value: float, unit: int) -> None:
    """A number equals itself; which of two is stable does not matter; arrays and single numbers agree."""
    bound = Bound(value, unit)
    assert numbers_apart(a, a, bound, 0.01) is None
    one, other = numbers_apart(a, b, bound, 0.01), numbers_apart(b, a, bound, 0.01)
    assert one == other
    assert one is None or one[0] > 1 or one[0] == math.inf
    places, sizes = arrays_apart(np.array([a]), np.array([b]), bound, 0.01)
    assert (one is None) == (places.size == 0)
    if one is not None:
        assert sizes[0] == pytest.approx(one[0])
