"""Surfaces from quotes by delta."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from google.type.date_pb2 import Date
from hypothesis import given, settings
from hypothesis import strategies as st

from crossrate.api.pricing.v1 import market_pb2, product_pb2
from crossrate.api.pricing.v1 import surface_quotes_pb2 as options
from crossrate.basics.option_quotes import option_quotes
from crossrate.basics.pair import Pair
from crossrate.kernel import strike, vanilla
from crossrate.kernel.strike import AtmConvention, DeltaConvention
from services.pricing.domain.market import Standing
from services.pricing.domain.refusal import Refused
from services.pricing.domain.smile import QuotedSmile
from tests.unit.pricing.desk import AS_OF, EURO_OPTIONS, EURUSD, USDJPY, YEN_OPTIONS, snapshot, surface

FIVE = EURO_OPTIONS[2:]


def market_of(standing: Standing, smile: QuotedSmile) -> tuple[float, float, float, float]:
    """Spot, time and both rates from spot to delivery, from discount factors."""
    near, far = standing.spot_time, standing.time(smile.points.delivery)
    domestic, foreign = (
        -np.log(curve.discount(far) / curve.discount(near)) / smile.time
        for curve in (standing.domestic, standing.foreign)
    )
    return standing.spot, smile.time, float(domestic), float(foreign)


def requoted(standing: Standing, smile: QuotedSmile) -> list[float]:
    """At the money, and risk reversal and market strangle at 25 and 10 delta, read off the surface alone."""
    spot, time, domestic, foreign = market_of(standing, smile)
    code = int(smile.points.delta_convention)

    def volatility(at: float) -> float:
        return float(standing.volatility(np.array([time]), np.array([at]))[0])

    def at_delta(delta: float) -> float:
        k = smile.points.forward
        for _ in range(200):
            k = float(strike.from_delta(int(delta > 0), code, spot, delta, time, volatility(k), domestic, foreign))
        return volatility(k)

    quotes = [volatility(float(smile.points.strikes[len(smile.points.strikes) // 2]))]
    for delta in (0.25, 0.1):
        quotes.append(at_delta(delta) - at_delta(-delta))

        def worth(quote: float, on_smile: bool, delta: float = delta) -> float:
            total, level = 0.0, quotes[0] + quote
            for call in (0, 1):
                k = float(strike.from_delta(call, code, spot, delta * (2 * call - 1), time, level, domestic, foreign))
                used = volatility(k) if on_smile else level
                total += float(vanilla.price(call, spot, k, time, used, domestic, foreign))
            return total

        low, high = -0.02, 0.1
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if worth(middle, False) < worth(middle, True) else (low, middle)
        quotes.append((low + high) / 2)
    return quotes


@pytest.mark.parametrize(("pair", "quoted"), [(EURUSD, FIVE), (USDJPY, YEN_OPTIONS)])
def test_quotes_are_found_again_on_the_surface(pair: Pair, quoted: tuple) -> None:
    """At the money, risk reversals and market strangles within 1e-10, through the surface that products see."""
    standing = snapshot(surfaces=[surface(pair, quoted)]).of(pair)
    for smile, row in zip(standing.surface.smiles, quoted, strict=True):
        assert requoted(standing, smile) == pytest.approx(row[1:], abs=1e-10), row[0]


def test_a_published_example() -> None:
    """Reiswich and Wystup (2010), EUR/USD one month: strikes to four decimals, from a market put as quotes.

    The paper counts 31 days for everything. Here they lie between the snapshot and the cut, and 33 between spot and
    delivery, over which the curves earn what the paper's rates earn in 31.
    """
    as_of = datetime(2026, 3, 9, 14, 0, tzinfo=UTC)
    made = surface(quoted=[("2026-04-09", 0.216215, -0.005, 0.007375)])
    curves = [
        market_pb2.Curve(currency=code, time=[1.0], rate=[rate * 31 / 33])
        for code, rate in (("USD", 0.003525), ("EUR", 0.020113))
    ]
    standing = snapshot(curves, [made], as_of, EURUSD=1.3088).of(EURUSD)
    (smile,) = standing.surface.smiles
    assert smile.time == pytest.approx(31 / 365, rel=1e-12)
    assert (smile.points.delivery - standing.dates.spot).days == 33
    assert np.round(smile.points.strikes, 4).tolist() == [1.2530, 1.3096, 1.3677]


def test_deltas_are_those_of_the_conventions() -> None:
    """Wings have their delta at their volatility: of spot to a year, of the forward beyond; the yen's adjusted."""
    for pair, short in ((EURUSD, DeltaConvention.SPOT), (USDJPY, DeltaConvention.SPOT_PREMIUM_ADJUSTED)):
        standing = snapshot().of(pair)
        for smile in standing.surface.smiles:
            points, (spot, time, domestic, foreign) = smile.points, market_of(standing, smile)
            beyond = time > 1.5
            assert points.delta_convention == (DeltaConvention(short + 1) if beyond else short)
            for delta, k, v in zip(points.deltas, points.strikes, points.volatilities, strict=True):
                if delta:
                    code = int(points.delta_convention)
                    found = strike.delta(int(delta > 0), code, spot, float(k), time, float(v), domestic, foreign)
                    assert float(found) == pytest.approx(delta, rel=1e-11)
            middle = len(points.strikes) // 2
            sign = -0.5 if short == DeltaConvention.SPOT_PREMIUM_ADJUSTED else 0.5
            neutral = points.forward * np.exp(sign * points.atm**2 * time)
            assert points.strikes[middle] == pytest.approx(neutral, rel=1e-13)


def test_quotes_move_with_spot() -> None:
    """Sticky delta: with another spot rate the strikes move along and the volatilities of deltas stay."""
    # With flat rates the forward moves in proportion.
    curves = [market_pb2.Curve(currency=c, time=[1.0], rate=[r]) for c, r in (("USD", 0.04), ("EUR", 0.02))]
    one, other = (snapshot(curves, [surface()], EURUSD=s).of(EURUSD).surface for s in (1.0, 1.2))
    for a, b in zip(one.smiles, other.smiles, strict=True):
        assert b.points.strikes == pytest.approx(1.2 * a.points.strikes, rel=1e-12)
        assert b.points.volatilities == pytest.approx(a.points.volatilities, abs=1e-13)


def test_conventions_change_what_a_quote_means() -> None:
    """The sign of a risk reversal, a smile strangle, the forward at the money, a given delta: each by its meaning."""
    quoted = (FIVE[2],)

    def smile(**conventions: object) -> QuotedSmile:
        made = surface(quoted=quoted, conventions=options.DeltaConventions(**conventions))
        return snapshot(surfaces=[made]).of(EURUSD).surface.smiles[0]

    plain, turned = smile(), smile(risk_reversal_sign=options.RISK_REVERSAL_SIGN_PUT_MINUS_CALL)
    skew = [s.points.volatilities[3] - s.points.volatilities[1] for s in (plain, turned)]
    assert skew == pytest.approx([quoted[0][2], -quoted[0][2]], abs=1e-14)
    wide = smile(butterfly_type=options.BUTTERFLY_TYPE_SMILE_STRANGLE).points.volatilities
    assert (wide[0] + wide[4]) / 2 - wide[2] == pytest.approx(quoted[0][5], abs=1e-14)
    at_forward = smile(atm_type=options.ATM_TYPE_FORWARD).points
    assert at_forward.strikes[2] == pytest.approx(at_forward.forward, rel=1e-14)
    adjusted = smile(delta_type=options.DELTA_TYPE_FORWARD_PREMIUM_ADJUSTED).points
    assert adjusted.delta_convention is DeltaConvention.FORWARD_PREMIUM_ADJUSTED
    early = smile(switch_tenor="3M").points
    assert early.delta_convention is DeltaConvention.FORWARD


@pytest.mark.parametrize("interpolation", [options.SMILE_INTERPOLATION_VANNA_VOLGA, options.SMILE_INTERPOLATION_SABR])
def test_other_curves_run_near_the_points(interpolation: int) -> None:
    """Vanna-volga goes through three points exactly; both miss 10 delta by less than the tolerance, or are refused."""
    standing = snapshot(surfaces=[surface(interpolation=interpolation)]).of(EURUSD)
    for smile in standing.surface.smiles:
        points = smile.points
        found = standing.volatility(np.full(len(points.strikes), smile.time), points.strikes)
        assert np.abs(found - points.volatilities).max() == pytest.approx(smile.fit_error, abs=1e-14)
        assert smile.fit_error < 1e-3
        if interpolation == options.SMILE_INTERPOLATION_VANNA_VOLGA and len(points.strikes) > 1:
            middle = len(points.strikes) // 2
            inner = slice(middle - 1, middle + 2)
            assert found[inner] == pytest.approx(points.volatilities[inner], rel=1e-13)
        beyond = standing.volatility(np.full(2, smile.time), np.array([points.forward / 3, points.forward * 3]))
        assert (beyond > 0).all()
    tight = surface(interpolation=interpolation, fit_tolerance=1e-6)
    with pytest.raises(Refused, match="fit_tolerance") as caught:
        _ = snapshot(surfaces=[tight]).of(EURUSD).surface
    assert caught.value.field.startswith("surfaces[0].quotes.quotes[")


def test_variance_runs_along_business_time() -> None:
    """From Friday's to Monday's cut a clock without weekends gives the variance of one day, calendar time of three."""
    friday, monday = date(2026, 3, 6), date(2026, 3, 9)
    quoted = ((str(friday), 0.10), (str(date(2026, 3, 11)), 0.10))
    clock = options.BusinessClock(weekend_weight=0.0, holiday_weight=0.0)
    cut = datetime(2026, 3, 6, 15, 0, tzinfo=UTC)

    def variances(**other: object) -> np.ndarray:
        standing = snapshot(surfaces=[surface(quoted=quoted, **other)]).of(EURUSD)
        # 9 March is after New York's change to summer time: its cut is at 14:00 UTC.
        moments = [
            cut,
            cut + timedelta(hours=9),
            cut + timedelta(days=2, hours=9),
            datetime(2026, 3, 9, 14, tzinfo=UTC),
        ]
        time = np.array([standing.time_to(each) for each in moments])
        return standing.volatility(time, standing.forwards(time)) ** 2 * time

    assert monday.weekday() == 0
    plain, business = variances(), variances(clock=clock)
    assert business[0] == pytest.approx(plain[0], rel=1e-12)
    # Midnight to midnight over the weekend: nothing passes.
    assert business[2] == pytest.approx(business[1], rel=1e-12)
    assert plain[2] - plain[1] > 0.3 * plain[1]
    busy = options.BusinessClock(
        weekend_weight=0.0, days=[options.DayWeight(date=Date(year=2026, month=3, day=9), weight=3)]
    )
    assert variances(clock=busy)[3] - variances(clock=busy)[2] > business[3] - business[2]


def test_before_the_first_expiry_a_clock_runs_too() -> None:
    """Half of the business time to the first expiry has half of its variance; without a clock volatility stays."""
    quoted = (("2026-03-06", 0.10), ("1M", 0.08))
    clock = options.BusinessClock(weekend_weight=0.5, holiday_weight=0.5)
    standing = snapshot(surfaces=[surface(quoted=quoted, clock=clock)]).of(EURUSD)
    first = standing.surface.smiles[0].time
    half = np.array([first / 2])
    assert standing.volatility(half, standing.forwards(half)) == pytest.approx([0.1], rel=1e-12)


def test_expiries_that_are_over_are_left_out() -> None:
    """A market of dates that is used later has fewer expiries; when all are over it says so."""
    quoted = (("2026-03-06", 0.10), ("2026-04-08", 0.08), ("1Y", 0.08))
    made = [surface(quoted=quoted)]
    assert len(snapshot(surfaces=made).of(EURUSD).surface.smiles) == 3
    later = snapshot(surfaces=made, as_of=datetime(2026, 3, 10, 14, tzinfo=UTC)).of(EURUSD)
    assert [s.points.field for s in later.surface.smiles] == [f"surfaces[0].quotes.quotes[{i}]" for i in (1, 2)]
    last = snapshot(surfaces=[surface(quoted=quoted[:1])], as_of=datetime(2026, 3, 6, 14, 30, tzinfo=UTC)).of(EURUSD)
    with pytest.raises(Refused, match="past"):
        _ = last.surface


@pytest.mark.parametrize(
    ("quoted", "field"),
    [
        ((("1M", 0.08), ("1W", 0.08)), "quotes[1].expiry"),
        ((("1M", 0.08), ("1M", 0.08)), "quotes[1].expiry"),
        ((("2026-03-03", 0.08), ("1M", 0.08)), "quotes[0].expiry"),
        ((("2026-03-07", 0.08),), "quotes[0].expiry"),
        ((("1W", 0.08), ("2026-02-31", 0.08)), "quotes[1].expiry"),
        ((("0000-01-01", 0.08),), "quotes[0].expiry"),
        ((("1M", 0.08, 0.3, 0.001),), "quotes[0]"),
        ((("1W", 0.08), ("1M", 0.08, 0.0, -0.2)), "quotes[1]"),
        ((("1Y", 0.10, 0.0, 0.0005, 0.0, -0.045),), "quotes[0]"),
    ],
)
def test_quotes_that_cannot_be_are_refused_by_path(quoted: tuple, field: str) -> None:
    """Not ascending, twice, a Saturday, no day at all, a wing below zero, and one that leads to no volatility."""
    with pytest.raises(Refused) as caught:
        _ = snapshot(surfaces=[surface(quoted=quoted)], strict=True).of(EURUSD).surface
    assert caught.value.field == f"surfaces[0].quotes.{field}"


def test_a_market_gives_a_surface_on_every_day() -> None:
    """Put once, with overnight, dated and tenor quotes, it calibrates on each weekday of a year, at any spot rate."""
    quoted = sorted([*EURO_OPTIONS, ("2026-08-14", 0.0735, -0.0025, 0.0022)], key=lambda row: row[0] != "ON")
    made = [surface(quoted=quoted, clock=options.BusinessClock(weekend_weight=0.2, holiday_weight=0.2))]
    for days in range(365):
        as_of = datetime(2026, 3, 4, 14, tzinfo=UTC) + timedelta(days=days)
        if as_of.weekday() > 4:
            continue
        standing = snapshot(surfaces=made, as_of=as_of, EURUSD=1.0 + days / 2000).of(EURUSD)
        times = [smile.time for smile in standing.surface.smiles]
        assert times == sorted(times)
        assert len(times) in (7, 8)
        if as_of.weekday() == 4:
            assert standing.surface.smiles[0].points.expiry.weekday() == 0


def test_cuts_are_those_of_the_quotes() -> None:
    """Tokyo's cut is 15:00 there, ten in the morning New York's."""
    made = surface(quoted=(("1M", 0.08),))
    made.quotes.quotes[0].cut = product_pb2.EXPIRY_CUT_TOKYO
    one, other = (
        snapshot(surfaces=[each]).of(EURUSD).surface.smiles[0].time for each in (made, surface(quoted=(("1M", 0.08),)))
    )
    assert (other - one) * 365 * 24 == pytest.approx(8.0)
    assert AS_OF.tzinfo is UTC


@settings(max_examples=60, deadline=None)
@given(
    st.floats(0.04, 0.25),
    st.floats(-0.15, 0.15),
    st.floats(0.005, 0.04),
    st.sampled_from(list(DeltaConvention)),
    st.sampled_from(list(AtmConvention)[:2]),
    st.sampled_from(["1W", "3M", "1Y", "2Y"]),
)
def test_points_carry_the_quotes_in_every_convention(
    level: float, skew: float, convexity: float, delta: DeltaConvention, atm: AtmConvention, expiry: str
) -> None:
    """Risk reversals and, as smile strangles, butterflies are read off the points; the surface goes through them."""
    row = (expiry, level, level * skew, level * convexity, level * skew * 1.85, level * convexity * 3.4)
    conventions = options.DeltaConventions(
        delta_type=int(delta) + 1,
        long_delta_type=int(delta) + 1,
        atm_type=int(atm) + 1,
        butterfly_type=options.BUTTERFLY_TYPE_SMILE_STRANGLE,
    )
    standing = snapshot(surfaces=[surface(quoted=(row,), conventions=conventions)]).of(EURUSD)
    points = standing.surface.smiles[0].points
    v = points.volatilities
    found = [v[2], v[3] - v[1], (v[3] + v[1]) / 2 - v[2], v[4] - v[0], (v[4] + v[0]) / 2 - v[2]]
    assert found == pytest.approx(row[1:], abs=1e-12)
    again = standing.volatility(np.full(5, points.time), points.strikes)
    assert again == pytest.approx(v, rel=1e-12)
    assert points.delta_convention is delta


@pytest.mark.parametrize(
    ("name", "premium", "adjusted", "spot"),
    [
        ("EUR/USD", "USD", False, True),
        ("USD/JPY", "USD", True, True),
        ("EUR/JPY", "EUR", True, True),
        ("USD/CHF", "USD", True, True),
        ("EUR/CHF", "EUR", True, True),
        ("GBP/USD", "USD", False, True),
        ("EUR/GBP", "EUR", True, True),
        ("USD/MXN", "USD", True, False),
    ],
)
def test_the_market_standard_of_pairs(name: str, premium: str, adjusted: bool, spot: bool) -> None:
    """The seven rows of Reiswich's table (2010), and a pair with an emerging market's currency."""
    found = option_quotes(Pair(*name.split("/")))
    assert (found.premium_currency, found.premium_adjusted, found.spot_delta) == (premium, adjusted, spot)
