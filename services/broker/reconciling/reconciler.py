"""One venue's books compared again and again by whoever has the venue: what differs too long is a break.

    our reports ──┐
    drop copy ────┼─▶ matcher ─▶ findings ─▶ breaks (kept, numbered) ─▶ gates ─▶ risk ─▶ trading
    statement ────┤                              ▲
    trading ──────┤                 corrections by two persons, carried out here
    ledger ───────┘

Everything is read in pages beside the order path. It begins with everything since the venue is compared, goes on with
what comes, and begins anew at the end of each trading day and when asked to.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import Callable, Sequence
from typing import Any

from crossrate.api.broker.v1 import break_pb2 as pb
from crossrate.basics.pair import parse_pair
from crossrate.rpc.call_error import CallError
from crossrate.store import StoreError
from crossrate.store.errors import StaleWriter
from services.broker.domain.books import Statement
from services.broker.domain.breaks import Finding, Kind
from services.broker.domain.dates import Calendar
from services.broker.domain.matching import Matcher
from services.broker.domain.routing import Rule
from services.broker.engine.desk import Desk
from services.broker.engine.holders import Adapter
from services.broker.engine.session import Session
from services.broker.reconciling import changes
from services.broker.reconciling.correcting import Corrector
from services.broker.reconciling.gates import Gates
from services.broker.reconciling.others import Ledger, Risk, Trading
from services.broker.reconciling.reading import Books
from services.broker.store.breaks import Asked, Breaks, KeptBreak, fence, put
from services.broker.store.copies import Copies
from services.broker.venues.declared import FixVenue, SimulatedVenue

NS = 1_000_000_000
SHARE = 50
"""A comparison takes at most one part in so many of the time: where it takes longer it is made less often."""
STATEMENT_S = 10.0
"""How often a venue beyond this process is asked for its statement."""
RUN_S = 10.0
"""How often a run is noted that found what the run before found."""
ASKED = (("booked:", "trading"), ("ledger:", "trading"), ("ledger:", "ledger"))
"""What a break is about, and without whose answer it is not healed."""
DAY = parse_pair("EUR/USD")
"""Whose session ends the day."""


class Reconciler:
    """See the module. `run` is a task beside the venue's adapter.

    Args:
        wakes: what is called when a correction was approved or a comparison asked for.
    """

    def __init__(
        self,
        desk: Desk,
        adapter: Adapter,
        spec: SimulatedVenue | FixVenue,
        rules: Sequence[Rule],
        breaks: Breaks,
        copies: Copies,
        trading: Trading,
        ledger: Ledger,
        risk: Risk,
        calendar: Calendar,
        wakes: set[Callable[[], None]],
        note: Any,
        clock_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._desk, self._adapter, self._spec = desk, adapter, spec
        self._breaks, self._copies, self._trading, self._ledger = breaks, copies, trading, ledger
        self._calendar, self._wakes, self._note, self._clock_ns = calendar, wakes, note, clock_ns
        self._gates = Gates(desk, rules, breaks, risk, gates=spec.reconciliation.gates)
        self._corrector = Corrector(desk, adapter, spec.adopted_account, calendar, clock_ns)
        self._wake = asyncio.Event()
        self._books: Books
        self._statement: Statement | None = None
        self._looked = False
        self._stated_s = -math.inf
        default_s = 0.0 if isinstance(spec, SimulatedVenue) else STATEMENT_S
        declared_s = spec.reconciliation.statement_s
        self._statement_s = default_s if declared_s is None else declared_s
        self._day_end_ns = 0
        self._number = 0
        self._take: set[str] = set()
        self._said = ""
        self._ran: tuple[object, ...] = ()
        self._ran_s = 0.0

    async def run(self) -> None:
        """Compares, until it is cancelled."""
        self._wakes.add(self._wake.set)
        try:
            begun = False
            while True:
                started = time.monotonic()
                self._wake.clear()
                try:
                    if not begun:
                        await self._begin()
                    await self._pass(whole=not begun)
                    begun = True
                    self._complain("")
                except StaleWriter:
                    raise
                except StoreError as error:
                    self._complain(str(error))
                took_s = time.monotonic() - started
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(max(self._spec.reconciliation.interval_s, SHARE * took_s)):
                        await self._wake.wait()
        finally:
            self._wakes.discard(self._wake.set)

    def _complain(self, why: str) -> None:
        if why and why != self._said:
            self._note.warning("books are not compared just now", venue=self._desk.venue, why=why)
        self._said = why

    async def _begin(self) -> None:
        """Everything from the beginning."""
        begin = await self._breaks.begin(self._desk.venue)
        times = self._spec.reconciliation
        matcher = Matcher(
            copied=self._adapter.copied, late_s=times.late_s, grace_ns=round(self._grace_s(Kind.MISSING_FILL) * NS)
        )
        self._books = Books(self._desk.venue, matcher, self._copies, begin)
        session = self._calendar.session(DAY, self._clock_ns())
        self._day_end_ns = int(session.end.timestamp()) * NS

    def _grace_s(self, kind: Kind) -> float:
        times = self._spec.reconciliation
        if kind in (Kind.NOT_BOOKED, Kind.NOT_IN_LEDGER):
            return times.grace_s + times.late_s
        return times.grace_s + self._adapter.latency_s

    # One comparison.

    async def _pass(self, whole: bool) -> None:
        asked = await self._breaks.asked(self._desk.venue)
        if not whole and (any(each.whole for each in asked) or self._clock_ns() >= self._day_end_ns):
            whole = True
            await self._begin()
        run = pb.ReconciliationRun(venue=self._desk.venue, whole=whole)
        run.start_time.FromNanoseconds(self._clock_ns())
        await self._corrector.carry_out(await self._breaks.of(self._desk.venue), self._statement)
        findings = await self._look(run, bool(asked))
        await self._settle(findings, run)
        await self._gates.tell(run)
        await self._finish(run, asked)

    async def _state(self, run: pb.ReconciliationRun, asked: bool) -> Statement | None:
        """The venue's statement, if it is time for one."""
        now_s = time.monotonic()
        if not run.whole and not asked and now_s < self._stated_s + self._statement_s:
            return None
        statement: Statement | None = None
        if self._desk.standing.session is Session.READY:
            statement = await self._adapter.statement()
        if statement is None:
            stands = self._desk.standing.session.name.lower()
            run.missing.append(f"statement: the venue does not answer, its session is {stands}")
        else:
            self._stated_s = now_s
        return statement

    async def _look(self, run: pb.ReconciliationRun, asked: bool) -> list[Finding]:
        books, adapter = self._books, self._adapter
        books.matcher.copy_since_ns = adapter.copy_since_ns
        statement = await self._state(run, asked)
        if adapter.copied and adapter.copy_since_ns is None:
            run.missing.append("drop copy: there is no session")
        elif not adapter.copied:
            run.missing.append("drop copy: the venue has none; declare `drop_copy` in mesh/venues.toml")
        now = self._clock_ns()
        of_then = statement if statement is not None and statement.positions is not None else None
        await books.read(now, of_then.copies if of_then else None, of_then.reports if of_then else None)
        await self._ask_trading(run, now)
        await self._ask_ledger(run, now)
        self._statement = statement or self._statement
        self._looked = statement is not None
        findings = books.matcher.findings(statement, now)
        if of_then is not None:
            await books.read(now)
        compared = books.matcher.compared
        run.orders = len(self._statement.own) if self._statement is not None else 0
        run.fills, run.copied_fills = compared.ours, compared.theirs
        return findings

    async def _ask_trading(self, run: pb.ReconciliationRun, now_ns: int) -> None:
        books = self._books
        self._take |= books.adopted
        books.adopted.clear()
        try:
            for account in sorted(self._take):
                await self._trading.take(account)
                self._take.discard(account)
            told = [each.told_id for each in books.matcher.unbooked.values()]
            if told:
                books.booked(await self._trading.fills(self._desk.venue, told), now_ns)
        except CallError as error:
            run.missing.append(f"trading: {error.message}"[:500])

    async def _ask_ledger(self, run: pb.ReconciliationRun, now_ns: int) -> None:
        """The fourth book: what trading has, the ledger is to have."""
        books = self._books
        by_account: dict[str, list[str]] = {}
        for each in books.matcher.unledgered.values():
            by_account.setdefault(each.fill.account, []).append(each.told_id)
        try:
            for account, told in by_account.items():
                books.ledgered(account, await self._ledger.trades(account, self._desk.venue, told), now_ns)
        except CallError as error:
            run.missing.append(f"ledger: {error.message}"[:500])

    async def _settle(self, findings: Sequence[Finding], run: pb.ReconciliationRun) -> None:
        """Opens, changes and closes breaks by what differs now."""
        now = self._clock_ns()
        ripe, subjects = {}, {each.subject for each in findings}
        for each in findings:
            if now - each.since_ns >= self._grace_s(each.kind) * NS:
                ripe[each.of(self._desk.venue)] = each
        run.pending = len(findings) - len(ripe)
        kept = await self._breaks.of(self._desk.venue)
        kept |= await self._breaks.some([break_id for break_id in ripe if break_id not in kept])
        looked = self._looked
        written: list[KeptBreak] = []
        for break_id, finding in ripe.items():
            if (made := changes.of_finding(kept.get(break_id), self._desk.venue, finding, now)) is not None:
                written.append(made)
                kept[break_id] = made
        ripe_subjects = {each.subject for each in ripe.values()}
        for break_id, each in kept.items():
            if break_id in ripe or not each.open:
                continue
            if each.subject in subjects and each.subject not in ripe_subjects:
                continue  # it stands, and is not ripe again yet
            if not looked and not each.subject.startswith(("fill:", "booked:", "ledger:")):
                continue  # nobody could say that it is healed
            if any(
                each.subject.startswith(ours) and w.startswith(theirs) for ours, theirs in ASKED for w in run.missing
            ):
                continue  # who has to have it has not answered
            changes.heal(each, now)
            written.append(each)
        if written:
            await self._write(written)
        run.open_breaks = sum(each.open for each in kept.values())

    async def _write(self, written: Sequence[KeptBreak]) -> None:
        try:
            async with self._desk.store.transaction() as connection:
                await fence(connection, self._desk.lease)
                for each in written:
                    await changes.lock_unchanged(connection, each)
                await put(connection, written)
        except changes.Moved:
            self._wake.set()  # once more, with what was proposed or decided meanwhile
            return
        for each in written:
            message = each.message
            word = self._note.warning if each.open else self._note.info
            word(
                "a break" if each.open else "a break is closed",
                venue=message.venue,
                type=pb.BreakType.Name(message.type),
                instrument=message.instrument,
                text=message.text,
                id=message.break_id,
            )

    async def _finish(self, run: pb.ReconciliationRun, asked: Sequence[Asked]) -> None:
        self._number += 1
        run.number = self._number
        told = (run.orders, run.fills, run.copied_fills, run.pending, run.open_breaks, *run.missing)
        if not asked and told == self._ran and time.monotonic() < self._ran_s + RUN_S:
            return  # as before: nothing is written for it
        self._ran, self._ran_s = told, time.monotonic()
        run.end_time.FromNanoseconds(self._clock_ns())
        await self._breaks.ran(self._desk.lease, run, asked)
