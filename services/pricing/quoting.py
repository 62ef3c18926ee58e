"""How a request becomes a quote: the market of this moment, a price without spread, the house's rules, two sides.

The mid is what `Price` gives on the snapshot, whose id the quote names. Whatever is in doubt ends in a refusal.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from decimal import Decimal
from typing import Protocol

import numpy as np

from crossrate.api.pricing.v1 import market_pb2, product_pb2, quote_pb2
from crossrate.api.pricing.v1 import pricing_service_pb2 as pb
from crossrate.api.pricing.v1 import quoting_service_pb2 as asked
from crossrate.api.reference.v1 import instrument_pb2
from crossrate.basics.instrument import CONVENTIONS
from crossrate.basics.pair import Pair
from crossrate.basics.session import standing_at
from crossrate.rpc import errors
from services.pricing import messages
from services.pricing.domain import rules as house
from services.pricing.domain import spread
from services.pricing.domain.market import Snapshot, Standing
from services.pricing.domain.refusal import Missing, Refused
from services.pricing.library import Library
from services.pricing.live_market import calibrated
from services.pricing.peers import LiveQuote, Statuses, spot_rate
from services.pricing.pricer import Clock, Pricer
from services.pricing.quote_message import Priced, quote_message

SPOT_EXCHANGES, SWAP = ("spot", "forward", "ndf"), "swap"
"""Terms that are quoted as a rate, and as points; everything else has a premium."""
VOLATILITY_TIME = 1 / 12
"""Years ahead at which the market's volatility is looked at."""
AGREED = ("rate", "near_rate", "far_rate")
"""Fields of terms that a quote is to give."""


@dataclass(frozen=True, slots=True)
class Config:
    """The rules in force, their version, and whether they are the stored ones for certain."""

    rules: house.QuotingRules
    version: int
    known: bool = True


@dataclass(frozen=True, slots=True)
class Made:
    """A quote that nobody has kept yet: without id and times."""

    quote: quote_pb2.ExecutableQuote
    validity: timedelta
    snapshot: market_pb2.Snapshot


class Newest(Protocol):
    """Where the newest version of a market is known."""

    async def newest(self, name: str) -> int:
        """The newest version of a market; 0 if there is none."""
        ...


class Quoting:
    """Makes quotes."""

    def __init__(
        self,
        library: Library,
        versions: Newest,
        quotes: LiveQuote,
        statuses: Statuses,
        pricer: Pricer,
        config: Callable[[], Config],
        clock: Clock,
        new_id: Callable[[], str],
    ) -> None:
        self._library = library
        self._versions = versions
        self._quotes = quotes
        self._statuses = statuses
        self._pricer = pricer
        self._config = config
        self._clock = clock
        self._new_id = new_id

    async def made(self, request: asked.RequestQuoteRequest) -> Made:
        """A quote for a request.

        Raises:
            Failure: it is not quoted; the reason says why and what would be.
            Refused, Missing, OutsideCalendar: the product cannot be priced.
            StoreUnavailable: the market is not in memory, and the database is away.
        """
        config = self._config()
        rules = config.rules
        if not config.known:
            raise errors.dependency_unavailable("nats")
        if not rules.quoting:
            raise errors.wrong_state("NOT_QUOTING", "the house does not quote now: its configuration says so")
        pair = messages.pair_of(request.product.instrument)
        client_class = request.client_class or house.STANDARD
        if client_class not in rules.client_classes:
            words = f"{client_class!r} is none of {', '.join(sorted(rules.client_classes))}"
            raise errors.invalid(("client_class", words))
        amount = amount_of(request.amount, pair)
        check_terms(request.product)
        status, version = await self._open(pair, rules)
        book = await self._library.book(rules.market, version)
        assert book is not None, f"version {version} of market {rules.market} is not kept"
        quotes = await asyncio.gather(*(self._quotes.live(each) for each in book.pairs_for(pair)))
        quote, now = quotes[0], self._clock()
        ages_s = [max((now - each.receive_time.ToDatetime(UTC)).total_seconds(), 0.0) for each in quotes]
        for each, age_s in zip(quotes, ages_s, strict=True):
            if age_s > rules.age_max_s:
                raise errors.no_quote(each.instrument, "STALE")
        snapshot = market_pb2.Snapshot(
            id=self._new_id(),
            as_of=messages.timestamp(now),
            market=rules.market,
            market_version=version,
            spots=sorted(map(spot_rate, quotes), key=lambda each: each.instrument),
        )
        mid = (spread.written(quote.bid) + spread.written(quote.ask)) / 2
        priced = await self._priced(request.product, messages.snapshot_of(snapshot, book), mid, (rules.market, version))
        wish = house.Wish(pair, priced.terms, priced.tenor_days, float(amount), client_class)
        rule, tier = _chosen(rules, wish)
        width = spread.written(quote.ask) - spread.written(quote.bid)
        around = spread.Circumstances(max(ages_s), width, _volatility(priced.standing))
        sides, steps = spread.sides(rules, rule, tier, wish, priced.parts, around)
        message = quote_message(request, amount, priced, sides, quote)
        message.client_class, message.snapshot_id = client_class, snapshot.id
        message.reduce_only = status == instrument_pb2.INSTRUMENT_STATUS_REDUCE_ONLY
        explanation = message.explanation
        explanation.rule, explanation.tier_amount_max = rule.name, f"{spread.written(tier.amount_max).normalize():f}"
        explanation.config_version, explanation.tenor_days = config.version, priced.tenor_days
        for step in steps:
            explanation.steps.add(part=step.part, step=step.step, width=f"{step.width:f}", explanation=step.words)
        validity_s = tier.validity_s
        if request.HasField("validity"):
            validity_s = min(validity_s, request.validity.ToNanoseconds() / 1e9)
        return Made(message, timedelta(seconds=validity_s), snapshot)

    async def _open(self, pair: Pair, rules: house.QuotingRules) -> tuple[instrument_pb2.InstrumentStatus, int]:
        """The status of an instrument that is dealt now, and the newest version of the house's market."""
        found = await asyncio.gather(
            self._statuses.status(pair), self._versions.newest(rules.market), return_exceptions=True
        )
        # Of several things that are wrong the first of these is told: halted, closed, no market.
        status, version = found
        if isinstance(status, BaseException):
            raise status
        if status == instrument_pb2.INSTRUMENT_STATUS_HALTED:
            raise errors.wrong_state("HALTED", f"{pair} is halted: ask again when it is opened")
        session = standing_at(pair, self._clock())
        if not session.open and not rules.outside_sessions:
            words = f"the session of {pair} is closed; it opens at {session.next_open:%Y-%m-%d %H:%M} UTC"
            raise errors.wrong_state("SESSION_CLOSED", words)
        if isinstance(version, BaseException):
            raise version
        if not version:
            raise Missing("market", rules.market)
        return status, version

    async def _priced(
        self, product: product_pb2.Product, snapshot: Snapshot, spot: Decimal, where: tuple[str, int]
    ) -> Priced:
        """The product's price without a spread, in parts.

        Args:
            spot: the mid of the live quote.
            where: name and version of the snapshot's market.
        """
        pair = messages.pair_of(product.instrument)
        if snapshot.book.calibrates(pair):
            try:
                await calibrated(snapshot, pair, *where)
            except Refused as error:
                raise errors.wrong_state("NOT_QUOTED", error.words) from None
        standing = snapshot.of(pair)
        answer = await self._pricer.price(product, snapshot)
        terms = product.WhichOneof("terms")
        points = spread.places_of(pair, spread.POINTS)
        if terms == SWAP:
            # One near rate for both sides, so that only the points are dealt: rounded first, then priced with.
            near = spread.nearest(answer.legs[0].rate, points)
            fixed = product_pb2.Product()
            fixed.CopyFrom(product)
            fixed.swap.near_rate = float(near)
            answer = await self._pricer.price(fixed, snapshot)
            parts = [spread.Part(spread.POINTS, Decimal(answer.par_points), points)]
            return Priced(terms, standing, answer, answer.par_points, parts, _tenor_days(answer), near)
        if terms in SPOT_EXCHANGES:
            parts = [spread.Part(spread.SPOT, spot, spread.places_of(pair, spread.SPOT))]
            if terms != "spot":
                parts.append(spread.Part(spread.POINTS, Decimal(answer.par_rate) - Decimal(standing.spot), points))
            return Priced(terms, standing, answer, answer.par_rate, parts, _tenor_days(answer))
        # A premium is paid on the spot date.
        growth = 1.0 / float(standing.domestic.discount(standing.spot_time))
        premium = answer.unit_price * growth
        parts = [spread.Part(spread.PREMIUM, Decimal(premium), points, answer.valuation.vega * growth)]
        return Priced(terms, standing, answer, premium, parts, _tenor_days(answer))


def amount_of(text: str, pair: Pair) -> Decimal:
    """An amount of the base currency.

    Raises:
        Refused: it is below the smallest quantity, or no multiple of the step.
    """
    amount, convention = Decimal(text), CONVENTIONS[pair]
    if amount < convention.min_quantity:
        raise Refused("amount", f"is {text}: at least {convention.min_quantity} {pair.base} is dealt")
    if amount % convention.quantity_step:
        raise Refused("amount", f"is {text}: {pair.base} is dealt in multiples of {convention.quantity_step}")
    return amount


def check_terms(product: product_pb2.Product) -> None:
    """Refuses terms that say what the quote or the amount is to say.

    Raises:
        Refused: the notional is not 1, or a rate is given.
    """
    name = product.WhichOneof("terms")
    terms = getattr(product, name)
    fields = terms.DESCRIPTOR.fields_by_name
    if "notional" not in fields:
        raise Refused(f"product.{name}", "is not quoted: its amount is a payout, and quotes are for a notional")
    if terms.notional != 1:
        raise Refused(f"product.{name}.notional", f"is {terms.notional:.10g}: must be 1, `amount` says how much")
    for field in AGREED:
        if field in fields and terms.HasField(field):
            raise Refused(f"product.{name}.{field}", "leave it unset: the quote gives it")


def _chosen(rules: house.QuotingRules, wish: house.Wish) -> tuple[house.Rule, house.Tier]:
    try:
        return house.chosen(rules, wish)
    except house.NotQuoted as error:
        raise errors.wrong_state("NOT_QUOTED", str(error)) from None
    except house.AmountTooLarge as error:
        words = f"is {wish.amount:.10g}: at most {error.amount_max:.10g} {wish.pair.base} is quoted; ask for less"
        raise errors.invalid(("amount", words)) from None


def _tenor_days(answer: pb.PriceResponse) -> int:
    last, spot = answer.legs[-1].value_date, answer.spot_date
    return (date(last.year, last.month, last.day) - date(spot.year, spot.month, spot.day)).days


def _volatility(standing: Standing) -> float | None:
    time = np.array([VOLATILITY_TIME])
    try:
        return float(standing.volatility(time, standing.forwards(time))[0])
    except Missing:
        return None
