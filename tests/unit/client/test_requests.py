"""Requests from what programs have."""

import datetime as dt
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from crossrate.api.ledger.v1 import movement_service_pb2 as ledger
from crossrate.api.marketdata.v1 import bar_service_pb2 as bars
from crossrate.api.marketdata.v1 import marketdata_service_pb2 as marketdata
from crossrate.api.pricing.v1 import pricing_service_pb2 as pricing
from crossrate.api.risk.v1 import risk_service_pb2 as risk
from crossrate.api.risk.v1.measure_pb2 import VAR_METHOD_AGE_WEIGHTED as AGE_WEIGHTED
from crossrate.client import request_of


def test_arrays_are_taken_at_any_depth() -> None:
    """Numbers of a nested message are arrays, lists or one value a position, and short lists stay lists."""
    book = {"kind": np.array([2, 0]), "strike": [1.17, 146.0], "time": np.full(2, 0.5), "market": np.array([0, 1])}
    made = request_of(risk.CalculateVarRequest, {"book": book, "confidence": (0.99,)})
    assert list(made.book.kind) == [2, 0]
    assert list(made.book.strike) == [1.17, 146.0]
    assert list(made.book.market) == [0, 1]
    long = request_of(risk.CalculateVarRequest, {"book": {"strike": [float(i) for i in range(1000)]}})
    assert list(long.book.strike) == [float(i) for i in range(1000)]


@pytest.mark.parametrize(
    ("given", "nanoseconds"),
    [
        (dt.datetime(2026, 9, 30, 15, 0, 0, 250_000, tzinfo=dt.UTC), 250_000_000),
        (dt.datetime(2026, 9, 30, 17, tzinfo=dt.timezone(dt.timedelta(hours=2))), 0),
        ("2026-09-30T15:00:00Z", 0),
        ("2026-09-30T11:00-04:00", 0),
        (np.datetime64("2026-09-30T15:00:00.000000007"), 7),
    ],
)
def test_times_are_what_python_has(given: Any, nanoseconds: int) -> None:
    """A moment is the same moment whatever it is written as, to the nanosecond where there are some."""
    made = request_of(bars.QueryBarsRequest, {"start_time": given})
    assert made.start_time.ToNanoseconds() == 1_790_780_400_000_000_000 + nanoseconds


def test_a_timestamp_of_pandas_keeps_its_nanoseconds() -> None:
    """Its last three digits are not a datetime's."""
    pd = pytest.importorskip("pandas", reason="needs group frames: `uv sync --group frames`")
    made = request_of(bars.QueryBarsRequest, {"start_time": pd.Timestamp("2026-09-30T15:00:00.123456789Z")})
    assert made.start_time.nanos == 123_456_789


def test_dates_and_durations() -> None:
    """A date is a date or its text, a duration a timedelta or seconds."""
    made = request_of(marketdata.ListDailyRatesRequest, {"start_date": "2026-09-30", "end_date": dt.date(2026, 10, 1)})
    assert (made.start_date.month, made.start_date.day, made.end_date.day) == (9, 30, 1)
    for given in (0.25, dt.timedelta(milliseconds=250)):
        stream = request_of(marketdata.StreamQuotesRequest, {"conflation_interval": given})
        assert stream.conflation_interval.ToMilliseconds() == 250


@pytest.mark.parametrize("word", ["VAR_METHOD_AGE_WEIGHTED", "age-weighted", "Age Weighted", AGE_WEIGHTED])
def test_enums_are_words(word: Any) -> None:
    """An enum's value by its full name, its word in any case, or its number."""
    assert request_of(risk.CalculateVarRequest, {"method": word}).method == AGE_WEIGHTED


@pytest.mark.parametrize(
    ("amount", "text"), [(Decimal("2500.50"), "2500.5"), (Decimal("1E+3"), "1000"), (7, "7"), ("0.10", "0.10")]
)
def test_decimals_are_exact(amount: Any, text: str) -> None:
    """A decimal is written out, without an exponent; text stays as it is."""
    assert request_of(ledger.DepositRequest, {"amount": amount}).amount == text


@pytest.mark.parametrize(
    ("kind", "fields", "error", "words"),
    [
        (ledger.DepositRequest, {"amont": "1"}, TypeError, "no field amont: did you mean amount?"),
        (ledger.DepositRequest, {"amount": 0.1}, TypeError, "amount is the float 0.1, which is not exact"),
        (ledger.DepositRequest, {"amount": Decimal("NaN")}, ValueError, "amount is Decimal('NaN'), which is no number"),
        (risk.CalculateVarRequest, {"book": {"strke": [1]}}, TypeError, "did you mean book.strike?"),
        (risk.CalculateVarRequest, {"book": 1}, TypeError, "book takes crossrate.api.risk.v1.Book"),
        (risk.CalculateVarRequest, {"method": "plane"}, ValueError, "method is 'plane': did you mean plain?"),
        (risk.CalculateVarRequest, {"confidence": 0.99}, TypeError, "confidence holds several values: give a list"),
        (
            risk.CalculateVarRequest,
            {"historical": {"days": 500}, "given": {}},
            TypeError,
            "historical and given exclude each other",
        ),
        (bars.QueryBarsRequest, {"start_time": dt.datetime(2026, 1, 1)}, ValueError, "start_time has no time zone"),
        (bars.QueryBarsRequest, {"start_time": "soon"}, ValueError, "start_time is 'soon', which is no time"),
        (marketdata.ListDailyRatesRequest, {"start_date": "2026-02-30"}, ValueError, "which is no date"),
        (marketdata.StreamQuotesRequest, {"instruments": "EUR/USD"}, TypeError, "instruments holds several values"),
        (marketdata.StreamQuotesRequest, {"max_messages": -1}, ValueError, "max_messages"),
        (pricing.PriceBatchRequest, {"given": {"spot": ["x"]}}, TypeError, "given.spot"),
    ],
)
def test_what_is_wrong_is_named(kind: Any, fields: dict[str, Any], error: type[Exception], words: str) -> None:
    """What cannot be sent is refused with the path of the field and the remedy, before anything is sent."""
    with pytest.raises(error) as caught:
        request_of(kind, fields)
    assert words in str(caught.value)


def test_what_is_none_is_not_set() -> None:
    """None leaves a field unset, also one of two that exclude each other; an empty dictionary sets it."""
    made = request_of(risk.CalculateVarRequest, {"historical": None, "given": {}, "decay": None})
    assert made.WhichOneof("scenarios") == "given"
    assert not made.HasField("decay")
