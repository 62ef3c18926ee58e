"""When streams that send at most so often send: each in a turn of its own, so that they do not all send at once.

A stream that waited its interval from the message before would keep whatever it shares with others: when the process
stands still for a moment, all that became due meanwhile send together, and from then on always do. Two hundred of them
are a burst in which the last waits for all others.

    interval   ├────────────────┼────────────────┼──▶
    stream 1       ▲                ▲                     a turn is a place in the interval, the same in all of them;
    stream 2             ▲                ▲               places are spread evenly, however many streams there are
"""

from __future__ import annotations

import math

GOLDEN = (math.sqrt(5) - 1) / 2
"""Multiples of it, modulo 1, are spread more evenly than those of any other number (Knuth, TAOCP 3, 6.4)."""


class Turn:
    """One stream's turn."""

    __slots__ = ("_place",)

    def __init__(self, number: int) -> None:
        """For a stream that so many have begun before."""
        self._place = number * GOLDEN % 1.0

    def after(self, now: float, interval_s: float) -> float:
        """When a stream that sends at `now` sends next: in its turn, at least half of an interval later and at most one
        and a half; `now` if there is no interval. Times in seconds."""
        if interval_s <= 0:
            return now
        least = now + interval_s / 2
        return (math.ceil(least / interval_s - self._place) + self._place) * interval_s


class Turns:
    """Gives out turns."""

    def __init__(self) -> None:
        self._given = 0

    def take(self) -> Turn:
        """The turn of a stream that begins."""
        self._given += 1
        return Turn(self._given)
