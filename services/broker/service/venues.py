"""VenueService."""

from __future__ import annotations

from typing import Any

from crossrate.api.broker.v1 import venue_pb2
from crossrate.api.broker.v1 import venue_service_pb2 as pb
from crossrate.api.broker.v1.venue_service_pb2_grpc import VenueServiceServicer
from crossrate.rpc import errors
from crossrate.rpc.call import current
from crossrate.store.errors import OutcomeUnknown, RequestIdReused, StoreError
from crossrate.store.requests import body_of
from services.broker.engine.router import Router
from services.broker.engine.session import Sessions, VenueRow, Wanted
from services.broker.store.switches import Changed, Switches
from services.broker.venues.declared import Venues


class VenueService(VenueServiceServicer):
    """Answers every call of the contract."""

    def __init__(self, declared: Venues, router: Router, sessions: Sessions, switches: Switches) -> None:
        self._declared = declared
        self._router = router
        self._sessions = sessions
        self._switches = switches

    async def ListVenues(self, request: pb.ListVenuesRequest, context: Any) -> pb.ListVenuesResponse:
        """See the contract."""
        return pb.ListVenuesResponse(venues=await self._venues(sorted(self._declared.venues)))

    async def GetVenue(self, request: pb.GetVenueRequest, context: Any) -> pb.GetVenueResponse:
        """See the contract."""
        return pb.GetVenueResponse(venue=await self._venue(request.venue))

    async def SetVenueState(self, request: pb.SetVenueStateRequest, context: Any) -> pb.SetVenueStateResponse:
        """See the contract."""
        venue = await self._venue(request.venue)
        by = current().principal
        if request.validate_only:
            if request.expected_version not in (0, venue.state_version):
                raise errors.version_conflict(request.expected_version, venue.state_version)
            venue.state, venue.state_by, venue.state_reason = request.state, by, request.reason
            venue.state_version += 1
            venue.takes_orders = venue.takes_orders and request.state == venue_pb2.VENUE_STATE_ENABLED
            return pb.SetVenueStateResponse(venue=venue)
        try:
            await self._switches.set(
                request.request_id,
                body_of(request),
                request.venue,
                Wanted(request.state),
                by,
                request.reason,
                request.expected_version,
            )
        except Changed as changed:
            raise errors.version_conflict(request.expected_version, changed.version) from None
        except RequestIdReused:
            raise errors.request_id_reused(request.request_id) from None
        except OutcomeUnknown:
            raise errors.outcome_unknown(request.request_id) from None
        except StoreError as error:
            raise errors.dependency_unavailable("postgres") from error
        return pb.SetVenueStateResponse(venue=await self._venue(request.venue))

    async def _venue(self, name: str) -> venue_pb2.Venue:
        found = await self._venues([name]) if name in self._declared.venues else []
        if not found:
            raise errors.not_found("venue", name, "ListVenues has those that mesh/venues.toml declares")
        return found[0]

    async def _venues(self, names: list[str]) -> list[venue_pb2.Venue]:
        try:
            rows = await self._sessions.read()
            loads = await self._switches.loads()
        except StoreError as error:
            raise errors.dependency_unavailable("postgres") from error
        return [self._message(rows[name], *loads.get(name, (0, 0))) for name in names if name in rows]

    def _message(self, row: VenueRow, open_orders: int, waiting: int) -> venue_pb2.Venue:
        spec, standing = self._declared.venues[row.name], self._router.standing(row)
        held = row.heard_s <= self._router.fresh_s_max
        venue = venue_pb2.Venue(
            name=row.name,
            kind=spec.kind,
            state=int(row.wanted),
            state_by=row.wanted_by,
            state_reason=row.wanted_why,
            state_version=row.wanted_version,
            session=int(row.session) if held else venue_pb2.VENUE_SESSION_AWAY,
            session_text=row.text if held else "no instance has it",
            instance=row.holder if held else "",
            takes_orders=standing.ready and standing.enabled,
            latency_us=row.latency_us,
            latency_p99_us=row.latency_p99_us,
            open_orders=open_orders,
            waiting=waiting,
        )
        venue.state_time.FromNanoseconds(row.wanted_time_ns)
        venue.session_time.FromNanoseconds(row.since_ns)
        counts = venue.counts
        counts.sent, counts.accepted, counts.refused, counts.fills, counts.unknown = row.counts
        venue.limits.order_quantity_max = spec.limits.order_quantity_max
        venue.limits.open_orders_max = spec.limits.open_orders_max
        venue.limits.unsent_s_max = spec.unsent_s_max
        return venue
