"""Every kind of product through a real server: what it is worth, what it refuses, and many of them in one call."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import grpc
import numpy as np
import pytest
from google.rpc.status_pb2 import Status

from crossrate.api.pricing.v1 import market_pb2, valuation_pb2
from crossrate.api.pricing.v1 import pricing_service_pb2 as pb
from crossrate.api.pricing.v1.product_pb2 import (
    EXPIRY_CUT_NEW_YORK,
    KNOCK_TYPE_IN,
    KNOCK_TYPE_OUT,
    PAYOUT_STYLE_DEFERRED,
    PAYOUT_STYLE_IMMEDIATE,
    PUT_OR_CALL_CALL,
    PUT_OR_CALL_PUT,
    STRATEGY_KIND_BUTTERFLY,
    TOUCH_CONDITION_NO_TOUCH,
    TOUCH_CONDITION_TOUCH,
    American,
    Asian,
    Barrier,
    Digital,
    Forward,
    Product,
    Strategy,
    Swap,
    Touch,
    Vanilla,
)
from crossrate.rpc.errors import ErrorReason, Failure
from tests.integration.conftest import eventually
from tests.integration.test_pricing import Served, failure, fields, served, serving, snapshot_id

__all__ = ["served", "serving"]

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

FLAT = market_pb2.FlatMarket(spot=1.08, domestic_rate=0.04, foreign_rate=0.02, volatility=0.09)
LIFE: dict[str, Any] = {"expiry": "6M", "cut": EXPIRY_CUT_NEW_YORK}
POINTS = range(21)
"""Those around an American option; each is a call of the kernel by itself."""
GREEKS = [field.name for field in valuation_pb2.Valuation.DESCRIPTOR.fields]


def vanilla(put_or_call: int = PUT_OR_CALL_CALL, strike: float = 1.09, **of: object) -> Product:
    """A European option on a million."""
    terms = {"put_or_call": put_or_call, "strike": strike, "notional": 1e6, **LIFE, **of}
    return Product(instrument="EUR/USD", vanilla=Vanilla(**terms))


def american(put_or_call: int = PUT_OR_CALL_CALL, strike: float = 1.09, **of: object) -> Product:
    """An American option on a million."""
    terms = {"put_or_call": put_or_call, "strike": strike, "notional": 1e6, **LIFE, **of}
    return Product(instrument="EUR/USD", american=American(**terms))


def digital(put_or_call: int, currency: str = "USD", **of: object) -> Product:
    """A digital that pays a million."""
    terms = {"put_or_call": put_or_call, "strike": 1.09, "payout_currency": currency, "payout": 1e6, **LIFE, **of}
    return Product(instrument="EUR/USD", digital=Digital(**terms))


def barrier(knock: int, put_or_call: int = PUT_OR_CALL_CALL, **of: object) -> Product:
    """A barrier option on a million."""
    terms = {"put_or_call": put_or_call, "knock": knock, "strike": 1.07, "notional": 1e6, **LIFE, **of}
    return Product(instrument="EUR/USD", barrier=Barrier(**terms))


def touch(condition: int, style: int = PAYOUT_STYLE_DEFERRED, currency: str = "USD", **of: object) -> Product:
    """A touch that pays a million."""
    terms = {"condition": condition, "payout_style": style, "payout_currency": currency, "payout": 1e6, **LIFE, **of}
    return Product(instrument="EUR/USD", touch=Touch(**terms))


def asian(**of: object) -> Product:
    """An average rate call on a million with monthly fixings."""
    terms = {"put_or_call": PUT_OR_CALL_CALL, "strike": 1.08, "notional": 1e6, "next_fixing": "1M", "fixings": 6}
    return Product(instrument="EUR/USD", asian=Asian(**{**terms, **LIFE, **of}))


def mixed() -> list[Product]:
    """One of each kind."""
    return [
        Product(instrument="EUR/USD", forward=Forward(value_date="1Y", notional=1e6, rate=1.1)),
        Product(instrument="EUR/USD", swap=Swap(near_date="SP", far_date="3M", notional=1e6)),
        vanilla(),
        Product(
            instrument="EUR/USD",
            strategy=Strategy(kind=STRATEGY_KIND_BUTTERFLY, strikes=[1.04, 1.08, 1.12], notional=1e6, **LIFE),
        ),
        digital(PUT_OR_CALL_PUT, "EUR"),
        barrier(KNOCK_TYPE_OUT, upper_barrier=1.15, rebate=2000.0),
        barrier(KNOCK_TYPE_IN, lower_barrier=1.03, upper_barrier=1.15),
        touch(TOUCH_CONDITION_TOUCH, PAYOUT_STYLE_IMMEDIATE, "EUR", lower_barrier=1.03),
        touch(TOUCH_CONDITION_NO_TOUCH, lower_barrier=1.0, upper_barrier=1.16),
        asian(past_fixings=[1.07, 1.075]),
        american(PUT_OR_CALL_PUT, 1.11),
    ]


async def price(served: Served, product: Product, known: str = "", currency: str = "") -> pb.PriceResponse:
    """The price of a product, on a snapshot or in the flat market."""
    request = pb.PriceRequest(product=product, reporting_currency=currency)
    if known:
        request.snapshot_id = known
    else:
        request.flat_market.CopyFrom(FLAT)
    answer: pb.PriceResponse = await served.prices.Price(request)
    return answer


async def summed(served: Served, products: list[Product], known: str) -> dict[str, float]:
    """The Greeks of several products together."""
    answers = await asyncio.gather(*(price(served, each, known) for each in products))
    return {name: sum(getattr(each.valuation, name) for each in answers) for name in GREEKS}


async def test_what_belongs_together_adds_up(served: Served) -> None:
    """On a smile, in worth and in every Greek: in and out are the vanilla, both digitals and both touches are the
    payout, whose worth is its discount factor."""
    known = await snapshot_id(served)
    european = (await price(served, vanilla(strike=1.07), known)).valuation
    for levels in ({"lower_barrier": 1.04}, {"upper_barrier": 1.2}, {"lower_barrier": 1.02, "upper_barrier": 1.1}):
        both = [barrier(knock, **levels) for knock in (KNOCK_TYPE_IN, KNOCK_TYPE_OUT)]
        for name, value in (await summed(served, both, known)).items():
            assert value == pytest.approx(getattr(european, name), rel=1e-6, abs=1.0), (levels, name)
    sides = [touch(kind, lower_barrier=1.03) for kind in (TOUCH_CONDITION_TOUCH, TOUCH_CONDITION_NO_TOUCH)]
    for pair in (sides, [digital(PUT_OR_CALL_CALL), digital(PUT_OR_CALL_PUT)]):
        total = await summed(served, pair, known)
        delivery = (await price(served, pair[0], known)).legs[0].value_date
        days = (
            np.datetime64(f"{delivery.year}-{delivery.month:02}-{delivery.day:02}") - np.datetime64("2026-03-04")
        ).astype(int)
        assert total["present_value"] == pytest.approx(1e6 * np.exp(-0.04 * days / 365), rel=1e-12)
        assert total["rho_domestic"] == pytest.approx(-days / 365 * total["present_value"], rel=1e-7)
        assert total["delta"] == pytest.approx(0.0, abs=1e-2)


async def test_each_answer_names_its_model_and_its_market(served: Served) -> None:
    """What was used is in the answer: formula, volatility, forward, and for a digital the slope of the smile."""
    known = await snapshot_id(served)
    answers = [await price(served, each, known) for each in mixed()]
    names = [valuation_pb2.Model.Name(each.model).removeprefix("MODEL_") for each in answers]
    assert names == [
        "DISCOUNTED_FORWARD",
        "DISCOUNTED_FORWARD",
        "BLACK",
        "BLACK",
        "BLACK_SMILE_SLOPE",
        "BLACK_SCHOLES_BARRIER",
        "BLACK_SCHOLES_BARRIER",
        "BLACK_SCHOLES_TOUCH",
        "BLACK_SCHOLES_TOUCH",
        "LEVY_TURNBULL_WAKEMAN",
        "AMERICAN_ANDERSEN_LAKE",
    ]
    digital_leg, one_touch = answers[4].legs[0], answers[7].legs[0]
    # Between 1.00 and 1.10 the smile falls from 9 % to 8 %, evenly in ln K.
    assert digital_leg.smile_slope == pytest.approx(-0.01 / np.log(1.1) / 1.09, rel=1e-3)
    assert one_touch.rate == 0.0
    assert 0.08 < one_touch.volatility < 0.09
    for each in answers[2:]:
        assert each.legs[0].volatility > 0.0
        # A butterfly bought is the wings less the straddle, which is worth more.
        assert (each.unit_price > 0.0) == (len(each.legs) == 1)
        assert each.legs[0].HasField("expiry_date")


async def test_american_options_are_worth_more_and_sold_ones_the_negative(served: Served) -> None:
    """Exercise is a right; twice as much of an option is worth twice, and the sold one the negative."""
    for side in (PUT_OR_CALL_PUT, PUT_OR_CALL_CALL):
        early, late = await price(served, american(side)), await price(served, vanilla(side))
        assert early.valuation.present_value >= late.valuation.present_value
    for make, field in ((barrier, "notional"), (touch, "payout")):
        kind = KNOCK_TYPE_OUT if make is barrier else TOUCH_CONDITION_TOUCH
        one = await price(served, make(kind, lower_barrier=1.04))
        sold = await price(served, make(kind, lower_barrier=1.04, **{field: -2e6}))
        assert sold.unit_price == pytest.approx(one.unit_price, rel=1e-12)
        for name in GREEKS:
            assert getattr(sold.valuation, name) == pytest.approx(-2 * getattr(one.valuation, name), rel=1e-9), name


async def test_worth_in_another_currency_has_its_own_greeks(served: Served) -> None:
    """In the base currency delta is premium-adjusted; in one that the counter currency leads to, all is converted."""
    known = await snapshot_id(served)
    for product in (vanilla(), barrier(KNOCK_TYPE_OUT, lower_barrier=1.03)):
        base = await price(served, product, known, "EUR")
        inside, plain = base.reporting_valuation, base.valuation
        assert inside.present_value == base.reporting_value
        assert inside.delta == pytest.approx(base.deltas.premium_adjusted * base.reporting_rate, rel=1e-12)
        assert base.deltas.premium_adjusted == pytest.approx(plain.delta - plain.present_value / 1.08, rel=1e-12)
        assert inside.vega == pytest.approx(plain.vega * base.reporting_rate, rel=1e-12)
        yen = await price(served, product, known, "JPY")
        for name in GREEKS:
            value = getattr(plain, name) * yen.reporting_rate
            assert getattr(yen.reporting_valuation, name) == pytest.approx(value, rel=1e-12), name
    forward = await price(served, mixed()[0], known)
    assert forward.deltas.forward == pytest.approx(1e6, rel=1e-12)


@pytest.mark.parametrize(
    ("product", "field"),
    [
        (digital(PUT_OR_CALL_CALL, "JPY"), "product.digital.payout_currency"),
        (digital(PUT_OR_CALL_CALL, payout=0.0), "product.digital.payout"),
        (barrier(KNOCK_TYPE_OUT), "product.barrier.lower_barrier"),
        (barrier(KNOCK_TYPE_IN, lower_barrier=1.08), "product.barrier.lower_barrier"),
        (barrier(KNOCK_TYPE_OUT, upper_barrier=1.07), "product.barrier.upper_barrier"),
        (barrier(KNOCK_TYPE_OUT, strike=1.2, upper_barrier=1.15), "product.barrier.upper_barrier"),
        (barrier(KNOCK_TYPE_OUT, lower_barrier=1.0, rebate=-1.0), "product.barrier.rebate"),
        (barrier(0, lower_barrier=1.0), "product.barrier.knock"),
        (touch(TOUCH_CONDITION_TOUCH), "product.touch.lower_barrier"),
        (touch(TOUCH_CONDITION_NO_TOUCH, PAYOUT_STYLE_IMMEDIATE, lower_barrier=1.0), "product.touch.payout_style"),
        (touch(0, lower_barrier=1.0), "product.touch.condition"),
        (asian(next_fixing="2026-03-03"), "product.asian.next_fixing"),
        (asian(next_fixing="1Y"), "product.asian.next_fixing"),
        (asian(fixings=0), "product.asian.fixings"),
        (american(expiry="2026-03-07"), "product.american.expiry"),
    ],
)
async def test_terms_without_sense_are_refused(served: Served, product: Product, field: str) -> None:
    """By the path of the field, alone and in a list, where the neighbours have their prices if the contract allows."""
    request = pb.PriceRequest(product=product, flat_market=FLAT)
    if field.startswith("product.asian"):
        request.flat_market.as_of.FromJsonString("2026-03-04T14:00:00Z")
    assert fields(await failure(served.prices.Price(request))) == [field]
    flat = pb.ProductOnMarket(product=product, flat_market=request.flat_market)
    listed = pb.PriceProductsRequest(products=[pb.ProductOnMarket(product=vanilla(), flat_market=FLAT), flat])
    try:
        answer = await served.prices.PriceProducts(listed)
    except grpc.aio.AioRpcError:
        found = await failure(served.prices.PriceProducts(listed))
        assert fields(found) == [f"products[1].{field}"]
    else:
        assert answer.results[0].HasField("price")
        assert fields(error(answer.results[1].error)) == [f"products[1].{field}"]


def error(status: Status) -> Failure:
    """The failure of one product."""
    found = Failure.from_status(status)
    assert found is not None
    return found


@pytest.mark.parametrize("times", [1, 30])
async def test_a_list_has_the_prices_that_its_products_have_alone(served: Served, times: int) -> None:
    """To the last bit, on the loop and in the thread, on a snapshot and on flat markets; each kind is one call of the
    kernel, and what cannot be priced says why without spoiling the rest."""
    known = await snapshot_id(served)
    kinds = mixed()
    alone = [await price(served, each, known, "EUR") for each in kinds]
    flat = [await price(served, each, "", "EUR") for each in kinds]
    bad = vanilla(expiry="2026-03-07")
    elsewhere = Product(instrument="USD/JPY", vanilla=vanilla().vanilla)
    many = [each for each in kinds if times == 1 or not each.HasField("american")] * times
    request = pb.PriceProductsRequest(snapshot_id=known, reporting_currency="EUR")
    request.products.extend(pb.ProductOnMarket(product=each) for each in many)
    request.products.extend(pb.ProductOnMarket(product=each, flat_market=FLAT) for each in kinds)
    request.products.extend(pb.ProductOnMarket(product=each) for each in (bad, elsewhere))
    answer = await served.prices.PriceProducts(request)
    wanted = [alone[kinds.index(each)] for each in many] + flat
    got = [each.price for each in answer.results[: len(wanted)]]
    for one, other in zip(got, wanted, strict=True):
        assert one == other
    weekend, missing = (error(each.error) for each in answer.results[len(wanted) :])
    assert fields(weekend) == [f"products[{len(wanted)}].product.vanilla.expiry"]
    assert (missing.reason, missing.metadata["resource"]) == (ErrorReason.NOT_FOUND, "surface")


async def test_what_a_formula_refuses_spoils_nothing_else(served: Served) -> None:
    """An American option has no price at a volatility beyond all trees; its neighbours of the same kind have theirs."""
    wild = market_pb2.FlatMarket(spot=1.08, domestic_rate=-0.05, foreign_rate=-0.02, volatility=10.0)
    option = american(expiry="2Y")
    found = await failure(served.prices.Price(pb.PriceRequest(product=option, flat_market=wild)))
    assert fields(found) == ["product.american"]
    assert "volatility" in found.violations[0].description
    request = pb.PriceProductsRequest()
    for market in (FLAT, wild, FLAT):
        request.products.add(product=option, flat_market=market)
    first, refused, last = (await served.prices.PriceProducts(request)).results
    assert fields(error(refused.error)) == ["products[1].product.american"]
    assert first.price.unit_price == last.price.unit_price == (await price(served, option)).unit_price


async def test_a_kind_of_a_list_is_one_call_of_the_kernel(served: Served) -> None:
    """As many calls as there are formulas among small products, however many products."""
    products = [vanilla(strike=1.0 + i / 100) for i in range(5)]
    request = pb.PriceProductsRequest(products=[pb.ProductOnMarket(product=p, flat_market=FLAT) for p in products])
    await served.prices.PriceProducts(request)
    assert served.queue.calls == 1


async def test_what_lists_refuse(served: Served) -> None:
    """More products or American options than fit, no market at all, a snapshot that is not there."""
    call = served.prices.PriceProducts
    one = pb.ProductOnMarket(product=vanilla(), flat_market=FLAT)
    assert fields(await failure(call(pb.PriceProductsRequest()))) == ["products"]
    assert fields(await failure(call(pb.PriceProductsRequest(products=[one] * 1001)))) == ["products"]
    slow = pb.ProductOnMarket(product=american(), flat_market=FLAT)
    refused = await failure(call(pb.PriceProductsRequest(products=[slow] * 101)))
    assert fields(refused) == ["products"]
    assert "at most 100" in refused.violations[0].description
    unknown = pb.PriceProductsRequest(products=[one], snapshot_id=str(uuid.uuid4()))
    assert (await failure(call(unknown))).metadata["resource"] == "snapshot"
    answer = await call(pb.PriceProductsRequest(products=[one, pb.ProductOnMarket(product=vanilla())]))
    assert answer.results[0].HasField("price")
    assert fields(error(answer.results[1].error)) == ["products[1].flat_market"]


async def test_a_list_whose_deadline_passes_is_given_up(served: Served) -> None:
    """A hundred American options take seconds; who waits a fraction of one hears of the deadline, and the kernel stops
    soon after instead of pricing for nobody."""
    slow = pb.ProductOnMarket(product=american(), flat_market=FLAT)
    request = pb.PriceProductsRequest(products=[slow] * 100)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await served.prices.PriceProducts(request, timeout=0.3)
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED

    async def alone() -> bool:
        # While the list is still priced, its calls of the kernel come between those for one option.
        before = served.queue.calls
        await price(served, american())
        return served.queue.calls - before == len(POINTS)

    await eventually(alone)


async def test_the_longest_list_passes(served: Served) -> None:
    """A thousand products of all kinds but the slow one, within the deadline and the size of a message."""
    kinds = [each for each in mixed() if not each.HasField("american")]
    request = pb.PriceProductsRequest()
    request.products.extend(pb.ProductOnMarket(product=kinds[i % len(kinds)], flat_market=FLAT) for i in range(1000))
    answer = await served.prices.PriceProducts(request)
    assert len(answer.results) == 1000
    assert all(each.HasField("price") for each in answer.results)
