"""When to try again: decorrelated jitter, so that many who lost one venue together do not return together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(slots=True)
class Backoff:
    """Waits between attempts: each is drawn between the first and three times the one before, up to the cap.

    The rule is "decorrelated jitter" of M. Brooker, Exponential Backoff and Jitter (2015).

    Attributes:
        first_s: the shortest wait.
        cap_s: the longest wait.
        stable_s: after a connection that held this long, waits begin at the first again.
        draw: a number between two others, as `random.uniform`.
    """

    first_s: float
    cap_s: float
    stable_s: float
    draw: Callable[[float, float], float]
    wait_s: float = 0.0

    def next(self, connected_s: float) -> float:
        """How long to wait now, after a connection that held `connected_s`, 0 if there was none."""
        before = self.first_s if not self.wait_s or connected_s >= self.stable_s else self.wait_s
        self.wait_s = min(self.cap_s, self.draw(self.first_s, max(before * 3.0, self.first_s)))
        return self.wait_s
