"""KillSwitchService."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

from crossrate.api.common.v1 import stream_pb2
from crossrate.api.risk.v1 import break_gate_pb2 as breaks
from crossrate.api.risk.v1 import dead_man_lease_pb2 as leases
from crossrate.api.risk.v1 import kill_switch_pb2
from crossrate.api.risk.v1 import kill_switch_service_pb2 as pb
from crossrate.api.risk.v1.kill_switch_service_pb2_grpc import KillSwitchServiceServicer, KillSwitchServiceStub
from crossrate.rpc import errors
from crossrate.rpc.values import seconds
from crossrate.store.requests import body_of
from services.risk.decider import Decider
from services.risk.kill_switch import KillSwitch
from services.risk.service.deciding import Deciding as Where
from services.risk.service.deciding import principal
from services.risk.service.kept import kept, token_of
from services.risk.service.seeing import check_stop, sees_certificate

PAGE_SIZE_DEFAULT = 20
HEARTBEAT_S_DEFAULT = 5.0
APPLIED_S_MAX = 1.0
"""How long an answer waits for trading's commit; the kill holds here before."""


class KillSwitchService(KillSwitchServiceServicer):
    """Answers every call of the contract.

    Args:
        where: whether this instance decides, and which does.
        decider: what the term has.
        now_ns: the clock, ns since 1970, UTC.
        new_id: makes UUIDs.
    """

    def __init__(self, where: Where, decider: Decider, now_ns: Callable[[], int], new_id: Callable[[], str]) -> None:
        self._where = where
        self._decider = decider
        self._store = decider.kills
        self._now_ns = now_ns
        self._new_id = new_id

    def _here(self) -> KillSwitch | None:
        now = self._decider.now
        return now.kills if now is not None and self._where.here else None

    async def _elsewhere(self, method: str, request: Any, context: Any) -> Any:
        return await self._where.hand_on(KillSwitchServiceStub, method, request, context)

    async def Engage(self, request: pb.EngageRequest, context: Any) -> pb.EngageResponse:
        """See the contract."""
        check_stop(request.scope)
        switch = self._here()
        if switch is None:
            return await self._elsewhere("Engage", request, context)
        switch.check(request.scope, request.mode)
        kill_id = self._new_id()
        kill = kill_switch_pb2.Kill(
            kill_id=kill_id,
            certificate_id=kill_id,
            scope=request.scope,
            mode=request.mode,
            engaged_by=principal(context),
            comment=request.comment,
        )
        kill.engage_time.FromNanoseconds(self._now_ns())
        if request.validate_only:
            kill.kill_id = kill.certificate_id = ""
            return pb.EngageResponse(kill=kill)
        with kept(request.request_id):
            kill = await switch.engage(request.request_id, body_of(request), kill)
        applied = await switch.applied(kill.gate_version, APPLIED_S_MAX)
        return pb.EngageResponse(kill=kill, applied=applied)

    async def SetBreakGates(self, request: breaks.SetBreakGatesRequest, context: Any) -> breaks.SetBreakGatesResponse:
        """See the contract."""
        switch = self._here()
        if switch is None:
            return await self._elsewhere("SetBreakGates", request, context)
        for gate in request.gates:
            switch.check(gate.scope, gate.mode)
            if gate.scope.kind != "market":
                raise errors.invalid(("gates.scope.kind", f"is {gate.scope.kind}: a break stops a market alone"))
        with kept(request.request_id):
            version = await switch.gate_breaks(request, principal(context))
        applied = await switch.applied(version, APPLIED_S_MAX)
        return breaks.SetBreakGatesResponse(
            number=switch.break_number(request.venue), gate_version=version, applied=applied
        )

    async def ProposeResume(self, request: pb.ProposeResumeRequest, context: Any) -> pb.ProposeResumeResponse:
        """See the contract."""
        switch = self._here()
        if switch is None:
            return await self._elsewhere("ProposeResume", request, context)
        proposal = kill_switch_pb2.ResumeProposal(
            proposal_id="" if request.validate_only else self._new_id(),
            kill_id=request.kill_id,
            proposed_by=principal(context),
            comment=request.comment,
        )
        proposal.create_time.FromNanoseconds(self._now_ns())
        if request.validate_only:
            if all(kill.kill_id != request.kill_id for kill in switch.kills):
                raise errors.not_found("kill", request.kill_id, "it has been resumed, or never was: see GetState")
            return pb.ProposeResumeResponse(proposal=proposal)
        with kept(request.request_id):
            proposal = await switch.propose_resume(request.request_id, body_of(request), proposal)
        return pb.ProposeResumeResponse(proposal=proposal)

    async def ApproveResume(self, request: pb.ApproveResumeRequest, context: Any) -> pb.ApproveResumeResponse:
        """See the contract."""
        switch = self._here()
        if switch is None:
            return await self._elsewhere("ApproveResume", request, context)
        approver = principal(context)
        if request.validate_only:
            switch.resumable(request.proposal_id, approver)
            return pb.ApproveResumeResponse(state=switch.state())
        with kept(request.request_id):
            state = await switch.approve_resume(request.request_id, body_of(request), request.proposal_id, approver)
        return pb.ApproveResumeResponse(state=state)

    async def GetState(self, request: pb.GetStateRequest, context: Any) -> pb.GetStateResponse:
        """See the contract."""
        switch = self._here()
        if switch is None:
            return await self._elsewhere("GetState", request, context)
        return pb.GetStateResponse(state=switch.state())

    async def StreamState(self, request: pb.StreamStateRequest, context: Any) -> AsyncIterator[pb.StreamStateResponse]:
        """See the contract."""
        switch = self._here()
        if switch is None:
            async for message in self._where.hand_on_stream(KillSwitchServiceStub, "StreamState", request, context):
                if message.HasField("end"):
                    return
                yield message
            return
        heartbeat_s = HEARTBEAT_S_DEFAULT
        if request.HasField("heartbeat_interval"):
            heartbeat_s = seconds(request.heartbeat_interval)
        sequence, seen = 0, -1
        # A term's end ends the stream: whoever resumes finds the instance that decides by then.
        while self._here() is switch:
            sequence += 1
            message = pb.StreamStateResponse(position=stream_pb2.StreamPosition(sequence=sequence))
            if seen != switch.changes:
                seen = switch.changes
                message.state.CopyFrom(switch.state())
            else:
                message.heartbeat.server_time.FromNanoseconds(self._now_ns())
            message.position.cursor = str(switch.state().gate_version)
            yield message
            try:
                async with asyncio.timeout(heartbeat_s):
                    await switch.changed(seen)
            except TimeoutError:
                continue
        raise errors.shutting_down("risk")

    async def RegisterLease(self, request: leases.RegisterLeaseRequest, context: Any) -> leases.RegisterLeaseResponse:
        """See the contract."""
        check_stop(request.scope)
        switch = self._here()
        if switch is None:
            return await self._elsewhere("RegisterLease", request, context)
        switch.check(request.scope, request.mode)
        lease = leases.DeadManLease(
            lease_id="" if request.validate_only else self._new_id(),
            scope=request.scope,
            mode=request.mode,
            silence_max=request.silence_max,
            holder=principal(context),
        )
        lease.expire_time.FromNanoseconds(self._now_ns() + request.silence_max.ToNanoseconds())
        if not request.validate_only:
            with kept(request.request_id):
                lease = await switch.register(request.request_id, body_of(request), lease)
        return leases.RegisterLeaseResponse(lease=lease)

    async def RenewLease(self, request: leases.RenewLeaseRequest, context: Any) -> leases.RenewLeaseResponse:
        """See the contract."""
        switch = self._here()
        if switch is None:
            return await self._elsewhere("RenewLease", request, context)
        return leases.RenewLeaseResponse(lease=switch.renew(request.lease_id, principal(context)))

    async def ReleaseLease(self, request: leases.ReleaseLeaseRequest, context: Any) -> leases.ReleaseLeaseResponse:
        """See the contract."""
        switch = self._here()
        if switch is None:
            return await self._elsewhere("ReleaseLease", request, context)
        with kept(request.request_id):
            await switch.release(request.lease_id, principal(context))
        return leases.ReleaseLeaseResponse()

    async def GetCertificate(self, request: pb.GetCertificateRequest, context: Any) -> pb.GetCertificateResponse:
        """See the contract."""
        with kept():
            found = await self._store.certificate(request.certificate_id)
        if found is None or not sees_certificate(found.kill.scope):
            raise errors.not_found("certificate", request.certificate_id, "ListCertificates has those that are")
        return pb.GetCertificateResponse(certificate=found)

    async def ListCertificates(self, request: pb.ListCertificatesRequest, context: Any) -> pb.ListCertificatesResponse:
        """See the contract."""
        size = request.page_size or PAGE_SIZE_DEFAULT
        with kept():
            found = await self._store.certificates(token_of(request.page_token), size + 1)
        token = str(found[size - 1][0]) if len(found) > size else ""
        return pb.ListCertificatesResponse(
            certificates=[each for _, each in found[:size] if sees_certificate(each.kill.scope)], next_page_token=token
        )
