"""The writing half: who owns an account, and the commit of a batch, fenced by that.

An account's lease is `accounts/<account>`; its epoch rises with each taking, and a commit names the epochs that it was
made under. Only the lease decides: whoever lost it finds the commit refused and drops what it knew.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import asyncpg

from crossrate.store.database import BROKEN_CONNECTION, Database
from crossrate.store.errors import OutcomeUnknown, SequenceConflict, StoreError, StoreUnavailable
from services.trading import messages
from services.trading.domain import amounts
from services.trading.domain.account import Account
from services.trading.store.batch import Batch

ARGUMENTS, STRATEGY_ARGUMENTS = 40, 6
_PLACES = [f"${n}" for n in range(1, ARGUMENTS + STRATEGY_ARGUMENTS + 1)]
COMMIT = f"SELECT commit_reports({', '.join(_PLACES[:ARGUMENTS])}), keep_strategies({', '.join(_PLACES[ARGUMENTS:])})"

CLAIM = """
INSERT INTO lease AS l (name, epoch, holder, expire_time)
SELECT 'accounts/' || name, 1, $2, 'infinity' FROM unnest($1::text[]) AS w (name) ORDER BY 1
ON CONFLICT (name) DO UPDATE SET epoch = l.epoch + 1, holder = excluded.holder, expire_time = excluded.expire_time
RETURNING name, epoch"""

RECENT = """
SELECT client_order_id FROM client_order WHERE account = $1 ORDER BY first_sequence DESC LIMIT 200"""

RELEASE = "UPDATE lease SET holder = '' WHERE holder = $1 AND name LIKE 'accounts/%'"

GROUPS = """
SELECT content FROM client_order
WHERE NOT working AND (list_id = ANY ($1::text[]) OR order_id = ANY ($2::text[]::uuid[])) ORDER BY first_sequence"""

WROTE = """
SELECT count(*) FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS w (name, seq, epoch)
JOIN journal j ON j.stream = 'accounts/' || w.name AND j.seq = w.seq AND j.epoch = w.epoch"""

FILLS = "SELECT order_id::text, venue_exec_id FROM fill WHERE order_id = ANY ($1::text[]::uuid[])"


class TakenOver(StoreError):
    """Other instances have taken accounts over; nothing was committed."""

    def __init__(self, accounts: Sequence[str]) -> None:
        super().__init__(f"taken over by another instance: {', '.join(accounts)}")
        self.accounts = tuple(accounts)


class GateIsNewer(StoreError):
    """The gate has changed since risk admitted the orders; nothing was committed."""


class Duplicate(StoreError):
    """An order or a request of that id is there already; nothing was committed."""


@dataclass(slots=True)
class Claimed:
    """An account that this instance owns now, as it stands."""

    account: Account
    epoch: int


class Store:
    """Commits, one after another, on a connection of its own.

    Args:
        holder: names this life of this instance.
    """

    def __init__(self, database: Database, holder: str) -> None:
        self._database = database
        self.holder = holder
        self._connection: asyncpg.Connection | None = None
        self._cut_short = False

    async def claim(self, names: Sequence[str]) -> list[Claimed]:
        """Takes accounts over from whomever has them and reads how they stand.

        Raises:
            StoreUnavailable, OutcomeUnknown: the database is away; claiming again is safe.
        """
        async with self._database.transaction() as connection:
            rows = await connection.fetch(CLAIM, list(names), self.holder)
            epochs = {row[0].removeprefix("accounts/"): row[1] for row in rows}
            return [Claimed(await load(connection, name), epoch) for name, epoch in sorted(epochs.items())]

    async def commit(self, batch: Batch, epochs: dict[str, int]) -> None:
        """Commits a batch, with fsync, or nothing of it.

        Raises:
            TakenOver, GateIsNewer, Duplicate, SequenceConflict: nothing was committed, see there.
            StoreUnavailable: nothing was committed.
            OutcomeUnknown: the connection broke; claiming the accounts again tells.
        """
        connection = await self._writer()
        try:
            await connection.execute(COMMIT, *batch.arguments(epochs))
        except asyncpg.UniqueViolationError as error:
            raise Duplicate(str(error)) from None
        except asyncpg.PostgresError as error:
            if error.sqlstate == "XR001":
                names = [name.removeprefix("accounts/") for name in (error.detail or "").split()]
                raise TakenOver(names) from None
            if error.sqlstate == "XR002":
                raise SequenceConflict(str(error)) from None
            if error.sqlstate == "XR003":
                raise GateIsNewer(str(error)) from None
            self._drop()
            if isinstance(error, BROKEN_CONNECTION):
                raise OutcomeUnknown("the connection broke during the commit; it may have been done") from error
            raise
        except BROKEN_CONNECTION as error:
            self._drop()
            raise OutcomeUnknown("the connection broke during the commit; it may have been done") from error
        except asyncio.CancelledError:
            self._cut_short = True
            self._drop()
            raise

    async def release(self) -> None:
        """Gives all accounts up whose reports were all told: the next owner has nothing to make up for. Nothing is
        committed after it. It does nothing after a commit that was cut short, of which nobody knows what it did.

        Raises:
            StoreUnavailable, OutcomeUnknown: the database is away.
        """
        if not self._cut_short:
            async with self._database.transaction() as connection:
                await connection.execute(RELEASE, self.holder)

    async def wrote(self, ends: Mapping[str, int], epochs: Mapping[str, int]) -> bool:
        """Whether the reports at which accounts would end after a commit were written by it: under its epochs. Another
        instance may have come as far since.

        Raises:
            StoreUnavailable: the database is away.
        """
        names = list(ends)
        async with self._database.connection() as connection:
            found = await connection.fetchval(
                WROTE, names, [ends[name] for name in names], [epochs[name] for name in names]
            )
        return found == len(names)

    async def _writer(self) -> asyncpg.Connection:
        if self._connection is None or self._connection.is_closed():
            self._connection = await self._database.dedicated()
        return self._connection

    def _drop(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(asyncpg.InterfaceError, OSError):
                self._connection.terminate()
        self._connection = None

    async def close(self) -> None:
        """Closes the connection."""
        self._drop()


async def load(connection: asyncpg.Connection, name: str) -> Account:
    """An account as its committed reports have made it."""
    head = await connection.fetchval("SELECT last_seq FROM journal_head WHERE stream = $1", f"accounts/{name}")
    account = Account(name, head or 0)
    rows = await connection.fetch(
        "SELECT content FROM client_order WHERE account = $1 AND working ORDER BY first_sequence", name
    )
    orders = [messages.order_of(messages.order_pb2.Order.FromString(row[0])) for row in rows]
    lists = sorted({order.list_id for order in orders if order.list_id})
    parents = sorted({order.parent_id for order in orders if order.parent_id})
    if lists or parents:
        ended = await connection.fetch(GROUPS, lists, parents)
        orders += [messages.order_of(messages.order_pb2.Order.FromString(row[0])) for row in ended]
    for order in sorted(orders, key=lambda each: each.order_id):
        account.add(order)
    rows = await connection.fetch(
        "SELECT instrument, position_id, quantity::text, counter_amount::text FROM account_position WHERE account = $1",
        name,
    )
    for instrument, position_id, units, counter in rows:
        place = amounts.number(units, amounts.QUANTITY_PLACES), amounts.number(counter, amounts.VALUE_PLACES)
        account.positions[instrument, position_id] = list(place)
    rows = await connection.fetch(
        "SELECT instrument, position_id, strategy, quantity::text, counter_amount::text FROM strategy_position "
        "WHERE account = $1",
        name,
    )
    for instrument, position_id, strategy, units, counter in rows:
        place = amounts.number(units, amounts.QUANTITY_PLACES), amounts.number(counter, amounts.VALUE_PLACES)
        account.strategies[instrument, position_id, strategy] = list(place)
    found = await connection.fetchval("SELECT venue_sequence FROM account_venue WHERE account = $1", name)
    account.venue_sequence = found or 0
    for row in reversed(await connection.fetch(RECENT, name)):
        account.entered(row[0])
    if account.orders:
        rows = await connection.fetch(FILLS, list(account.orders))
        for order_id, venue_exec_id in rows:
            account.orders[order_id].exec_ids.add(venue_exec_id)
    return account


__all__ = ["Claimed", "Duplicate", "GateIsNewer", "Store", "StoreUnavailable", "TakenOver", "load"]
