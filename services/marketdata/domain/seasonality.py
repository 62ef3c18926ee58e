"""The market's day: how much it moves, how often it is quoted and how wide, by the hour in New York.

Where the numbers come from. Variance and activity by hour are means over 2012–2022 of the hourly bars of EUR/JPY,
GBP/USD and USD/JPY of one broker (57,600 each; squared returns up to 1 %, and tick counts), and over 2007–2018 of those
of EUR/USD; spreads are medians of EUR/USD at the ends of its hours, 2012–2018 (OANDA). Both are public samples. They
show what is published of the market: two peaks, as London opens and while London and New York are both there, a smaller
one in Tokyo's morning, quiet from New York's close on (Dacorogna, Müller, Nagler, Olsen and Pictet 1993, Journal of
International Money and Finance 12, 413–438; Andersen and Bollerslev 1998, Journal of Finance 53, 219–265); narrow
spreads where there is much activity, and no rush before the close, on Fridays neither (Ito and Hashimoto 2006, Journal
of the Japanese and International Economies 20, 637–664). Spreads widen around 17:00, when value dates roll and few
banks quote. Hours are New York's all year, so what happens in Tokyo is spread over the two hours of its two offsets.

Assumed, because no such data is at hand: pairs beyond the majors widen with the root of the root of what activity they
miss; the first minutes of a week are as wide as the last.
"""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

NEW_YORK = ZoneInfo("America/New_York")
NANOSECONDS = 1_000_000_000
STEP_S = 60
"""A moment holds for a minute."""
HOURS = 24


class Region(enum.IntEnum):
    """Where a currency is mostly dealt."""

    AMERICA = 0
    EUROPE = 1
    ASIA = 2


_AMERICA = frozenset(["USD", "CAD", "MXN", "BRL", "CLP", "COP", "PEN", "ARS"])
_ASIA = frozenset(
    ["JPY", "AUD", "NZD", "CNY", "CNH", "HKD", "SGD", "KRW", "TWD", "INR", "IDR", "MYR", "PHP", "THB", "VND"]
)

# Rows by region, the hour from 00:00 to 01:00 in New York first: EUR/USD, GBP/USD, USD/JPY.
_VARIANCE = (
    ".34 .52 1.10 1.74 1.34 1.07 0.98 1.10 2.59 2.00 2.29 1.32 .90 0.91 1.14 .74 .38 .85 .39 .47 0.67 .51 .44 .29",
    ".26 .56 1.27 1.97 1.96 1.32 1.40 1.78 1.77 1.89 2.39 1.25 .89 0.90 0.83 .47 .29 .54 .40 .47 0.44 .43 .29 .23",
    ".67 .77 1.13 1.19 0.83 0.68 0.70 1.22 1.88 1.83 1.82 1.04 .92 1.09 0.97 .63 .39 .63 .69 1.07 1.27 .98 .87 .75",
)
# EUR/JPY for want of EUR/USD: its counts lie between those of the other two, as the variance of EUR/USD mostly does.
_ACTIVITY = (
    ".69 .81 1.16 1.40 1.22 1.09 1.03 1.15 1.47 1.59 1.65 1.33 0.98 .89 .89 .79 .52 .54 .66 .80 0.99 .90 .76 .68",
    ".53 .68 1.19 1.56 1.46 1.30 1.26 1.38 1.65 1.74 1.84 1.48 1.03 .90 .87 .75 .49 .39 .51 .56 0.69 .66 .58 .51",
    ".74 .81 1.09 1.31 1.10 0.97 0.91 1.05 1.43 1.61 1.66 1.31 0.95 .90 .92 .81 .52 .65 .70 .90 1.14 .99 .82 .73",
)
# Hour and multiplier of the spread; between them on a straight line, before the first and after the last 1.
_DAY = ((15.75, 1.0), (17.0, 2.08), (18.0, 1.69), (19.0, 1.15), (20.0, 1.08), (21.0, 1.0))
# The same from Friday 00:00 and from Sunday 00:00, where weekends are kept.
_FRIDAY = ((15.5, 1.0), (16.0, 1.08), (17.0, 5.31))
_SUNDAY = ((17.0, 5.31), (18.0, 2.46), (19.0, 1.31), (20.0, 1.08), (21.0, 1.0))
CLOSE_HOUR = 17
_FRIDAY_DAY, _SATURDAY, _SUNDAY_DAY = 4, 5, 6


def region(currency: str) -> Region:
    """Where a currency is mostly dealt; Europe for those that no other claims."""
    if currency in _AMERICA:
        return Region.AMERICA
    return Region.ASIA if currency in _ASIA else Region.EUROPE


@dataclass(frozen=True, eq=False)
class Moment:
    """What one minute is like. Arrays by Region, shape (3,).

    Attributes:
        variance: per second, relative to the mean over a day; 0 while the market is closed.
        activity: quotes per second, relative to the mean over a day.
        spread: multiplier of every spread.
    """

    variance: Floats
    activity: Floats
    spread: float

    def activity_of(self, base: str, counter: str) -> float:
        """Of a pair: the mean of its two currencies'."""
        return float(self.activity[region(base)] + self.activity[region(counter)]) / 2


FLAT = Moment(np.ones(len(Region)), np.ones(len(Region)), 1.0)
"""A market without hours."""
CLOSED = Moment(np.zeros(len(Region)), np.ones(len(Region)), _FRIDAY[-1][1])
"""The weekend."""


def _table(rows: tuple[str, ...]) -> Floats:
    """Hourly values by region, shape (3, 24), with a mean of 1."""
    table = np.array([row.split() for row in rows], dtype=np.float64)
    return table / table.mean(axis=1, keepdims=True)


def _by_hour(table: Floats, hour: float) -> Floats:
    """Values at a time of day: hourly means stand in the middle of their hours, with straight lines between.

    Straight lines around the clock keep the mean, so a day of it is a day of the calibration.
    """
    place = (hour - 0.5) % HOURS
    low, share = int(place), place - int(place)
    return (1 - share) * table[:, low] + share * table[:, (low + 1) % HOURS]


def _on(knots: tuple[tuple[float, float], ...], hour: float) -> float:
    return float(np.interp(hour, [at for at, _ in knots], [value for _, value in knots]))


class Seasonality:
    """The hours of the market.

    Args:
        weekends: whether it closes from Friday to Sunday, 17:00 in New York; otherwise every day is a working day.
    """

    def __init__(self, *, weekends: bool) -> None:
        self._weekends = weekends
        self._variance, self._activity = _table(_VARIANCE), _table(_ACTIVITY)
        self._minute = -1
        self._moment = FLAT

    def at(self, now_ns: int) -> Moment:
        """What the minute is like in which a time falls, nanoseconds since 1970 UTC."""
        minute = now_ns // (STEP_S * NANOSECONDS)
        if minute != self._minute:
            self._minute, self._moment = minute, self._made(minute)
        return self._moment

    def _made(self, minute: int) -> Moment:
        local = dt.datetime.fromtimestamp(minute * STEP_S, dt.UTC).astimezone(NEW_YORK)
        hour, day = local.hour + local.minute / 60, local.weekday()
        knots = _DAY
        if self._weekends:
            evening = hour >= CLOSE_HOUR
            if day == _SATURDAY or (day == _FRIDAY_DAY and evening) or (day == _SUNDAY_DAY and not evening):
                return CLOSED
            knots = {_FRIDAY_DAY: _FRIDAY, _SUNDAY_DAY: _SUNDAY}.get(day, _DAY)
        return Moment(_by_hour(self._variance, hour), _by_hour(self._activity, hour), _on(knots, hour))
