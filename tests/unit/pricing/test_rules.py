"""The rules of quoting: which applies, how wide, and what they refuse to be."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from crossrate.basics.instrument import CONVENTIONS
from crossrate.basics.pair import Pair
from services.pricing.domain import spread
from services.pricing.domain.rules import AmountTooLarge, NotQuoted, QuotingRules, Rule, Tier, Unit, Wish, chosen
from services.pricing.domain.spread import POINTS, PREMIUM, SPOT, Circumstances, Part, places_of, sides

EURUSD, USDJPY, USDTRY = Pair("EUR", "USD"), Pair("USD", "JPY"), Pair("USD", "TRY")
CALM = Circumstances(age_s=0.0)
NONE = Decimal(0)


def rule(name: str = "one", **other: object) -> Rule:
    """A rule for spot and forwards of everything, with three tiers that grow wider."""
    tiers = tuple(Tier(amount_max=a, spread=s, points_spread=s / 4, validity_s=5) for a, s in ((1e6, 1), (5e6, 2)))
    values = {"instruments": ("*",), "products": ("spot", "forward", "swap"), "tiers": tiers} | other
    return Rule(name=name, **values)


def wish(amount: float = 1e6, pair: Pair = EURUSD, **other: object) -> Wish:
    """A wish for spot."""
    values = {"product": "spot", "tenor_days": 0, "client_class": "standard"} | other
    return Wish(pair=pair, amount=amount, **values)


def house(*rules: Rule, **other: object) -> QuotingRules:
    """A configuration of some rules."""
    return QuotingRules(rules=rules or (rule(),), **other)


def width(rules: QuotingRules, wanted: Wish, part: Part, around: Circumstances = CALM) -> Decimal:
    """The width of a part before rounding."""
    _, steps = sides(rules, *chosen(rules, wanted), wanted, [part], around)
    return [step.width for step in steps if step.part == part.name][-1]


SPOT_PART = Part(SPOT, Decimal("1.08"), 5)


def test_the_first_rule_that_fits_applies() -> None:
    """By pair, pattern or group, product, class and tenor, from the top; what none fits is not quoted."""
    rules = house(
        rule("vip", client_classes=("gold",)),
        rule("group", instruments=("g",), tenor_days_max=100),
        rule("yen", instruments=("*/JPY",)),
        rule("dollar", instruments=("USD/*",), products=("spot",)),
        groups={"g": ("EUR/USD", "GBP/*")},
        client_classes={"standard": 1.0, "gold": 0.5},
    )

    def name(**other: object) -> str:
        return chosen(rules, wish(**other))[0].name

    assert name(client_class="gold") == "vip"
    assert name() == name(pair=Pair("GBP", "CHF")) == "group"
    assert name(pair=USDJPY) == "yen"
    assert name(pair=USDTRY) == "dollar"
    for other in ({"tenor_days": 101}, {"pair": USDTRY, "product": "forward"}, {"product": "vanilla"}):
        with pytest.raises(NotQuoted):
            name(**other)


def test_the_tier_is_the_first_that_holds_the_amount() -> None:
    """At its bound an amount is still in a tier; beyond the last it is refused with the bound."""
    rules = house()
    assert [chosen(rules, wish(a))[1].spread for a in (1e5, 1e6, 1e6 + 1, 5e6)] == [1, 1, 2, 2]
    with pytest.raises(AmountTooLarge) as caught:
        chosen(rules, wish(5e6 + 1))
    assert caught.value.amount_max == 5e6


def test_units_of_a_spread() -> None:
    """Pips of the instrument, basis points of the mid, points of volatility by vega; points are always in pips."""
    tiers = (Tier(amount_max=1e9, spread=2, points_spread=0.5, validity_s=1),)
    pips, points = house(rule(tiers=tiers)), Part(POINTS, Decimal("0.0123"), 6)
    assert width(pips, wish(), SPOT_PART) == Decimal("0.0002")
    assert width(pips, wish(pair=USDJPY), Part(SPOT, Decimal(150), 3)) == Decimal("0.02")
    assert width(pips, wish(), points) == Decimal("0.00005")
    relative = house(rule(tiers=tiers, unit=Unit.BASIS_POINTS))
    assert width(relative, wish(), Part(SPOT, Decimal("1.25"), 5)) == Decimal("0.00025")
    assert width(relative, wish(), points) == Decimal("0.00005")
    options = house(rule(tiers=tiers, unit=Unit.VOLATILITY_POINTS, products=("vanilla",)))
    premium = Part(PREMIUM, Decimal("0.02"), 6, vega=0.25)
    assert width(options, wish(product="vanilla"), premium) == Decimal("0.005")


def test_what_makes_the_house_careful_widens() -> None:
    """Class, age, volatility and the live quote's own width each do, in this order, and bounds go before them."""
    rules = house(
        client_classes={"standard": 1.0, "gold": 0.5},
        age_free_s=1.0,
        age_max_s=3.0,
        age_multiplier=3.0,
        volatility_free=0.1,
        volatility_slope=2.0,
    )
    assert width(rules, wish(client_class="gold"), SPOT_PART) == Decimal("0.00005")
    assert width(rules, wish(), SPOT_PART, Circumstances(2.0)) == Decimal("0.0002")
    assert width(rules, wish(), SPOT_PART, Circumstances(0.0, NONE, 0.2)) == Decimal("0.0003")
    assert width(rules, wish(), SPOT_PART, Circumstances(0.0, NONE, 9.9)) == Decimal("0.0004")
    assert width(rules, wish(), SPOT_PART, Circumstances(0.0, Decimal("0.0007"))) == Decimal("0.0007")
    bounded = house(rule(width_min_pips=1.5, width_max_pips=3))
    assert width(bounded, wish(), SPOT_PART) == Decimal("0.00015")
    assert width(bounded, wish(), SPOT_PART, Circumstances(0.0, Decimal("0.01"))) == Decimal("0.0003")


prices = st.floats(1e-4, 1e5)
amounts = st.floats(1e3, 5e6)


@given(
    mid=prices,
    points=st.floats(-1.0, 1.0),
    amount=amounts,
    age_s=st.floats(0, 10),
    market_width=st.floats(0, 1e-3),
    volatility=st.none() | st.floats(0.0, 3.0),
    skew=st.floats(-1, 1),
    pair=st.sampled_from([p for p, c in CONVENTIONS.items() if c.direct]),
)
def test_the_mid_lies_between_the_sides(mid, points, amount, age_s, market_width, volatility, skew, pair) -> None:
    """Whatever the circumstances: never crossed, on ticks, rounded outward and by less than a tick."""
    rules = house(skews={str(pair): skew})
    wanted = wish(amount, pair, product="forward")
    parts = [Part(SPOT, Decimal(mid), places_of(pair, SPOT)), Part(POINTS, Decimal(points), places_of(pair, POINTS))]
    around = Circumstances(age_s, Decimal(market_width), volatility)
    found, steps = sides(rules, *chosen(rules, wanted), wanted, parts, around)
    for part in parts:
        tick, exact = Decimal(1).scaleb(-part.places), part.mid
        bid, offer = found[part.name].bid, found[part.name].offer
        assert bid <= exact <= offer
        assert bid.as_tuple().exponent == offer.as_tuple().exponent == -part.places
        final = [step.width for step in steps if step.part == part.name][-1]
        assert final <= offer - bid < final + 2 * tick


@given(amount=amounts, larger=amounts, age_s=st.floats(0, 5), older_s=st.floats(0, 5))
def test_larger_and_older_is_never_tighter(amount: float, larger: float, age_s: float, older_s: float) -> None:
    """With tiers that grow, width grows with amount; it always grows with the age of the live quote."""
    rules = house()
    small, large = sorted((amount, larger))
    assert width(rules, wish(small), SPOT_PART) <= width(rules, wish(large), SPOT_PART)
    young, old = sorted((age_s, older_s))
    around = [Circumstances(age) for age in (young, old)]
    assert width(rules, wish(), SPOT_PART, around[0]) <= width(rules, wish(), SPOT_PART, around[1])


@given(skew=st.floats(-1, 1), more=st.floats(-1, 1))
def test_a_greater_skew_moves_both_sides_up(skew: float, more: float) -> None:
    """At 1 the house bids its mid, at -1 it offers there."""
    low, high = sorted((skew, more))
    found = [
        sides(r, *chosen(r, wish()), wish(), [SPOT_PART], CALM)[0][SPOT]
        for r in (house(skews={"EUR/USD": s}) for s in (low, high, 1.0, -1.0))
    ]
    assert found[0].bid <= found[1].bid
    assert found[0].offer <= found[1].offer
    assert SPOT_PART.mid - found[2].bid < Decimal("0.00001")
    assert found[3].offer - SPOT_PART.mid < Decimal("0.00001")


def test_amounts_are_rounded_to_minor_units() -> None:
    """Half up: cents of a dollar, whole yen."""
    assert spread.counter_amount(Decimal(1_000_000), Decimal("1.080125"), "USD") == Decimal("1080125.00")
    assert spread.counter_amount(Decimal(1000), Decimal("150.1235"), "JPY") == Decimal(150_124)
    assert spread.nearest(1.0800005, 6) == Decimal("1.080000")


def test_the_defaults_are_rules_that_can_be_stored() -> None:
    """What the program comes with survives the way through the stored document; every direct pair's spot is quoted."""
    rules = QuotingRules()
    stored = json.dumps(rules.model_dump(mode="json"))
    assert QuotingRules.model_validate_json(stored, strict=True) == rules
    for pair, convention in CONVENTIONS.items():
        if convention.direct:
            assert chosen(rules, wish(pair=pair))[1].validity_s > 0


TIER = {"amount_max": 1e6, "spread": 1.0, "validity_s": 1.0}
BASE = {"name": "r", "instruments": ["*"], "products": ["spot"], "tiers": [TIER]}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"rules": [BASE, BASE]}, "same name"),
        ({"rules": [BASE | {"tiers": [TIER, TIER]}]}, "must ascend"),
        ({"rules": [BASE | {"tiers": []}]}, "tiers"),
        ({"rules": [BASE | {"unit": "volatility_points"}]}, "no vega"),
        ({"rules": [BASE | {"instruments": ["USD/EUR"]}]}, "none of the platform's instruments"),
        ({"rules": [BASE | {"instruments": ["nobody"]}]}, "no group"),
        ({"rules": [BASE | {"client_classes": ["gold"]}]}, "client_classes has no gold"),
        ({"rules": [BASE | {"width_min_pips": 2.0, "width_max_pips": 1.0}]}, "below width_min_pips"),
        ({"rules": [BASE | {"tiers": [TIER | {"spread": -1.0}]}]}, "greater than or equal to 0"),
        ({"rules": [BASE | {"tiers": [TIER | {"sprad": 1.0}]}]}, "sprad"),
        ({"client_classes": {"gold": 1.0}}, "standard"),
        ({"skews": {"EUR/USD": 1.5}}, "less than or equal to 1"),
        ({"skews": {"EUR/EUR": 0.5}}, "none of the platform's instruments"),
        ({"groups": {"g": ["EUR"]}, "rules": []}, "groups.g"),
        ({"age_free_s": 9.0}, "age_free_s"),
    ],
)
def test_a_configuration_that_makes_no_sense_is_refused(values: dict[str, object], words: str) -> None:
    """In words that name the rule or the field."""
    with pytest.raises(ValidationError, match=words):
        QuotingRules.model_validate_json(json.dumps(values), strict=True)
