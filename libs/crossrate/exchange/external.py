"""A liquidity provider's orders in a venue's book: tiers around each quote of a source, consumed until the next one."""

from __future__ import annotations

from typing import Any

from crossrate.exchange.order import PRICE_MAX, Operation, OrderType, Side, TimeInForce
from crossrate.exchange.terms import VenueTerms
from crossrate.kernel.matching import Command as At
from crossrate.kernel.reference.matching_rules import MORE, POST_ONLY

PROVIDER = 1 << 61
"""The provider's owner id; ids of orders and owners from here on are its own."""

Row = tuple[int, ...]

# Parts of records: a venue makes several for each quote, and objects would take half of its time.
_NEW = (int(Operation.NEW),)
_LIMIT = (int(OrderType.LIMIT), int(TimeInForce.GOOD_TILL_CANCEL))
_CANCEL_REST = (*(0,) * 11, MORE, 0)


def takes(row: Row, price: int) -> bool:
    """Whether an order's limit reaches a price of the other side."""
    limit, side = row[At.PRICE], row[At.SIDE]
    return row[At.TYPE] == OrderType.MARKET or (limit >= price if side == Side.BUY else limit <= price)


class External:
    """What the provider offers: a list of [price, units left, id of the order or 0] a side, the best tier first."""

    def __init__(self, terms: VenueTerms) -> None:
        """A provider that has no quote yet."""
        self._terms = terms
        self._tiers: dict[Side, list[list[int]]] = {Side.BUY: [], Side.SELL: []}
        self._places: dict[int, list[int]] = {}
        self._next = PROVIDER

    def quote(self, bid: int, ask: int) -> None:
        """Takes a new quote of the source, ticks, 0 for none; nothing of it is in the book until it is placed.

        Prices are rounded to the venue's increment, away from the other side.
        """
        step = self._terms.price_increment
        for side, best in ((Side.BUY, bid), (Side.SELL, ask)):
            sign = -1 if side is Side.BUY else 1
            prices = [-(-sign * (best + sign * tier.offset) // step) * step * sign for tier in self._terms.tiers]
            pairs = zip(prices, self._terms.tiers, strict=True)
            self._tiers[side] = [[price, tier.quantity, 0] for price, tier in pairs if best and 0 < price <= PRICE_MAX]

    def best(self, side: Side) -> int:
        """The best price of a side at which something is left, 0 for none."""
        return next((price for price, left, _ in self._tiers[side] if left and price > 0), 0)

    def move(self, side: Side, ticks: int) -> None:
        """Moves a side's tiers away from the other side, or towards it by negative ticks."""
        for tier in self._tiers[side]:
            tier[0] += ticks if side is Side.SELL else -ticks

    def thin(self, side: Side, share: float) -> None:
        """Leaves a share of each tier of a side, down to whole increments."""
        step = self._terms.quantity_increment
        for tier in self._tiers[side]:
            tier[1] = int(tier[1] * share) // step * step if share < 1.0 else tier[1]

    def withdrawn(self, side: Side | None = None) -> list[Row]:
        """Records that take its orders out of the book; their time is the venue's to set."""
        rows: list[Row] = []
        for each in Side if side is None else (side,):
            for tier in self._tiers[each]:
                if tier[2]:
                    rows.append((Operation.CANCEL, tier[2], PROVIDER, *_CANCEL_REST))
                    del self._places[tier[2]]
                    tier[2] = 0
        return rows

    def placed(self, side: Side | None = None, post_only: bool = False) -> list[Row]:
        """Records that put what is left into the book; their time is the venue's to set."""
        rows: list[Row] = []
        how = MORE | POST_ONLY if post_only else MORE
        for each in Side if side is None else (side,):
            for tier in self._tiers[each]:
                if not tier[1] or tier[2] or not 0 < tier[0] <= PRICE_MAX:
                    continue
                self._next += 1
                tier[2] = self._next
                self._places[self._next] = tier
                rows.append((*_NEW, self._next, PROVIDER, each, *_LIMIT, tier[1], tier[0], *(0,) * 6, how, 0))
        return rows

    def filled(self, order: int, leaves: int) -> None:
        """Takes note of a fill of one of its orders."""
        tier = self._places[order]
        tier[1] = leaves
        if not leaves:
            del self._places[order]
            tier[2] = 0

    def refused(self, order: int) -> None:
        """Takes note of an order that the book had no room for: what it offered is not there."""
        tier = self._places.pop(order)
        tier[1] = tier[2] = 0

    def state(self) -> dict[str, Any]:
        """All of it, for a snapshot."""
        return {"next": self._next, "tiers": [[list(tier) for tier in self._tiers[side]] for side in Side]}

    def load(self, state: dict[str, Any]) -> None:
        """Goes on as the one whose state this is."""
        self._next = state["next"]
        self._tiers = {side: [list(tier) for tier in tiers] for side, tiers in zip(Side, state["tiers"], strict=True)}
        self._places = {tier[2]: tier for tiers in self._tiers.values() for tier in tiers if tier[2]}
