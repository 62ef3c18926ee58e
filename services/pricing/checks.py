"""What is looked at when a market is put and when a snapshot is taken: that quotes give curves and surfaces, and that
nobody can trade against them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from crossrate.api.pricing.v1 import market_pb2
from crossrate.api.pricing.v1 import snapshot_service_pb2 as kept
from crossrate.api.pricing.v1.surface_quotes_pb2 import Arbitrage as ArbitrageMessage
from crossrate.basics.pair import Pair
from crossrate.rpc import errors
from services.pricing.books import arbitrage_messages, book_of
from services.pricing.domain.arbitrage import Arbitrage, violations
from services.pricing.domain.curve_quotes import PointsQuotes, RateQuotes
from services.pricing.domain.market import Book, Snapshot
from services.pricing.domain.refusal import Missing, Refused
from services.pricing.domain.surface_quotes import SurfaceQuotes
from services.pricing.messages import pair_of, snapshot_of

REFUSED_MAX = 20
REPORTED_MAX = 1000


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found in a market: places that can be traded against, and pairs whose surface was not looked at."""

    arbitrage: list[ArbitrageMessage]
    count: int
    unchecked: list[str]


def check_market(request: kept.PutMarketRequest, as_of: datetime) -> Checked:
    """Calibrates a market's quotes with the request's spot rates and checks its surfaces.

    Raises:
        Refused: a part cannot be used or has no spot rate; the path says which.
        OutsideCalendar: a tenor leads out of what is known of a calendar.
        Failure: INVALID_REQUEST with each place where a surface can be traded against, unless that is allowed.
    """
    book = book_of(request.curves, request.surfaces)
    spots: dict[Pair, float] = {}
    for i, each in enumerate(request.spots):
        pair = pair_of(each.instrument)
        if pair in spots:
            raise Refused(f"spots[{i}].instrument", f"{pair} is there already: give its spot rate once")
        spots[pair] = (each.bid + each.ask) / 2
    _require_spots(book, spots)
    snapshot = Snapshot("", as_of, book, spots, strict=True)
    for currency, curve in book.curves.items():
        if isinstance(curve, RateQuotes | PointsQuotes):
            snapshot.curve(currency)
    found: list[Arbitrage] = []
    unchecked: list[str] = []
    for i, message in enumerate(request.surfaces):
        pair = pair_of(message.instrument)
        lacking = next((code for code in pair if code not in book.curves), None)
        if lacking and message.HasField("quotes"):
            raise Refused(f"surfaces[{i}].quotes", f"quotes by delta of {pair} need a curve of {lacking}")
        if pair not in spots or lacking:
            unchecked.append(str(pair))
            continue
        found += violations(snapshot.of(pair), [f"surfaces[{i}].smiles[{k}]" for k in range(len(message.smiles))])
    if found and not request.allow_arbitrage:
        raise errors.invalid(*((each.field, each.words) for each in found[:REFUSED_MAX]))
    return Checked(arbitrage_messages(found[:REPORTED_MAX]), len(found), unchecked)


def _require_spots(book: Book, spots: Iterable[Pair]) -> None:
    """Checks that each pair whose quotes hold with a spot rate has one.

    Raises:
        Refused: one has none.
    """
    needed = [(each.pair, each.field) for each in book.curves.values() if isinstance(each, PointsQuotes)]
    needed += [(each.pair, each.field) for each in book.surfaces.values() if isinstance(each, SurfaceQuotes)]
    for pair, field in needed:
        if pair not in spots:
            words = f"has no spot rate of {pair}, which {field} needs: give the one with which the quotes hold"
            raise Refused("spots", words)


def check_snapshot(message: market_pb2.Snapshot, market: market_pb2.Market) -> None:
    """Calibrates what a snapshot will price with, so that no price finds later that it cannot be.

    What the snapshot's pairs do not need is left alone: a price that needs it says what is missing.

    Raises:
        Refused: of `market`: its quotes cannot be calibrated at this moment with these spot rates.
        OutsideCalendar: a tenor leads out of what is known of a calendar.
    """
    try:
        snapshot = snapshot_of(message, book_of(market.curves, market.surfaces))
        for pair in snapshot.spots:
            try:
                standing = snapshot.of(pair)
                if pair in snapshot.book.surfaces:
                    _ = standing.surface
            except Missing:
                continue
    except Refused as error:
        moment = message.as_of.ToDatetime(UTC)
        words = f"{market.name} version {market.version} gives no market at {moment:%Y-%m-%d %H:%M} UTC: {error}"
        raise Refused("market", words) from None
