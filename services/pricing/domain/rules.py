"""The rules of the house for quotes: who gets which spread, on what, up to which amount, for how long.

They are live configuration. Rules are read from the top, and the first that fits a request applies; within it the first
tier that holds the amount. What no rule fits is not quoted.
"""

from __future__ import annotations

import enum
import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from crossrate.basics.instrument import CONVENTIONS
from crossrate.basics.pair import Pair

STANDARD = "standard"
"""The client class of everybody of whom nothing else is said."""
EVERY = "*"

_PLACE = re.compile(r"([A-Z]{3}|\*)/([A-Z]{3}|\*)")
_WORD = r"^[a-z][a-z0-9-]{0,31}$"
Word = Annotated[str, StringConstraints(pattern=_WORD)]


class Unit(enum.StrEnum):
    """What a tier's spread is measured in."""

    PIPS = "pips"
    """Pips of the instrument."""
    BASIS_POINTS = "basis_points"
    """Hundredths of a percent of the mid: of the spot rate, or of the premium."""
    VOLATILITY_POINTS = "volatility_points"
    """Hundredths of 1.00 of volatility, by the product's vega: for products with a premium only."""


class Tier(BaseModel):
    """What holds for amounts up to `amount_max`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    amount_max: float = Field(gt=0, le=1e15)
    """Largest amount, in units of the base currency."""
    spread: float = Field(default=0.0, ge=0, le=1e6)
    """Width from bid to offer, in the rule's unit: of the spot rate, or of a premium. A swap has none."""
    points_spread: float = Field(default=0.0, ge=0, le=1e6)
    """Width of forward points and swap points, in pips."""
    validity_s: float = Field(gt=0, le=60)
    """How long a quote can be executed."""


class Rule(BaseModel):
    """Tiers, and the requests that they are for. An empty list of classes stands for all of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Word
    instruments: tuple[str, ...] = Field(min_length=1, max_length=200)
    """Pairs ("EUR/USD"), pairs with one or both sides open ("*/JPY"), and names of groups."""
    products: tuple[Word, ...] = Field(min_length=1, max_length=32)
    """The product's terms as the contract calls them: "spot", "forward", "vanilla"."""
    client_classes: tuple[Word, ...] = Field(default=(), max_length=32)
    tenor_days_max: int | None = Field(default=None, ge=-7, le=40_000)
    """Latest value date, in days from the spot date; none for any."""
    unit: Unit = Unit.PIPS
    width_min_pips: float = Field(default=0.0, ge=0, le=1e6)
    """No part of the price is quoted tighter, whatever else applies."""
    width_max_pips: float | None = Field(default=None, gt=0, le=1e6)
    """No part of the price is quoted wider: a promise to the client, which goes before everything else."""
    market_width_multiple: float = Field(default=1.0, ge=0, le=100)
    """The spot part is at least so many times as wide as the live quote."""
    tiers: tuple[Tier, ...] = Field(min_length=1, max_length=16)

    @model_validator(mode="after")
    def _check(self) -> Self:
        amounts = [tier.amount_max for tier in self.tiers]
        if any(b <= a for a, b in itertools.pairwise(amounts)):
            raise ValueError(f"tiers of {self.name}: amount_max must ascend, not {amounts}")
        if self.width_max_pips is not None and self.width_max_pips < self.width_min_pips:
            raise ValueError(f"{self.name}: width_max_pips is below width_min_pips")
        exchanges = {"spot", "forward", "ndf", "swap"} & set(self.products)
        if self.unit is Unit.VOLATILITY_POINTS and exchanges:
            raise ValueError(f"{self.name}: {', '.join(sorted(exchanges))} has no vega to take volatility_points of")
        return self


_MAJORS = (
    *("EUR/USD", "USD/JPY", "GBP/USD", "AUD/USD", "NZD/USD", "USD/CAD", "USD/CHF"),
    *("EUR/GBP", "EUR/JPY", "EUR/CHF", "GBP/JPY"),
)


def _tiers(*rows: tuple[float, float, float, float]) -> tuple[Tier, ...]:
    return tuple(Tier(amount_max=a, spread=s, points_spread=p, validity_s=v) for a, s, p, v in rows)


_DEFAULT_RULES = (
    Rule(
        name="majors",
        instruments=("majors",),
        products=("spot", "forward", "ndf", "swap"),
        tenor_days_max=400,
        width_min_pips=0.01,
        tiers=_tiers((1e6, 0.4, 0.1, 10), (5e6, 0.6, 0.2, 8), (25e6, 1.2, 0.5, 5), (100e6, 3, 1.5, 3)),
    ),
    Rule(
        name="others",
        instruments=(EVERY,),
        products=("spot", "forward", "ndf", "swap"),
        tenor_days_max=400,
        unit=Unit.BASIS_POINTS,
        width_min_pips=0.1,
        tiers=_tiers((1e6, 3, 1, 10), (10e6, 6, 4, 5), (100e6, 15, 20, 3)),
    ),
    Rule(
        name="long-forwards",
        instruments=(EVERY,),
        products=("forward", "ndf", "swap"),
        tenor_days_max=1900,
        unit=Unit.BASIS_POINTS,
        width_min_pips=0.1,
        tiers=_tiers((1e6, 5, 15, 8), (10e6, 10, 30, 4)),
    ),
    Rule(
        name="options",
        instruments=(EVERY,),
        products=("vanilla", "strategy"),
        tenor_days_max=800,
        unit=Unit.VOLATILITY_POINTS,
        width_min_pips=0.2,
        tiers=_tiers((5e6, 0.4, 0, 10), (25e6, 0.7, 0, 8), (100e6, 1.5, 0, 5)),
    ),
)


class QuotingRules(BaseModel):
    """Live configuration of quoting. A change holds for the next request; quotes that are out stay as they are."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    quoting: bool = True
    """False: nothing is quoted. What is quoted already can be executed until it expires."""
    market: Word = "house"
    """The market whose newest version quotes are priced on."""
    outside_sessions: bool = False
    """Quote also while the instrument's trading session is closed."""
    groups: dict[Word, tuple[str, ...]] = Field(default={"majors": _MAJORS}, max_length=64)
    """Pairs by the name of their group."""
    rules: tuple[Rule, ...] = Field(default=_DEFAULT_RULES, max_length=300)
    client_classes: dict[Word, Annotated[float, Field(gt=0, le=100)]] = Field(default={STANDARD: 1.0}, max_length=64)
    """What spreads of a class are multiplied by."""
    skews: dict[str, Annotated[float, Field(ge=-1, le=1)]] = Field(default={}, max_length=500)
    """By pair, how far both sides are moved, in half widths: above 0 the house rather buys, up to a bid at the mid."""
    age_free_s: float = Field(default=1.0, ge=0, le=60)
    """A live quote up to this age widens nothing."""
    age_max_s: float = Field(default=5.0, gt=0, le=60)
    """Nothing is quoted on an older one. Up to it the width grows in proportion."""
    age_multiplier: float = Field(default=2.0, ge=1, le=100)
    """What the width is multiplied by at `age_max_s`."""
    volatility_free: float = Field(default=0.15, gt=0, le=10)
    """A volatility of the market's surface, a month ahead at the forward, up to which nothing is widened."""
    volatility_slope: float = Field(default=1.0, ge=0, le=100)
    """How much the width grows with what the volatility is above that, both in proportion."""
    volatility_multiplier_max: float = Field(default=4.0, ge=1, le=100)
    """The most that the width is multiplied by for volatility."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        names = [rule.name for rule in self.rules]
        if len(set(names)) != len(names):
            raise ValueError("rules: two have the same name")
        if STANDARD not in self.client_classes:
            raise ValueError(f"client_classes: {STANDARD!r} is missing, which holds for everybody else")
        if self.age_free_s > self.age_max_s:
            raise ValueError("age_free_s is above age_max_s")
        for group, members in self.groups.items():
            for member in members:
                self._check_place(member, f"groups.{group}")
        for rule in self.rules:
            for each in rule.instruments:
                if each not in self.groups:
                    self._check_place(each, f"instruments of {rule.name}")
            strange = set(rule.client_classes) - self.client_classes.keys()
            if strange:
                raise ValueError(f"{rule.name}: client_classes has no {', '.join(sorted(strange))}")
        for name in self.skews:
            _known(name, "skews")
        return self

    def _check_place(self, text: str, where: str) -> None:
        if text == EVERY:
            return
        if not _PLACE.fullmatch(text):
            groups = ", ".join(self.groups) or "none"
            raise ValueError(f"{where}: {text!r} is no pair, no pattern as '*/JPY' and no group ({groups})")
        if EVERY not in text:
            _known(text, where)

    def holds(self, places: Sequence[str], pair: Pair) -> bool:
        """Whether a pair is among some pairs, patterns and groups."""
        return any(self.holds(self.groups[each], pair) if each in self.groups else _fits(each, pair) for each in places)


def _known(name: str, where: str) -> None:
    if Pair(*name.partition("/")[::2]) not in CONVENTIONS:
        raise ValueError(f"{where}: {name!r} is none of the platform's instruments in the market's order")


def _fits(place: str, pair: Pair) -> bool:
    base, _, counter = place.partition("/")
    return place == EVERY or (base in (EVERY, pair.base) and counter in (EVERY, pair.counter))


@dataclass(frozen=True, slots=True)
class Wish:
    """What a client wants quoted: `product` as the contract calls the terms, `amount` in units of the base currency."""

    pair: Pair
    product: str
    tenor_days: int
    amount: float
    client_class: str


class NotQuoted(Exception):
    """No rule quotes this."""


class AmountTooLarge(Exception):
    """The amount is beyond the largest tier."""

    def __init__(self, rule: Rule, amount_max: float) -> None:
        super().__init__(f"rule {rule.name} quotes up to {amount_max:.10g}")
        self.rule = rule
        self.amount_max = amount_max


def chosen(rules: QuotingRules, wish: Wish) -> tuple[Rule, Tier]:
    """The rule that applies, and its tier.

    Raises:
        NotQuoted: no rule fits; the message says what to ask for.
        AmountTooLarge: the rule's last tier does not hold the amount.
    """
    for rule in rules.rules:
        if not rules.holds(rule.instruments, wish.pair) or wish.product not in rule.products:
            continue
        if rule.client_classes and wish.client_class not in rule.client_classes:
            continue
        if rule.tenor_days_max is not None and wish.tenor_days > rule.tenor_days_max:
            continue
        for tier in rule.tiers:
            if wish.amount <= tier.amount_max:
                return rule, tier
        raise AmountTooLarge(rule, rule.tiers[-1].amount_max)
    words = f"no rule quotes a {wish.product} of {wish.pair}, {wish.tenor_days} days from spot, to class"
    raise NotQuoted(f"{words} {wish.client_class}: ask for a nearer date or another product")
