"""Days of the daily loss: the profit of each scope when the day began, at 17:00 New York.

An account whose day was not seen to begin, since nobody decided then, counts from the newest day that was: its loss is
told too high rather than too low, unless it had made a profit since.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date
from typing import Any

from crossrate.store.errors import StoreUnavailable
from services.risk.domain.pretrade.accounts import Book
from services.risk.domain.pretrade.groups import Group
from services.risk.domain.pretrade.market import Market
from services.risk.store import LimitStore, Term

LOOK_S = 0.5


class Days:
    """See the module. Made for one term."""

    def __init__(
        self, store: LimitStore, term: Term, book: Book, market: Market, note: Any, now_ns: Callable[[], int]
    ) -> None:
        self._store = store
        self._term = term
        self._book = book
        self._market = market
        self._note = note
        self._now_ns = now_ns
        self._day: date | None = None

    async def begin(self) -> None:
        """Reads what is known.

        Raises:
            StoreUnavailable: the database is away.
        """
        self._day, marks = await self._store.day_marks()
        self._book.day_marks.update(marks)

    async def run(self) -> None:
        """Marks each day when it begins, until it is cancelled."""
        while True:
            try:
                await self.look()
            except StoreUnavailable as error:
                self._note.warning("the day's marks were not kept; trying again", why=str(error))
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """Marks the day if it has begun since the last mark.

        Raises:
            StoreUnavailable: the marks hold, and were not kept.
        """
        today = self._market.trade_date(self._now_ns())
        if today == self._day or not self._market.rates.keys() - {"USD"}:
            return
        groups = [each.group for each in self._book.accounts.values() if each.known]
        groups += self._book.groups.values()
        if any(group.fresh().unpriced for group in groups):
            # Without a price nobody can tell; orders that add are refused as long as that is so.
            return
        marks = {group.scope: group.profit for group in groups}
        self._mark(groups, marks)
        await self._store.mark_day(self._term, today, marks)
        self._day = today

    def _mark(self, groups: list[Group], marks: dict[str, int]) -> None:
        self._book.day_marks.update(marks)
        for group in groups:
            group.day_mark = marks[group.scope]
