"""Prices far from those before them.

The median of the last mids says where the market is, their interquartile range how much it moves; neither is moved by a
single wrong price, as mean and standard deviation are (Huber, Robust Statistics, 1981, chapter 1).
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from dataclasses import dataclass

IQR_OF_SIGMA = 1.349
"""Interquartile range of a normal distribution over its standard deviation."""
BASIS_POINT = 1e-4


@dataclass(frozen=True, slots=True)
class Rule:
    """When a mid is an outlier.

    Attributes:
        deviations: how many standard deviations it may be from the median, estimated from the interquartile range.
        floor_bp: how far it may be in any case, basis points of the median.
        window: mids that are looked at.
        begin: mids that have to have come before any is judged.
        confirm: so many outliers in a row that are near each other are where the market is now.
        forget_ns: after this silence the band begins anew.
    """

    deviations: float = 12.0
    floor_bp: float = 25.0
    window: int = 32
    begin: int = 8
    confirm: int = 3
    forget_ns: int = 300_000_000_000


class Band:
    """The recent mids of one instrument."""

    __slots__ = ("_at", "_order", "_rule", "_run", "_sorted")

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self._order: deque[float] = deque()
        self._sorted: list[float] = []
        self._run: list[float] = []
        self._at = 0

    def outlies(self, mid: float, now_ns: int) -> bool:
        """Takes the next mid, and returns whether it is an outlier; such a one does not move the band."""
        rule, ordered = self._rule, self._sorted
        if now_ns - self._at > rule.forget_ns:
            self._begin([])
            ordered = self._sorted
        self._at = now_ns
        count = len(ordered)
        if count >= rule.begin:
            median = ordered[count >> 1]
            spread = ordered[3 * count >> 2] - ordered[count >> 2]
            floor = median * rule.floor_bp * BASIS_POINT
            if abs(mid - median) > max(floor, rule.deviations * spread / IQR_OF_SIGMA):
                return self._far(mid, floor)
            if self._run:
                self._run.clear()
        insort(ordered, mid)
        self._order.append(mid)
        if count >= rule.window:
            del ordered[bisect_left(ordered, self._order.popleft())]
        return False

    def _far(self, mid: float, near: float) -> bool:
        run = self._run
        if run and abs(mid - run[-1]) > near:
            run.clear()
        run.append(mid)
        if len(run) < self._rule.confirm:
            return True
        self._begin(run)
        return False

    def _begin(self, mids: list[float]) -> None:
        self._order, self._sorted, self._run = deque(mids), sorted(mids), []
