"""Options and books in arrays."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from crossrate.api.pricing.v1 import pricing_service_pb2 as pricing
from crossrate.client import InvalidArgument, risk_book
from crossrate.client.analytics import Analytics
from crossrate.client.requests import request_of
from crossrate.rpc import arrays
from crossrate.rpc.contract import contracts

CONTRACT = contracts()["/crossrate.api.pricing.v1.PricingService/PriceBatch"]
FLAT = {"spot": 1.1, "volatility": 0.1, "domestic_rate": 0.04, "foreign_rate": 0.02}
ROWS_MAX = 100_000


class Pricing(Analytics):
    """Answers strikes as prices, so that order and shape can be seen, and remembers the requests."""

    def __init__(self, refuse: float | None = None) -> None:
        self.requests: list[Any] = []
        self.pricing = SimpleNamespace(PriceBatch=self._price)
        self._price.__func__.contract = CONTRACT
        self._refuse = refuse

    async def _price(self, timeout: float | None = None, **fields: Any) -> Any:
        import grpc

        request = request_of(pricing.PriceBatchRequest, fields)
        self.requests.append(request)
        strike = arrays.get(request, "strike")
        if self._refuse is not None and (strike == self._refuse).any():
            raise InvalidArgument(grpc.StatusCode.INVALID_ARGUMENT, "strike[0]: bad", method=CONTRACT.path)
        return arrays.put(pricing.PriceBatchResponse(), **dict.fromkeys(("price", "delta", "gamma", "vega"), strike))


async def test_arguments_are_broadcast() -> None:
    """Results have the shape that the arguments make together; what is one for all is sent once."""
    desk = Pricing()
    strikes = np.linspace(1, 1.2, 5)
    desk.pricing.PriceBatch = _with_all(desk)
    greeks = await desk.price_options("call", strikes, [[0.25], [0.5]], **FLAT)
    assert greeks.price.shape == (2, 5)
    assert (greeks.price == strikes).all()
    (request,) = desk.requests
    assert list(request.put_or_call) == [1]
    assert list(request.time) == [0.25] * 5 + [0.5] * 5
    assert list(request.given.spot) == [1.1]
    single = await desk.price_options(0, 1.1, 0.5, **FLAT)
    assert single.price.shape == ()
    assert float(single.price) == 1.1


def _with_all(desk: Pricing) -> Any:
    """The same answers with every array of a whole answer."""

    async def price(timeout: float | None = None, **fields: Any) -> Any:
        answer = await desk._price(timeout, **fields)
        price = arrays.get(answer, "price")
        names = ("theta", "rho_domestic", "rho_foreign")
        return arrays.put(answer, **dict.fromkeys(names, price))

    price.contract = CONTRACT  # type: ignore[attr-defined]
    return price


async def test_more_than_a_call_holds_goes_in_several() -> None:
    """By the contract's own limit, put together in order; a fault says from where its index counts."""
    desk = Pricing()
    desk.pricing.PriceBatch = _with_all(desk)
    strikes = np.linspace(1, 2, 250_001)
    words = np.where(np.arange(strikes.size) % 2, "call", "put")
    greeks = await desk.price_options(words, strikes, 0.5, **FLAT)
    assert (greeks.rho_foreign == strikes).all()
    assert sorted(len(request.strike) for request in desk.requests) == [50_001, ROWS_MAX, ROWS_MAX]
    assert list(desk.requests[0].put_or_call[:3]) == [0, 1, 0]
    bad = Pricing(refuse=2.0)
    bad.pricing.PriceBatch = _with_all(bad)
    with pytest.raises(InvalidArgument) as caught:
        await bad.price_options("put", strikes, 0.5, **FLAT)
    assert "counted from option 200000" in caught.value.__notes__[0]


async def test_a_snapshot_in_place_of_a_market() -> None:
    """Pairs are named once, and each option has the place of its own."""
    desk = Pricing()
    desk.pricing.PriceBatch = _with_all(desk)
    pairs = ["USD/JPY", "EUR/USD", "USD/JPY"]
    await desk.price_options("put", [1.0, 2.0, 3.0], 0.5, snapshot_id="s", instrument=pairs)
    snapshot = desk.requests[0].snapshot
    assert [snapshot.instruments[place] for place in snapshot.instrument_index] == pairs
    await desk.price_options("put", [1.0, 2.0, 3.0], 0.5, snapshot_id="s", instrument="EUR/USD")
    assert list(desk.requests[1].snapshot.instrument_index) == [0]


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"strike": [1.0, 2.0], "time": [1.0, 2.0, 3.0]}, ValueError, r"strike \(2,\), time \(3,\)"),
        ({"put_or_call": "cal"}, ValueError, "'cal' is none of put, call"),
        ({"spot": None}, TypeError, "not whole, or given twice"),
        ({"snapshot_id": "s", "instrument": "EUR/USD"}, TypeError, "not whole, or given twice"),
    ],
)
async def test_what_does_not_go_together_is_named(arguments: dict[str, Any], error: type, words: str) -> None:
    """Nothing is sent."""
    desk = Pricing()
    with pytest.raises(error, match=words):
        await desk.price_options(**({"put_or_call": "put", "strike": 1.0, "time": 0.5} | FLAT | arguments))
    assert not desk.requests


def test_a_book_from_columns() -> None:
    """Pairs become markets with their rates, words numbers; one value stands for all, lists for each."""
    book = risk_book(
        ["USD/JPY", "EUR/USD", "USD/JPY"],
        ["forward", "call", "put"],
        strike=[150.0, 1.1, 140.0],
        time=0.5,
        notional=1e6,
        reporting_currency="USD",
        domestic_rate=[0.0, 0.04, 0.0],
        foreign_rate=0.02,
        spot={"EUR/USD": 1.1},
    )
    assert [(market.instrument, market.HasField("spot")) for market in book.markets] == [
        ("EUR/USD", True),
        ("USD/JPY", False),
    ]
    assert list(book.market) == [1, 0, 1]
    assert list(book.kind) == [2, 1, 0]
    assert list(book.notional) == [1e6] * 3
    assert list(book.time) == [0.5]
    with pytest.raises(ValueError, match=r"a book of 3 positions .* \{'strike': \(2,\)\}"):
        risk_book(["EUR/USD"] * 3, 1, [1, 2], 1, 1, reporting_currency="USD", domestic_rate=0, foreign_rate=0)
    with pytest.raises(ValueError, match="GBP/USD: no position of the book is in it"):
        risk_book(
            "EUR/USD", 1, 1, 1, 1, reporting_currency="USD", domestic_rate=0, foreign_rate=0, spot={"GBP/USD": 1.3}
        )
