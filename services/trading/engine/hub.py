"""Execution reports to whoever follows an account, as they are committed: from memory, or from the journal."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from services.trading.store.batch import Reported

HELD_MAX = 2048
"""Reports of one account in memory, while somebody follows it; who is further behind reads the journal."""


class Listener:
    """One follower of one account."""

    def __init__(self) -> None:
        self.changed = asyncio.Event()


class Hub:
    """The newest reports of accounts that somebody follows."""

    def __init__(self) -> None:
        self._listeners: defaultdict[str, set[Listener]] = defaultdict(set)
        self._held: dict[str, deque[Reported]] = {}

    @contextmanager
    def listening(self, account: str) -> Iterator[Listener]:
        """A listener of an account as long as the block lasts."""
        listener = Listener()
        self._listeners[account].add(listener)
        self._held.setdefault(account, deque(maxlen=HELD_MAX))
        try:
            yield listener
        finally:
            self._listeners[account].discard(listener)
            if not self._listeners[account]:
                del self._listeners[account]
                self._held.pop(account, None)

    def publish(self, reports: Sequence[Reported]) -> None:
        """These were committed here."""
        told: set[str] = set()
        for each in reports:
            held = self._held.get(each.account)
            if held is not None:
                if held and each.sequence != held[-1].sequence + 1:
                    # Others wrote in between. What is held has no gap, so that a number is a place in it.
                    held.clear()
                held.append(each)
                told.add(each.account)
        for account in told:
            for listener in self._listeners.get(account, ()):
                listener.changed.set()

    def wake(self) -> None:
        """Something was committed, perhaps by another instance."""
        for listeners in self._listeners.values():
            for listener in listeners:
                listener.changed.set()

    def after(self, account: str, sequence: int, limit: int) -> list[Reported] | None:
        """The reports in memory that follow a number without a gap; None where only the journal can tell."""
        held = self._held.get(account)
        if not held or held[0].sequence > sequence + 1 or held[-1].sequence <= sequence:
            return None
        skip = sequence + 1 - held[0].sequence
        return [held[i] for i in range(skip, min(len(held), skip + limit))]
