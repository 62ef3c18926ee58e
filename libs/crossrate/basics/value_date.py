"""Value dates: when a trade settles.

Spot, as London FX ("Value dates", londonfx.co.uk/valdates.html) and ObjectLab Kit's currency calculator state the
market's rule:

1. Against the dollar a currency counts its own business days from the trade date: two, or one in the T+1 pairs.
2. A US holiday on the day between does not delay spot. Against ARS, CLP and MXN it does (`DOLLAR_COUNTS_FULLY`): there
   the dollar counts its business days too.
3. A cross takes the later spot of its two dollar pairs.
4. From there, spot is the first day on which both currencies settle, and the dollar, also in a cross that pays none.

Forwards run from spot. Weeks and days roll forward; months roll forward unless that leaves the month, then backward
(modified following); from a spot on the last business day of its month they go to the last of the target month (end to
end). Every forward date is good for both currencies and the dollar.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from crossrate.basics.calendar import Calendar, OutsideCalendar, is_good, next_good
from crossrate.basics.calendars import calendar_of
from crossrate.basics.holidays import ONE_DAY, SAT
from crossrate.basics.instrument import dollar_lag_days
from crossrate.basics.pair import DOLLAR, Pair
from crossrate.basics.tenor import STANDARD, Tenor, Unit, month_end, plus_months

DOLLAR_COUNTS_FULLY = frozenset({"ARS", "CLP", "MXN"})


class NotDealt(ValueError):
    """A tenor or date that has no market for this pair and trade date; the message says why and what is next."""


@dataclass(frozen=True, slots=True)
class ValueDate:
    """A tenor's dates: where the swap begins (`near`) and settles (`far`). Days count from spot, negative before it."""

    tenor: str
    near: date
    far: date
    days_from_spot: int


@dataclass(frozen=True, slots=True)
class ValueDates:
    """All value dates of one pair on one trade date, by tenor or by date."""

    pair: Pair
    trade_date: date
    spot: date
    calendars: tuple[Calendar, ...]

    @classmethod
    def of(cls, pair: Pair, trade_date: date) -> ValueDates:
        """The value dates of trades done on a trade date, which may be a holiday but no weekend.

        Raises:
            ValueError: the trade date is a Saturday or Sunday.
            OutsideCalendar: spot needs a day that one of the calendars does not know.
        """
        if trade_date.weekday() >= SAT:
            raise ValueError(f"{trade_date} is a {trade_date:%A}; trade dates run from Monday to Friday")
        calendars = tuple(calendar_of(code) for code in dict.fromkeys((*pair, DOLLAR)))
        for calendar in calendars:
            calendar.holiday(trade_date)  # may be one, but has to be known
        return cls(pair, trade_date, _spot(trade_date, calendars), calendars)

    def good(self, day: date) -> bool:
        """Whether a day settles in both currencies and in the dollar."""
        return is_good(day, self.calendars)

    def at(self, tenor: Tenor) -> ValueDate:
        """The dates of a tenor.

        Raises:
            NotDealt: TN of a pair whose spot is the next business day.
            OutsideCalendar: the date needs a day that one of the calendars does not know.
        """
        tomorrow = self._following(self.trade_date + ONE_DAY)
        match tenor.unit:
            case Unit.OVERNIGHT:
                return self._between(tenor.text, self.trade_date, tomorrow)
            case Unit.TOMORROW_NEXT:
                if tomorrow >= self.spot:
                    raise NotDealt(
                        f"{self.pair} has no TN on {self.trade_date}: spot is the next business day, {self.spot}"
                    )
                return self._between(tenor.text, tomorrow, self.spot)
            case Unit.SPOT:
                return self._between(tenor.text, self.spot, self.spot)
            case Unit.SPOT_NEXT:
                return self._between(tenor.text, self.spot, self._following(self.spot + ONE_DAY))
            case Unit.DAYS:
                return self._between(tenor.text, self.spot, self._following(self.spot + timedelta(days=tenor.count)))
            case Unit.WEEKS:
                return self._between(tenor.text, self.spot, self._following(self.spot + timedelta(weeks=tenor.count)))
            case Unit.MONTHS:
                return self._between(tenor.text, self.spot, self._months(tenor.count))

    def broken(self, day: date) -> ValueDate:
        """A date that no tenor names.

        Raises:
            NotDealt: it is before the trade date or no settlement day; the message names the reason and the next one.
            OutsideCalendar: one of the calendars does not know the day.
        """
        if day <= self.trade_date:
            raise NotDealt(f"{day} is not after the trade date {self.trade_date}")
        if not self.good(day):
            raise NotDealt(
                f"{day} is no value date of {self.pair}: {self._why(day)}; the next is {self._following(day)}"
            )
        return self._between("BROKEN", self.spot, day)

    def standard(self) -> list[ValueDate]:
        """The standard tenors that are dealt, as far as the calendars are known."""
        dates: list[ValueDate] = []
        for tenor in STANDARD:
            try:
                dates.append(self.at(tenor))
            except NotDealt:
                continue
            except OutsideCalendar:
                break
        return dates

    def _between(self, tenor: str, near: date, far: date) -> ValueDate:
        return ValueDate(tenor, near, far, (far - self.spot).days)

    def _following(self, day: date) -> date:
        return next_good(day, self.calendars)

    def _last_of_month(self, day: date) -> date:
        return next_good(month_end(day), self.calendars, step_days=-1)

    def _months(self, months: int) -> date:
        target = plus_months(self.spot, months)
        if self.spot == self._last_of_month(self.spot):
            return self._last_of_month(target)
        rolled = self._following(target)
        return rolled if rolled.month == target.month else self._last_of_month(target)

    def _why(self, day: date) -> str:
        if day.weekday() >= SAT:
            return f"it is a {day:%A}"
        return " and ".join(f"{name} in {c.currency}" for c in self.calendars if (name := c.holiday(day)))


def _dollar_spot(currency: Calendar, trade_date: date) -> date:
    """The earliest spot of a currency against the dollar, before the roll to a day on which both settle."""
    lag_days = dollar_lag_days(currency.currency)
    own = currency.plus(trade_date, lag_days)
    if currency.currency in DOLLAR_COUNTS_FULLY:
        return max(own, calendar_of(DOLLAR).plus(trade_date, lag_days))
    # The dollar's own count skips weekends alone, and `own` is never before that.
    return own


def _spot(trade_date: date, calendars: tuple[Calendar, ...]) -> date:
    earliest = max(_dollar_spot(calendar, trade_date) for calendar in calendars if calendar.currency != DOLLAR)
    return next_good(earliest, calendars)
