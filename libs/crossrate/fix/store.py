"""Where a session's numbers and its sent messages outlive a process.

    transaction ── the application's effects, and `save` of the step that caused or sends them ── commit ── bytes

A message is written to the peer after it is stored, so nothing sent is forgotten: what the peer has not got it asks
for. The number that acknowledges a received message is in the `Changes` of its step, which commit with what the
application made of it where both are in one database: nothing is applied twice, and nothing is acknowledged that was
not applied.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Any, Protocol

from crossrate.fix.numbers import Changes, Numbers, Sent


class StaleNumbers(Exception):
    """The stored numbers are not those that this process knows: another one speaks for the session."""


class Store(Protocol):
    """The numbers and messages of one session."""

    async def load(self) -> Numbers:
        """The numbers as they were committed last; 1 and 1 for a session that is new. It comes before any `save`."""

    def transaction(self) -> contextlib.AbstractAsyncContextManager[Any]:
        """A transaction, committed at the end of its block and rolled back by an exception.

        What it yields is the application's too: of PostgreSQL the connection. If the end of the block raises, the
        outcome may be unknown; whoever speaks for the session has to `load` again.
        """

    async def save(self, transaction: Any, changes: Changes) -> None:
        """Stores the changes of one step within a transaction.

        Raises:
            StaleNumbers: somebody else has stored since; nothing may be sent.
        """

    async def sent(self, first: int, last: int, limit: int) -> Sequence[Sent]:
        """The stored messages with numbers from first to last, in order, at most `limit`."""


class MemoryStore:
    """Numbers and messages of a process: for tests, and for sessions that begin anew with every process."""

    def __init__(self) -> None:
        self.numbers = Numbers(fresh=False)
        self.messages: dict[int, Sent] = {}

    async def load(self) -> Numbers:
        """See Store."""
        return Numbers(self.numbers.out, self.numbers.due, fresh=False, begun_ns=self.numbers.begun_ns)

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """See Store."""
        yield None

    async def save(self, transaction: Any, changes: Changes) -> None:
        """See Store."""
        self.apply(changes)

    def apply(self, changes: Changes) -> None:
        """The changes, at once.

        Raises:
            StaleNumbers: see Store.
        """
        numbers = self.numbers
        if (numbers.out, numbers.due) != (changes.out_before, changes.due_before):
            raise StaleNumbers(f"{numbers.out} and {numbers.due} are stored")
        if changes.reset:
            self.messages.clear()
        self.messages.update((each.number, each) for each in changes.sent)
        numbers.out, numbers.due, numbers.begun_ns = changes.out, changes.due, changes.begun_ns

    async def sent(self, first: int, last: int, limit: int) -> Sequence[Sent]:
        """See Store."""
        return self.recall(first, last)[:limit]

    def recall(self, first: int, last: int) -> list[Sent]:
        """The messages in a range, in order."""
        return sorted(
            (each for number, each in self.messages.items() if first <= number <= last), key=lambda each: each.number
        )
