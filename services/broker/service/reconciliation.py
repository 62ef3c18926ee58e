"""ReconciliationService."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from crossrate.api.broker.v1 import break_pb2
from crossrate.api.broker.v1 import reconciliation_service_pb2 as pb
from crossrate.api.broker.v1.reconciliation_service_pb2_grpc import ReconciliationServiceServicer
from crossrate.rpc import errors
from crossrate.rpc.call import current, may_see
from crossrate.rpc.errors import ErrorReason, Failure
from crossrate.rpc.values import seconds
from crossrate.store.errors import OutcomeUnknown, RequestIdReused, StoreError
from crossrate.store.requests import body_of
from services.broker.engine.hub import Hub
from services.broker.engine.router import Router
from services.broker.reconciling.changes import ACCEPTED, close
from services.broker.store.breaks import Breaks, KeptBreak, step
from services.broker.store.decisions import Decisions, NoBreak

PAGE_DEFAULT = 100
BREAKS_MAX = 200
"""Breaks in one message of a stream, and in the answer to a comparison."""
DONE_S_MAX = 3.0
"""How long an approval waits for its correction to be carried out."""
COMPARED_S_MAX = 50.0
HEARTBEAT_S = 5.0


class ReconciliationService(ReconciliationServiceServicer):
    """Answers every call of the contract, on any instance."""

    def __init__(
        self, breaks: Breaks, decisions: Decisions, router: Router, hub: Hub, clock_ns: Callable[[], int]
    ) -> None:
        self._breaks, self._decisions, self._router = breaks, decisions, router
        self._hub, self._clock_ns = hub, clock_ns

    async def ListBreaks(self, request: pb.ListBreaksRequest, context: Any) -> pb.ListBreaksResponse:
        """See the contract."""
        size, before = request.page_size or PAGE_DEFAULT, _number(request.page_token, "page_token")
        with _kept():
            found = await self._breaks.listed(
                before,
                size + 1,
                closed=request.closed,
                venue=request.venue,
                instrument=request.instrument,
                account=request.account,
                kind=request.type if request.HasField("type") else 0,
            )
            runs = await self._breaks.runs()
        token = str(found[size - 1].change) if len(found) > size else ""
        return pb.ListBreaksResponse(breaks=_shown(found[:size]), next_page_token=token, runs=runs)

    async def GetBreak(self, request: pb.GetBreakRequest, context: Any) -> pb.GetBreakResponse:
        """See the contract."""
        return pb.GetBreakResponse(**{"break": await self._break(request.break_id)})

    async def WatchBreaks(self, request: pb.WatchBreaksRequest, context: Any) -> AsyncIterator[pb.WatchBreaksResponse]:
        """See the contract."""
        heartbeat_s = seconds(request.heartbeat_interval) if request.HasField("heartbeat_interval") else HEARTBEAT_S
        number, changed = 0, asyncio.Event()
        self._hub.breaks.add(changed.set)
        try:
            at = _number(request.resume_cursor, "resume_cursor")
            if not request.resume_cursor:
                with _kept():
                    found, at = await self._standing(request.venue)
                number += 1
                yield _message(number, at, _shown(found))
            while True:
                changed.clear()
                with _kept():
                    found, at = await self._breaks.changes(at, BREAKS_MAX, request.venue)
                if not found:
                    if await _heard(changed, heartbeat_s):
                        continue
                    with _kept():
                        found, at = await self._breaks.changes(at, BREAKS_MAX, request.venue)
                number += 1
                yield _message(number, at, _shown(found))
        finally:
            self._hub.breaks.discard(changed.set)

    async def _standing(self, venue: str) -> tuple[list[break_pb2.Break], int]:
        """Breaks that are not closed, oldest change first, and the number after which changes follow."""
        # The number first: what changes between the two is told twice rather than never.
        at = await self._breaks.last_change()
        found = await self._breaks.listed(0, 1000, closed=False, venue=venue, instrument="", account="", kind=0)
        found.reverse()
        return found, at

    async def ProposeCorrection(
        self, request: pb.ProposeCorrectionRequest, context: Any
    ) -> pb.ProposeCorrectionResponse:
        """See the contract."""
        who = current().principal

        def do(kept: KeptBreak) -> None:
            propose(kept, request, who, self._clock_ns())

        found = await self._change(request, request.break_id, do)
        return pb.ProposeCorrectionResponse(**{"break": found})

    async def ApproveCorrection(
        self, request: pb.ApproveCorrectionRequest, context: Any
    ) -> pb.ApproveCorrectionResponse:
        """See the contract."""
        who = current().principal

        def do(kept: KeptBreak) -> None:
            decide(kept, request, who, self._clock_ns())

        found = await self._change(request, request.break_id, do)
        if not request.validate_only:
            found = await self._carried_out(found)
        return pb.ApproveCorrectionResponse(**{"break": found})

    async def _change(self, request: Any, break_id: str, do: Callable[[KeptBreak], None]) -> break_pb2.Break:
        if request.validate_only:
            found = await self._break(break_id)
            do(KeptBreak(found, "", ""))
            return found
        with _kept(request.request_id):
            try:
                return await self._decisions.change(request.request_id, body_of(request), break_id, do)
            except NoBreak:
                raise errors.not_found("break", break_id, "ListBreaks has them") from None

    async def _carried_out(self, found: break_pb2.Break) -> break_pb2.Break:
        """The break once its correction is done, or as it is when that takes too long."""
        end, changed = time.monotonic() + DONE_S_MAX, asyncio.Event()
        self._hub.breaks.add(changed.set)
        try:
            while (
                found.correction.state == break_pb2.BREAK_CORRECTION_STATE_APPROVED
                and found.state != break_pb2.BREAK_STATE_CLOSED
                and time.monotonic() < end
            ):
                changed.clear()
                found = await self._break(found.break_id)
                if found.correction.state == break_pb2.BREAK_CORRECTION_STATE_APPROVED:
                    await _heard(changed, max(0.0, end - time.monotonic()))
        finally:
            self._hub.breaks.discard(changed.set)
        return found

    async def RunReconciliation(
        self, request: pb.RunReconciliationRequest, context: Any
    ) -> pb.RunReconciliationResponse:
        """See the contract."""
        with _kept(request.request_id):
            standing = (await self._router.standings()).get(request.venue)
        if standing is None:
            raise errors.not_found("venue", request.venue, "ListVenues has those that mesh/venues.toml declares")
        with _kept(request.request_id):
            number = await self._decisions.compare(request.request_id, body_of(request), request.venue, request.whole)
        end, changed = time.monotonic() + COMPARED_S_MAX, asyncio.Event()
        self._hub.breaks.add(changed.set)
        try:
            while True:
                changed.clear()
                with _kept(request.request_id):
                    run = await self._breaks.answer(number)
                if run is not None:
                    break
                if not await _heard(changed, min(1.0, end - time.monotonic())) and time.monotonic() >= end:
                    raise errors.dependency_unavailable(f"venue {request.venue}", 1.0)
        finally:
            self._hub.breaks.discard(changed.set)
        with _kept(request.request_id):
            found = await self._breaks.listed(
                0, BREAKS_MAX, closed=False, venue=request.venue, instrument="", account="", kind=0
            )
        return pb.RunReconciliationResponse(run=run, breaks=found)

    async def _break(self, break_id: str) -> break_pb2.Break:
        with _kept():
            found = await self._breaks.some([break_id])
        if break_id not in found or not may_see(found[break_id].message.account):
            raise errors.not_found("break", break_id, "ListBreaks has them, with `closed` also those of the past")
        return found[break_id].message


def _shown(found: list[break_pb2.Break]) -> list[break_pb2.Break]:
    """Those that the caller may be shown."""
    return [each for each in found if may_see(each.account)]


def propose(kept: KeptBreak, request: pb.ProposeCorrectionRequest, who: str, now_ns: int) -> None:
    """Writes a proposal into its break.

    Raises:
        Failure: the break is closed, another correction waits, or the action is none of the break's. One that was done
            and did not help may be followed by another.
    """
    message = kept.message
    done = message.state == break_pb2.BREAK_STATE_CORRECTING and (
        message.correction.state == break_pb2.BREAK_CORRECTION_STATE_DONE
    )
    if message.state != break_pb2.BREAK_STATE_OPEN and not done:
        state = break_pb2.BreakState.Name(message.state).removeprefix("BREAK_STATE_")
        words = "is closed: there is nothing to correct" if not kept.open else "has a correction that is not decided"
        raise errors.wrong_state(state, f"break_id: the break {words}")
    action = request.action if request.HasField("action") else message.actions[0]
    if action not in message.actions:
        may = ", ".join(break_pb2.CorrectionAction.Name(each) for each in message.actions)
        raise errors.invalid(("action", f"is none of this break's, which are {may}"))
    adjusts = message.type == break_pb2.BREAK_TYPE_POSITION and action == break_pb2.CORRECTION_ACTION_ADOPT_FILL
    if adjusts != bool(request.price):
        words = "is missing: nobody has told what it was dealt at" if adjusts else "is the venue's: leave it empty"
        raise errors.invalid(("price", words))
    message.state = break_pb2.BREAK_STATE_PROPOSED
    message.correction.Clear()
    correction = message.correction
    correction.correction_id, correction.action, correction.price = request.request_id, action, request.price
    correction.reason, correction.proposed_by = request.reason, who
    correction.state = break_pb2.BREAK_CORRECTION_STATE_PROPOSED
    correction.propose_time.FromNanoseconds(now_ns)
    name = break_pb2.CorrectionAction.Name(action).removeprefix("CORRECTION_ACTION_")
    step(message, "proposed", f"{name}: {request.reason}", now_ns, who)


def decide(kept: KeptBreak, request: pb.ApproveCorrectionRequest, who: str, now_ns: int) -> None:
    """Writes a decision into its break.

    Raises:
        Failure: nothing waits, another correction does, or the same person proposed it.
    """
    message, correction = kept.message, kept.message.correction
    if message.state != break_pb2.BREAK_STATE_PROPOSED or correction.correction_id != request.correction_id:
        state = break_pb2.BreakState.Name(message.state).removeprefix("BREAK_STATE_")
        raise errors.wrong_state(state, "correction_id: no such correction waits; GetBreak shows the break's")
    if correction.proposed_by == who and not request.reject:
        raise Failure(
            ErrorReason.CALLER_NOT_ALLOWED,
            f"{who} proposed this correction: it takes another person to approve it",
            metadata={"method": "ApproveCorrection", "caller": who},
        )
    correction.decided_by = who
    correction.decide_time.FromNanoseconds(now_ns)
    if request.reject:
        correction.state, message.state = break_pb2.BREAK_CORRECTION_STATE_REJECTED, break_pb2.BREAK_STATE_OPEN
        step(message, "rejected", correction.reason, now_ns, who)
    elif correction.action == break_pb2.CORRECTION_ACTION_ACCEPT:
        correction.state = break_pb2.BREAK_CORRECTION_STATE_DONE
        correction.outcome = "the difference is explained; it opens again if it changes"
        step(message, ACCEPTED, correction.reason, now_ns, who)
        close(message, ACCEPTED, now_ns)
    else:
        correction.state = break_pb2.BREAK_CORRECTION_STATE_APPROVED
        message.state = break_pb2.BREAK_STATE_CORRECTING
        step(message, "approved", correction.reason, now_ns, who)


def _message(number: int, at: int, found: list[break_pb2.Break]) -> pb.WatchBreaksResponse:
    message = pb.WatchBreaksResponse()
    message.position.sequence, message.position.cursor = number, str(at)
    if found:
        message.breaks.breaks.extend(found)
    else:
        message.heartbeat.server_time.GetCurrentTime()
    return message


async def _heard(changed: asyncio.Event, within_s: float) -> bool:
    try:
        async with asyncio.timeout(within_s):
            await changed.wait()
    except TimeoutError:
        return False
    return True


def _number(text: str, field: str) -> int:
    if not text:
        return 0
    if not text.isdecimal() or len(text) > 18:
        raise errors.invalid((field, "is none that was given: leave it empty to begin anew"))
    return int(text)


@contextmanager
def _kept(request_id: str = "") -> Iterator[None]:
    try:
        yield
    except RequestIdReused:
        raise errors.request_id_reused(request_id) from None
    except OutcomeUnknown:
        raise errors.outcome_unknown(request_id) from None
    except StoreError as error:
        raise errors.dependency_unavailable("postgres") from error
