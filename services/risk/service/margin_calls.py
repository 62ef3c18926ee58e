"""MarginCallService."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

from crossrate.api.common.v1 import stream_pb2
from crossrate.api.ledger.v1 import balance_pb2
from crossrate.api.risk.v1 import margin_call_service_pb2 as pb
from crossrate.api.risk.v1.margin_call_service_pb2_grpc import MarginCallServiceServicer, MarginCallServiceStub
from crossrate.rpc import errors
from crossrate.rpc.values import seconds
from services.risk.decider import Decider, Deciding
from services.risk.service.deciding import Deciding as Where
from services.risk.service.kept import kept, token_of

LIST_SIZE_DEFAULT = 100
PAGE_SIZE_DEFAULT = 20
HEARTBEAT_S_DEFAULT = 5.0


class MarginCallService(MarginCallServiceServicer):
    """Answers every call of the contract.

    Args:
        where: whether this instance decides, and which does.
        decider: what the term has.
        now_ns: the clock, ns since 1970, UTC.
    """

    def __init__(self, where: Where, decider: Decider, now_ns: Callable[[], int]) -> None:
        self._where = where
        self._decider = decider
        self._store = decider.margins
        self._now_ns = now_ns

    def _here(self) -> Deciding | None:
        return self._decider.now if self._where.here else None

    async def _elsewhere(self, method: str, request: Any, context: Any) -> Any:
        return await self._where.hand_on(MarginCallServiceStub, method, request, context)

    async def GetMarginStanding(
        self, request: pb.GetMarginStandingRequest, context: Any
    ) -> pb.GetMarginStandingResponse:
        """See the contract."""
        now = self._here()
        if now is None:
            return await self._elsewhere("GetMarginStanding", request, context)
        account = now.book.accounts.get(request.account)
        if account is None or not (account.listed or account.known):
            raise errors.not_found("account", request.account, "OpenAccount opens it; risk hears of it within seconds")
        return pb.GetMarginStandingResponse(standing=now.margins.standing(account))

    async def ListMarginStandings(
        self, request: pb.ListMarginStandingsRequest, context: Any
    ) -> pb.ListMarginStandingsResponse:
        """See the contract."""
        now = self._here()
        if now is None:
            return await self._elsewhere("ListMarginStandings", request, context)
        found = [
            each
            for each in now.margins.standings()
            if request.desk in ("", each.desk) and (not request.called or each.state != balance_pb2.MARGIN_STATE_OK)
        ]
        found.sort(key=_lowest_first)
        size = request.page_size or LIST_SIZE_DEFAULT
        return pb.ListMarginStandingsResponse(standings=found[:size], total_size=len(found))

    async def StreamMarginCalls(
        self, request: pb.StreamMarginCallsRequest, context: Any
    ) -> AsyncIterator[pb.StreamMarginCallsResponse]:
        """See the contract."""
        now = self._here()
        if now is None:
            method = "StreamMarginCalls"
            async for message in self._where.hand_on_stream(MarginCallServiceStub, method, request, context):
                if message.HasField("end"):
                    return
                yield message
            return
        heartbeat_s = HEARTBEAT_S_DEFAULT
        if request.HasField("heartbeat_interval"):
            heartbeat_s = seconds(request.heartbeat_interval)
        watch, sequence, seen = now.margins, 0, -1
        # A term's end ends the stream: whoever resumes finds the instance that decides by then.
        while self._here() is now:
            sequence += 1
            message = pb.StreamMarginCallsResponse(position=stream_pb2.StreamPosition(sequence=sequence))
            message.position.cursor = str(watch.change)
            if seen != watch.change:
                message.standings.CopyFrom(self._changed(now, seen))
                seen = watch.change
            else:
                message.heartbeat.server_time.FromNanoseconds(self._now_ns())
            yield message
            try:
                async with asyncio.timeout(heartbeat_s):
                    await watch.changed(seen)
            except TimeoutError:
                continue
        raise errors.shutting_down("risk")

    def _changed(self, now: Deciding, seen: int) -> pb.MarginStandings:
        """At first all that are called, then those that changed after what was seen."""
        watch = now.margins
        if seen < 0:
            found = [each for each in watch.standings() if each.state != balance_pb2.MARGIN_STATE_OK]
        else:
            names = sorted(name for name, number in watch.changes.items() if number > seen)
            found = [watch.standing(now.book.account(name)) for name in names]
        return pb.MarginStandings(standings=found)

    async def GetCloseOut(self, request: pb.GetCloseOutRequest, context: Any) -> pb.GetCloseOutResponse:
        """See the contract."""
        with kept():
            found = await self._store.close_out(request.close_out_id)
        if found is None:
            raise errors.not_found("close-out", request.close_out_id, "ListCloseOuts has those that are")
        return pb.GetCloseOutResponse(close_out=found)

    async def ListCloseOuts(self, request: pb.ListCloseOutsRequest, context: Any) -> pb.ListCloseOutsResponse:
        """See the contract."""
        size = request.page_size or PAGE_SIZE_DEFAULT
        with kept():
            found = await self._store.close_outs(request.account, token_of(request.page_token), size + 1)
        token = str(found[size - 1][0]) if len(found) > size else ""
        return pb.ListCloseOutsResponse(close_outs=[each for _, each in found[:size]], next_page_token=token)


def _lowest_first(standing: Any) -> tuple[bool, bool, float, str]:
    return bool(standing.unknown), not standing.level, float(standing.level or 0), standing.account
