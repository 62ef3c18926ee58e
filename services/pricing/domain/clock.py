"""Time that runs at the speed of the market, from the moment of a snapshot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import numpy as np
from numpy.typing import NDArray

from crossrate.basics.calendars import calendar_of
from crossrate.basics.pair import Pair
from crossrate.kernel import business_clock

Array = NDArray[np.float64]

DAYS_OF_YEAR = 365.0


@dataclass(frozen=True, slots=True)
class ClockQuotes:
    """Weights of days; an ordinary weekday has 1. `events` are weights of single days in place of the others'."""

    weekend: float
    holiday: float
    events: Mapping[date, float]

    def clock(self, pair: Pair, as_of: datetime, years: float) -> Clock:
        """The clock of a pair from a moment on, for some years.

        Raises:
            OutsideCalendar: the years reach beyond what is known of one of the pair's calendars.
        """
        first = as_of.date()
        days = int(np.ceil(years * DAYS_OF_YEAR)) + 2
        last = first + timedelta(days=days - 1)
        holidays = {day for code in pair for day, _ in calendar_of(code).holidays(first, last)}
        weights = business_clock.day_weights(
            first, days, weekend=self.weekend, holidays=sorted(holidays), holiday=self.holiday, events=self.events
        )
        midnight = datetime.combine(first, time(), as_of.tzinfo)
        return Clock(weights, (as_of - midnight).total_seconds() / 86_400.0)


@dataclass(frozen=True, slots=True, eq=False)
class Clock:
    """Weights of days from that of the snapshot on, of which `begun` is how much is over."""

    weights: Array
    begun: float

    def run(self, years: Array) -> Array:
        """Business time from the snapshot to some calendar times, in years of 365 ordinary days."""
        last = float(len(self.weights))
        day = np.minimum(np.append(0.0, np.asarray(years, np.float64)) * DAYS_OF_YEAR + self.begun, last)
        found = business_clock.business_time(self.weights, day, year=DAYS_OF_YEAR)
        return found[1:] - found[0]
