"""Broker's reports, each applied once: an account's position among them is committed with what they do.

Every instance reads the stream of all accounts and applies the reports of its own. What an account missed while nobody,
or somebody else, had it is read by account before its first report from the stream is applied.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any

from crossrate.api.broker.v1 import routing_service_pb2 as pb
from crossrate.api.broker.v1 import venue_report_pb2
from crossrate.api.broker.v1.routing_service_pb2_grpc import RoutingServiceStub
from crossrate.rpc.call_error import CallError
from services.trading.domain.account import Account
from services.trading.engine.accounts import Accounts
from services.trading.engine.venue_reports import Applier
from services.trading.engine.writer import Writer
from services.trading.store import Batch, Reading

PAGE = 1000
PAUSE_S_MAX = 2.0
SILENCE_S_MAX = 30.0
BEHIND_MAX = 100_000
"""Reports of an account that are kept while it catches up."""


class Follower:
    """See the module."""

    def __init__(
        self, stub: RoutingServiceStub, accounts: Accounts, writer: Writer, reading: Reading, note: Any
    ) -> None:
        self._stub = stub
        self._accounts = accounts
        self._writer = writer
        self._applier = Applier(reading, note)
        self._note = note
        self._heard: int | None = None
        self._behind: dict[str, deque[venue_report_pb2.VenueReport]] = {}
        self._catching: deque[str] = deque()
        self._wanted = asyncio.Event()
        self.market: Any = None
        """Knows the composite quote of an instrument, for what is kept with a fill."""

    @property
    def behind(self) -> int:
        """Accounts that have not caught up yet."""
        return len(self._behind)

    async def claimed(self, account: Account) -> None:
        """An account is here now: what it missed has to be read first."""
        self._behind[account.name] = deque(maxlen=BEHIND_MAX)
        if account.name not in self._catching:
            self._catching.append(account.name)
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
        for report in reports:
            assert self._heard is not None
            if report.sequence <= self._heard:
                continue
            self._heard = report.sequence
            if report.account in self._behind:
                self._behind[report.account].append(report)
            elif report.account in self._accounts.held:
                self._apply(report)

    def _apply(self, report: venue_report_pb2.VenueReport) -> asyncio.Future[Any]:
        quote = self.market.last(report.order_id, report.account) if self.market is not None else None

        def do(account: Account, batch: Batch) -> None:
            self._applier.apply(account, batch, report, quote)

        return self._writer.work(report.account, do)

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
        account = self._accounts.held.get(name)
        after = account.venue_sequence if account is not None else 0
        while account is not None:
            request = pb.ListReportsRequest(account=name, after_sequence=after, page_size=PAGE)
            page = await self._stub.ListReports(request)
            for report in page.reports:
                self._apply(report)
                after = report.sequence
            if len(page.reports) < PAGE:
                break
        # Nothing is awaited from here on, so that no report comes between.
        self._catching.remove(name)
        for report in self._behind.pop(name, ()):
            if report.sequence > after:
                self._apply(report)
