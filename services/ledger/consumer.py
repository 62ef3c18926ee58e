"""Executions: trading's facts, booked each once.

The position in the stream moves in the transaction that books, and each account besides knows the number of the last
report that it has: what comes twice is left out, and what is missing is asked of trading before anything after it is
booked. A report that cannot be booked stops its own account, visibly, and no other: late rather than wrong.
"""

from __future__ import annotations

import asyncio
import random
from typing import Any, Protocol

import structlog
from google.protobuf.message import DecodeError
from nats.aio.subscription import Subscription

from crossrate.api.trading.v1 import execution_pb2, order_history_pb2
from crossrate.events.envelope import Event
from crossrate.events.errors import EventsError
from crossrate.events.events import READ_MAX, Events
from crossrate.rpc.call_error import CallError
from crossrate.store.errors import StoreError
from crossrate.store.inbox import Inbox
from services.ledger.domain.entry import BookingFault, Kind
from services.ledger.reports import KINDS, entry_of
from services.ledger.store.books import Books, Kept, Writing

STREAM = "trading"
SUBJECT = "crossrate.trading.v1.execution_reported.>"
CONSUMER = "books"
RECOVER_S = 60.0
"""Accounts that stand still are tried again this often."""
GATHER_S = 0.1
"""Between two reads of what comes all the time, so that many reports are booked in one transaction."""
PASSING = (OSError, TimeoutError, StoreError, EventsError, CallError)
"""What says nothing about a report: tried again for ever, with growing pauses."""
_BACKOFF_S_MAX = 5.0

Reports = list[execution_pb2.ExecutionReport]


class Trading(Protocol):
    """Who has every report of an account."""

    async def executions(self, account: str, after_sequence: int) -> tuple[Reports, int]:
        """The next reports after a number, and the account's newest number.

        Raises:
            CallError: trading does not answer.
        """
        ...


class Gap(Exception):
    """Reports of an account are missing before one that came."""

    def __init__(self, account: str) -> None:
        super().__init__(f"reports of {account} are missing")
        self.account = account


class Executions:
    """One instance's reader of executions. Instances side by side take turns by the lock on the position."""

    def __init__(self, books: Books, events: Events, trading: Trading, *, poll_s: float = 1.0) -> None:
        self._books = books
        self._events = events
        self._trading = trading
        self._inbox = Inbox(books.database)
        self._poll_s = poll_s
        self._wake_up = asyncio.Event()
        self._heard: Subscription | None = None
        self._log = structlog.get_logger().bind(consumer=CONSUMER)
        self.applied = 0
        self.error = ""

    async def run(self, stopping: asyncio.Event) -> None:
        """Books until `stopping` is set."""
        failures, recover_at = 0, 0.0
        clock = asyncio.get_running_loop().time
        try:
            while not stopping.is_set():
                try:
                    if clock() >= recover_at:
                        await self._recover()
                        recover_at = clock() + RECOVER_S
                    moved = await self._stepped()
                    failures, self.error = 0, ""
                except PASSING as error:
                    failures += 1
                    self.error = f"{type(error).__name__}: {error}"
                    self._log.warning("executions_wait", error=self.error, failures=failures)
                    moved = False
                if moved:
                    await self._pause(GATHER_S, stopping, quiet=True)
                else:
                    backoff = min(_BACKOFF_S_MAX, 0.05 * 2 ** min(failures, 10)) * random.uniform(0.5, 1.0)
                    await self._pause(backoff if failures else self._poll_s, stopping, quiet=bool(failures))
        finally:
            if self._heard is not None:
                await self._heard.unsubscribe()

    async def _stepped(self) -> bool:
        """A step. Only while there is nothing to do are messages heard as they come: else each would come twice."""
        moved = await self.step()
        if moved and self._heard is not None:
            heard, self._heard = self._heard, None
            await heard.unsubscribe()
        elif not moved and self._heard is None:
            self._heard = await self._events.subscribe_core(SUBJECT, self._woken)
            # What came before that is looked for once more.
            moved = await self.step()
        return moved

    async def step(self) -> bool:
        """Books the next batch; False if there is none.

        Raises:
            OSError, TimeoutError, StoreError, EventsError, CallError: something is away; nothing was booked.
        """
        self._wake_up.clear()
        position = await self._inbox.load(CONSUMER, STREAM)
        batch = await self._events.read(STREAM, position, limit=READ_MAX, subject=SUBJECT)
        if not batch:
            return False
        while True:
            try:
                async with self._inbox.apply_batch(CONSUMER, batch) as (fresh, connection):
                    if fresh:
                        writing = await self._books.writing(connection)
                        await self._apply(writing, self._by_account(fresh), with_gaps=False)
                return True
            except Gap as gap:
                self._log.warning("executions_are_missing", account=gap.account)
                await self.catch_up(gap.account)

    async def catch_up(self, account: str) -> None:
        """Books what trading has of an account and the books have not.

        Raises:
            as `step`.
        """
        while True:
            kept = await self._books.get(account)
            if kept is None:
                return
            reports, last = await self._trading.executions(account, kept.execution_sequence)
            if not reports:
                return
            async with self._books.database.transaction() as connection:
                writing = await self._books.writing(connection)
                await self._apply(writing, {account: reports}, with_gaps=True)
            kept = await self._books.get(account)
            if kept is None or kept.fault or kept.execution_sequence >= last:
                return

    async def _recover(self) -> None:
        for account in await self._books.faults():
            try:
                await self.catch_up(account)
            except CallError as error:
                self._log.warning("account_stands_still", account=account, error=str(error))

    def _by_account(self, events: list[Event] | Any) -> dict[str, Reports]:
        found: dict[str, Reports] = {}
        for event in events:
            account = event.subject.rpartition(".")[2]
            try:
                reports = order_history_pb2.ExecutionReports.FromString(event.payload).reports
            except DecodeError:
                # The account's next report shows the gap, and trading is asked for both.
                self._log.error("execution_not_readable", sequence=event.sequence, subject=event.subject)
                continue
            found.setdefault(account, []).extend(reports)
        return found

    async def _apply(self, writing: Writing, accounts: dict[str, Reports], *, with_gaps: bool) -> None:
        """Books reports of accounts within a transaction.

        Raises:
            Gap: reports of an account are missing that is not standing still; not with `with_gaps`.
        """
        found = await writing.load(accounts)
        for name, reports in accounts.items():
            kept = found.get(name)
            if kept is None:
                self._log.error("execution_of_unknown_account", account=name)
                continue
            await self._apply_reports(writing, kept, reports, with_gaps)
        await writing.flush()

    async def _apply_reports(self, writing: Writing, kept: Kept, reports: Reports, with_gaps: bool) -> None:
        name = kept.account.account
        for number, report in enumerate(reports):
            if report.sequence <= kept.execution_sequence:
                continue
            if report.sequence > kept.execution_sequence + 1:
                if kept.fault or with_gaps:
                    return
                raise Gap(name)
            try:
                await self._book(writing, kept, report)
            except (BookingFault, ValueError, AssertionError, LookupError) as error:
                # What was booked of this account in this transaction is booked again, up to the report before.
                kept = (await writing.load([name]))[name]
                if number:
                    await self._apply_reports(writing, kept, reports[:number], with_gaps)
                kept.fault = f"report {report.sequence} cannot be booked: {error}"[:1000]
                kept.changed = True
                self._log.error("account_stands_still", account=name, reason=kept.fault)
                return
            self.applied += 1

    async def _book(self, writing: Writing, kept: Kept, report: execution_pb2.ExecutionReport) -> None:
        entry = entry_of(kept.account.account, report)
        if entry is not None:
            assert entry.trade is not None
            if KINDS[report.exec_type] is not Kind.TRADE and entry.trade.key not in kept.history:
                await writing.load_history(kept, entry.trade.key)
            kept.post(entry)
        kept.execution_sequence, kept.fault, kept.changed = report.sequence, "", True

    async def _woken(self, _: object) -> None:
        self._wake_up.set()

    async def _pause(self, seconds: float, stopping: asyncio.Event, *, quiet: bool) -> None:
        events = (stopping,) if quiet else (stopping, self._wake_up)
        waits = [asyncio.ensure_future(event.wait()) for event in events]
        try:
            await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()


__all__ = ["Executions", "Gap", "Trading"]
