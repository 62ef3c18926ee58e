"""Markets for the tests: two of them with curves that are not flat, a surface with a smile, and a pair of crosses."""

from __future__ import annotations

from datetime import UTC, datetime

from crossrate.basics.pair import Pair
from services.pricing.domain.curve import ZeroCurve
from services.pricing.domain.market import Book, Snapshot
from services.pricing.domain.surface import Smile, Surface

EURUSD, USDJPY, GBPUSD, USDCNY = Pair("EUR", "USD"), Pair("USD", "JPY"), Pair("GBP", "USD"), Pair("USD", "CNY")
AS_OF = datetime(2026, 3, 4, 14, 0, tzinfo=UTC)
"""A Wednesday; EUR/USD is spot on Friday 6 March."""


def shifted(curve: ZeroCurve, by: float) -> ZeroCurve:
    """A curve with all its zero rates moved."""
    return ZeroCurve(curve.times, curve.rates + by)


def curves(**shifts: float) -> dict[str, ZeroCurve]:
    """Curves by currency, some of them moved in parallel."""
    made = {
        "USD": ZeroCurve.of([0.25, 1.0, 5.0], [0.043, 0.040, 0.037], "usd"),
        "EUR": ZeroCurve.of([0.25, 1.0, 5.0], [0.021, 0.022, 0.025], "eur"),
        "JPY": ZeroCurve.of([0.5, 2.0], [-0.001, 0.006], "jpy"),
        "GBP": ZeroCurve.flat(0.041),
        "CNY": ZeroCurve.flat(0.016),
    }
    return {code: shifted(curve, shifts.get(code, 0.0)) for code, curve in made.items()}


def eurusd_surface() -> Surface:
    """A smile at a month and one at a year."""
    return Surface.of(
        [
            Smile.of(1 / 12, [1.03, 1.08, 1.14], [0.081, 0.074, 0.079], "one"),
            Smile.of(1.0, [0.98, 1.10, 1.25], [0.092, 0.080, 0.088], "two"),
        ],
        "smiles",
    )


def snapshot(spot: float = 1.08, as_of: datetime = AS_OF, volatility: float | None = None, **shifts: float) -> Snapshot:
    """A snapshot; with a volatility the surface of EUR/USD is flat, and curves move by their currency's shift."""
    surface = eurusd_surface() if volatility is None else Surface.flat(volatility)
    spots = {EURUSD: spot, USDJPY: 150.0, GBPUSD: 1.27, USDCNY: 7.2}
    return Snapshot("", as_of, Book(curves(**shifts), {EURUSD: surface}), spots)
