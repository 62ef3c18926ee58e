"""Terms as legs with dates, by the market's conventions."""

from __future__ import annotations

from datetime import date

import pytest

from services.pricing.domain import product
from services.pricing.domain.product import Cut, Kind
from services.pricing.domain.refusal import Refused
from tests.unit.pricing.worlds import AS_OF, EURUSD, USDCNY, snapshot

DATES = snapshot().of(EURUSD).dates


def option(expiry: str, cut: Cut = Cut.NEW_YORK) -> product.Option:
    """A call of that expiry."""
    return product.option(DATES, AS_OF, call=True, strike=1.1, notional=1e6, expiry=expiry, cut=cut, field="expiry")


@pytest.mark.parametrize(
    ("text", "expiry", "delivery"),
    [
        ("ON", "2026-03-05", "2026-03-09"),
        ("2D", "2026-03-06", "2026-03-10"),
        ("1W", "2026-03-11", "2026-03-13"),
        ("1M", "2026-04-01", "2026-04-07"),
        ("1Y", "2027-03-04", "2027-03-08"),
        ("2026-06-17", "2026-06-17", "2026-06-22"),
    ],
)
def test_expiries(text: str, expiry: str, delivery: str) -> None:
    """Weeks and months count to the delivery date, days from the trade date; holidays move the delivery: Easter (3 and
    6 April 2026), and Juneteenth, on which a dollar pair does not settle."""
    made = option(text)
    assert (made.expiry.isoformat(), made.value_date.isoformat()) == (expiry, delivery)


def test_cuts_follow_daylight_saving() -> None:
    """10:00 in New York is 15:00 UTC in winter and 14:00 in summer; 15:00 in Tokyo is 06:00 UTC all year."""
    assert Cut.NEW_YORK.on(date(2026, 3, 5)).hour == 15
    assert Cut.NEW_YORK.on(date(2026, 6, 5)).hour == 14
    assert Cut.TOKYO.on(date(2026, 6, 5)).hour == 6


@pytest.mark.parametrize("text", ["2026-03-07", "2026-03-03", "4D", "2026-02-30", "SP", "TN"])
def test_expiries_that_are_none(text: str) -> None:
    """A Saturday, a past day, four days that end on a Sunday, no day at all, and tenors of exchanges."""
    with pytest.raises(Refused) as caught:
        option(text)
    assert caught.value.field == "expiry"


def test_an_option_of_today_is_refused_after_its_cut() -> None:
    """At 14:00 UTC the New York cut of the day is an hour away and the Tokyo cut is past."""
    assert option("2026-03-04").expires > AS_OF
    with pytest.raises(Refused, match="is past"):
        option("2026-03-04", Cut.TOKYO)


def strategy(kind: Kind, *strikes: float) -> list[product.Option]:
    """A strategy of two million."""
    return product.strategy(
        DATES, AS_OF, kind=kind, strikes=list(strikes), notional=2e6, expiry="1M", cut=Cut.NEW_YORK, field="s"
    )


@pytest.mark.parametrize(
    ("kind", "strikes", "legs"),
    [
        (Kind.STRADDLE, (1.1,), [("put 1.1", 2e6), ("call 1.1", 2e6)]),
        (Kind.STRANGLE, (1.0, 1.2), [("put 1", 2e6), ("call 1.2", 2e6)]),
        (Kind.RISK_REVERSAL, (1.0, 1.2), [("put 1", -2e6), ("call 1.2", 2e6)]),
        (
            Kind.BUTTERFLY,
            (1.0, 1.1, 1.2),
            [("put 1", 2e6), ("put 1.1", -2e6), ("call 1.1", -2e6), ("call 1.2", 2e6)],
        ),
        (Kind.CALL_SPREAD, (1.0, 1.2), [("call 1", 2e6), ("call 1.2", -2e6)]),
        (Kind.PUT_SPREAD, (1.0, 1.2), [("put 1", -2e6), ("put 1.2", 2e6)]),
    ],
)
def test_strategies(kind: Kind, strikes: tuple[float, ...], legs: list[tuple[str, float]]) -> None:
    """Each has the legs that its name means on a dealing desk."""
    assert [(leg.name, leg.notional) for leg in strategy(kind, *strikes)] == legs


def test_strategies_that_are_none() -> None:
    """The number of strikes goes with the kind, and they ascend."""
    with pytest.raises(Refused, match="a butterfly has 3, not 2"):
        strategy(Kind.BUTTERFLY, 1.0, 1.2)
    with pytest.raises(Refused, match=r"s\.strikes\[1\]: is 1\.0, not above 1\.2"):
        strategy(Kind.STRANGLE, 1.2, 1.0)


def test_a_currency_that_is_not_delivered_has_no_forward() -> None:
    """USD/CNY is dealt as an NDF, which fixes two good days before it settles."""
    dates = snapshot().of(USDCNY).dates
    with pytest.raises(Refused, match="price it as an NDF"):
        product.exchange(dates, "1M", 1e6, None, "value_date")
    made = product.exchange(dates, "1M", 1e6, None, "value_date", deliverable=False)
    assert (made.value_date.isoformat(), made.fixing and made.fixing.isoformat()) == ("2026-04-07", "2026-04-02")


def test_a_swap_goes_forward() -> None:
    """The far date is after the near one."""
    near = product.exchange(DATES, "1M", -1e6, None, "near", name="near")
    with pytest.raises(Refused, match="is not after the near date"):
        product.swap(near, product.exchange(DATES, "1W", 1e6, None, "far", name="far"), "far_date")


def test_a_date_that_does_not_settle_is_refused() -> None:
    """The words name the holiday and the next good date."""
    with pytest.raises(Refused, match="2026-04-03 is no value date of EUR/USD: Good Friday"):
        product.exchange(DATES, "2026-04-03", 1e6, None, "value_date")
