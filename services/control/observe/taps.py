"""Taps: who watches what passes, for how long, and the fact of it in the audit."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import AsyncIterator
from typing import Any

from google.protobuf import json_format

from crossrate.api.instance.v1 import instance_service_pb2 as instance_pb2
from crossrate.rpc import errors
from crossrate.rpc.call import current, new_request_id
from crossrate.rpc.contract import find_method
from services.control.bus import Bus
from services.control.instances import Instances

TAPS_MAX = 8
"""Readers at once."""
RETRY_AFTER_S = 5.0
HOUR_S = 3600.0


class Taps:
    """Opens taps at every instance.

    Args:
        services: their words, for a filter that names one.
    """

    def __init__(self, instances: Instances, bus: Bus, services: frozenset[str], log: Any) -> None:
        self._instances, self._bus, self._services, self._log = instances, bus, services, log
        self._open = 0

    async def follow(self, request: Any, *, bodies: bool) -> AsyncIterator[instance_pb2.TapMessagesResponse]:
        """Messages that fit a request, until its bounds are reached. That it begins is written down before anything is
        shown; bodies are not shown if it cannot be.

        Args:
            request: TapRequest or TapHeadersRequest.

        Raises:
            Failure: INVALID_REQUEST, TOO_MANY_REQUESTS, DEPENDENCY_UNAVAILABLE.
        """
        wanted, service = self._wanted(request, bodies=bodies), request.service
        if self._open >= TAPS_MAX:
            raise errors.too_many_requests(TAPS_MAX, RETRY_AFTER_S)
        self._open += 1
        name = new_request_id()
        try:
            if not await self._bus.tell_tap(name, _fact(name, request, bodies=bodies)) and bodies:
                raise errors.dependency_unavailable("nats, where taps with bodies are written down")
            lasts_s = request.max_duration.ToTimedelta().total_seconds() or HOUR_S
            messages: Any = self._instances.tap(wanted, service, time.monotonic() + lasts_s)
            seen = 0
            try:
                async for message in messages:
                    yield message
                    seen += 1
                    if seen == request.max_messages:
                        return
            finally:
                await messages.aclose()
        finally:
            self._open -= 1
            await self._bus.tell_tap(name, None)

    def _wanted(self, request: Any, *, bodies: bool) -> instance_pb2.TapMessagesRequest:
        method, service = request.method, request.service
        if service and service not in self._services:
            raise errors.invalid(("service", f"must be one of {', '.join(sorted(self._services))}"))
        if method:
            try:
                contract = find_method(method)
            except LookupError as error:
                raise errors.invalid(("method", str(error))) from None
            method = contract.path[1:]
            if service not in ("", contract.workload):
                raise errors.invalid(("service", f"{contract.name} is a method of {contract.workload}"))
            if request.account and not contract.account_fields:
                raise errors.invalid(("account", f"requests of {contract.name} name no account"))
        return instance_pb2.TapMessagesRequest(
            method=method,
            callers=request.callers,
            account=request.account,
            codes=request.codes,
            call_request_id=request.call_request_id,
            sample_percent=request.sample_percent,
            headers_only=not bodies,
        )


def _fact(name: str, request: Any, *, bodies: bool) -> dict[str, Any]:
    """What the audit keeps of a tap: who, what of, whether with bodies, why."""
    call = current()
    asked = json_format.MessageToDict(request)
    return {
        "tap": name,
        "author": call.principal,
        "bodies": bodies,
        "comment": asked.pop("comment", ""),
        **({"account": asked.pop("account")} if "account" in asked else {}),
        "filter": asked,
        "createTime": dt.datetime.now(dt.UTC).isoformat().replace("+00:00", "Z"),
    }
