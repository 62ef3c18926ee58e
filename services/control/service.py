"""ControlService: the mesh as operators see and change it."""

from __future__ import annotations

from collections.abc import AsyncIterator

from crossrate.api.control.v1 import control_service_pb2 as pb
from crossrate.api.control.v1 import control_service_pb2_grpc as control_grpc
from crossrate.api.control.v1 import mesh_pb2, tap_pb2
from crossrate.api.instance.v1 import instance_service_pb2 as instance_pb2
from crossrate.rpc import errors
from crossrate.rpc.call import current
from crossrate.rpc.values import from_struct, to_struct
from services.control import routes as gateway
from services.control.ads import NotAcknowledgedError, Proxy, RefusedError
from services.control.answers import Answers
from services.control.bus import Bus
from services.control.ca import Issued, Root, RootRotationError
from services.control.configuration import Configuration
from services.control.envoy_api import ResourceError
from services.control.instances import Instances
from services.control.mesh import Mesh, utc_now
from services.control.observe.taps import Taps
from services.control.registry import Registered, Registry
from services.control.routes import GrpcRoute
from services.control.snapshots import Snapshot

SNAPSHOTS_DEFAULT = 20
_HEALTH = {
    "": mesh_pb2.INSTANCE_HEALTH_UNSPECIFIED,
    "SERVING": mesh_pb2.INSTANCE_HEALTH_SERVING,
    "NOT_SERVING": mesh_pb2.INSTANCE_HEALTH_NOT_SERVING,
    "UNREACHABLE": mesh_pb2.INSTANCE_HEALTH_UNREACHABLE,
}


def _proxy(proxy: Proxy) -> mesh_pb2.Proxy:
    message = mesh_pb2.Proxy(name=proxy.name, connected=proxy.connected)
    for kind, answer in proxy.acknowledgements.items():
        message.acknowledgements.add(
            kind=kind,
            acknowledged_version=answer.acknowledged_version,
            refused_version=answer.refused_version,
            refusal=answer.refusal,
        )
    return message


def _certificate(issued: Issued) -> mesh_pb2.Certificate:
    message = mesh_pb2.Certificate(identity=issued.identity, serial=issued.serial, issuer=issued.issuer)
    message.not_before.FromDatetime(issued.not_before)
    message.not_after.FromDatetime(issued.not_after)
    return message


def _root(root: Root) -> mesh_pb2.Certificate:
    message = mesh_pb2.Certificate(identity=root.name, serial=root.serial, issuer=root.name)
    message.not_before.FromDatetime(root.certificate.not_valid_before_utc)
    message.not_after.FromDatetime(root.certificate.not_valid_after_utc)
    return message


def not_acknowledged(error: NotAcknowledgedError) -> errors.Failure:
    """What a change is answered that a proxy has not taken yet."""
    reason = errors.ErrorReason.DEPENDENCY_UNAVAILABLE
    return errors.Failure(reason, str(error), metadata={"dependency": "proxies"}, retry_after_s=1.0)


class ControlServicer(control_grpc.ControlServiceServicer):
    """Answers operators. Changes return when the proxies have them."""

    def __init__(
        self,
        mesh: Mesh,
        registry: Registry,
        instances: Instances,
        bus: Bus,
        configuration: Configuration,
        taps: Taps,
    ) -> None:
        self._mesh = mesh
        self._registry = registry
        self._instances = instances
        self._bus = bus
        self._configuration = configuration
        self._taps = taps
        self._answers = Answers()

    # What there is

    async def GetMeshStatus(self, request, context) -> pb.GetMeshStatusResponse:
        """Every proxy and instance."""
        described = await self._instances.describe()
        answer = pb.GetMeshStatusResponse(snapshot_version=self._mesh.snapshots.current.version)
        for _, proxy in sorted(self._mesh.ads.proxies.items()):
            answer.proxies.append(_proxy(proxy))
        for name, instance in sorted(self._registry.instances.items()):
            answer.instances.append(self._instance(instance, described.get(name)))
        return answer

    def _instance(
        self, instance: Registered, described: instance_pb2.DescribeInstanceResponse | None
    ) -> mesh_pb2.Instance:
        health = _HEALTH[instance.health]
        if instance.serving and not self._mesh.ads.has_settled(instance.offered_version):
            # It could, but a proxy does not know it yet: whoever waits to end another in its favour has to wait.
            health = mesh_pb2.INSTANCE_HEALTH_UNSPECIFIED
        message = mesh_pb2.Instance(
            service=instance.service,
            name=instance.name,
            pid=instance.pid,
            health=health,
            identity=self._mesh.topology.identity(instance.service),
            version=instance.version,
        )
        message.start_time.FromDatetime(instance.start_time)
        if described is not None:
            message.config_version = described.config_version
            message.config_error = described.config_error
        return message

    async def ListSnapshots(self, request, context) -> pb.ListSnapshotsResponse:
        """Newest first."""
        answer = pb.ListSnapshotsResponse()
        for snapshot in self._mesh.snapshots.history[: request.page_size or SNAPSHOTS_DEFAULT]:
            message = answer.snapshots.add(
                version=snapshot.version, cause=snapshot.cause, changed_count=snapshot.changed_count
            )
            message.create_time.FromDatetime(snapshot.create_time)
        return answer

    # Routes

    def _route(self, service: str) -> mesh_pb2.Route:
        replaced = self._mesh.routes.get(service)
        return self._route_message(service, replaced)

    def _route_message(self, service: str, route: GrpcRoute | None) -> mesh_pb2.Route:
        document = gateway.render(route or self._mesh.rendered_route(service))
        return mesh_pb2.Route(service=service, grpc_route=to_struct(document), rendered=route is None)

    async def ListRoutes(self, request, context) -> pb.ListRoutesResponse:
        """One a service, in order of name."""
        return pb.ListRoutesResponse(routes=[self._route(s) for s in sorted(self._mesh.topology.services)])

    async def ApplyRoute(self, request, context) -> pb.ApplyRouteResponse:
        """Puts a route in force, or the rendered one back."""
        service, route = self._wanted_route(request)
        if request.validate_only:
            return self._check_route(service, route)
        return await self._answers.once(request.request_id, request, lambda: self._apply_route(service, route))

    def _wanted_route(self, request: pb.ApplyRouteRequest) -> tuple[str, GrpcRoute | None]:
        if not request.HasField("grpc_route"):
            if request.service not in self._mesh.topology.services:
                raise errors.not_found("service", request.service)
            return request.service, None
        try:
            route = self._mesh.read_route(from_struct(request.grpc_route))
        except gateway.RouteError as error:
            raise errors.invalid(*((f"grpc_route.{field}", why) for field, why in error.problems)) from None
        if request.service not in ("", route.service):
            raise errors.invalid(("service", f"the route is for {route.service}"))
        return route.service, route

    def _check_route(self, service: str, route: GrpcRoute | None) -> pb.ApplyRouteResponse:
        routes = {name: r for name, r in self._mesh.routes.items() if name != service}
        try:
            self._mesh.check_routes(routes | ({service: route} if route else {}))
        except ResourceError as error:
            raise errors.invalid(("grpc_route", str(error))) from None
        version = self._mesh.snapshots.current.version
        return pb.ApplyRouteResponse(route=self._route_message(service, route), snapshot_version=version)

    async def _apply_route(self, service: str, route: GrpcRoute | None) -> pb.ApplyRouteResponse:
        cause = f"route {service} applied" if route else f"route {service} as rendered"
        try:
            snapshot = await self._mesh.set_route(service, route, cause)
        except (RefusedError, ResourceError) as error:
            raise errors.invalid(("grpc_route", str(error))) from None
        except NotAcknowledgedError as error:
            raise not_acknowledged(error) from None
        await self._bus.keep_route(service)
        return pb.ApplyRouteResponse(route=self._route_message(service, route), snapshot_version=snapshot.version)

    # Certificates

    async def ListCertificates(self, request, context) -> pb.ListCertificatesResponse:
        """One an identity; and the roots, newest first."""
        certificates = self._mesh.certificates
        return pb.ListCertificatesResponse(
            certificates=[_certificate(c) for c in certificates.issued],
            roots=[_root(r) for r in certificates.authority.roots],
        )

    async def RotateCertificates(self, request, context) -> pb.RotateCertificatesResponse:
        """New certificates, or a step of a root's rotation."""
        if request.validate_only:
            return self._rotated(self._mesh.snapshots.current)
        return await self._answers.once(request.request_id, request, lambda: self._rotate(request.scope))

    def _rotated(self, snapshot: Snapshot) -> pb.RotateCertificatesResponse:
        certificates = [_certificate(c) for c in self._mesh.certificates.issued]
        return pb.RotateCertificatesResponse(certificates=certificates, snapshot_version=snapshot.version)

    async def _rotate(self, scope: int) -> pb.RotateCertificatesResponse:
        mesh = self._mesh
        try:
            if scope == pb.ROTATION_SCOPE_ROOT_BEGIN:
                snapshot = await mesh.begin_root()
            elif scope == pb.ROTATION_SCOPE_ROOT_FINISH:
                snapshot = await mesh.finish_root()
            else:
                snapshot = await mesh.renew_certificates("certificates rotated by an operator")
        except RootRotationError as error:
            state = "overlap" if len(mesh.certificates.authority.roots) > 1 else "one root"
            raise errors.wrong_state(state, str(error)) from None
        except RefusedError as error:
            raise errors.wrong_state("refused by a proxy", str(error)) from None
        except NotAcknowledgedError as error:
            raise not_acknowledged(error) from None
        return self._rotated(snapshot)

    # Live configuration

    async def GetConfig(self, request, context) -> pb.GetConfigResponse:
        """What is in force."""
        return pb.GetConfigResponse(config=await self._configuration.get(request.service))

    async def SetConfig(self, request, context) -> pb.SetConfigResponse:
        """Changes values or goes back to a version."""
        author = current().caller

        async def work() -> pb.SetConfigResponse:
            return pb.SetConfigResponse(config=await self._configuration.set(request, author, utc_now()))

        if request.validate_only:
            return await work()
        return await self._answers.once(request.request_id, request, work)

    async def ListConfigVersions(self, request, context) -> pb.ListConfigVersionsResponse:
        """Newest first."""
        return pb.ListConfigVersionsResponse(versions=await self._configuration.versions(request.service))

    # Tap

    async def Tap(self, request, context) -> AsyncIterator[tap_pb2.TapResponse]:
        """Messages with their bodies as they pass through every instance."""
        async for message in self._taps.follow(request, bodies=True):
            yield tap_pb2.TapResponse(message=message)

    async def TapHeaders(self, request, context) -> AsyncIterator[tap_pb2.TapHeadersResponse]:
        """The same without bodies."""
        async for message in self._taps.follow(request, bodies=False):
            yield tap_pb2.TapHeadersResponse(message=message)
