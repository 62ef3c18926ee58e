"""Currencies, pairs, tenors and the conventions of instruments."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from crossrate.basics.currency import CURRENCIES
from crossrate.basics.instrument import CONVENTIONS, convention_of
from crossrate.basics.pair import Pair, pair_of, parse_pair
from crossrate.basics.tenor import Unit, parse_tenor, plus_months


@pytest.mark.parametrize(
    ("name", "pip", "places", "lag", "direct", "deliverable"),
    [
        ("EUR/USD", "0.0001", 5, 2, True, True),
        ("USD/JPY", "0.01", 3, 2, True, True),
        ("GBP/JPY", "0.01", 3, 2, True, True),
        ("USD/CAD", "0.0001", 5, 1, True, True),
        ("GBP/CAD", "0.0001", 5, 2, True, True),
        ("CAD/TRY", "0.001", 4, 1, False, True),
        ("USD/TRY", "0.0001", 5, 1, True, True),
        ("USD/PHP", "0.001", 4, 1, True, False),
        ("USD/INR", "0.0001", 5, 2, True, False),
        ("USD/IDR", "1", 1, 2, True, False),
        ("EUR/HUF", "0.01", 3, 2, True, True),
        ("EUR/CZK", "0.001", 4, 2, True, True),
        ("USD/CNY", "0.0001", 5, 2, True, False),
        ("CZK/HUF", "0.001", 4, 2, False, True),
        ("HUF/JPY", "0.0001", 5, 2, False, True),
    ],
)
def test_conventions(name: str, pip: str, places: int, lag: int, direct: bool, deliverable: bool) -> None:
    """A pair has the market's pip, places, spot lag and settlement."""
    convention = CONVENTIONS[parse_pair(name)]
    assert convention.pip == pip
    assert convention.price_places == places
    assert convention.spot_lag_days == lag
    assert convention.direct is direct
    assert convention.deliverable is deliverable
    assert convention.last_trade_date is None


def test_every_two_living_currencies_are_an_instrument_once() -> None:
    """31 living currencies make 465 pairs, each in the market's order, none twice."""
    living = [c for c in CURRENCIES.values() if c.alive]
    assert len(living) == 31
    assert sum(c.last_trade_date is None for c in CONVENTIONS.values()) == 31 * 30 // 2
    assert not {pair.inverse for pair in CONVENTIONS} & set(CONVENTIONS)
    assert [str(p) for p in CONVENTIONS] == sorted(str(p) for p in CONVENTIONS)


def test_a_pair_ends_with_the_first_of_its_currencies() -> None:
    """A pair of a currency that is no more keeps its conventions and has a last trade date."""
    assert convention_of("EUR", "CYP").last_trade_date == date(2007, 12, 31)
    assert convention_of("CYP", "TRL").last_trade_date == date(2004, 12, 31)
    assert Pair("RON", "ROL") not in CONVENTIONS
    assert Pair("TRY", "TRL") not in CONVENTIONS
    assert Pair("RON", "TRL") not in CONVENTIONS


def test_quantities_and_pips_are_positive_decimals() -> None:
    """Every pip is a power of ten and every smallest quantity a multiple of its step."""
    for convention in CONVENTIONS.values():
        assert Decimal(convention.pip) == Decimal(10) ** -convention.pip_places
        assert convention.min_quantity % convention.quantity_step == 0
        assert convention.quantity_step >= 1


@pytest.mark.parametrize(
    ("one", "other", "name"),
    [
        ("USD", "EUR", "EUR/USD"),
        ("USD", "GBP", "GBP/USD"),
        ("NZD", "AUD", "AUD/NZD"),
        ("CHF", "CAD", "CAD/CHF"),
        ("JPY", "CHF", "CHF/JPY"),
        ("SEK", "NOK", "NOK/SEK"),
        ("KRW", "JPY", "JPY/KRW"),
    ],
)
def test_the_markets_order(one: str, other: str, name: str) -> None:
    """Two currencies have one name as a pair, whichever is said first."""
    assert str(pair_of(one, other)) == str(pair_of(other, one)) == name


@pytest.mark.parametrize("text", ["EURUSD", "EUR/XXX", "EUR/EUR", "eur/usd", "", "/"])
def test_what_is_no_pair(text: str) -> None:
    """Anything but two of our currencies with a slash between is refused."""
    with pytest.raises(ValueError, match="no pair"):
        parse_pair(text)


def test_tenors() -> None:
    """Years are twelve months each; nonsense is refused."""
    assert parse_tenor("2Y").count == 24
    assert parse_tenor("2Y").unit is Unit.MONTHS
    assert parse_tenor("ON").unit is Unit.OVERNIGHT
    for text in ("0M", "100D", "1w", "SPOT", "M", ""):
        with pytest.raises(ValueError, match="no tenor"):
            parse_tenor(text)


def test_adding_months_keeps_the_day_or_the_months_end() -> None:
    """31 January plus one month is the last of February."""
    assert plus_months(date(2024, 1, 31), 1) == date(2024, 2, 29)
    assert plus_months(date(2026, 11, 30), 3) == date(2027, 2, 28)
    assert plus_months(date(2026, 11, 15), 14) == date(2028, 1, 15)
