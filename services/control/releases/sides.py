"""Which version answers an account, and when: by the log of calls, whose key is the contract's.

A fact says of which account it is and when it happened. As an account is answered by one version at a time, that says
which version it is a fact of, without a mark on it: no service has to know that there is a release.
"""

from __future__ import annotations

from collections import deque

ACCOUNTS_MAX = 20_000
"""Accounts that are remembered; beyond that the one that was first seen first is forgotten."""
STRETCHES_MAX = 8
NEAR_S = 5.0
"""How long after an account's last call a fact may still come of it, in seconds."""


class Sides:
    """Stretches of time in which one version answered an account; times in seconds since 1970."""

    def __init__(self) -> None:
        self._stretches: dict[str, deque[tuple[float, float, bool]]] = {}

    def add(self, account: str, begin: float, end: float, candidate: bool) -> None:
        """A call of an account was answered."""
        stretches = self._stretches.get(account)
        if stretches is None:
            if len(self._stretches) >= ACCOUNTS_MAX:
                del self._stretches[next(iter(self._stretches))]
            stretches = self._stretches[account] = deque(maxlen=STRETCHES_MAX)
        if stretches and stretches[-1][2] == candidate:
            first, last, _ = stretches.pop()
            begin, end = min(first, begin), max(last, end)
        stretches.append((begin, end, candidate))

    def of(self, account: str, at: float) -> bool | None:
        """Whether the candidate answered an account then; None if that cannot be told."""
        stretches = self._stretches.get(account, ())
        covering = {candidate for begin, end, candidate in stretches if begin <= at <= end}
        if covering:
            return covering.pop() if len(covering) == 1 else None
        before = [(end, candidate) for _, end, candidate in stretches if at - NEAR_S <= end < at]
        return max(before)[1] if before else None
