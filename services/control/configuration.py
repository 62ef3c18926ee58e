"""Live configuration as operators see it: all values, who changed them, and the running service's own verdict."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from crossrate.api.control.v1 import control_service_pb2 as control_pb2
from crossrate.api.control.v1 import mesh_pb2
from crossrate.events import EventsUnavailable
from crossrate.rpc import errors
from crossrate.rpc.values import from_struct, to_struct
from crossrate.runtime.live_config import ConfigConflict, ConfigVersion, NoSuchVersion
from crossrate.runtime.topology import Topology
from services.control.bus import Bus
from services.control.instances import Instances


def _message(version: ConfigVersion, values: Mapping[str, Any] | None = None) -> mesh_pb2.ConfigVersion:
    message = mesh_pb2.ConfigVersion(
        service=version.service, version=version.version, author=version.author, comment=version.comment
    )
    message.values.CopyFrom(to_struct(version.values if values is None else values))
    if version.create_time is not None:
        message.create_time.FromDatetime(version.create_time)
    return message


class Configuration:
    """Reads and changes the live configuration of every service."""

    def __init__(self, bus: Bus, instances: Instances, topology: Topology) -> None:
        self._bus = bus
        self._instances = instances
        self._topology = topology

    def _known(self, service: str) -> None:
        if service not in self._topology.services:
            raise errors.not_found("service", service)

    async def get(self, service: str) -> mesh_pb2.ConfigVersion:
        """What is in force. All values if an instance runs to fill in the defaults, else the ones that were changed."""
        self._known(service)
        try:
            stored = await self._bus.store.get(service)
        except EventsUnavailable:
            raise errors.dependency_unavailable("nats") from None
        verdict = await self._instances.check_config(service, to_struct(stored.values))
        if verdict is not None and not verdict.errors:
            return _message(stored, from_struct(verdict.config))
        return _message(stored)

    async def versions(self, service: str) -> list[mesh_pb2.ConfigVersion]:
        """Newest first."""
        self._known(service)
        try:
            return [_message(v) for v in await self._bus.store.history(service)]
        except EventsUnavailable:
            raise errors.dependency_unavailable("nats") from None

    async def set(self, request: control_pb2.SetConfigRequest, author: str, now: dt.datetime) -> mesh_pb2.ConfigVersion:
        """Changes values or goes back to a version, after a running instance has agreed.

        Raises:
            Failure: INVALID_REQUEST with every field that the instance refuses, VERSION_CONFLICT, NOT_FOUND,
                DEPENDENCY_UNAVAILABLE.
        """
        service, store = request.service, self._bus.store
        self._known(service)
        back = request.HasField("rollback_to_version")
        if back and request.values.fields:
            raise errors.invalid(("rollback_to_version", "give values or a version to go back to, not both"))
        if not back and not request.values.fields:
            raise errors.invalid(("values", "give at least one value, or a version to go back to"))
        try:
            present = await store.get(service)
            if request.expected_version not in (0, present.version):
                raise ConfigConflict(request.expected_version, present.version)
            comment = request.comment
            if back:
                # What the program comes with is what it makes of no values at all.
                wanted = request.rollback_to_version
                values = dict((await store.version(service, wanted)).values) if wanted else {}
                comment = comment or f"back to version {request.rollback_to_version}"
            else:
                values = {**present.values, **from_struct(request.values)}
            applied = await self._checked(service, values)
            if request.validate_only:
                draft = ConfigVersion(service, present.version, values, author, comment)
                return _message(draft, applied)
            # The values were made from this version, so they may replace no other. Version 0 is any to the store.
            stored = await store.set(
                service, values, author=author, comment=comment, expected_version=present.version, now=now
            )
            return _message(stored, applied)
        except ConfigConflict as conflict:
            raise errors.version_conflict(conflict.expected, conflict.actual) from None
        except NoSuchVersion:
            raise errors.not_found("version", str(request.rollback_to_version)) from None
        except EventsUnavailable:
            raise errors.dependency_unavailable("nats") from None
        except ValueError as error:
            raise errors.invalid(("values", str(error))) from None

    async def _checked(self, service: str, values: Mapping[str, Any]) -> dict[str, Any]:
        verdict = await self._instances.check_config(service, to_struct(values))
        if verdict is None:
            raise errors.dependency_unavailable(service)
        if verdict.errors:
            raise errors.invalid(*(_violation(e) for e in verdict.errors))
        return from_struct(verdict.config)


def _violation(problem: str) -> tuple[str, str]:
    field, colon, why = problem.partition(": ")
    return (f"values.{field}", why) if colon else ("values", problem)
