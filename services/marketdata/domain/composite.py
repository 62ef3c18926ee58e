"""The composite quote of an instrument: the best of what its venues show."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass


class Health(enum.IntEnum):
    """Whether a quote may be traded on; numbered as in the contract."""

    LIVE = 1
    STALE = 2
    GAPPED = 3
    CROSSED = 4
    CLOSED = 5


@dataclass(frozen=True, slots=True)
class Shown:
    """What one venue shows. Prices are counter per base, quantities of the base currency, times nanoseconds UTC."""

    bid: float
    ask: float
    bid_quantity: float
    ask_quantity: float
    health: Health
    sequence: int
    venue_time: int
    receive_time: int


def composite(shown: Sequence[Shown]) -> Shown:
    """The best bid and the best ask among the venues that are LIVE, with what all of them show at that price.

    Bid and ask may be of different venues: if the best bid is above the best ask the composite is CROSSED, and is no
    price to trade on although each venue's own quote may be. Without a LIVE venue it is what the venue shows that spoke
    last, with that venue's health; it is CLOSED only if all are.

    Its sequence is the sum of the venues': each of them counts 1, 2, 3 … and every quote of a venue makes one
    composite, so the composite counts without gaps too, the same on every instance.

    Args:
        shown: at least one venue.
    """
    sequence = sum(each.sequence for each in shown)
    live = [each for each in shown if each.health == Health.LIVE]
    if not live:
        some = [each for each in shown if each.health != Health.CLOSED] or shown
        last = max(some, key=lambda each: each.receive_time)
        return Shown(
            last.bid,
            last.ask,
            last.bid_quantity,
            last.ask_quantity,
            last.health,
            sequence,
            last.venue_time,
            last.receive_time,
        )
    bid, ask = max(each.bid for each in live), min(each.ask for each in live)
    last = max(live, key=lambda each: each.receive_time)
    return Shown(
        bid,
        ask,
        sum(each.bid_quantity for each in live if each.bid == bid),
        sum(each.ask_quantity for each in live if each.ask == ask),
        Health.CROSSED if bid > ask else Health.LIVE,
        sequence,
        last.venue_time,
        last.receive_time,
    )
