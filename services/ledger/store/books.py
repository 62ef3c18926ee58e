"""The books in PostgreSQL: entries go into the journal, and what follows from them into tables, in one transaction.

Who writes holds the lock of the books until its transaction ends, so that entries have one order over all instances and
accounts; books are read under that lock. Nothing is kept between transactions.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import asyncpg

from crossrate.api.ledger.v1 import account_pb2, book_pb2, entry_pb2, ledger_events_pb2
from crossrate.rpc.call import current_or_none
from crossrate.store.database import Database
from crossrate.store.journal import BATCH_MAX, Fact, Journal, Lease
from services.ledger import messages
from services.ledger.domain.book import Book
from services.ledger.domain.entry import TRADES, Entry, Key, Kind, Trade

STREAM = "books"
"""The journal's stream: every entry of every account, in order of commit."""
SUBJECT = "crossrate.ledger.v1.entry_posted.{account}"
TYPE = ledger_events_pb2.EntryPosted.DESCRIPTOR.full_name
LEASE_EPOCH = 1
_LOCK = 0x626F6F6B  # "book": the first half of the advisory lock's key; the second is the schema


@dataclass(slots=True)
class Kept:
    """An account's book as it stands in a transaction, and the entries that are new."""

    account: account_pb2.Account
    book: Book
    execution_sequence: int = 0
    fault: str = ""
    rolled_date: dt.date | None = None
    rolled_entry: int = 0
    entries: list[Entry] = field(default_factory=list)
    history: dict[Key, list[Trade]] = field(default_factory=dict)
    changed: bool = False
    desk_levels: account_pb2.MarginLevels = field(default_factory=account_pb2.MarginLevels)
    """Levels of margin of its desk."""

    def post(self, entry: Entry) -> Entry:
        """Books an entry.

        Raises:
            BookingFault: it cannot be booked; the transaction's view of this account has to be loaded anew.
        """
        # A deal needs no history; what is not known stays so, and is loaded whole when a correction comes.
        self.book.book(entry, lambda key: self.history.get(key, []))
        self.entries.append(entry)
        self.changed = True
        return entry


class UnknownAccount(LookupError):
    """There is no account of that name."""


class Writing:
    """One transaction on the books, under their lock."""

    def __init__(self, connection: asyncpg.Connection, journal: Journal, clock_ns: Callable[[], int]) -> None:
        self.connection = connection
        self._journal = journal
        self._clock_ns = clock_ns
        self.kept: dict[str, Kept] = {}

    async def begin(self) -> Writing:
        """Takes the lock; waits for whoever has it."""
        await lock_books(self.connection)
        return self

    async def load(self, names: Iterable[str]) -> dict[str, Kept]:
        """Books of accounts as they stand, without those that nobody opened. What was posted before is forgotten."""
        rows = await self.connection.fetch(f"{_SELECT} WHERE account = ANY($1::text[])", list(names))
        found = {kept.account.account: kept for kept in map(kept_of, rows)}
        self.kept |= found
        return found

    async def one(self, name: str) -> Kept:
        """One account's book.

        Raises:
            UnknownAccount: nobody opened it.
        """
        found = await self.load([name])
        if name not in found:
            raise UnknownAccount(name)
        return found[name]

    async def load_history(self, kept: Kept, key: Key) -> None:
        """Makes the trades of a position known, for a correction."""
        rows = await self.connection.fetch(
            "SELECT message FROM trade WHERE account = $1 AND instrument = $2 AND position_id = $3 ORDER BY seq",
            kept.book.account,
            *key,
        )
        trades = [messages.trade_of(entry_pb2.Trade.FromString(row["message"])) for row in rows]
        # Those of this transaction are not written yet.
        trades += [entry.trade for entry in kept.entries if entry.trade is not None and entry.trade.key == key]
        kept.history[key] = trades

    async def flush(self) -> list[Entry]:
        """Writes everything that was posted and returns it, numbered."""
        entries = [entry for kept in self.kept.values() for entry in kept.entries]
        if entries:
            await self._number(entries)
            for first in range(0, len(entries), BATCH_MAX):
                await self._append(entries[first : first + BATCH_MAX])
            await self._index(entries)
        await self._keep([kept for kept in self.kept.values() if kept.changed])
        self.kept = {}
        return entries

    async def _number(self, entries: list[Entry]) -> None:
        last = await self.connection.fetchrow("SELECT seq, time_ns FROM entry ORDER BY seq DESC LIMIT 1")
        before, not_before = (last["seq"], last["time_ns"]) if last is not None else (0, 0)
        now = max(self._clock_ns(), not_before)
        for number, entry in enumerate(entries, before + 1):
            entry.sequence, entry.time_ns = number, now
        for kept in self.kept.values():
            if kept.entries:
                kept.book.last_entry = kept.entries[-1].sequence

    async def _append(self, entries: list[Entry]) -> None:
        call = current_or_none()
        facts = [
            Fact(
                subject=SUBJECT.format(account=entry.account),
                type=TYPE,
                payload=payload_of(entry),
                time_ns=entry.time_ns,
                request_id=entry.reference if call is not None else "",
                traceparent=call.traceparent if call is not None else "",
            )
            for entry in entries
        ]
        lease = Lease(None, STREAM, "", LEASE_EPOCH, 0.0)  # type: ignore[arg-type]  # shared: never renewed, never taken
        await self._journal.append(self.connection, lease, STREAM, facts, expected_last_seq=entries[0].sequence - 1)

    async def _index(self, entries: list[Entry]) -> None:
        await self.connection.executemany(
            "INSERT INTO entry (seq, account, kind, reference, time_ns) VALUES ($1, $2, $3, $4, $5)",
            [(e.sequence, e.account, e.kind.value, e.reference, e.time_ns) for e in entries],
        )
        trades: list[tuple] = []
        for entry in entries:
            if entry.kind in (Kind.TRADE, Kind.ALLOCATION):
                trades.append(_trade_row(entry))
            elif entry.kind in TRADES:
                await self._insert_trades(trades)
                await self._correct_trade(entry)
            elif entry.kind is Kind.REVERSAL:
                await self.connection.execute("UPDATE entry SET reversed = true WHERE seq = $1", entry.reverses)
        await self._insert_trades(trades)

    async def _insert_trades(self, rows: list[tuple]) -> None:
        if rows:
            await self.connection.executemany(
                "INSERT INTO trade (seq, account, instrument, position_id, trade_id, message) "
                "VALUES ($1, $2, $3, $4, $5, $6)",
                rows,
            )
            rows.clear()

    async def _correct_trade(self, entry: Entry) -> None:
        assert entry.trade is not None
        where = (
            "WHERE seq = (SELECT max(seq) FROM trade "
            "WHERE account = $1 AND instrument = $2 AND position_id = $3 AND trade_id = $4)"
        )
        names = (entry.account, *entry.trade.key, entry.cancelled_trade_id)
        if entry.kind is Kind.TRADE_CANCEL:
            await self.connection.execute(f"DELETE FROM trade {where}", *names)
        else:
            now = messages.trade_message(entry.trade).SerializeToString(deterministic=True)
            await self.connection.execute(
                f"UPDATE trade SET trade_id = $5, message = $6 {where}", *names, entry.trade.trade_id, now
            )

    async def _keep(self, changed: list[Kept]) -> None:
        await self.connection.executemany(
            "INSERT INTO book (account, last_entry, execution_sequence, rolled_date, rolled_entry, fault, message) "
            "VALUES ($1, $2, $3, coalesce($4, '-infinity'::date), $5, $6, $7) ON CONFLICT (account) DO UPDATE SET "
            "last_entry = excluded.last_entry, execution_sequence = excluded.execution_sequence, "
            "rolled_date = excluded.rolled_date, rolled_entry = excluded.rolled_entry, fault = excluded.fault, "
            "message = excluded.message",
            [
                (
                    kept.book.account,
                    kept.book.last_entry,
                    kept.execution_sequence,
                    kept.rolled_date,
                    kept.rolled_entry,
                    kept.fault,
                    messages.encoded(kept.book),
                )
                for kept in changed
            ],
        )


async def lock_books(connection: asyncpg.Connection) -> None:
    """Takes the lock of the books until the transaction ends."""
    await connection.execute("SELECT pg_advisory_xact_lock($1, hashtext(current_schema()))", _LOCK)


def kept_of(row: asyncpg.Record) -> Kept:
    """A row of account and book; the book is new if there is none yet."""
    account = account_pb2.Account.FromString(row["terms"])
    desk = account_pb2.DeskMargin.FromString(row["desk"] or b"").levels
    if row["message"] is None:
        return Kept(account, messages.new_book(account), desk_levels=desk)
    book = messages.book_of(book_pb2.Book.FromString(row["message"]))
    rolled = row["rolled_date"] if row["rolled_date"] > dt.date.min else None
    return Kept(account, book, row["execution_sequence"], row["fault"], rolled, row["rolled_entry"], desk_levels=desk)


def payload_of(entry: Entry) -> bytes:
    """The bytes of an entry in the journal."""
    posted = ledger_events_pb2.EntryPosted(entry=messages.entry_message(entry))
    return posted.SerializeToString(deterministic=True)


def _trade_row(entry: Entry) -> tuple:
    trade = entry.trade
    assert trade is not None
    message = messages.trade_message(trade).SerializeToString(deterministic=True)
    return (entry.sequence, entry.account, *trade.key, trade.trade_id, message)


class Books:
    """What writes and reads the books of one schema."""

    def __init__(self, database: Database, clock_ns: Callable[[], int] = time.time_ns) -> None:
        self.database = database
        self._journal = Journal(database)
        self._clock_ns = clock_ns

    async def writing(self, connection: asyncpg.Connection) -> Writing:
        """Begins to write within the caller's transaction."""
        return await Writing(connection, self._journal, self._clock_ns).begin()

    async def get(self, name: str) -> Kept | None:
        """An account with its book, or None.

        Raises:
            StoreUnavailable: the database is away.
        """
        async with self.database.connection() as connection:
            row = await connection.fetchrow(f"{_SELECT} WHERE account = $1", name)
        return None if row is None else kept_of(row)

    async def several(self, names: list[str], after_entry: int = 0) -> list[Kept]:
        """Accounts with their books, by name, without unknown ones and those without an entry after a number."""
        async with self.database.connection() as connection:
            rows = await connection.fetch(
                f"{_SELECT} WHERE account = ANY($1::text[]) AND {_SINCE} ORDER BY account", names, after_entry
            )
        return [kept_of(row) for row in rows]

    async def page(self, after: str, size: int, after_entry: int = 0) -> list[Kept]:
        """Accounts whose names come after one, by name, with their books; as `several`."""
        async with self.database.connection() as connection:
            rows = await connection.fetch(
                f"{_SELECT} WHERE account > $1 AND {_SINCE} ORDER BY account LIMIT $3", after, after_entry, size
            )
        return [kept_of(row) for row in rows]

    async def trades(self, account: str, trade_ids: Sequence[str]) -> list[entry_pb2.Trade]:
        """Those of an account's trades that still count, by their ids at the counterparty."""
        async with self.database.connection() as connection:
            rows = await connection.fetch(
                "SELECT message FROM trade WHERE account = $1 AND trade_id = ANY ($2) ORDER BY seq",
                account,
                list(trade_ids),
            )
        return [entry_pb2.Trade.FromString(row["message"]) for row in rows]

    async def last_entry(self) -> int:
        """Number of the newest entry; 0 before the first."""
        async with self.database.connection() as connection:
            return await connection.fetchval("SELECT max(seq) FROM entry") or 0

    async def to_roll(self, trade_date: dt.date) -> list[str]:
        """Accounts that have entries which no roll of that date or a later one has seen."""
        async with self.database.connection() as connection:
            rows = await connection.fetch(
                "SELECT account FROM book WHERE rolled_date < $1 OR rolled_entry < last_entry ORDER BY account",
                trade_date,
            )
        return [row["account"] for row in rows]

    async def faults(self) -> list[str]:
        """Accounts whose reports are not applied any further."""
        async with self.database.connection() as connection:
            rows = await connection.fetch("SELECT account FROM book WHERE fault <> '' ORDER BY account")
        return [row["account"] for row in rows]

    async def entries(
        self,
        account: str,
        after: int,
        limit: int,
        *,
        until_ns: int | None = None,
        after_ns: int | None = None,
        references: Sequence[str] = (),
    ) -> list[bytes]:
        """Payloads of an account's entries after a number, oldest first; with references only theirs."""
        async with self.database.connection() as connection:
            rows = await connection.fetch(
                "SELECT j.payload FROM entry e JOIN journal j ON j.stream = $1 AND j.seq = e.seq "
                "WHERE e.account = $2 AND e.seq > $3 AND ($4::bigint IS NULL OR e.time_ns <= $4) "
                "AND ($5::bigint IS NULL OR e.time_ns > $5) AND ($7::text[] IS NULL OR e.reference = ANY ($7)) "
                "ORDER BY e.seq LIMIT $6",
                STREAM,
                account,
                after,
                until_ns,
                after_ns,
                limit,
                list(references) or None,
            )
        return [row["payload"] for row in rows]


_SELECT = (
    "SELECT a.message AS terms, b.message, b.execution_sequence, b.fault, b.rolled_date, b.rolled_entry, "
    "d.message AS desk FROM account a LEFT JOIN book b USING (account) LEFT JOIN desk_margin d USING (desk)"
)
_SINCE = "($2::bigint = 0 OR last_entry > $2)"
