"""FaultService: faults for drills, put in force and taken out again."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Collection
from typing import Any

import grpc

from crossrate.api.control.v1 import fault_service_pb2 as pb
from crossrate.api.control.v1.fault_service_pb2_grpc import FaultServiceServicer
from crossrate.rpc import errors
from crossrate.rpc.call import current, new_request_id
from services.control.access import methods_of
from services.control.ads import NotAcknowledgedError, RefusedError
from services.control.answers import Answers
from services.control.bus import Bus
from services.control.envoy_api import ResourceError
from services.control.faults import FAULTS_MAX, FaultError, check_caller, methods_met
from services.control.mesh import Clock, Mesh, utc_now
from services.control.observe.drills import Drills
from services.control.service import not_acknowledged
from services.control.snapshots import Snapshot
from services.control.state import Fault

RETRY_S = 0.5


def fault_message(fault: Fault) -> pb.Fault:
    """A fault as clients see it."""
    message = pb.Fault(
        fault=fault.name,
        service=fault.service,
        method=fault.method,
        caller=fault.caller,
        percent=fault.percent,
        abort_code="" if fault.abort is None else fault.abort.name,
        comment=fault.comment,
        author=fault.author,
    )
    if fault.delay_s:
        message.delay.FromTimedelta(dt.timedelta(seconds=fault.delay_s))
    message.create_time.FromDatetime(fault.create_time)
    message.expire_time.FromDatetime(fault.expire_time)
    return message


class FaultServicer(FaultServiceServicer):
    """Answers operators, and ends faults whose time is over.

    A control plane that starts anew has no faults: what a drill left in the proxies goes with its first snapshot.
    """

    def __init__(self, mesh: Mesh, bus: Bus, log: Any, drills: Drills, clock: Clock = utc_now) -> None:
        self._mesh, self._bus, self._log, self._drills, self._clock = mesh, bus, log, drills, clock
        self._answers = Answers()
        self._changed = asyncio.Event()

    async def AddFault(self, request: pb.AddFaultRequest, context: Any) -> pb.AddFaultResponse:
        """See the contract."""
        fault = self._wanted(request, current().caller)
        if request.validate_only:
            version = self._mesh.snapshots.current.version
            return pb.AddFaultResponse(fault=fault_message(fault), snapshot_version=version)

        async def work() -> pb.AddFaultResponse:
            snapshot = await self._change([fault], (), f"a fault in {fault.service}")
            return pb.AddFaultResponse(fault=fault_message(fault), snapshot_version=snapshot.version)

        return await self._answers.once(request.request_id, request, work)

    async def RemoveFault(self, request: pb.RemoveFaultRequest, context: Any) -> pb.RemoveFaultResponse:
        """See the contract."""
        wanted = [each for each in self._mesh.faults if request.fault in ("", each.name)]
        if request.validate_only:
            return self._removed(request.fault, wanted, self._mesh.snapshots.current)

        async def work() -> pb.RemoveFaultResponse:
            names = [each.name for each in wanted]
            snapshot = await self._change((), names, "faults ended") if names else self._mesh.snapshots.current
            return self._removed(request.fault, wanted, snapshot)

        return await self._answers.once(request.request_id, request, work)

    def _removed(self, name: str, faults: list[Fault], snapshot: Snapshot) -> pb.RemoveFaultResponse:
        if name and not faults:
            raise errors.not_found("fault", name)
        return pb.RemoveFaultResponse(removed=map(fault_message, faults), snapshot_version=snapshot.version)

    async def ListFaults(self, request: pb.ListFaultsRequest, context: Any) -> pb.ListFaultsResponse:
        """See the contract."""
        return pb.ListFaultsResponse(faults=[fault_message(each) for each in reversed(self._mesh.faults)])

    async def run(self) -> None:
        """Ends faults at their time, until it is cancelled."""
        while True:
            self._changed.clear()
            now = self._clock()
            over = [each.name for each in self._mesh.faults if each.expire_time <= now]
            try:
                if over:
                    await self._change((), over, "faults whose time is over")
            except errors.Failure as error:
                self._log.error("a fault whose time is over is not out of every proxy", reason=str(error))
            ends = min((each.expire_time for each in self._mesh.faults), default=None)
            pause_s = (
                None if ends is None else max(RETRY_S if ends <= now else 0.0, (ends - self._clock()).total_seconds())
            )
            try:
                async with asyncio.timeout(pause_s):
                    await self._changed.wait()
            except TimeoutError:
                pass

    def _wanted(self, request: pb.AddFaultRequest, author: str) -> Fault:
        asked, topology = request.fault, self._mesh.topology
        if not asked.HasField("delay") and not asked.abort_code:
            raise errors.invalid(("fault", "has neither a delay nor an abort code"))
        known = methods_of(asked.service, self._mesh.contracts) if asked.service in topology.services else ()
        try:
            methods = methods_met(asked.service, asked.method, known)
            check_caller(asked.caller, asked.service, topology)
        except FaultError as error:
            raise errors.invalid((f"fault.{error.field}", error.why)) from None
        if len(self._mesh.faults) >= FAULTS_MAX:
            raise errors.wrong_state(f"{FAULTS_MAX} faults", "there are as many faults as there may be: end some")
        now = self._clock()
        return Fault(
            name=new_request_id(),
            service=asked.service,
            method=asked.method,
            methods=methods,
            caller=asked.caller,
            percent=asked.percent or 100.0,
            delay_s=asked.delay.ToTimedelta().total_seconds(),
            abort=grpc.StatusCode[asked.abort_code] if asked.abort_code else None,
            comment=asked.comment,
            author=author,
            create_time=now,
            expire_time=now + request.lifetime.ToTimedelta(),
        )

    async def _change(self, more: Collection[Fault], less: Collection[str], cause: str) -> Snapshot:
        try:
            return await self._mesh.change_faults(more, less, cause)
        except (RefusedError, ResourceError) as error:
            more = less = ()
            raise errors.invalid(("fault", str(error))) from None
        except NotAcknowledgedError as error:
            raise not_acknowledged(error) from None
        finally:
            self._changed.set()
            await self._tell(more, less)

    async def _tell(self, more: Collection[Fault], less: Collection[str]) -> None:
        self._drills.changed(more, less, self._clock())
        for fault in more:
            self._log.warning("a fault begins", fault=fault.name, target=fault.service, author=fault.author)
            await self._bus.tell_fault(fault.name, fault_message(fault))
        for name in less:
            self._log.info("a fault ends", fault=name)
            await self._bus.tell_fault(name, None)
