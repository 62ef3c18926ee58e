"""Swaps that work at the simulated exchange: by what they ask of pricing, and by when they end."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from crossrate.api.trading.v1 import order_pb2
from crossrate.basics.pair import parse_pair
from services.broker.domain.dates import Calendar
from services.broker.indications import Ask, Indication
from services.broker.routed import Routed
from services.broker.venues.exchange_terms import day_of
from services.broker.venues.sim_dated import Dated, day_of_order

ASKING_MAX = 100
"""Points are asked for while fewer questions are open; swaps of more dates and amounts take turns."""
OUTLIVED = "its near date is too near now: no leg is dealt that settles on the day itself"


@dataclass(frozen=True, slots=True)
class Working:
    """A swap that works.

    Attributes:
        ask: the question for its points.
        ends_ns: when it ends, by its near date or its time in force, ns since 1970 UTC.
        dealt_until_ns: until when its near date may be dealt.
    """

    routed: Routed
    ask: Ask
    ends_ns: int
    dealt_until_ns: int

    def why_over(self, now_ns: int) -> str:
        """Why it ended, where its terms do not say so."""
        return OUTLIVED if self.dealt_until_ns <= now_ns else ""


def limit_of(terms: order_pb2.NewOrder) -> Decimal | None:
    """A swap's limit on its points; None for none."""
    return Decimal(terms.limit_price) if terms.order_type == order_pb2.ORDER_TYPE_LIMIT else None


class WorkingSwaps:
    """See the module."""

    def __init__(self, calendar: Calendar, dated: Dated) -> None:
        self._calendar, self._dated = calendar, dated
        self._of: dict[str, Working] = {}
        self._asks: dict[Ask, dict[str, Working]] = {}
        """Those of a question, the first that came first; questions in their turn."""
        self._ends: list[tuple[int, str]] = []
        """A heap; what was dropped is told by `_of`."""
        self._heard: set[Ask] = set()

    def __iter__(self) -> Iterator[Working]:
        return iter(self._of.values())

    def of(self, order_id: str) -> Working | None:
        """One by its order."""
        return self._of.get(order_id)

    def add(self, routed: Routed, ask: Ask, now_ns: int) -> None:
        """It works from now on."""
        ends_ns, dealt_until_ns = self._end_of(routed, now_ns)
        made = Working(routed, ask, ends_ns, dealt_until_ns)
        self._of[routed.order_id] = self._asks.setdefault(ask, {})[routed.order_id] = made
        heapq.heappush(self._ends, (ends_ns, routed.order_id))
        if self._dated.asking < ASKING_MAX:
            self._dated.ask(ask)

    def drop(self, order_id: str) -> Working | None:
        """It works no more; None where it did not."""
        found = self._of.pop(order_id, None)
        if found is not None:
            alike = self._asks[found.ask]
            del alike[order_id]
            if not alike:
                del self._asks[found.ask]
        return found

    def late(self, routed: Routed, now_ns: int) -> bool:
        """Whether the time of one that came is over already."""
        return self._end_of(routed, now_ns)[0] <= now_ns

    def _end_of(self, routed: Routed, now_ns: int) -> tuple[int, int]:
        order, terms, pair = routed.order, routed.order.terms, parse_pair(routed.instrument)
        until_ns = self._calendar.swapped_until_ns(pair, day_of_order(routed))
        ends = [until_ns]
        if terms.time_in_force == order_pb2.TIME_IN_FORCE_GTD:
            ends.append(terms.expire_time.ToNanoseconds())
        if terms.time_in_force == order_pb2.TIME_IN_FORCE_DAY:
            # By the order, so that it is the same after a restart.
            day = day_of(order.trade_date)
            session_ns = self._calendar.session_end_ns(pair, now_ns)
            ends.append(session_ns if day is None else self._calendar.trade_date_end_ns(pair, day))
        return min(ends), until_ns

    # Time.

    @property
    def next_time(self) -> int | None:
        """When the next one ends; None for never."""
        while self._ends:
            ends_ns, order_id = self._ends[0]
            found = self._of.get(order_id)
            if found is not None and found.ends_ns == ends_ns:
                return ends_ns
            heapq.heappop(self._ends)
        return None

    def over(self, now_ns: int) -> Iterator[Working]:
        """Drops those whose time is over."""
        while (ends_ns := self.next_time) is not None and ends_ns <= now_ns:
            found = self.drop(self._ends[0][1])
            assert found is not None
            yield found

    # Points.

    def ask_again(self) -> None:
        """Asks for the points of those that work, each question in its turn."""
        for ask in list(self._asks)[: max(0, ASKING_MAX - self._dated.asking)]:
            self._asks[ask] = self._asks.pop(ask)
            self._dated.ask(ask)

    def answered(self, ask: Ask) -> bool:
        """Pricing has answered a question; whether one of these has it."""
        if ask in self._asks:
            self._heard.add(ask)
            return True
        return False

    def heard(self) -> list[tuple[Ask, Indication]]:
        """What was answered since it was last asked here, as far as it may be dealt on."""
        heard, self._heard = self._heard, set()
        found = ((ask, self._dated.indicated(ask)) for ask in heard)
        return [(ask, indication) for ask, indication in found if indication is not None]

    def asking(self, ask: Ask) -> list[Working]:
        """Those that have a question, the first that came first."""
        return list(self._asks.get(ask, {}).values())
