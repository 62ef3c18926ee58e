"""Exotic options for the tests: terms in short, and what they are worth in a market."""

from __future__ import annotations

from services.pricing.domain import exotic
from services.pricing.domain.exotic import American, Asian, Barrier, Digital, Exotic, Terms, Touch
from services.pricing.domain.exotic_columns import ask
from services.pricing.domain.exotic_valuation import value_exotic
from services.pricing.domain.market import Snapshot, Standing
from services.pricing.domain.product import Cut, Option, option
from services.pricing.domain.valuation import Priced
from tests.unit.pricing.worlds import EURUSD, snapshot

STANDING = snapshot().of(EURUSD)


def terms(expiry: str = "6M", notional: float = 1.0) -> Terms:
    """Terms of one unit, to the New York cut."""
    return Terms(expiry, Cut.NEW_YORK, notional, "product.it")


def digital(call: bool, strike: float, currency: str = "USD", at: Standing = STANDING, **of: object) -> Digital:
    """A digital."""
    return exotic.digital(terms(**of), at, call=call, strike=strike, payout_currency=currency)


def barrier(
    call: bool,
    strike: float,
    lower: float | None,
    upper: float | None,
    *,
    knocks_in: bool = False,
    rebate: float = 0.0,
    at: Standing = STANDING,
    **of: object,
) -> Barrier:
    """A barrier option."""
    levels = {"lower": lower, "upper": upper, "rebate": rebate}
    return exotic.barrier(terms(**of), at, call=call, strike=strike, knocks_in=knocks_in, **levels)


def touch(
    touched: bool,
    lower: float | None,
    upper: float | None,
    *,
    at_hit: bool = False,
    currency: str = "USD",
    at: Standing = STANDING,
    **of: object,
) -> Touch:
    """A touch option."""
    sides = {"lower": lower, "upper": upper, "payout_currency": currency}
    return exotic.touch(terms(**of), at, touched=touched, at_hit=at_hit, **sides)


def asian(
    call: bool,
    strike: float,
    next_fixing: str = "1M",
    fixings: int = 20,
    past: list[float] | None = None,
    at: Standing = STANDING,
    **of: object,
) -> Asian:
    """An average rate option."""
    schedule = {"next_fixing": next_fixing, "fixings": fixings, "past": past or []}
    return exotic.asian(terms(**of), at, call=call, strike=strike, **schedule)


def american(call: bool, strike: float, at: Standing = STANDING, **of: object) -> American:
    """An American option."""
    return exotic.american(terms(**of), at, call=call, strike=strike)


def vanilla(call: bool, strike: float, at: Standing = STANDING, expiry: str = "6M") -> Option:
    """The European option of the same dates."""
    rest = {"notional": 1.0, "expiry": expiry, "cut": Cut.NEW_YORK, "field": "expiry"}
    return option(at.dates, at.as_of, call=call, strike=strike, **rest)


def priced(leg: Exotic, market: Snapshot) -> Priced:
    """An option on EUR/USD with its worth in a market."""
    standing = market.of(EURUSD)
    asked = ask(leg, standing)
    return value_exotic(asked, asked.formula(*asked.columns), standing)
