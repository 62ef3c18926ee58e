"""Numbers of a field, paired, in pips."""

from __future__ import annotations

import math

import numpy as np
import pytest

from crossrate.api.marketdata.v1 import marketdata_service_pb2
from crossrate.api.pricing.v1 import pricing_service_pb2
from crossrate.api.pricing.v1 import quote_pb2 as quoting_pb2
from crossrate.compare.drift import readings
from crossrate.compare.message import Comparator
from crossrate.compare.pips import pip_of
from crossrate.evidence.means import MeanTest

COMPARE = Comparator(pip_of)


def test_a_wrong_price_in_one_pair_is_found_below_the_tolerance() -> None:
    """A candidate that is 0.2 pip off in USD/JPY alone differs in no call, and drifts in that pair alone."""
    random = np.random.default_rng(2)
    tests = {pair: MeanTest(tolerance=0.05, bound=2.0) for pair in ("EUR/USD", "USD/JPY")}
    for _ in range(300):
        stable, candidate = (marketdata_service_pb2.StreamQuotesResponse() for _ in range(2))
        for pair, price, pip, bias in (("EUR/USD", 1.1, 1e-4, 0.0), ("USD/JPY", 150.0, 1e-2, 0.2)):
            stable.quotes.quotes.add(instrument=pair, bid=price)
            candidate.quotes.quotes.add(instrument=pair, bid=price + pip * (bias + random.normal(0, 0.04)))
        assert COMPARE.compare(stable, candidate) == []
        for reading in readings(COMPARE, stable, candidate, "quotes.quotes[].bid"):
            tests[reading.instrument].observe(reading.pips)
    assert tests["USD/JPY"].evidence().p_fail < 1e-6
    assert tests["USD/JPY"].evidence().estimate == pytest.approx(0.2, abs=0.02)
    assert tests["EUR/USD"].evidence().p_fail == 1
    assert tests["EUR/USD"].evidence().p_pass < 0.05


def test_elements_are_paired_by_key_and_arrays_by_place() -> None:
    """Legs by name; numbers of an array by place; a decimal is a number, and what is none is NaN."""
    one, other = pricing_service_pb2.PriceResponse(), pricing_service_pb2.PriceResponse()
    for message, legs in ((one, {"near": 1.0, "far": 2.0}), (other, {"far": 2.5, "new": 9.0})):
        for name, worth in legs.items():
            message.legs.add(name=name).valuation.present_value = worth
    (found,) = readings(COMPARE, one, other, "legs[].valuation.present_value")
    assert (found.path, found.difference, found.pips) == ("legs[far].valuation.present_value", 0.5, None)
    batches = (pricing_service_pb2.PriceBatchResponse(price=p) for p in ([1.0, 2.0], [1.5, math.nan, 3.0]))
    first, second = readings(COMPARE, *batches, "price[]")
    assert first.difference == 0.5
    assert math.isnan(second.difference)
    sides = (quoting_pb2.QuotedSide(px=px) for px in ("1.1000", "1.1001"))
    (side,) = readings(COMPARE, *sides, "px", instrument="EUR/USD")
    assert side.pips == pytest.approx(1.0)


@pytest.mark.parametrize("field", ["no.such", "reporting_currency.x", "valuation", "model"])
def test_what_is_no_number_is_refused(field: str) -> None:
    """A path that leads to no number is an error that names it."""
    answer = pricing_service_pb2.PriceResponse()
    with pytest.raises(ValueError, match="number"):
        readings(COMPARE, answer, answer, field)
