"""Carrying positions to a later value date, and what that costs.

When a trade date ends, spot moves on by as many calendar days as there really are between the two value dates. Whatever
of a position would settle before the new spot date is sold for its own value date and bought for the new one: a
tom-next swap, whose points a long position pays at the ask and a short one gets at the bid. The days follow from the
flows themselves, so that a roll that comes late, twice or not at all for a day charges each day once.

Points from interest rates follow from covered interest parity: forward = spot (1 + r_c d / B_c) / (1 + r_b d / B_b).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from crossrate.basics.calendar import OutsideCalendar
from crossrate.basics.holidays import SAT
from crossrate.basics.pair import Pair, parse_pair
from crossrate.basics.value_date import ValueDates
from services.ledger.domain.book import Book
from services.ledger.domain.entry import FinancingLine


@dataclass(frozen=True, slots=True)
class Points:
    """Declared swap points of a pair for one day, in units of the price times 10^10; bid and ask with their signs."""

    bid: int
    ask: int


@dataclass(frozen=True, slots=True)
class Interest:
    """Declared interest rates of a currency: what is got for a balance, what is paid for a loan; days of its year."""

    bid: Fraction
    offer: Fraction
    year_days: int


@dataclass(frozen=True, slots=True)
class Rates:
    """Everything that is declared: points of a pair go before interest rates."""

    points: Mapping[str, Points]
    interest: Mapping[str, Interest]

    def swap_points(self, instrument: str, long: bool, days: int, spot: int | None) -> tuple[int, str] | None:
        """Points for some days at the side of a position, with where they are from; None if nothing is declared.

        `spot` is the middle price, None if there is none: then interest rates cannot be used.
        """
        declared = self.points.get(instrument)
        if declared is not None:
            return (declared.ask if long else declared.bid) * days, "table"
        base, counter = (self.interest.get(currency) for currency in instrument.split("/"))
        if base is None or counter is None or spot is None:
            return None
        base_rate, counter_rate = (base.bid, counter.offer) if long else (base.offer, counter.bid)
        grown_base = 1 + base_rate * days / base.year_days
        grown_counter = 1 + counter_rate * days / counter.year_days
        return round(spot * (grown_counter / grown_base - 1)), "interest"


def next_trade_date(day: date) -> date:
    """The weekday after a day."""
    day += timedelta(days=1)
    while day.weekday() >= SAT:
        day += timedelta(days=1)
    return day


def spot_after(instrument: str, trade_date: date) -> date:
    """The spot date of trades done on the trade date after one.

    Raises:
        OutsideCalendar: a calendar does not reach that far.
    """
    return _spot(parse_pair(instrument), next_trade_date(trade_date))


def _spot(pair: Pair, trade_date: date) -> date:
    return ValueDates.of(pair, trade_date).spot


@dataclass(slots=True)
class Rolled:
    """What a roll of a book comes to, and the instruments that nothing is declared for."""

    lines: list[FinancingLine]
    missing: dict[str, str]


def roll(book: Book, trade_date: date, rates: Rates, spot: Callable[[str], int | None]) -> Rolled:
    """The lines of a book at the end of a trade date. `spot` gives an instrument's middle price as a price, or None."""
    rolled = Rolled([], {})
    for (instrument, position_id), position in sorted(book.positions.items()):
        if instrument in rolled.missing:
            continue
        try:
            to_date = spot_after(instrument, trade_date)
        except OutsideCalendar as outside:
            rolled.missing[instrument] = str(outside)
            continue
        for from_date, flow in sorted(position.flows.items()):
            if from_date >= to_date:
                break
            days = (to_date - from_date).days
            found = (0, "") if not flow.base else rates.swap_points(instrument, flow.base > 0, days, spot(instrument))
            if found is None:
                rolled.missing[instrument] = (
                    "no points are declared, and not interest rates of both currencies with a price"
                )
                break
            points, source = found
            amount = -flow.base * points
            rolled.lines.append(
                FinancingLine(instrument, position_id, flow.base, from_date, to_date, points, amount, source)
            )
    return rolled
