"""What is priced: the terms that a client gives, and the legs with dates that they are made of."""

from __future__ import annotations

import enum
import functools
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from crossrate.basics.calendar import next_good
from crossrate.basics.holidays import ONE_DAY, SAT
from crossrate.basics.instrument import CONVENTIONS
from crossrate.basics.pair import Pair
from crossrate.basics.session import NEW_YORK
from crossrate.basics.tenor import Unit, parse_tenor
from crossrate.basics.value_date import NotDealt, ValueDates
from services.pricing.domain.refusal import Refused

TOKYO = ZoneInfo("Asia/Tokyo")


class Cut(enum.Enum):
    """The time of day at which an option expires."""

    NEW_YORK = "10:00 New York"
    TOKYO = "15:00 Tokyo"

    def on(self, day: date) -> datetime:
        """The moment of expiry on a day, UTC."""
        local = datetime.combine(day, time(10), NEW_YORK) if self is Cut.NEW_YORK else None
        return (local or datetime.combine(day, time(15), TOKYO)).astimezone(UTC)


class Kind(enum.Enum):
    """A strategy's legs: for each its place among the strikes, whether it is a call, and its sign."""

    STRADDLE = ((0, False, 1), (0, True, 1))
    STRANGLE = ((0, False, 1), (1, True, 1))
    RISK_REVERSAL = ((0, False, -1), (1, True, 1))
    BUTTERFLY = ((0, False, 1), (1, False, -1), (1, True, -1), (2, True, 1))
    CALL_SPREAD = ((0, True, 1), (1, True, -1))
    PUT_SPREAD = ((0, False, -1), (1, False, 1))

    @property
    def strikes(self) -> int:
        """How many strikes it has."""
        return 1 + max(place for place, _, _ in self.value)


@dataclass(frozen=True, slots=True)
class Exchange:
    """Amounts change hands on a day: `notional` of the base currency is bought (negative: sold) at `rate`, counter per
    base. Without a rate it is dealt at the market's forward. `fixing` is set if only the difference is paid."""

    name: str
    notional: float
    value_date: date
    rate: float | None
    fixing: date | None = None


@dataclass(frozen=True, slots=True)
class Option:
    """A European option on `notional` of the base currency, bought (negative: sold)."""

    name: str
    notional: float
    call: bool
    strike: float
    expiry: date
    expires: datetime
    value_date: date


def exchange(
    dates: ValueDates,
    text: str,
    notional: float,
    rate: float | None,
    field: str,
    *,
    name: str = "",
    deliverable: bool = True,
) -> Exchange:
    """One exchange on a tenor's far date, or on a date as 2026-12-10.

    Args:
        field: the path of the date in the request.
        deliverable: False for an exchange of which only the difference is paid, with a fixing.

    Raises:
        Refused: the date is none that the pair settles on, or the pair is not delivered.
        OutsideCalendar: the date needs a day that a calendar does not know.
    """
    if deliverable and not CONVENTIONS[dates.pair].deliverable:
        raise Refused(field, f"{dates.pair} is not delivered: price it as an NDF")
    try:
        day = dates.broken(day_of(text)) if "-" in text else dates.at(parse_tenor(text))
    except (NotDealt, ValueError) as error:
        raise Refused(field, str(error)) from None
    return Exchange(name, notional, day.far, rate, None if deliverable else fixing_of(dates, day.far))


def day_of(text: str) -> date:
    """The day that is written as "2026-12-10".

    Raises:
        ValueError: there is no such day.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text} is no day of the calendar") from None


def fixing_of(dates: ValueDates, value_date: date) -> date:
    """When an NDF fixes: as many good days before its value date as the pair's spot lag (EMTA template terms)."""
    day = value_date
    for _ in range(CONVENTIONS[dates.pair].spot_lag_days):
        day = next_good(day - ONE_DAY, dates.calendars, step_days=-1)
    return day


@functools.lru_cache(maxsize=4096)
def value_dates(pair: Pair, trade_date: date) -> ValueDates:
    """The value dates of trades of a day, worked out once.

    Raises:
        ValueError: the trade date is a Saturday or Sunday.
        OutsideCalendar: spot needs a day that one of the calendars does not know.
    """
    return ValueDates.of(pair, trade_date)


def expiry_of(dates: ValueDates, text: str, field: str) -> tuple[date, date]:
    """The expiry and the delivery date of an option.

    Days count calendar days from the trade date; ON is the next weekday. Weeks, months and years name the delivery
    date, as for a forward; the expiry is the last weekday whose spot is not after it. Delivery is on the expiry's own
    spot date.

    Raises:
        Refused: the expiry is no weekday from the trade date on, or not one of these forms.
        OutsideCalendar: it needs a day that a calendar does not know.
    """
    try:
        return _expiry(dates.pair, dates.trade_date, text)
    except (NotDealt, ValueError) as error:
        raise Refused(field, str(error)) from None


@functools.lru_cache(maxsize=4096)
def _expiry(pair: Pair, trade_date: date, text: str) -> tuple[date, date]:
    if "-" in text:
        day = day_of(text)
    else:
        tenor = parse_tenor(text)
        if tenor.unit in (Unit.WEEKS, Unit.MONTHS):
            day = _last_with_spot_until(pair, trade_date, value_dates(pair, trade_date).at(tenor).far)
        elif tenor.unit in (Unit.DAYS, Unit.OVERNIGHT):
            day = trade_date + timedelta(days=tenor.count or 1)
            if tenor.unit is Unit.OVERNIGHT and day.weekday() >= SAT:
                # What is dealt overnight on a Friday expires on Monday.
                day += timedelta(days=7 - day.weekday())
        else:
            raise ValueError(f"{text} is no expiry: write ON, days, weeks, months, years or a date")
    if day < trade_date:
        raise ValueError(f"{day} is before the trade date {trade_date}")
    if day.weekday() >= SAT:
        raise ValueError(f"{day} is a {day:%A}; options expire from Monday to Friday")
    return day, value_dates(pair, day).spot


def _last_with_spot_until(pair: Pair, trade_date: date, delivery: date) -> date:
    day = delivery
    while day > trade_date:
        if day.weekday() < SAT and value_dates(pair, day).spot <= delivery:
            return day
        day -= ONE_DAY
    return trade_date


def life(dates: ValueDates, as_of: datetime, expiry: str, cut: Cut, field: str) -> tuple[date, datetime, date]:
    """An option's expiry, its moment, and its delivery date; `field` is the path of the expiry in the request.

    Raises:
        Refused: the expiry is none, or is past at `as_of`.
        OutsideCalendar: it needs a day that a calendar does not know.
    """
    day, delivery = expiry_of(dates, expiry, field)
    expires = cut.on(day)
    if expires <= as_of:
        raise Refused(field, f"{day} {cut.value} is past: the market is of {as_of:%Y-%m-%d %H:%M} UTC")
    return day, expires, delivery


def option(
    dates: ValueDates,
    as_of: datetime,
    *,
    call: bool,
    strike: float,
    notional: float,
    expiry: str,
    cut: Cut,
    field: str,
    name: str = "",
) -> Option:
    """One option; `field` is the path of the expiry in the request.

    Raises:
        Refused: the expiry is none, or is past at `as_of`.
        OutsideCalendar: it needs a day that a calendar does not know.
    """
    return Option(name, notional, call, strike, *life(dates, as_of, expiry, cut, field))


def strategy(
    dates: ValueDates,
    as_of: datetime,
    *,
    kind: Kind,
    strikes: list[float],
    notional: float,
    expiry: str,
    cut: Cut,
    field: str,
) -> list[Option]:
    """The options of a strategy, by strike; `field` is the path of the strategy in the request.

    Raises:
        Refused: the strikes are not as many as the kind has or do not ascend; the expiry is none, or is past.
        OutsideCalendar: the expiry needs a day that a calendar does not know.
    """
    if len(strikes) != kind.strikes:
        words = f"a {kind.name.lower().replace('_', ' ')} has {kind.strikes}, not {len(strikes)}"
        raise Refused(f"{field}.strikes", words)
    for i in range(1, len(strikes)):
        if strikes[i] <= strikes[i - 1]:
            raise Refused(f"{field}.strikes[{i}]", f"is {strikes[i]}, not above {strikes[i - 1]} before it")
    return [
        option(
            dates,
            as_of,
            call=call,
            strike=strikes[place],
            notional=sign * notional,
            expiry=expiry,
            cut=cut,
            field=f"{field}.expiry",
            name=f"{'call' if call else 'put'} {strikes[place]:.10g}",
        )
        for place, call, sign in kind.value
    ]


def swap(near: Exchange, far: Exchange, field: str) -> list[Exchange]:
    """The two exchanges of a swap; `field` is the path of the far date.

    Raises:
        Refused: the far date is not after the near one.
    """
    if far.value_date <= near.value_date:
        raise Refused(field, f"{far.value_date} is not after the near date {near.value_date}")
    return [near, far]
