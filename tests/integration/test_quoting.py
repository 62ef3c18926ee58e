"""Requests for quote through a real server on a real PostgreSQL: what is quoted, refused, kept, taken once."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, timedelta
from decimal import Decimal

import pytest
import pytest_asyncio
from google.protobuf.duration_pb2 import Duration

from crossrate.api.marketdata.v1 import quote_pb2 as marketdata_pb
from crossrate.api.pricing.v1 import pricing_service_pb2 as prices_pb
from crossrate.api.pricing.v1 import product_pb2, quote_pb2
from crossrate.api.pricing.v1 import quoting_service_pb2 as pb
from crossrate.api.pricing.v1 import snapshot_service_pb2 as kept_pb
from crossrate.api.reference.v1 import instrument_pb2
from crossrate.rpc.caller import CLIENT_HEADER
from crossrate.rpc.errors import ErrorReason, Failure
from services.pricing.domain.rules import QuotingRules, Tier
from tests.integration.conftest import eventually
from tests.integration.desk import WEDNESDAY, Desk, desk, failure
from tests.unit.pricing import desk as market_desk

# One database and one pair of servers for all of it.
pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

TWO_WAY, BUY, SELL = quote_pb2.QUOTE_SIDE_TWO_WAY, quote_pb2.QUOTE_SIDE_BUY, quote_pb2.QUOTE_SIDE_SELL
TERMS = {"expiry": "3M", "cut": product_pb2.EXPIRY_CUT_NEW_YORK, "notional": 1}
CALL = product_pb2.Vanilla(put_or_call=product_pb2.PUT_OR_CALL_CALL, strike=1.09, **TERMS)
REVERSAL = product_pb2.Strategy(kind=product_pb2.STRATEGY_KIND_RISK_REVERSAL, strikes=[1.07, 1.2], **TERMS)
PRODUCTS = {
    "spot": {"spot": product_pb2.Spot(notional=1)},
    "forward": {"forward": product_pb2.Forward(value_date="3M", notional=1)},
    "swap": {"swap": product_pb2.Swap(near_date="SP", far_date="3M", notional=1)},
    "ndf": {"ndf": product_pb2.Ndf(value_date="3M", notional=1)},
    "vanilla": {"vanilla": CALL},
    "strategy": {"strategy": REVERSAL},
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running() -> AsyncIterator[Desk]:
    """The services with a market."""
    async with desk() as made:
        await made.put()
        yield made


@pytest.fixture
def house(running: Desk) -> Desk:
    """The desk on a Wednesday with its own rules and a live EUR/USD."""
    running.turn.rules, running.turn.known, running.turn.now = QuotingRules(), True, None
    running.statuses.said.clear()
    running.upstream.tick("EUR/USD", 1.0799, 1.0801)
    running.upstream.tick("USD/CNY", 7.1990, 7.2010)
    return running


def ask(product: str = "spot", instrument: str = "EUR/USD", **other: object) -> pb.RequestQuoteRequest:
    """A request for a two-way quote in a million."""
    made = product_pb2.Product(instrument=instrument, **PRODUCTS[product])
    values = {"side": TWO_WAY, "amount": "1000000"} | other
    return pb.RequestQuoteRequest(request_id=str(uuid.uuid4()), product=made, **values)


def take(quote: quote_pb2.ExecutableQuote, side: int = BUY, **other: object) -> pb.TakeQuoteRequest:
    """A request to execute a quote."""
    values = {"request_id": str(uuid.uuid4()), "comment": "order 1"} | other
    return pb.TakeQuoteRequest(quote_id=quote.quote_id, side=side, **values)


async def quoted(house: Desk, request: pb.RequestQuoteRequest) -> quote_pb2.ExecutableQuote:
    """The quote for a request."""
    return (await house.quoting.RequestQuote(request)).quote


async def refusal(house: Desk, **other: object) -> Failure:
    """Why a request is not quoted."""
    return await failure(house.quoting.RequestQuote(ask(**other)))


async def state(house: Desk, quote: quote_pb2.ExecutableQuote) -> str:
    """Where a quote stands."""
    terms = (await house.quoting.GetQuoteTerms(pb.GetQuoteTermsRequest(quote_id=quote.quote_id))).quote
    return quote_pb2.QuoteState.Name(terms.state).removeprefix("QUOTE_STATE_")


def validity(quote: quote_pb2.ExecutableQuote) -> timedelta:
    """How long a quote lives."""
    return quote.valid_until_time.ToDatetime(UTC) - quote.create_time.ToDatetime(UTC)


async def test_a_spot_quote_says_what_it_is_made_of(house: Desk) -> None:
    """Default rules: 0.4 pips around the mid, but not tighter than the market's 2 pips; dates, amounts, reasons."""
    quote = await quoted(house, ask())
    assert (quote.bid.px, quote.offer.px) == ("1.07990", "1.08010")
    assert (quote.bid.spot_rate, quote.bid.forward_points) == ("1.07990", "0")
    assert (quote.bid.counter_amount, quote.offer.counter_amount) == ("1079900.00", "1080100.00")
    assert quote.mid_px == pytest.approx(1.08, rel=1e-15)
    assert validity(quote) == timedelta(seconds=10)
    assert quote.state == quote_pb2.QUOTE_STATE_ACTIVE
    assert (quote.explanation.rule, quote.explanation.tier_amount_max) == ("majors", "1000000")
    assert quote.explanation.config_version == 7
    assert [(s.part, s.step, Decimal(s.width)) for s in quote.explanation.steps] == [
        ("spot", "tier", Decimal("0.00004")),
        ("spot", "market", Decimal("0.0002")),
    ]
    (leg,) = quote.legs
    assert (leg.amount, leg.bid_px, leg.offer_px) == ("1000000", "1.07990", "1.08010")
    assert (leg.bid_counter_amount, leg.offer_counter_amount) == ("-1079900.00", "-1080100.00")
    assert (leg.value_date.year, leg.value_date.month, leg.value_date.day) == (2026, 3, 6)
    assert quote.spot_date == leg.value_date
    again = (await house.quoting.GetQuoteTerms(pb.GetQuoteTermsRequest(quote_id=quote.quote_id))).quote
    assert again == quote


@pytest.mark.parametrize("product", list(PRODUCTS))
async def test_the_snapshot_gives_the_mid_again(house: Desk, product: str) -> None:
    """Price on the quote's snapshot is the quote's mid to the last bit, and lies between the sides."""
    quote = await quoted(house, ask(product, "USD/CNY" if product == "ndf" else "EUR/USD"))
    made = product_pb2.Product()
    made.CopyFrom(quote.product)
    if product == "swap":
        made.swap.near_rate = float(quote.legs[0].bid_px)
    again = await house.prices.Price(prices_pb.PriceRequest(product=made, snapshot_id=quote.snapshot_id))
    if product in ("vanilla", "strategy"):
        # Two days of 4 percent from today to the spot date, on which the premium is paid.
        assert quote.premium_date == quote.spot_date
        assert quote.mid_px == pytest.approx(again.unit_price * 1.0002192, rel=1e-6)
    else:
        assert quote.mid_px == (again.par_points if product == "swap" else again.par_rate)
    bid, offer = Decimal(quote.bid.px), Decimal(quote.offer.px)
    assert bid < Decimal(quote.mid_px) < offer
    if product in ("forward", "ndf"):
        for side in (quote.bid, quote.offer):
            assert Decimal(side.spot_rate) + Decimal(side.forward_points) == Decimal(side.px)
        assert quote.legs[0].HasField("expiry_date") == (product == "ndf")
    if product == "swap":
        near, far = quote.legs
        assert (near.amount, far.amount) == ("-1000000", "1000000")
        assert near.bid_px == near.offer_px
        assert Decimal(far.offer_px) - Decimal(near.offer_px) == offer
        assert Decimal(near.offer_counter_amount) > 0 > Decimal(far.offer_counter_amount)


async def test_a_quoted_market_needs_all_its_pairs(house: Desk) -> None:
    """A cross is quoted on live quotes of all pairs that imply its curves; its snapshot has them and gives the mid."""
    await house.snapshots.PutMarket(market_desk.put())
    house.turn.rules = QuotingRules(market="desk")
    house.upstream.tick("EUR/JPY", 161.9, 162.1)
    house.upstream.tick("USD/JPY", 149.9, 150.1, marketdata_pb.QUOTE_HEALTH_STALE)
    assert (await refusal(house, product="forward", instrument="EUR/JPY")).metadata["instrument"] == "USD/JPY"
    house.upstream.tick("USD/JPY", 149.9, 150.1)
    quote = await quoted(house, ask("forward", "EUR/JPY"))
    snapshot = await house.snapshots.GetSnapshot(kept_pb.GetSnapshotRequest(snapshot_id=quote.snapshot_id))
    assert [each.instrument for each in snapshot.snapshot.spots] == ["EUR/JPY", "EUR/USD", "USD/JPY"]
    again = await house.prices.Price(prices_pb.PriceRequest(product=quote.product, snapshot_id=quote.snapshot_id))
    assert quote.mid_px == again.par_rate
    option = await quoted(house, ask("vanilla"))
    assert Decimal(option.bid.px) < Decimal(option.offer.px)
    house.upstream.tick("EUR/USD", 0.0009, 0.0011)
    found = await refusal(house)
    assert found.metadata["state"] == "NOT_QUOTED"
    assert "gives no market" in found.message


async def test_a_cheap_option_is_not_bid_below_nothing(house: Desk) -> None:
    """The bid of what can only be worth something is 0 at the least; a risk reversal's may be negative."""
    request = ask("vanilla")
    request.product.vanilla.strike = 1.4
    quote = await quoted(house, request)
    assert Decimal(quote.bid.px) == 0 < Decimal(quote.offer.px)
    assert Decimal((await quoted(house, ask("strategy"))).bid.px) < 0


async def test_exotic_options_are_quoted_where_a_rule_names_them(house: Desk) -> None:
    """Not by the rules that the program comes with; what has a payout and no notional is not quoted at all."""
    american = product_pb2.American(put_or_call=product_pb2.PUT_OR_CALL_CALL, strike=1.09, **TERMS)
    request = ask()
    request.product.american.CopyFrom(american)
    assert (await failure(house.quoting.RequestQuote(request))).metadata["state"] == "NOT_QUOTED"
    rules = QuotingRules()
    named = rules.rules[-1].model_copy(update={"name": "exotics", "products": ("american",)})
    house.turn.rules = rules.model_copy(update={"rules": (*rules.rules, named)})
    quote = await quoted(house, request)
    assert quote.explanation.rule == "exotics"
    assert 0 < Decimal(quote.bid.px) < Decimal(quote.mid_px) < Decimal(quote.offer.px)
    request = ask()
    request.product.digital.CopyFrom(
        product_pb2.Digital(
            put_or_call=product_pb2.PUT_OR_CALL_CALL,
            expiry="3M",
            cut=product_pb2.EXPIRY_CUT_NEW_YORK,
            strike=1.09,
            payout_currency="USD",
            payout=1,
        )
    )
    refused = await failure(house.quoting.RequestQuote(request))
    assert [v.field for v in refused.violations] == ["product.digital"]


async def test_one_side_is_quoted_alone(house: Desk) -> None:
    """Who asks to buy gets an offer, and no bid can be taken of it."""
    quote = await quoted(house, ask(side=BUY))
    assert quote.HasField("offer")
    assert not quote.HasField("bid")
    assert not quote.legs[0].bid_px
    refused = await failure(house.quoting.TakeQuote(take(quote, SELL)))
    assert [v.field for v in refused.violations] == ["side"]
    assert await state(house, quote) == "ACTIVE"


async def test_a_repeated_request_has_the_same_quote(house: Desk) -> None:
    """Also side by side, after the market has moved and while it is not quoted; with another body it is refused."""
    request = ask()
    first, second = await asyncio.gather(quoted(house, request), quoted(house, request))
    assert first == second
    house.upstream.tick("EUR/USD", 1.2, 1.2001, marketdata_pb.QUOTE_HEALTH_CROSSED)
    assert await quoted(house, request) == first
    other = ask(amount="2000000")
    other.request_id = request.request_id
    assert (await failure(house.quoting.RequestQuote(other))).reason is ErrorReason.REQUEST_ID_REUSED


async def test_an_indication_is_not_kept(house: Desk) -> None:
    """It has prices and reasons, but no id, no snapshot and no life; the same request id is then still free."""
    request = ask(validate_only=True)
    indication = await quoted(house, request)
    assert indication.offer.px
    assert indication.explanation.rule
    assert not indication.quote_id
    assert not indication.snapshot_id
    assert not indication.HasField("valid_until_time")
    assert indication.state == quote_pb2.QUOTE_STATE_UNSPECIFIED
    request.validate_only = False
    assert (await quoted(house, request)).quote_id


async def test_nothing_is_quoted_on_doubt(house: Desk) -> None:
    """Each doubt has its reason: health, age, halt, closed session, switch, configuration, missing quote or market."""
    for health in ("STALE", "GAPPED", "CROSSED", "CLOSED"):
        house.upstream.tick("EUR/USD", 1.0799, 1.0801, marketdata_pb.QuoteHealth.Value(f"QUOTE_HEALTH_{health}"))
        found = await refusal(house)
        assert (found.reason, found.metadata["health"]) == (ErrorReason.NO_QUOTE, health)
    house.upstream.tick("EUR/USD", 1.0799, 1.0801)
    house.turn.now = WEDNESDAY + timedelta(seconds=5.001)
    assert (await refusal(house)).metadata == {"instrument": "EUR/USD", "health": "STALE"}
    house.turn.now = WEDNESDAY + timedelta(seconds=3)
    quote = await quoted(house, ask())
    assert [s.step for s in quote.explanation.steps] == ["tier", "age", "market"]
    house.statuses.said["EUR/USD"] = instrument_pb2.INSTRUMENT_STATUS_HALTED
    halted = await refusal(house)
    assert (halted.reason, halted.metadata["state"]) == (ErrorReason.WRONG_STATE, "HALTED")
    house.statuses.said["EUR/USD"] = instrument_pb2.INSTRUMENT_STATUS_REDUCE_ONLY
    assert (await quoted(house, ask())).reduce_only
    house.turn.now = WEDNESDAY + timedelta(days=3)
    house.upstream.tick("EUR/USD", 1.0799, 1.0801)
    closed = await refusal(house)
    assert closed.metadata["state"] == "SESSION_CLOSED"
    assert "2026-03-08 21:00 UTC" in closed.message
    house.turn.rules = QuotingRules(outside_sessions=True)
    assert await quoted(house, ask())
    house.turn.now = None
    house.turn.rules = QuotingRules(quoting=False)
    assert (await refusal(house)).metadata["state"] == "NOT_QUOTING"
    house.turn.rules, house.turn.known = QuotingRules(), False
    assert (await refusal(house)).metadata["dependency"] == "nats"
    house.turn.known = True
    assert (await refusal(house, instrument="GBP/USD")).reason is ErrorReason.NO_QUOTE
    house.turn.rules = QuotingRules(market="nowhere")
    assert (await refusal(house)).metadata == {"resource": "market", "name": "nowhere"}


@pytest.mark.parametrize(
    ("other", "field"),
    [
        ({"amount": "100000001"}, "amount"),
        ({"amount": "100"}, "amount"),
        ({"amount": "1000.5"}, "amount"),
        ({"amount": "1e6"}, "amount"),
        ({"client_class": "platinum"}, "client_class"),
        ({"validity": Duration(nanos=1)}, "validity"),
    ],
)
async def test_what_cannot_be_quoted_is_named(house: Desk, other: dict, field: str) -> None:
    """The field and what would be right."""
    found = await refusal(house, **other)
    assert [v.field for v in found.violations] == [field], found


async def test_terms_that_the_quote_is_to_give_are_refused(house: Desk) -> None:
    """A notional other than 1, a rate that is given, and a product or date for which there is no rule."""
    request = ask()
    request.product.spot.notional = 1e6
    found = await failure(house.quoting.RequestQuote(request))
    assert found.violations[0].field == "product.spot.notional"
    request = ask("forward")
    request.product.forward.rate = 1.1
    found = await failure(house.quoting.RequestQuote(request))
    assert found.violations[0].field == "product.forward.rate"
    request = ask("vanilla")
    request.product.vanilla.expiry = "5Y"
    found = await failure(house.quoting.RequestQuote(request))
    assert found.metadata["state"] == "NOT_QUOTED"
    assert "nearer date" in found.message


async def test_a_client_of_the_edge_names_no_class_and_takes_nothing(house: Desk) -> None:
    """Which class a client has is not its own to say; taking a quote is for trading alone."""
    trader = house.runtime.topology.client_identity("local")
    edge = (("x-forwarded-client-cert", "URI=spiffe://crossrate/edge"), (CLIENT_HEADER, trader))
    quote = (await house.quoting.RequestQuote(ask(), metadata=edge)).quote
    assert quote.client_class == "standard"
    refused = await failure(house.quoting.RequestQuote(ask(client_class="standard"), metadata=edge))
    assert [v.field for v in refused.violations] == ["client_class"]
    refused = await failure(house.quoting.TakeQuote(take(quote), metadata=edge))
    assert refused.reason is ErrorReason.CALLER_NOT_ALLOWED


async def test_rules_decide_spread_and_validity(house: Desk) -> None:
    """The class's multiple, a larger tier, a skew and a shorter validity show in the quote."""
    rules = QuotingRules(client_classes={"standard": 1.0, "gold": 0.5}, skews={"EUR/USD": 1.0})
    (majors, *others) = rules.rules
    tiers = (Tier(amount_max=1e6, spread=4, validity_s=10), Tier(amount_max=5e6, spread=8, validity_s=2))
    house.turn.rules = rules.model_copy(update={"rules": (majors.model_copy(update={"tiers": tiers}), *others)})
    quote = await quoted(house, ask())
    assert (quote.bid.px, quote.offer.px) == ("1.08000", "1.08040")
    assert quote.explanation.steps[-1].step == "skew"
    gold = await quoted(house, ask(client_class="gold"))
    assert (gold.offer.px, gold.client_class) == ("1.08020", "gold")
    large = await quoted(house, ask(amount="1000001", validity=Duration(seconds=9)))
    assert large.offer.px == "1.08080"
    assert validity(large) == timedelta(seconds=2)
    short = await quoted(house, ask(validity=Duration(nanos=500_000_000)))
    assert validity(short) == timedelta(seconds=0.5)


async def test_twenty_takers_and_one_wins(house: Desk) -> None:
    """Of twenty at once exactly one executes; the others learn that it is EXECUTED, and the winner's answer repeats."""
    quote = await quoted(house, ask())
    requests = [take(quote, (BUY, SELL)[i % 2], comment=f"order {i}") for i in range(20)]
    found = await asyncio.gather(*(house.quoting.TakeQuote(r) for r in requests), return_exceptions=True)
    won = [(r, a) for r, a in zip(requests, found, strict=True) if not isinstance(a, BaseException)]
    assert len(won) == 1
    request, answer = won[0]
    assert answer.quote.state == quote_pb2.QUOTE_STATE_EXECUTED
    assert (answer.quote.executed_side, answer.quote.end_comment) == (request.side, request.comment)
    create, end = (t.ToDatetime(UTC) for t in (quote.create_time, answer.quote.end_time))
    assert create <= end < quote.valid_until_time.ToDatetime(UTC)
    for other in requests:
        if other is request:
            assert await house.quoting.TakeQuote(other) == answer
        else:
            lost = await failure(house.quoting.TakeQuote(other))
            assert (lost.reason, lost.metadata["state"]) == (ErrorReason.WRONG_STATE, "EXECUTED")
    terms = (await house.quoting.GetQuoteTerms(pb.GetQuoteTermsRequest(quote_id=quote.quote_id))).quote
    assert terms == answer.quote


async def test_an_expired_quote_is_never_executed(house: Desk) -> None:
    """Once the database's clock has passed it; its answer to the request id stays."""
    request = ask(validity=Duration(nanos=100_000_000))
    quote = await quoted(house, request)

    async def expired() -> bool:
        return await state(house, quote) == "EXPIRED"

    await eventually(expired)
    late = await failure(house.quoting.TakeQuote(take(quote)))
    assert (late.reason, late.metadata["state"]) == (ErrorReason.WRONG_STATE, "EXPIRED")
    cancel = pb.CancelQuoteRequest(request_id=str(uuid.uuid4()), quote_id=quote.quote_id, comment="late")
    assert (await failure(house.quoting.CancelQuote(cancel))).metadata["state"] == "EXPIRED"
    assert await quoted(house, request) == quote


async def test_a_withdrawn_quote_is_never_executed(house: Desk) -> None:
    """Cancelling is idempotent; a quote that was taken cannot be withdrawn."""
    quote, taken = await quoted(house, ask()), await quoted(house, ask())
    cancel = pb.CancelQuoteRequest(request_id=str(uuid.uuid4()), quote_id=quote.quote_id, comment="news")
    answer = await house.quoting.CancelQuote(cancel)
    assert answer.quote.state == quote_pb2.QUOTE_STATE_CANCELLED
    assert answer.quote.end_comment == "news"
    assert await house.quoting.CancelQuote(cancel) == answer
    assert (await failure(house.quoting.TakeQuote(take(quote)))).metadata["state"] == "CANCELLED"
    await house.quoting.TakeQuote(take(taken))
    cancel = pb.CancelQuoteRequest(request_id=str(uuid.uuid4()), quote_id=taken.quote_id, comment="news")
    assert (await failure(house.quoting.CancelQuote(cancel))).metadata["state"] == "EXECUTED"


async def test_old_quotes_are_forgotten_and_executed_ones_kept(house: Desk) -> None:
    """Deleted is what ended without execution longer ago than the setting says."""
    executed, left = await quoted(house, ask()), await quoted(house, ask())
    short = await quoted(house, ask(validity=Duration(nanos=100_000_000)))
    await house.quoting.TakeQuote(take(executed))

    async def expired() -> bool:
        return await state(house, short) == "EXPIRED"

    await eventually(expired)
    await house.quotes.forget(0.0)
    unknown = pb.GetQuoteTermsRequest(quote_id=short.quote_id)
    assert (await failure(house.quoting.GetQuoteTerms(unknown))).metadata["resource"] == "quote"
    assert await state(house, executed) == "EXECUTED"
    assert await state(house, left) == "ACTIVE"


async def test_without_the_database_nothing_is_quoted(house: Desk) -> None:
    """DEPENDENCY_UNAVAILABLE while it is away; a quote that was out is still there afterwards."""
    quote = await quoted(house, ask(validity=Duration(seconds=10)))
    house.servers.kill("postgres")
    try:
        found = await refusal(house)
        assert (found.reason, found.metadata.get("dependency")) in (
            (ErrorReason.DEPENDENCY_UNAVAILABLE, "postgres"),
            (ErrorReason.OUTCOME_UNKNOWN, None),
        )
    finally:
        await house.servers.start_postgres()
    assert await state(house, quote) in ("ACTIVE", "EXPIRED")
