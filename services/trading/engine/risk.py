"""What risk is asked and told: one call at a time, each with all that was committed since the one before.

A call whose outcome is not known may or may not have been heard: its accounts are sent whole with the next one. So are
accounts that were claimed just now, for nobody knows what their last owner had reported.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from crossrate.api.risk.v1 import pretrade_service_pb2 as pb
from crossrate.api.risk.v1.pretrade_service_pb2_grpc import PreTradeServiceStub
from crossrate.rpc import errors
from crossrate.rpc.call import new_request_id
from crossrate.rpc.call_error import CallError
from crossrate.rpc.frames import element
from services.trading import messages
from services.trading.domain.account import Account
from services.trading.store.batch import Reported

ROUNDS_MAX = 4
LAST_ROUNDS_MAX = 100
REPORTS_MAX = 5_000
"""Reports in one call."""
IDLE_S = 0.02
"""Reports wait so long for an order that takes them along."""


class Risk(Protocol):
    """Who admits orders."""

    async def authorise(
        self, orders: Sequence[pb.OrderToAuthorise], groups: Sequence[int], *, validate_only: bool = False
    ) -> pb.AuthoriseResponse:
        """What becomes of each order.

        Raises:
            Failure: DEPENDENCY_UNAVAILABLE if risk does not answer: nothing is admitted.
        """
        ...

    def reported(self, reports: Sequence[Reported]) -> None:
        """These reports were committed."""
        ...

    def whole(self, names: Sequence[str]) -> None:
        """These accounts have to be told whole."""
        ...


class PreTrade:
    """The risk service, seen from here.

    Args:
        account: the account of a name as it is committed, or None where it is not owned here any more.
        on_the_way: ids of orders that were admitted and are not committed yet.
        settled: held while memory is ahead of the database.
    """

    def __init__(
        self,
        stub: PreTradeServiceStub,
        writer: str,
        account: Callable[[str], Account | None],
        on_the_way: Callable[[], Sequence[str]],
        settled: asyncio.Lock,
        note: Any,
    ) -> None:
        self._stub = stub
        self._writer = writer
        self._account = account
        self._on_the_way = on_the_way
        self._settled = settled
        self._note = note
        self._turn = asyncio.Lock()
        self._number = 0
        self._untold: defaultdict[str, list[bytes]] = defaultdict(list)
        self._whole: set[str] = set()
        self._untold_count = 0
        self._waiting = asyncio.Event()

    def reported(self, reports: Sequence[Reported]) -> None:
        """See Risk."""
        for each in reports:
            self._untold[each.account].append(each.told)
        self._untold_count += len(reports)
        if reports:
            self._waiting.set()

    def whole(self, names: Sequence[str]) -> None:
        """See Risk."""
        self._whole.update(names)
        if names:
            self._waiting.set()

    async def authorise(
        self, orders: Sequence[pb.OrderToAuthorise], groups: Sequence[int], *, validate_only: bool = False
    ) -> pb.AuthoriseResponse:
        """See Risk."""
        async with self._turn:
            for _ in range(ROUNDS_MAX):
                told = await self._told()
                self._number += 1
                request = pb.AuthoriseRequest(
                    request_id=new_request_id(),
                    writer=self._writer,
                    number=self._number,
                    accounts=told,
                    pending_order_ids=self._on_the_way(),
                    orders=orders,
                    groups=groups if any(groups) else (),
                    validate_only=validate_only,
                )
                answer = await self._call(self._stub.Authorise, request, told)
                if not answer.missing_accounts:
                    if len(answer.authorisations) != len(orders):
                        raise errors.dependency_unavailable("risk")
                    return answer
                self._whole.update(answer.missing_accounts)
        self._note.error("risk keeps asking for accounts", accounts=list(answer.missing_accounts)[:5])
        raise errors.dependency_unavailable("risk")

    async def _call(self, method: Any, request: Any, told: Sequence[pb.AccountReports]) -> Any:
        try:
            return await method(request)
        except CallError as error:
            self._whole.update(each.account for each in told)
            self._waiting.set()
            raise errors.dependency_unavailable("risk", error.retry_after_s or 1.0) from error
        except BaseException:
            self._whole.update(each.account for each in told)
            raise

    async def _told(self) -> list[pb.AccountReports]:
        """What has to be told now."""
        told: list[pb.AccountReports] = []
        if self._whole:
            async with self._settled:
                names, self._whole = sorted(self._whole), set()
                for name in names:
                    self._forget(name)
                    account = self._account(name)
                    if account is not None:
                        told.append(pb.AccountReports(account=name, state=messages.state_of(account)))
        self._waiting.clear()
        count = 0
        for name in list(self._untold):
            if count >= REPORTS_MAX or len(told) >= 900:
                self._waiting.set()
                break
            events = self._untold[name]
            told.append(pb.AccountReports.FromString(_reports(name, events)))
            count += len(events)
            self._forget(name)
        return told

    def _forget(self, name: str) -> None:
        self._untold_count -= len(self._untold.pop(name, ()))

    async def run(self) -> None:
        """Tells what no order takes along, until it is cancelled."""
        failures = 0
        while True:
            await self._waiting.wait()
            number = self._number
            await asyncio.sleep(IDLE_S * 2 ** min(failures, 6))
            if self._number != number and self._untold_count < REPORTS_MAX:
                continue  # orders come, and take along what there is
            try:
                await self._tell()
                failures = 0
            except errors.Failure:
                failures += 1

    async def tell_all(self) -> bool:
        """Tells what is left, when no more comes; whether risk knows everything now."""
        with contextlib.suppress(errors.Failure):
            for _ in range(LAST_ROUNDS_MAX):
                if not self._whole and not self._untold:
                    return True
                await self._tell()
        return False

    async def _tell(self) -> None:
        async with self._turn:
            told = await self._told()
            if not told:
                return
            self._number += 1
            request = pb.ReportRequest(
                request_id=new_request_id(),
                writer=self._writer,
                number=self._number,
                accounts=told,
                pending_order_ids=self._on_the_way(),
            )
            answer = await self._call(self._stub.Report, request, told)
            self._whole.update(answer.missing_accounts)
            if answer.missing_accounts:
                self._waiting.set()


def _reports(name: str, reports: Sequence[bytes]) -> bytes:
    # AccountReports has the account as field 1, which is short, and reports as field 2.
    encoded = name.encode()
    return b"".join((b"\x0a", bytes([len(encoded)]), encoded, *(element(2, report) for report in reports)))
