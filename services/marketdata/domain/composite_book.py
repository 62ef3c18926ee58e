"""The composite book of an instrument: what all venues show, price by price; and what an amount takes of a book."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from crossrate.basics.ladder import Filled, fill
from services.marketdata.domain.composite import Health

Venues = tuple[tuple[str, float], ...]
"""Sources and quantities, in order of the sources' names."""


class SharedLevel(NamedTuple):
    """One price, the quantity there, and who shows how much of it; `venues` is empty in one venue's own book."""

    price: float
    quantity: float
    venues: Venues = ()


@dataclass(frozen=True, slots=True)
class ShownBook:
    """A book as a reader sees it. Levels best first; times nanoseconds since 1970 UTC.

    Attributes:
        source: the venue; "composite" for the sum of several.
        sequence: number of the newest change in it.
        health: whether it may be traded on, its age included.
    """

    source: str
    sequence: int
    health: Health
    bids: Sequence[SharedLevel]
    asks: Sequence[SharedLevel]
    venue_time: int
    receive_time: int


def composite_book(shown: Sequence[ShownBook], depth: int = 0) -> ShownBook:
    """The sum of the books that are LIVE, by the rules of composite quotes.

    CROSSED if one venue's bid is above another's ask. Without a LIVE book it is that of the venue that spoke last among
    those that are not CLOSED, with its health; CLOSED only if all are. The sequence is the sum of the venues'.

    Args:
        shown: the venues' books, at least one, each with at least its best `depth` levels.
        depth: levels of a side; 0 for all.
    """
    sequence = sum(each.sequence for each in shown)
    live = [each for each in shown if each.health == Health.LIVE]
    if not live:
        last = max([e for e in shown if e.health != Health.CLOSED] or shown, key=lambda each: each.receive_time)
        bids, asks, health = _sum([last], depth, bids=True), _sum([last], depth, bids=False), last.health
    else:
        bids, asks = _sum(live, depth, bids=True), _sum(live, depth, bids=False)
        health = Health.CROSSED if bids and asks and bids[0].price > asks[0].price else Health.LIVE
        last = max(live, key=lambda each: each.receive_time)
    return ShownBook("composite", sequence, health, bids, asks, last.venue_time, last.receive_time)


def _sum(shown: Sequence[ShownBook], depth: int, *, bids: bool) -> list[SharedLevel]:
    prices: dict[float, list[tuple[str, float]]] = {}
    for each in sorted(shown, key=lambda one: one.source):
        levels = each.bids if bids else each.asks
        for level in levels[:depth] if depth else levels:
            prices.setdefault(level.price, []).append((each.source, level.quantity))
    best = sorted(prices, reverse=bids)
    return [
        SharedLevel(price, math.fsum(q for _, q in prices[price]), tuple(prices[price]))
        for price in (best[:depth] if depth else best)
    ]


def fill_shared(levels: Sequence[SharedLevel], quantity: float) -> tuple[Filled, Venues]:
    """What filling an amount takes of one side, and how much of it each venue of a composite gives.

    Venues that share the last level give in proportion to what they show there.
    """
    done = fill([(level.price, level.quantity) for level in levels], quantity)
    given: dict[str, list[float]] = {}
    left = done.filled
    for level in levels[: done.level_count]:
        taken = min(left, level.quantity)
        left -= taken
        for source, there in level.venues:
            given.setdefault(source, []).append(there if taken == level.quantity else taken * there / level.quantity)
    return done, tuple((source, math.fsum(given[source])) for source in sorted(given))
