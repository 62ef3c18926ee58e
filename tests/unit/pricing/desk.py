"""A market as a desk quotes it: dollars from swaps, euros and yen from swap points, options by delta."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from crossrate.api.pricing.v1 import curve_quotes_pb2 as rates
from crossrate.api.pricing.v1 import market_pb2
from crossrate.api.pricing.v1 import snapshot_service_pb2 as kept
from crossrate.api.pricing.v1 import surface_quotes_pb2 as options
from crossrate.basics.pair import Pair
from services.pricing.books import book_of
from services.pricing.domain.market import Snapshot

EURUSD, USDJPY = Pair("EUR", "USD"), Pair("USD", "JPY")
AS_OF = datetime(2026, 3, 4, 14, 0, tzinfo=UTC)
"""A Wednesday; EUR/USD is spot on Friday 6 March."""
DEPOSIT, SWAP = rates.RATE_INSTRUMENT_DEPOSIT, rates.RATE_INSTRUMENT_OVERNIGHT_INDEX_SWAP
SPOTS = {EURUSD: 1.08, USDJPY: 150.0}
DOLLARS = (
    (DEPOSIT, "ON", 0.0433),
    (SWAP, "1W", 0.0434),
    (SWAP, "1M", 0.0432),
    (SWAP, "3M", 0.0430),
    (SWAP, "6M", 0.0420),
    (SWAP, "1Y", 0.0400),
    (SWAP, "18M", 0.0385),
    (SWAP, "2Y", 0.0380),
    (SWAP, "5Y", 0.0375),
)
EURO_POINTS = {
    "ON": (0.60, 0.62),
    "TN": (0.61, 0.65),
    "SN": (0.62, 0.66),
    "1W": (4.3, 4.4),
    "1M": (19.0, 19.4),
    "2026-05-15": (45.0, 46.0),
    "3M": (57.0, 58.0),
    "6M": (112.0, 113.0),
    "1Y": (205.0, 207.0),
    "2Y": (350.0, 356.0),
}
YEN_POINTS = {"1M": (-44.0, -43.0), "6M": (-250.0, -248.0), "1Y": (-470.0, -467.0), "2Y": (-850.0, -840.0)}
EURO_OPTIONS = (
    ("ON", 0.0850),
    ("1W", 0.0780, 0.0010, 0.0012),
    ("1M", 0.0740, 0.0005, 0.0015, 0.0010, 0.0048),
    ("3M", 0.0730, -0.0010, 0.0019, -0.0020, 0.0065),
    ("6M", 0.0735, -0.0025, 0.0022, -0.0050, 0.0080),
    ("1Y", 0.0750, -0.0040, 0.0025, -0.0075, 0.0092),
    ("2Y", 0.0770, -0.0045, 0.0027, -0.0085, 0.0098),
)
YEN_OPTIONS = (
    ("1M", 0.0950, -0.0120, 0.0020, -0.0220, 0.0065),
    ("6M", 0.0980, -0.0160, 0.0026, -0.0300, 0.0090),
    ("1Y", 0.0990, -0.0180, 0.0030, -0.0330, 0.0105),
    ("2Y", 0.0995, -0.0185, 0.0032, -0.0340, 0.0110),
)
"""Expiry, at the money, risk reversal and butterfly at 25 delta, the same at 10 delta."""


def dollars() -> market_pb2.Curve:
    """The dollar's curve from its money market."""
    quotes = [rates.RateQuote(instrument=kind, tenor=tenor, rate=rate) for kind, tenor, rate in DOLLARS]
    return market_pb2.Curve(currency="USD", rates=rates.RateQuotes(quotes=quotes))


def points(currency: str, pair: Pair, quoted: dict[str, tuple[float, float]]) -> market_pb2.Curve:
    """A curve from swap points."""
    quotes = [rates.SwapPointsQuote(tenor=tenor, bid=bid, ask=ask) for tenor, (bid, ask) in quoted.items()]
    return market_pb2.Curve(currency=currency, swap_points=rates.SwapPoints(instrument=str(pair), quotes=quotes))


def euros() -> market_pb2.Curve:
    """The euro's curve from EUR/USD points, with overnight, tom/next and a broken date."""
    return points("EUR", EURUSD, EURO_POINTS)


def yen() -> market_pb2.Curve:
    """The yen's curve from USD/JPY points."""
    return points("JPY", USDJPY, YEN_POINTS)


def surface(pair: Pair = EURUSD, quoted: tuple = EURO_OPTIONS, **other: object) -> market_pb2.Surface:
    """A surface by delta; `other` are fields of its quotes."""
    names = ("expiry", "atm", "risk_reversal_25", "butterfly_25", "risk_reversal_10", "butterfly_10")
    quotes = [options.SmileQuote(**dict(zip(names, row, strict=False))) for row in quoted]
    return market_pb2.Surface(instrument=str(pair), quotes=options.SurfaceQuotes(quotes=quotes, **other))


def spots() -> list[market_pb2.SpotRate]:
    """The spot rates with which all of it holds, two-sided around the mids."""
    return [market_pb2.SpotRate(instrument=str(p), bid=s * (1 - 1e-4), ask=s * (1 + 1e-4)) for p, s in SPOTS.items()]


def put(**other: object) -> kept.PutMarketRequest:
    """All of it as a request; what is given in `other` stands in place of it."""
    whole: dict[str, object] = {
        "request_id": str(uuid.uuid4()),
        "name": "desk",
        "comment": "a test",
        "curves": [dollars(), euros(), yen()],
        "surfaces": [surface(), surface(USDJPY, YEN_OPTIONS)],
        "spots": spots(),
    }
    return kept.PutMarketRequest(**{**whole, **other})


def snapshot(
    curves: list[market_pb2.Curve] | None = None,
    surfaces: list[market_pb2.Surface] | None = None,
    as_of: datetime = AS_OF,
    *,
    strict: bool = False,
    **spot: float,
) -> Snapshot:
    """A snapshot of it, without a store; `strict` as when it is put; `spot` by EURUSD or USDJPY."""
    book = book_of(
        [dollars(), euros(), yen()] if curves is None else curves,
        [surface(), surface(USDJPY, YEN_OPTIONS)] if surfaces is None else surfaces,
    )
    rates_of = {EURUSD: spot.get("EURUSD", SPOTS[EURUSD]), USDJPY: spot.get("USDJPY", SPOTS[USDJPY])}
    return Snapshot("", as_of, book, rates_of, strict)
