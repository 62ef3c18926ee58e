"""Curves from the money market and from swap points."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossrate.api.pricing.v1 import curve_quotes_pb2 as rates
from crossrate.api.pricing.v1 import market_pb2
from crossrate.basics.money_market import DayCount, MoneyMarketDates
from crossrate.basics.pair import Pair
from crossrate.basics.tenor import parse_tenor
from services.pricing.books import book_of
from services.pricing.domain.market import Snapshot
from services.pricing.domain.refusal import Missing, Refused
from tests.unit.pricing.desk import (
    AS_OF,
    DEPOSIT,
    DOLLARS,
    EURO_POINTS,
    EURUSD,
    SPOTS,
    SWAP,
    USDJPY,
    YEN_POINTS,
    dollars,
    euros,
    points,
    snapshot,
    yen,
)

TRADE_DATE = date(2026, 3, 4)
INTERPOLATIONS = [rates.CURVE_INTERPOLATION_LOG_LINEAR, rates.CURVE_INTERPOLATION_MONOTONE_CUBIC]


def day(standing: object, tenor: str) -> date:
    """The far date of a tenor or of a broken date."""
    if "-" in tenor:
        return date.fromisoformat(tenor)
    return standing.dates.at(parse_tenor(tenor)).far


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
def test_rates_are_worth_nothing_on_their_curve(interpolation: int) -> None:
    """Each deposit and swap of the dollar, written out by its dates: fixed coupons are worth what money earns."""
    made = dollars()
    made.interpolation = interpolation
    curve = snapshot([made], []).curve("USD")
    dates = MoneyMarketDates("USD", TRADE_DATE)

    def discount(when: date) -> float:
        return float(curve.discount((when - TRADE_DATE).days / 365))

    for kind, tenor, rate in DOLLARS:
        parsed = parse_tenor(tenor)
        periods = dates.swap(parsed) if kind == SWAP else [dates.deposit(parsed)]
        worth = sum(
            (discount(p.begin) / discount(p.end) - 1 - rate * DayCount.ACT_360.fraction(p.begin, p.end))
            * discount(p.payment)
            for p in periods
        )
        assert abs(worth) < 1e-13, tenor
    assert len(curve.times) == len(DOLLARS)


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
def test_forwards_are_spot_plus_points(interpolation: int) -> None:
    """Of every quoted date, also today, tomorrow and the broken date, within 1e-12 of the rate; spot is spot."""
    curves = [dollars(), euros(), yen()]
    for curve in curves:
        curve.interpolation = interpolation
    market = snapshot(curves, [])
    for pair, quoted, pip in ((EURUSD, EURO_POINTS, 1e-4), (USDJPY, YEN_POINTS, 1e-2)):
        standing, spot = market.of(pair), SPOTS[pair]
        mids = {tenor: (bid + ask) / 2 * pip for tenor, (bid, ask) in quoted.items()}
        for tenor, mid in mids.items():
            if tenor not in ("ON", "TN"):
                assert standing.forward(day(standing, tenor)) == pytest.approx(spot + mid, rel=1e-12), tenor
        assert standing.forward(standing.dates.spot) == pytest.approx(spot, rel=1e-15)
    euro, mids = market.of(EURUSD), {tenor: (bid + ask) / 2e4 for tenor, (bid, ask) in EURO_POINTS.items()}
    assert euro.forward(date(2026, 3, 5)) == pytest.approx(1.08 - mids["TN"], rel=1e-12)
    assert euro.today == pytest.approx(1.08 - mids["TN"] - mids["ON"], rel=1e-12)


def test_a_moved_spot_rate_moves_the_forwards_with_it() -> None:
    """Points are quoted as points: a snapshot with another spot rate has forwards with the same points."""
    standing = snapshot(EURUSD=1.15).of(EURUSD)
    mid = sum(EURO_POINTS["1Y"]) / 2e4
    assert standing.forward(day(standing, "1Y")) == pytest.approx(1.15 + mid, rel=1e-12)


def test_a_curve_follows_through_two_pairs() -> None:
    """Euros from the dollar, yen from the dollar: the cross has the forward that both legs have."""
    market = snapshot()
    euro, yen_ = market.of(EURUSD), market.of(USDJPY)
    times = np.array([0.25, 1.0, 1.7])
    assert market.curve("JPY").growth(times) == pytest.approx(yen_.domestic.growth(times))
    cross = euro.forwards(times) * yen_.forwards(times)
    expected = euro.today * yen_.today * np.exp(yen_.domestic.growth(times) - euro.foreign.growth(times))
    assert cross == pytest.approx(expected, rel=1e-14)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.floats(-400.0, 400.0), min_size=4, max_size=4),
    st.floats(0.5, 2.0),
    st.sampled_from(["EUR", "USD"]),
    st.sampled_from(INTERPOLATIONS),
)
def test_any_points_are_found_again(mids: list[float], spot: float, implied: str, interpolation: int) -> None:
    """Whichever of the two currencies is implied, the forwards are spot plus points."""
    tenors = ("1W", "3M", "1Y", "2Y")
    known = market_pb2.Curve(currency="USD" if implied == "EUR" else "EUR", time=[0.1, 1.0], rate=[0.03, 0.02])
    scaled = {tenor: mid * share for tenor, mid, share in zip(tenors, mids, (0.02, 0.25, 1.0, 2.0), strict=True)}
    curve = points(implied, EURUSD, {tenor: (mid, mid) for tenor, mid in scaled.items()})
    curve.interpolation = interpolation
    standing = snapshot([known, curve], [], EURUSD=spot).of(EURUSD)
    for tenor, mid in scaled.items():
        assert standing.forward(day(standing, tenor)) == pytest.approx(spot + mid * 1e-4, rel=1e-12)


def test_a_pair_that_settles_tomorrow_has_its_overnight_points_into_spot() -> None:
    """USD/CAD is spot the next day: ON leads into it, and TN is not dealt."""
    pair = Pair("USD", "CAD")
    curve = points("CAD", pair, {"ON": (-0.5, -0.5), "1M": (-20.0, -20.0)})
    book = book_of([dollars(), curve], [])
    standing = Snapshot("", AS_OF, book, {pair: 1.37}).of(pair)
    assert standing.today == pytest.approx(1.37 + 0.5e-4, rel=1e-12)
    bad = book_of([dollars(), points("CAD", pair, {"TN": (0, 0)})], [])
    with pytest.raises(Refused, match="no TN") as caught:
        Snapshot("", AS_OF, bad, {pair: 1.37}, strict=True).of(pair)
    assert caught.value.field == "curves[1].swap_points.quotes[0].tenor"


@pytest.mark.parametrize(
    ("quoted", "field"),
    [
        ({"1M": 1.0, "1W": 1.0}, "quotes[1].tenor"),
        ({"1M": 1.0, "31D": 1.0}, "quotes[1].tenor"),
        ({"ON": 1.0, "1W": 1.0}, "quotes[0].tenor"),
        ({"2026-03-07": 1.0}, "quotes[0].tenor"),
        ({"2026-03-06": 1.0}, "quotes[0].tenor"),
        ({"1M": -2e4}, "quotes[0]"),
        ({"1W": 4.0, "1Y": 3e4}, "quotes[1]"),
    ],
)
def test_points_that_cannot_be_are_refused_by_path(quoted: dict[str, float], field: str) -> None:
    """Not ascending, the same date twice, ON alone, no value date, not after spot, no positive rate, a wrong unit."""
    curve = points("EUR", EURUSD, {tenor: (mid, mid) for tenor, mid in quoted.items()})
    with pytest.raises(Refused) as caught:
        snapshot([dollars(), curve], [], strict=True).of(EURUSD)
    assert caught.value.field == f"curves[1].swap_points.{field}"


@pytest.mark.parametrize(
    ("currency", "quoted", "field"),
    [
        ("USD", [(DEPOSIT, "1M", 0.04), (DEPOSIT, "1W", 0.04)], "quotes[1].tenor"),
        ("USD", [(DEPOSIT, "1M", 0.04), (DEPOSIT, "1M", 0.04)], "quotes[1].tenor"),
        ("USD", [(SWAP, "ON", 0.04)], "quotes[0].tenor"),
        ("USD", [(DEPOSIT, "1Y", 4.0)], "quotes[0].rate"),
        ("GBP", [(DEPOSIT, "TN", 0.04)], "quotes[0].tenor"),
        ("TRY", [(DEPOSIT, "1M", 0.4)], "day_count"),
    ],
)
def test_rates_that_cannot_be_are_refused_by_path(currency: str, quoted: list, field: str) -> None:
    """Not ascending, twice, no swap, percent for a fraction, no tom/next where spot is today, no convention."""
    quotes = [rates.RateQuote(instrument=kind, tenor=tenor, rate=rate) for kind, tenor, rate in quoted]
    curve = market_pb2.Curve(currency=currency, rates=rates.RateQuotes(quotes=quotes))
    with pytest.raises(Refused) as caught:
        snapshot([curve], [], strict=True).curve(currency)
    assert caught.value.field == f"curves[0].rates.{field}"


def test_a_currency_without_conventions_takes_deposits_with_a_day_count() -> None:
    """The lira's month at 40 percent over 365 days; a swap of it is refused."""
    quotes = rates.RateQuotes(quotes=[rates.RateQuote(instrument=DEPOSIT, tenor="1M", rate=0.4)], day_count=2)
    curve = snapshot([market_pb2.Curve(currency="TRY", rates=quotes)], []).curve("TRY")
    period = MoneyMarketDates("TRY", TRADE_DATE).deposit(parse_tenor("1M"))
    near, far = ((each - TRADE_DATE).days / 365 for each in (period.begin, period.end))
    assert curve.discount(near) / curve.discount(far) == pytest.approx(1 + 0.4 * (far - near), rel=1e-13)
    quotes.quotes[0].instrument = SWAP
    with pytest.raises(Refused, match="give deposits"):
        snapshot([market_pb2.Curve(currency="TRY", rates=quotes)], [])


def test_swap_points_need_a_curve_to_start_from() -> None:
    """Without the other currency's curve, round in a circle, of a foreign pair, and without the pair's spot rate."""
    with pytest.raises(Refused, match="USD, which has no curve") as caught:
        book_of([euros()], [])
    assert caught.value.field == "curves[0].swap_points.instrument"
    circle = [euros(), points("USD", USDJPY, YEN_POINTS), points("JPY", Pair("EUR", "JPY"), {"1M": (1, 1)})]
    with pytest.raises(Refused, match="EUR → USD → JPY → EUR"):
        book_of(circle, [])
    with pytest.raises(Refused, match="has no GBP"):
        book_of([dollars(), points("GBP", EURUSD, EURO_POINTS)], [])
    market = snapshot()
    del market.spots[USDJPY]
    with pytest.raises(Missing, match="USD/JPY"):
        market.curve("JPY")


def test_quotes_go_with_the_days() -> None:
    """On a later day a broken date is passed by a tenor, then is over; around a holiday tom/next is not dealt."""
    mids = {tenor: sum(sides) / 2e4 for tenor, sides in EURO_POINTS.items()}
    for as_of, dated in (
        (datetime(2026, 4, 20, 14, tzinfo=UTC), True),
        (datetime(2026, 5, 14, 14, tzinfo=UTC), False),
    ):
        standing = snapshot(as_of=as_of).of(EURUSD)
        assert standing.forward(day(standing, "1M")) == pytest.approx(1.08 + mids["1M"], rel=1e-12)
        assert len(standing.foreign.times) == len(EURO_POINTS) - 1 + dated
    # Thanksgiving is Thursday 26 November 2026: on Wednesday the next day that settles is spot, Friday.
    holiday = snapshot(as_of=datetime(2026, 11, 25, 14, tzinfo=UTC)).of(EURUSD)
    assert holiday.dates.spot == date(2026, 11, 27)
    assert holiday.today == pytest.approx(1.08 - mids["ON"], rel=1e-12)
    over = snapshot(
        [dollars(), points("EUR", EURUSD, {"2026-05-15": (1, 1)})], [], datetime(2026, 6, 1, 14, tzinfo=UTC)
    )
    with pytest.raises(Refused, match="over"):
        over.of(EURUSD)


def test_of_quotes_that_fall_together_the_first_counts() -> None:
    """31 days and a month from 6 March are both 6 April, a holiday, so 7 April; as quotes of a rate likewise."""
    curve = points("EUR", EURUSD, {"31D": (19.0, 19.0), "1M": (25.0, 25.0), "1W": (4.0, 4.0)})
    standing = snapshot([dollars(), curve], []).of(EURUSD)
    assert standing.forward(date(2026, 4, 7)) == pytest.approx(1.0819, rel=1e-12)
    assert standing.forward(day(standing, "1W")) == pytest.approx(1.0804, rel=1e-12)
    quotes = [
        rates.RateQuote(instrument=DEPOSIT, tenor=t, rate=r) for t, r in (("1M", 0.05), ("31D", 0.04), ("1W", 0.03))
    ]
    usd = snapshot([market_pb2.Curve(currency="USD", rates=rates.RateQuotes(quotes=quotes))], []).curve("USD")
    assert len(usd.times) == 2


def test_pillars_can_be_monotone_cubic() -> None:
    """At its pillars a curve has the rates that were put, with either interpolation; between them they differ."""
    made = [
        market_pb2.Curve(currency="USD", time=[0.5, 1, 2], rate=[0.01, 0.03, 0.02], interpolation=i) for i in (0, 2)
    ]
    straight, cubic = (snapshot([each], []).curve("USD") for each in made)
    assert cubic.growth([0.5, 1, 2]) == pytest.approx([0.005, 0.03, 0.04], rel=1e-14)
    assert abs(float(cubic.growth(0.75) - straight.growth(0.75))) > 1e-5
