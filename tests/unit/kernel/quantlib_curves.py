"""QuantLib's curve bootstraps, and the same instruments as the kernel has them."""

from __future__ import annotations

from typing import Any

import numpy as np
import QuantLib as ql

from crossrate.kernel.bootstrap import Instrument, deposit, overnight_index_swap

DAYS = ql.Actual365Fixed()


def years(today: ql.Date, date: ql.Date) -> float:
    """Times as QuantLib's curves count them here."""
    return float(DAYS.yearFraction(today, date))


def deposits(
    today: ql.Date, calendar: ql.Calendar, count: ql.DayCounter, quotes: list[tuple[int, str, float]]
) -> tuple[list[Any], list[Instrument]]:
    """Helpers and instruments of deposits: (days to the start, tenor, rate)."""
    helpers, instruments = [], []
    for days, tenor, rate in quotes:
        quote = ql.QuoteHandle(ql.SimpleQuote(rate))
        rule = ql.ModifiedFollowing
        helpers.append(ql.DepositRateHelper(quote, ql.Period(tenor), days, calendar, rule, False, count))
        start = calendar.advance(today, days, ql.Days)
        end = calendar.advance(start, ql.Period(tenor), rule, False)
        instruments.append(deposit(years(today, start), years(today, end), count.yearFraction(start, end)))
    return helpers, instruments


def overnight_swaps(
    today: ql.Date, index: ql.OvernightIndex, days: int, lag: int, frequency: int, quotes: list[tuple[str, float]]
) -> tuple[list[Any], list[Instrument]]:
    """Helpers and instruments of overnight index swaps: (tenor, rate). Dates are those of QuantLib's own legs."""
    helpers, instruments = [], []
    for tenor, rate in quotes:
        quote = ql.QuoteHandle(ql.SimpleQuote(rate))
        free = ql.YieldTermStructureHandle()
        helper = ql.OISRateHelper(days, ql.Period(tenor), quote, index, free, False, lag, ql.Following, frequency)
        coupons = [ql.as_fixed_rate_coupon(each) for each in helper.swap().fixedLeg()]
        ends = np.array([years(today, each.accrualEndDate()) for each in coupons])
        paid = np.array([years(today, each.date()) for each in coupons])
        accruals = np.array([each.accrualPeriod() for each in coupons])
        start = years(today, coupons[0].accrualStartDate())
        instruments.append(overnight_index_swap(start, ends, accruals, paid))
        helpers.append(helper)
    return helpers, instruments
