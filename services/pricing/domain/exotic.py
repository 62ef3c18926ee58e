"""Options beyond the European vanilla: their terms as legs with dates, and which terms make no sense."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from crossrate.basics.pair import Pair
from services.pricing.domain.market import Standing
from services.pricing.domain.product import Cut, expiry_of, life
from services.pricing.domain.refusal import Refused


@dataclass(frozen=True, slots=True)
class Life:
    """What every option has: its amount, bought (negative: sold), and its dates.

    The amount is of the base currency; of a digital or a touch it is the payout in its own currency.
    """

    notional: float
    expiry: date
    expires: datetime
    value_date: date


@dataclass(frozen=True, slots=True)
class Digital(Life):
    """A fixed amount, in the base currency if `in_base`, paid above the strike (a call) or below it."""

    call: bool
    strike: float
    in_base: bool


@dataclass(frozen=True, slots=True)
class Barrier(Life):
    """A vanilla that begins (`knocks_in`) or ends at a barrier; a rebate in counter currency per unit of base."""

    call: bool
    strike: float
    knocks_in: bool
    lower: float | None
    upper: float | None
    rebate: float


@dataclass(frozen=True, slots=True)
class Touch(Life):
    """A fixed amount, in the base currency if `in_base`, paid if a barrier is `touched`, at once if `at_hit`, or if
    none is."""

    touched: bool
    at_hit: bool
    lower: float | None
    upper: float | None
    in_base: bool

    strike = 0.0


@dataclass(frozen=True, slots=True)
class Asian(Life):
    """An option on the average of `past_count` fixings, whose mean is `past_average`, and `fixings` more from
    `next_fixing` to the expiry."""

    call: bool
    strike: float
    next_fixing: datetime
    fixings: int
    past_count: int
    past_average: float


@dataclass(frozen=True, slots=True)
class American(Life):
    """A vanilla that may be exercised on the way."""

    call: bool
    strike: float


Exotic = Digital | Barrier | Touch | Asian | American


@dataclass(frozen=True, slots=True)
class Terms:
    """What the terms of every option say, and their path in the request."""

    expiry: str
    cut: Cut
    notional: float
    field: str

    def life(self, standing: Standing) -> tuple[float, date, datetime, date]:
        """Amount and dates.

        Raises:
            Refused: the expiry is none, or is past.
            OutsideCalendar: it needs a day that a calendar does not know.
        """
        dates = life(standing.dates, standing.as_of, self.expiry, self.cut, f"{self.field}.expiry")
        return (self.notional, *dates)


def digital(terms: Terms, standing: Standing, *, call: bool, strike: float, payout_currency: str) -> Digital:
    """A digital.

    Raises:
        Refused: the payout is in neither currency of the pair, or as `Terms.life` says.
    """
    return Digital(*terms.life(standing), call, strike, paid_in_base(standing.pair, payout_currency, terms.field))


def barrier(
    terms: Terms,
    standing: Standing,
    *,
    call: bool,
    strike: float,
    knocks_in: bool,
    lower: float | None,
    upper: float | None,
    rebate: float,
) -> Barrier:
    """An option with one or two barriers; the rebate is of the whole option.

    Raises:
        Refused: there is no barrier, one is touched already, or a knock-out ends wherever it would pay; or as
            `Terms.life` says.
    """
    dated = terms.life(standing)
    alive(lower, upper, standing.spot, terms.field)
    if not knocks_in:
        if call and upper is not None and upper <= strike:
            words = f"{upper} is not above the strike {strike}: the call ends before it could pay"
            raise Refused(f"{terms.field}.upper_barrier", f"{words}; raise it, or price the rebate as a touch")
        if not call and lower is not None and lower >= strike:
            words = f"{lower} is not below the strike {strike}: the put ends before it could pay"
            raise Refused(f"{terms.field}.lower_barrier", f"{words}; lower it, or price the rebate as a touch")
    return Barrier(*dated, call, strike, knocks_in, lower, upper, rebate / abs(terms.notional))


def touch(
    terms: Terms,
    standing: Standing,
    *,
    touched: bool,
    at_hit: bool,
    lower: float | None,
    upper: float | None,
    payout_currency: str,
) -> Touch:
    """A touch option.

    Raises:
        Refused: there is no barrier, one is touched already, a no-touch is paid at hit, or the payout is in neither
            currency of the pair; or as `Terms.life` says.
    """
    dated = terms.life(standing)
    alive(lower, upper, standing.spot, terms.field)
    if at_hit and not touched:
        raise Refused(f"{terms.field}.payout_style", "a no-touch is known at expiry only: give PAYOUT_STYLE_DEFERRED")
    in_base = paid_in_base(standing.pair, payout_currency, terms.field)
    return Touch(*dated, touched, at_hit, lower, upper, in_base)


def asian(
    terms: Terms, standing: Standing, *, call: bool, strike: float, next_fixing: str, fixings: int, past: list[float]
) -> Asian:
    """An average rate option.

    Raises:
        Refused: the next fixing is past or after the expiry, or the only one is not at the expiry; or as `Terms.life`
            says.
    """
    dated = terms.life(standing)
    expires, field = dated[2], f"{terms.field}.next_fixing"
    remedy = "put its rate into past_fixings and give the one after it"
    if "-" in next_fixing and next_fixing < standing.trade_date.isoformat():
        raise Refused(field, f"{next_fixing} is before the trade date {standing.trade_date}: {remedy}")
    day, _ = expiry_of(standing.dates, next_fixing, field)
    moment = terms.cut.on(day)
    if moment <= standing.as_of:
        raise Refused(field, f"{day} {terms.cut.value} is past: {remedy}")
    if moment > expires:
        raise Refused(field, f"{day} is after the expiry {dated[1]}: fixings lie within the life of the option")
    if (fixings == 1) != (moment == expires):
        words = f"is {day}, for {fixings} fixings until {dated[1]}: one fixing is at the expiry, more begin before it"
        raise Refused(field, words)
    return Asian(*dated, call, strike, moment, fixings, len(past), sum(past) / len(past) if past else strike)


def american(terms: Terms, standing: Standing, *, call: bool, strike: float) -> American:
    """An American option; what is refused says `Terms.life`."""
    return American(*terms.life(standing), call, strike)


def paid_in_base(pair: Pair, currency: str, field: str) -> bool:
    """Whether a payout is in the base currency.

    Raises:
        Refused: it is in neither of the pair's.
    """
    if currency not in pair:
        raise Refused(f"{field}.payout_currency", f"is {currency}: give {pair.base} or {pair.counter}")
    return currency == pair.base


def alive(lower: float | None, upper: float | None, spot: float, field: str) -> None:
    """Checks that the spot rate is inside of the barriers.

    Raises:
        Refused: there is none, or one is touched.
    """
    if lower is None and upper is None:
        raise Refused(f"{field}.lower_barrier", "is not given and neither is upper_barrier: give one of them, or both")
    words = "so that it is touched already: move it, or price what the option has become"
    if lower is not None and spot <= lower:
        raise Refused(f"{field}.lower_barrier", f"{lower} is not below the spot rate {spot:.10g}, {words}")
    if upper is not None and spot >= upper:
        raise Refused(f"{field}.upper_barrier", f"{upper} is not above the spot rate {spot:.10g}, {words}")
