"""How interest of a currency is quoted: its overnight index swaps and deposits.

Source: the conventions of overnight index swaps as rateslib keeps them (`python/rateslib/data/__instrument_spec.csv`,
rows `usd_irs` to `aud_irs`) and, for the dollar, the euro, sterling and the yen, OpenGamma Strata
(`StandardFixedOvernightSwapConventions`), which names M. Henrard's "Interest Rate Instruments and Market Conventions
Guide". Both were read in November 2026. They agree on day counts, spot lags and coupons; on the yen's lag of payment
Strata has none and rateslib two days, which is today's market and is what stands here.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from crossrate.basics.calendar import Calendar, next_good
from crossrate.basics.calendars import calendar_of
from crossrate.basics.holidays import ONE_DAY
from crossrate.basics.instrument import dollar_lag_days
from crossrate.basics.pair import DOLLAR
from crossrate.basics.tenor import Tenor, Unit, month_end, plus_months


class DayCount(enum.Enum):
    """Days of a year in which actual days are counted."""

    ACT_360 = 360
    ACT_365_FIXED = 365

    def fraction(self, start: date, end: date) -> float:
        """The fraction of a year from one day to another (ISDA 2006, section 4.16, d and e)."""
        return (end - start).days / self.value


@dataclass(frozen=True, slots=True)
class MoneyMarket:
    """Conventions of a currency's overnight index swaps; deposits share their day count and spot lag.

    Coupons are paid `payment_lag_days` settlement days after their period. Up to a year there is one; beyond there is
    one every `coupon_months`, with a short first one where the tenor is no multiple.
    """

    day_count: DayCount
    spot_lag_days: int
    payment_lag_days: int
    coupon_months: int = 12


_360, _365 = DayCount.ACT_360, DayCount.ACT_365_FIXED

MONEY_MARKETS: Mapping[str, MoneyMarket] = {
    "USD": MoneyMarket(_360, 2, 2),
    "EUR": MoneyMarket(_360, 2, 1),
    "GBP": MoneyMarket(_365, 0, 0),
    "JPY": MoneyMarket(_365, 2, 2),
    "CHF": MoneyMarket(_360, 2, 2),
    "CAD": MoneyMarket(_365, 1, 1, 6),
    "AUD": MoneyMarket(_365, 1, 2),
    "NZD": MoneyMarket(_365, 2, 2),
    "SEK": MoneyMarket(_360, 2, 1),
    "NOK": MoneyMarket(_365, 2, 2),
}
"""By currency. The others' are not known here: they are never guessed."""


@dataclass(frozen=True, slots=True)
class Period:
    """One interest period and the day on which it is paid."""

    begin: date
    end: date
    payment: date


@dataclass(frozen=True, slots=True)
class MoneyMarketDates:
    """The dates of one currency's deposits and swaps that are dealt on a trade date, on its own calendar alone."""

    currency: str
    trade_date: date

    @property
    def spot(self) -> date:
        """The day on which they begin.

        Raises:
            OutsideCalendar: it is not known whether the currency settles then.
        """
        convention = MONEY_MARKETS.get(self.currency)
        if convention is not None:
            lag = convention.spot_lag_days
        else:
            lag = dollar_lag_days(self.currency if self.currency != DOLLAR else "EUR")
        return self._calendar.plus(self.trade_date, lag) if lag else next_good(self.trade_date, (self._calendar,))

    def deposit(self, tenor: Tenor) -> Period:
        """The period of a deposit: ON from the trade date, TN from the day after, SN and all others from spot.

        Raises:
            ValueError: TN of a currency whose spot is not after tomorrow, or the tenor is SP.
            OutsideCalendar: it needs a day that the calendar does not know.
        """
        tomorrow = self._following(self.trade_date + ONE_DAY)
        if tenor.unit is Unit.OVERNIGHT:
            return _paid(self.trade_date, tomorrow)
        if tenor.unit is Unit.TOMORROW_NEXT:
            if tomorrow >= self.spot:
                raise ValueError(f"{self.currency} has no TN on {self.trade_date}: spot is {self.spot}")
            return _paid(tomorrow, self.spot)
        if tenor.unit is Unit.SPOT_NEXT:
            return _paid(self.spot, self._following(self.spot + ONE_DAY))
        return _paid(self.spot, self.maturity(tenor))

    def maturity(self, tenor: Tenor) -> date:
        """When what begins at spot ends: days and weeks following, months modified following and end to end.

        Raises:
            ValueError: the tenor is a place in the calendar, not a span.
            OutsideCalendar: it needs a day that the calendar does not know.
        """
        if tenor.unit is Unit.MONTHS:
            return self._months(tenor.count)
        if tenor.unit in (Unit.DAYS, Unit.WEEKS):
            return self._following(self.spot + timedelta(days=tenor.count * (7 if tenor.unit is Unit.WEEKS else 1)))
        raise ValueError(f"{tenor.text} is no span of days, weeks, months or years")

    def swap(self, tenor: Tenor) -> list[Period]:
        """The coupons of an overnight index swap.

        Raises:
            KeyError: the currency's conventions are not known.
            ValueError: the tenor is a place in the calendar, not a span.
            OutsideCalendar: it needs a day that the calendar does not know.
        """
        convention = MONEY_MARKETS[self.currency]
        end = self.maturity(tenor)
        ends = [end]
        if tenor.unit is Unit.MONTHS and tenor.count > 12:
            months = range(tenor.count - convention.coupon_months, 0, -convention.coupon_months)
            ends = [*reversed([self._months(each) for each in months]), end]
        begins = [self.spot, *ends[:-1]]
        lag = convention.payment_lag_days
        return [Period(b, e, self._calendar.plus(e, lag)) for b, e in zip(begins, ends, strict=True)]

    @property
    def _calendar(self) -> Calendar:
        return calendar_of(self.currency)

    def _following(self, day: date) -> date:
        return next_good(day, (self._calendar,))

    def _last_of_month(self, day: date) -> date:
        return next_good(month_end(day), (self._calendar,), step_days=-1)

    def _months(self, months: int) -> date:
        target = plus_months(self.spot, months)
        if self.spot == self._last_of_month(self.spot):
            return self._last_of_month(target)
        rolled = self._following(target)
        return rolled if rolled.month == target.month else self._last_of_month(target)


def _paid(begin: date, end: date) -> Period:
    return Period(begin, end, end)
