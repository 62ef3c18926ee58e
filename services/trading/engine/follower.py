"""Broker's reports, each applied once: an account's position among them is committed with what they do.

Every instance reads the stream of all accounts and applies the reports of its own. What an account missed while nobody,
or somebody else, had it is read by account before its first report from the stream is applied.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Sequence
from typing import Any

from crossrate.api.broker.v1 import routing_service_pb2 as pb
from crossrate.api.broker.v1 import venue_report_pb2
from crossrate.api.broker.v1.routing_service_pb2_grpc import RoutingServiceStub
from crossrate.api.trading.v1 import execution_pb2
from crossrate.rpc.call_error import CallError
from crossrate.rpc.errors import Failure
from crossrate.store.errors import StoreError
from services.trading import messages
from services.trading.domain.account import Account
from services.trading.engine.accounts import Accounts
from services.trading.engine.venue_reports import Applier, Prepared
from services.trading.engine.writer import Writer
from services.trading.store import Batch, Reading

PAGE = 1000
PAUSE_S = 0.1
PAUSE_S_MAX = 2.0
SILENCE_S_MAX = 30.0
BEHIND_MAX = 100_000
"""Reports of an account that are kept while it catches up."""


class Follower:
    """See the module."""

    def __init__(
        self,
        stub: RoutingServiceStub,
        accounts: Accounts,
        writer: Writer,
        reading: Reading,
        applier: Applier,
        note: Any,
    ) -> None:
        self._stub = stub
        self._accounts = accounts
        self._writer = writer
        self._applier = applier
        self._reading = reading
        applier.stuck = self._stuck
        self._note = note
        self._heard: int | None = None
        self._behind: dict[str, deque[venue_report_pb2.VenueReport]] = {}
        self._catching: deque[str] = deque()
        self._wanted = asyncio.Event()

    @property
    def behind(self) -> int:
        """Accounts that have not caught up yet."""
        return len(self._behind)

    async def claimed(self, account: Account) -> None:
        """An account is here now: what it missed has to be read first."""
        self._stuck(account.name)

    def _stuck(self, name: str) -> None:
        self._behind.setdefault(name, deque(maxlen=BEHIND_MAX))
        if name not in self._catching:
            self._catching.append(name)
        self._wanted.set()

    async def run(self) -> None:
        """Follows, until it is cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._read())
            group.create_task(self._catch_up())

    async def _read(self) -> None:
        failures = 0
        while True:
            try:
                if self._heard is None:
                    # Where the stream is now: what was before is read by account.
                    request = pb.ListReportsRequest(account="none", after_sequence=1 << 62, page_size=1)
                    self._heard = (await self._stub.ListReports(request)).last_sequence
                    self._wanted.set()
                call = self._stub.StreamReports(pb.StreamReportsRequest(after_sequence=self._heard))
                while True:
                    async with asyncio.timeout(SILENCE_S_MAX):
                        message = await anext(aiter(call))
                    failures = 0
                    if message.HasField("reports"):
                        self._take(message.reports.reports)
                    elif message.HasField("error") or message.HasField("end"):
                        break
            except (CallError, TimeoutError, StopAsyncIteration) as error:
                failures += 1
                if failures == 2:
                    self._note.warning("broker's reports are not heard; trying again", why=str(error))
            await asyncio.sleep(min(PAUSE_S_MAX, 0.01 * 2 ** min(failures, 8)))

    def _take(self, reports: Sequence[venue_report_pb2.VenueReport]) -> None:
        held: dict[str, list[venue_report_pb2.VenueReport]] = {}
        for report in reports:
            assert self._heard is not None
            if report.sequence <= self._heard:
                continue
            self._heard = report.sequence
            if report.account in self._behind:
                self._behind[report.account].append(report)
            elif report.account in self._accounts.held:
                held.setdefault(report.account, []).append(report)
        for name, mine in held.items():
            self._apply(self._accounts.held[name], mine)

    def _apply(self, held: Account, reports: Sequence[venue_report_pb2.VenueReport]) -> None:
        """Applies reports to an account that has all before them; not if it is lost or claimed anew until then, because
        then what was to come before them was lost as well, and everything is read again."""
        if not reports:
            return

        def do(account: Account, batch: Batch) -> None:
            for report in reports:
                self._applier.apply(account, batch, report)

        self._writer.work(held.name, do, held, len(reports))

    async def _catch_up(self) -> None:
        failures = 0
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            while self._catching and self._heard is not None:
                name = self._catching[0]
                try:
                    await self._one(name)
                except CallError as error:
                    failures += 1
                    if failures == 1:
                        self._note.warning("an account cannot catch up with broker", account=name, why=str(error))
                    await asyncio.sleep(min(PAUSE_S_MAX, 0.02 * 2 ** min(failures, 8)))
                    self._catching.rotate(-1)
                    continue
                failures = 0

    async def _one(self, name: str) -> None:
        """Applies what an account has missed, up to where the stream goes on."""
        after = 0
        while (account := self._accounts.held.get(name)) is not None:
            request = pb.ListReportsRequest(account=name, after_sequence=account.venue_sequence, page_size=PAGE)
            page = await self._stub.ListReports(request)
            account.stuck = False
            self._apply(account, page.reports)
            if page.reports:
                await self._flush(account)
            if self._accounts.held.get(name) is not account:
                # It was lost meanwhile, with what was applied and not committed: again, from where it stands now.
                continue
            if account.stuck:
                await self._prepared(account, page.reports)
            elif len(page.reports) < PAGE:
                after = max(page.last_sequence, account.venue_sequence)
                break
        # Nothing is awaited from here on, so that no report comes between.
        self._catching.remove(name)
        behind = self._behind.pop(name, ())
        if account is not None:
            self._apply(account, [report for report in behind if report.sequence > after])

    async def _flush(self, account: Account) -> None:
        """Waits for the commit of everything that was given to the writer for an account."""
        with contextlib.suppress(StoreError, Failure):
            await self._writer.work(account.name, lambda account, batch: None, account)

    async def _prepared(self, account: Account, reports: Sequence[venue_report_pb2.VenueReport]) -> None:
        """Reads what the next report needs, and applies it."""
        report = next((each for each in reports if each.sequence > account.venue_sequence), None)
        if report is None:
            return
        try:
            kept = await self._reading.order(account.name, report.order_id)
            fill = await self._reading.fill(report.venue, report.exec_ref_id) if report.exec_ref_id else None
            exec_ids = await self._reading.exec_ids(report.order_id) if kept is not None else []
        except StoreError:
            await asyncio.sleep(PAUSE_S)
            return
        deal = None
        if fill is not None and not fill[2]:
            deal = messages.deal_of_fill(execution_pb2.Fill.FromString(fill[1]))
        prepared = Prepared(kept[0] if kept is not None else None, tuple(exec_ids), deal)

        def do(held: Account, batch: Batch) -> None:
            held.stuck = False
            self._applier.apply(held, batch, report, prepared)

        with contextlib.suppress(StoreError, Failure):
            await self._writer.work(account.name, do, account)
