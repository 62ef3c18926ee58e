"""From a mid to the two sides of a quote.

A price has parts: a spot rate, the points on top of it, a premium. Each part gets a width w from its tier, widened by
what makes the house careful, within the rule's bounds. With a skew s from −1 to 1

    bid = mid − w/2·(1 − s)        offer = mid + w/2·(1 + s)

so that the mid always lies between them. Then the bid is rounded down and the offer up to the part's tick: rounding
never gives the client a better price. All of it is decimal: a spot rate comes as the feed wrote it, so that the noise
of a double does not cost a tick; points and premiums are taken as the exact values of their doubles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal, localcontext

from crossrate.basics.currency import CURRENCIES
from crossrate.basics.instrument import CONVENTIONS
from crossrate.basics.pair import Pair
from services.pricing.domain.rules import QuotingRules, Rule, Tier, Unit, Wish

SPOT, POINTS, PREMIUM = "spot", "points", "premium"
"""The parts of a price."""
DIGITS = 100
"""Significant digits of the arithmetic: more than a product of two doubles in the range of prices has."""
FINE_PLACES = 1
"""Decimal places that points and premiums have more than a spot rate."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a price without a spread. `vega` is the change of a premium for 1.00 of volatility."""

    name: str
    mid: Decimal
    places: int
    vega: float = 0.0


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What makes the house careful: the live quote's age and width, the market's volatility if it has one."""

    age_s: float
    market_width: Decimal = Decimal(0)
    volatility: float | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One step on the way to a width."""

    part: str
    step: str
    width: Decimal
    words: str


@dataclass(frozen=True, slots=True)
class Sides:
    """A part's two sides, rounded."""

    bid: Decimal
    offer: Decimal


def places_of(pair: Pair, part: str) -> int:
    """Decimal places of a part's tick."""
    return CONVENTIONS[pair].price_places + (0 if part == SPOT else FINE_PLACES)


def sides(
    rules: QuotingRules, rule: Rule, tier: Tier, wish: Wish, parts: Sequence[Part], around: Circumstances
) -> tuple[dict[str, Sides], list[Step]]:
    """Both sides of every part, and how they came about."""
    skew = written(rules.skews.get(str(wish.pair), 0.0))
    found: dict[str, Sides] = {}
    steps: list[Step] = []
    with localcontext() as context:
        context.prec = DIGITS
        for part in parts:
            made = _widths(rules, rule, tier, wish, part, around)
            width = made[-1].width
            if skew:
                made.append(Step(part.name, "skew", width, f"both sides moved by {skew} half widths"))
            mid, half, tick = part.mid, width / 2, Decimal(1).scaleb(-part.places)
            found[part.name] = Sides(
                (mid - half * (1 - skew)).quantize(tick, ROUND_FLOOR),
                (mid + half * (1 + skew)).quantize(tick, ROUND_CEILING),
            )
            steps += made
    return found, steps


def _widths(rules: QuotingRules, rule: Rule, tier: Tier, wish: Wish, part: Part, around: Circumstances) -> list[Step]:
    pip = Decimal(CONVENTIONS[wish.pair].pip)
    width, words = _tier_width(rule, tier, part, pip)
    steps = [Step(part.name, "tier", width, f"up to {tier.amount_max:.10g} {wish.pair.base}: {words}")]

    def then(step: str, changed: Decimal, words: str) -> None:
        if changed != steps[-1].width:
            steps.append(Step(part.name, step, changed, words))

    factor = written(rules.client_classes[wish.client_class])
    then("class", steps[-1].width * factor, f"class {wish.client_class}: times {factor}")
    factor = written(age_multiplier(rules, around.age_s))
    then("age", steps[-1].width * factor, f"the live quote is {around.age_s:.3f} s old: times {factor}")
    if around.volatility is not None:
        factor = written(volatility_multiplier(rules, around.volatility))
        then("volatility", steps[-1].width * factor, f"volatility is {around.volatility:.4f}: times {factor}")
    if part.name == SPOT:
        floor = written(rule.market_width_multiple) * around.market_width
        words = f"at least {rule.market_width_multiple:.10g} of the live quote's width of {around.market_width:f}"
        then("market", max(steps[-1].width, floor), words)
    least = written(rule.width_min_pips) * pip
    then("minimum", max(steps[-1].width, least), f"at least {rule.width_min_pips:.10g} pips")
    if rule.width_max_pips is not None:
        most = written(rule.width_max_pips) * pip
        then("maximum", min(steps[-1].width, most), f"at most {rule.width_max_pips:.10g} pips")
    return steps


def _tier_width(rule: Rule, tier: Tier, part: Part, pip: Decimal) -> tuple[Decimal, str]:
    if part.name == POINTS:
        return written(tier.points_spread) * pip, f"{tier.points_spread:.10g} pips"
    spread, words = written(tier.spread), f"{tier.spread:.10g} {rule.unit.replace('_', ' ')}"
    if rule.unit is Unit.PIPS:
        return spread * pip, words
    if rule.unit is Unit.BASIS_POINTS:
        return spread / 10_000 * abs(part.mid), words
    return spread / 100 * abs(Decimal(part.vega)), words


def age_multiplier(rules: QuotingRules, age_s: float) -> float:
    """1 up to `age_free_s`, then in proportion up to `age_multiplier` at `age_max_s`."""
    room_s = rules.age_max_s - rules.age_free_s
    if age_s <= rules.age_free_s or room_s <= 0:
        return 1.0
    return 1.0 + (rules.age_multiplier - 1.0) * min((age_s - rules.age_free_s) / room_s, 1.0)


def volatility_multiplier(rules: QuotingRules, volatility: float) -> float:
    """1 up to `volatility_free`, then with the slope, up to the most."""
    above = max(volatility / rules.volatility_free - 1.0, 0.0)
    return min(1.0 + rules.volatility_slope * above, rules.volatility_multiplier_max)


def nearest(value: float, places: int) -> Decimal:
    """A rate that is the same for both sides, rounded half up."""
    with localcontext() as context:
        context.prec = DIGITS
        return Decimal(value).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def counter_amount(amount: Decimal, px: Decimal, currency: str) -> Decimal:
    """An amount of the base currency at a price, in the counter currency's minor units, rounded half up."""
    with localcontext() as context:
        context.prec = DIGITS
        return (amount * px).quantize(Decimal(1).scaleb(-CURRENCIES[currency].minor_units), ROUND_HALF_UP)


def written(value: float) -> Decimal:
    """A number as it was written: the double nearest to 1.0801 is 1.0801."""
    return Decimal(repr(value))
