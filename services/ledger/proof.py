"""The proof of the books: the journal is read whole and booked again, and compared with what is kept.

Four things are looked at: numbers have no gap, the postings of every entry add up to zero in each currency, the
postings that an entry's facts lead to are those that it has, and every rebuilt book has the bytes of the one kept.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, field

import asyncpg

from crossrate.api.ledger.v1 import account_pb2, ledger_events_pb2
from crossrate.store.database import Database
from crossrate.store.journal import read_page
from services.ledger import messages
from services.ledger.domain.book import Book
from services.ledger.domain.entry import BookingFault, Entry, Key, Kind, Trade, reverse, unbalanced
from services.ledger.store.books import STREAM

PAGE = 256
DIFFERENCES_MAX = 100


class Rebuild:
    """Books from entries alone, in order."""

    def __init__(self) -> None:
        self.books: dict[str, Book] = {}
        self._history: dict[tuple[str, Key], list[Trade]] = {}
        self._moved: dict[int, Entry] = {}

    def add(self, entry: Entry, account: account_pb2.Account) -> list[str]:
        """Books one entry again and tells what does not agree."""
        wrong = [
            f"entry {entry.sequence}: {code} adds up to {total}" for code, total in unbalanced(entry.postings).items()
        ]
        book = self.books.get(entry.account)
        if book is None:
            book = self.books[entry.account] = messages.new_book(account)
        posted = entry.postings
        if entry.kind is Kind.REVERSAL:
            reversed_entry = self._moved.pop(entry.reverses, None)
            if reversed_entry is None or reverse(reversed_entry.postings) != posted:
                wrong.append(f"entry {entry.sequence} is not the reverse of entry {entry.reverses}")
        try:
            book.book(entry, lambda key: self._history.setdefault((entry.account, key), []))
        except (BookingFault, ValueError, LookupError, AssertionError) as error:
            return [*wrong, f"entry {entry.sequence} cannot be booked again: {error}"]
        if entry.postings != posted:
            wrong.append(f"entry {entry.sequence}: its facts lead to other postings")
        if entry.trade is None:
            self._moved[entry.sequence] = entry
        book.last_entry = entry.sequence
        return wrong


@dataclass(slots=True)
class Proof:
    """What a proof found; digests are SHA-256, hexadecimal."""

    entries: int = 0
    postings: int = 0
    books: int = 0
    journal_digest: str = ""
    books_digest: str = ""
    differences: list[str] = field(default_factory=list)

    def note(self, found: list[str]) -> None:
        """Keeps what does not agree, as far as there is room."""
        self.differences += found[: DIFFERENCES_MAX - len(self.differences)]


async def prove(database: Database) -> Proof:
    """Proves the books as they stand at one moment, while others go on writing.

    Raises:
        StoreUnavailable: the database is away.
    """
    proof, rebuild, journal = Proof(), Rebuild(), hashlib.sha256()
    async with database.transaction() as connection:
        await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        accounts = await _accounts(connection)
        while True:
            page = await read_page(connection, STREAM, proof.entries, PAGE)
            for found in page:
                journal.update(found.fact.payload)
                _read(proof, rebuild, accounts, found.seq, found.fact.payload)
            if len(page) < PAGE:
                break
            await asyncio.sleep(0)  # Others are served in between.
        proof.journal_digest = journal.hexdigest()
        await _compare(connection, proof, rebuild)
    return proof


async def _accounts(connection: asyncpg.Connection) -> dict[str, account_pb2.Account]:
    rows = await connection.fetch("SELECT account, message FROM account")
    return {row["account"]: account_pb2.Account.FromString(row["message"]) for row in rows}


def _read(proof: Proof, rebuild: Rebuild, accounts: dict[str, account_pb2.Account], seq: int, payload: bytes) -> None:
    entry = messages.entry_of(ledger_events_pb2.EntryPosted.FromString(payload).entry)
    if entry.sequence != seq or seq != proof.entries + 1:
        proof.note([f"number {proof.entries + 1} of the journal is entry {entry.sequence}"])
    proof.entries = seq
    proof.postings += len(entry.postings)
    account = accounts.get(entry.account)
    if account is None:
        proof.note([f"entry {seq} is of account {entry.account!r}, which there is not"])
        return
    proof.note(rebuild.add(entry, account))


async def _compare(connection: asyncpg.Connection, proof: Proof, rebuild: Rebuild) -> None:
    kept = {row["account"]: row for row in await connection.fetch("SELECT account, last_entry, message FROM book")}
    digest = hashlib.sha256()
    for name, book in sorted(rebuild.books.items()):
        built = messages.encoded(book)
        digest.update(built)
        proof.books += 1
        row = kept.pop(name, None)
        if row is None or row["message"] != built:
            proof.note([f"the book of {name} is not what its entries make it"])
    for name, row in sorted(kept.items()):
        if row["last_entry"]:
            proof.note([f"the book of {name} has entries that the journal has not"])
    proof.books_digest = digest.hexdigest()
