"""Own orders that stand in a book, so that a new one does not deal with them."""

from __future__ import annotations

import heapq

from services.risk.domain.pretrade.orders import BUY, SELL


class Resting:
    """The best own price of each instrument and side within one scope.

    Heaps whose entries are only looked at on top: what has ended or changed its price is dropped when it comes up.
    """

    def __init__(self) -> None:
        self._prices: dict[str, int] = {}
        self._heaps: dict[tuple[str, int], list[tuple[int, str]]] = {}

    def put(self, order_id: str, instrument: str, side: int, price: int) -> None:
        """An order stands at a price."""
        if self._prices.get(order_id) == price:
            return
        self._prices[order_id] = price
        # The best price comes first: the highest of those that buy, the lowest of those that sell.
        heapq.heappush(self._heaps.setdefault((instrument, side), []), (-price * side, order_id))

    def remove(self, order_id: str) -> None:
        """An order does not stand any more."""
        self._prices.pop(order_id, None)

    def best(self, instrument: str, side: int, without: str = "") -> tuple[int, str]:
        """The best price of a side and the order that has it; (0, "") if none stands."""
        heap = self._heaps.get((instrument, side))
        if not heap:
            return 0, ""
        prices = self._prices
        aside = []
        found = 0, ""
        while heap:
            signed, order_id = heap[0]
            price = -signed * side
            if prices.get(order_id) != price:
                heapq.heappop(heap)
            elif order_id == without:
                aside.append(heapq.heappop(heap))
            else:
                found = price, order_id
                break
        for entry in aside:
            heapq.heappush(heap, entry)
        return found

    def crossing(self, instrument: str, side: int, price: int, without: str = "") -> str:
        """The own order with which one at a price would deal; empty if there is none."""
        other = SELL if side == BUY else BUY
        best, order_id = self.best(instrument, other, without)
        return order_id if order_id and (price - best) * side >= 0 else ""
