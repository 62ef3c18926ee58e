"""The end of a trading day: at 17:00 New York by itself, or when it is asked for.

Which accounts were rolled is kept with their books, and what was charged follows from their flows: a roll that is
broken off, or runs twice, or in two instances at once, charges every day once. What is booked after a roll for a value
date that the roll has passed is carried on by the next pass, a minute later.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from crossrate.basics.holidays import SAT
from crossrate.basics.session import NEW_YORK, NEW_YORK_ROLL
from crossrate.store.errors import StoreError
from services.ledger.domain.entry import BookingFault, Entry, Kind
from services.ledger.domain.financing import Rates, Rolled, roll
from services.ledger.market import Market
from services.ledger.store.books import Books, Kept, Writing

PASS_S = 60.0
AGAIN_S = 5.0
"""The pause after a pass that could not do everything: a price was missing, or the database was away."""
ACCOUNTS_MAX = 100
"""Accounts in one transaction: nobody else writes meanwhile."""


@dataclass(slots=True)
class Outcome:
    """What a roll booked: accounts with an entry, positions carried on, why instruments were not, sums by currency."""

    accounts: int = 0
    positions: int = 0
    missing: dict[str, str] = field(default_factory=dict)
    totals: dict[str, int] = field(default_factory=dict)


def last_ended(now: datetime) -> date:
    """The newest trade date that has ended at 17:00 New York."""
    local = now.astimezone(NEW_YORK)
    day = local.date() if local.time() >= NEW_YORK_ROLL else local.date() - timedelta(days=1)
    while day.weekday() >= SAT:
        day -= timedelta(days=1)
    return day


class Roller:
    """Rolls the books of all accounts."""

    def __init__(self, books: Books, market: Market, rates: Rates, log: Any) -> None:
        self._books = books
        self._market = market
        self._rates = rates
        self._log = log
        self._told: tuple[date, frozenset[str]] | None = None

    async def run(self, stopping: asyncio.Event) -> None:
        """Ends every trade date soon after 17:00 New York, until `stopping` is set."""
        while not stopping.is_set():
            day, wait_s = last_ended(datetime.now(UTC)), AGAIN_S
            try:
                outcome = await self.end(day)
                self._tell(day, outcome)
                wait_s = AGAIN_S if outcome.missing else PASS_S
            except (StoreError, OSError) as error:
                self._log.warning("the day's end waits", trade_date=str(day), error=str(error))
            waiting = asyncio.ensure_future(stopping.wait())
            await asyncio.wait([waiting], timeout=wait_s)
            waiting.cancel()

    async def end(self, trade_date: date, *, entered_by: str = "", only_check: bool = False) -> Outcome:
        """Ends a trade date for all accounts that it has not ended for.

        Raises:
            StoreUnavailable: the database is away; what was committed stays, and asking again does the rest.
        """
        outcome = Outcome()
        names = await self._books.to_roll(trade_date)
        for first in range(0, len(names), ACCOUNTS_MAX):
            some = names[first : first + ACCOUNTS_MAX]
            if only_check:
                for kept in await self._books.several(some):
                    self._count(outcome, self._lines(kept, trade_date))
                continue
            async with self._books.database.transaction() as connection:
                writing = await self._books.writing(connection)
                await self._end_some(writing, some, trade_date, entered_by, outcome)
        return outcome

    async def _end_some(
        self, writing: Writing, names: list[str], trade_date: date, entered_by: str, outcome: Outcome
    ) -> None:
        for kept in (await writing.load(names)).values():
            rolled = self._lines(kept, trade_date)
            due = any(day is not None and day <= trade_date for _, day in kept.book.cash)
            if rolled.lines or due:
                entry = Entry(
                    kept.account.account,
                    Kind.ROLL,
                    f"roll:{trade_date}",
                    0,
                    financing=tuple(rolled.lines),
                    trade_date=trade_date,
                    entered_by=entered_by,
                )
                try:
                    kept.post(entry)
                except BookingFault as fault:
                    raise AssertionError(f"the roll of {kept.account.account} cannot be booked: {fault}") from fault
            self._count(outcome, rolled)
        rolled_now = dict(writing.kept)
        missing = set(outcome.missing)
        await writing.flush()
        for name, kept in rolled_now.items():
            # What has no rate yet is looked at again by the next pass.
            if not any(key[0] in missing for key in kept.book.positions):
                await writing.connection.execute(
                    "UPDATE book SET rolled_date = greatest(rolled_date, $2), rolled_entry = last_entry "
                    "WHERE account = $1",
                    name,
                    trade_date,
                )

    def _lines(self, kept: Kept, trade_date: date) -> Rolled:
        return roll(kept.book, trade_date, self._rates, self._market.mid)

    def _count(self, outcome: Outcome, rolled: Rolled) -> None:
        outcome.accounts += bool(rolled.lines)
        outcome.positions += len({(line.instrument, line.position_id) for line in rolled.lines})
        outcome.missing |= rolled.missing
        for line in rolled.lines:
            counter = line.instrument.split("/")[1]
            outcome.totals[counter] = outcome.totals.get(counter, 0) + line.amount

    def _tell(self, day: date, outcome: Outcome) -> None:
        if outcome.accounts:
            self._log.info("day ended", trade_date=str(day), accounts=outcome.accounts, positions=outcome.positions)
        told = (day, frozenset(outcome.missing))
        if outcome.missing and told != self._told:
            self._log.error("positions without financing", trade_date=str(day), missing=outcome.missing)
        self._told = told
