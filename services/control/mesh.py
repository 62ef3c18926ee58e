"""The mesh as control runs it: live state in, a snapshot for the proxies out, and the changes that operators make."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Collection, Mapping
from importlib.resources import files
from typing import Any

from crossrate.runtime.durable import write_private
from crossrate.runtime.place import Place
from crossrate.runtime.topology import Topology
from services.control import routes as gateway
from services.control.access import Contracts, methods_of
from services.control.ads import AdsServer, RefusedError
from services.control.ca import Authority
from services.control.certificates import Certificates
from services.control.compile import compile, proxy_of
from services.control.envoy_api import ResourceError
from services.control.inbound import inbound
from services.control.json_guard import guard_script
from services.control.kept import Kept
from services.control.routes import GrpcRoute
from services.control.shares import caller_headers
from services.control.snapshots import Snapshot, Snapshots
from services.control.split import Split
from services.control.state import Fault, Limits, Resources, State

ACKNOWLEDGED_S_MAX = 5.0
CONTROL_FOLDER = "control"
"""Below the state folder: roots, snapshot counter, routes."""
Clock = Callable[[], dt.datetime]


def utc_now() -> dt.datetime:
    """The time."""
    return dt.datetime.now(dt.UTC)


def openapi_document() -> str:
    """The OpenAPI document generated from the contracts; empty if there is none."""
    document = files("crossrate.api").joinpath("openapi.json")
    return document.read_text() if document.is_file() else ""


class Mesh:
    """Holds the live state and turns every change of it into a snapshot. Changes run one after another.

    Args:
        ports: {"edge": port, "inbound": {backend: port}}, as the node wrote them.
    """

    def __init__(
        self,
        topology: Topology,
        contracts: Contracts,
        place: Place,
        ports: Mapping[str, Any],
        log: Any,
        *,
        limits: Limits | None = None,
        clock: Clock = utc_now,
    ) -> None:
        self.topology, self.contracts = topology, contracts
        self._place, self._ports, self._log, self._clock = place, ports, log, clock
        self._limits = limits or Limits()
        folder = place.state / CONTROL_FOLDER
        self.kept = Kept(folder / "kept.json", log)
        root_lifetime_s = topology.certificates.root_lifetime_s
        authority = Authority.open(folder / "authority.json", topology.trust_domain, root_lifetime_s, clock())
        self.certificates = Certificates(authority, topology, clock())
        self.snapshots = Snapshots(self.kept.snapshot_version, clock(), self.kept.keep_version)
        self.ads = AdsServer(self.snapshots, log)
        self._endpoints: Mapping[str, tuple[str, ...]] = {}
        self._routes: dict[str, GrpcRoute] = {}
        self._splits: dict[str, Split] = {}
        self._faults: tuple[Fault, ...] = ()
        self._openapi = openapi_document()
        self._json_guard = guard_script(contracts)
        self._changing = asyncio.Lock()
        self._load_kept_routes()
        self._write_bundle()
        self._write_clients()

    def _load_kept_routes(self) -> None:
        for service, document in self.kept.routes.items():
            try:
                self._routes[service] = self.read_route(document)
            except gateway.RouteError as error:
                self._log.warning("a kept route fits no more and is left out", service=service, reason=str(error))

    def _write_bundle(self) -> None:
        path = self._place.ca_bundle
        draft = path.with_suffix(".new")
        draft.write_text(self.certificates.authority.roots_pem)
        draft.replace(path)

    def _write_clients(self) -> None:
        """Each client's certificate and key in one file: read at once, they always fit each other."""
        for name, pair in self.certificates.clients.items():
            path = self._place.client_certificate(name)
            for folder in (path.parent.parent, path.parent):
                folder.mkdir(mode=0o700, exist_ok=True)
            write_private(path, pair.chain_pem + pair.key_pem)

    def _state(self, routes: Mapping[str, GrpcRoute] | None = None) -> State:
        place = self._place
        return State(
            edge_port=self._ports["edge"],
            inbound_ports=self._ports["inbound"],
            outbound_sockets={s: str(place.outbound_socket(s)) for s in self.topology.services},
            certificates=self.certificates.key_pairs,
            edge_server=self.certificates.edge_server.pair,
            roots_pem=self.certificates.authority.roots_pem,
            endpoints=self._endpoints,
            routes=self._routes if routes is None else routes,
            splits=self._splits,
            faults=self._faults,
            openapi=self._openapi,
            json_guard=self._json_guard,
            limits=self._limits,
        )

    def refresh(self, cause: str) -> Snapshot:
        """Compiles the live state and offers it to the proxies, if anything differs.

        Raises:
            ResourceError: a resource is not what Envoy's API says; the snapshot before stays.
        """
        before = self.snapshots.current.version
        nodes = compile(self.topology, self.contracts, self._state())
        return self._offered(self.snapshots.publish(nodes, cause, self._clock()), before, cause)

    def _offered(self, snapshot: Snapshot, before: int, cause: str) -> Snapshot:
        if snapshot.version != before:
            self._log.info("snapshot", version=snapshot.version, cause=cause, changed=snapshot.changed_count)
            self.ads.wake()
        return snapshot

    def _refresh_inbound(self, services: Collection[str], cause: str) -> Snapshot:
        """The same where only what brings calls to some services' own instances may differ: a share moves routes there
        alone, and must not wait for all others to be compiled.

        Raises:
            ResourceError: as `refresh`.
        """
        before, state = self.snapshots.current, self._state()
        parts: dict[str, Resources] = {}
        for service in services:
            part = parts.setdefault(proxy_of(service, self.topology), Resources())
            part.add(inbound(service, self.topology, self.contracts, state))
        if not parts.keys() <= before.nodes.keys():
            return self.refresh(cause)
        snapshot = self.snapshots.publish_parts(parts, cause, self._clock())
        return self._offered(snapshot, before.version, cause)

    # Endpoints

    def set_endpoints(self, endpoints: Mapping[str, tuple[str, ...]], cause: str) -> Snapshot:
        """These instances serve, by backend; at once."""
        self._endpoints = dict(endpoints)
        return self.refresh(cause)

    # Routes

    def rendered_route(self, service: str) -> GrpcRoute:
        """The route that the contracts give a service."""
        return gateway.default_route(service, methods_of(service, self.contracts))

    @property
    def routes(self) -> Mapping[str, GrpcRoute]:
        """Routes that replace rendered ones, by service."""
        return dict(self._routes)

    def read_route(self, document: Mapping[str, Any]) -> GrpcRoute:
        """The route in a GRPCRoute.

        Raises:
            RouteError: it is not one, or names what the mesh does not have.
        """
        service = gateway.service_named(document)
        methods = methods_of(service, self.contracts) if service in self.topology.services else []
        return gateway.read(document, methods, self._state().backends(service))

    def check_routes(self, routes: Mapping[str, GrpcRoute]) -> None:
        """Compiles these routes without offering them.

        Raises:
            ResourceError: they cannot be compiled.
        """
        self.snapshots.encode(compile(self.topology, self.contracts, self._state(routes)))

    async def set_route(self, service: str, route: GrpcRoute | None, cause: str) -> Snapshot:
        """Puts a route, or the rendered one (None), in force; returns when every connected proxy has it.

        Raises:
            RefusedError: a proxy refuses it; the route before is in force again.
            NotAcknowledgedError: a proxy has not answered; the route stays.
        """
        async with self._changing:
            before = dict(self._routes)
            self._put_route(service, route)
            try:
                snapshot = self.refresh(cause)
                await self.ads.acknowledged(snapshot.version, ACKNOWLEDGED_S_MAX)
            except (RefusedError, ResourceError):
                self._routes = before
                self.refresh(f"route {service} taken back")
                raise
            self.kept.keep_route(service, gateway.render(route) if route is not None else None)
            return snapshot

    def _put_route(self, service: str, route: GrpcRoute | None) -> None:
        if route is None:
            self._routes.pop(service, None)
        else:
            self._routes[service] = route

    # Releases

    @property
    def splits(self) -> Mapping[str, Split]:
        """Shares of candidates, by service."""
        return dict(self._splits)

    def known_split(self, service: str, split: Split) -> None:
        """The share that a candidate had before this control plane started; offered with the first snapshot."""
        self._splits[service] = split

    async def set_splits(self, splits: Mapping[str, Split | None], cause: str) -> Snapshot:
        """Gives candidates their shares of their services' calls, or none (None), at once and all in one snapshot;
        returns when every connected proxy has it.

        It waits for no other change: taking a share back must not stand behind a rotation of certificates.

        Raises:
            RefusedError: a proxy refuses it; the shares before are in force again.
            NotAcknowledgedError: a proxy has not answered; the shares stay.
        """
        before = {service: self._splits.get(service) for service in splits}
        told = caller_headers(self._splits)
        self._put_splits(splits)
        try:
            edge_too = caller_headers(self._splits) != told
            snapshot = self.refresh(cause) if edge_too else self._refresh_inbound(splits, cause)
            await self.ads.acknowledged(snapshot.version, ACKNOWLEDGED_S_MAX)
        except (RefusedError, ResourceError):
            self._put_splits(before)
            self.refresh(f"shares of candidates of {', '.join(splits)} taken back")
            raise
        return snapshot

    def _put_splits(self, splits: Mapping[str, Split | None]) -> None:
        for service, split in splits.items():
            if split is None:
                self._splits.pop(service, None)
            else:
                self._splits[service] = split

    # Faults

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Those in force."""
        return self._faults

    async def change_faults(self, more: Collection[Fault], less: Collection[str], cause: str) -> Snapshot:
        """Puts faults in force and ends others by name; returns when every connected proxy has it.

        Raises:
            RefusedError, ResourceError: they cannot be put in force; those before are.
            NotAcknowledgedError: a proxy has not answered; the change stays.
        """
        async with self._changing:
            before = self._faults
            self._faults = (*(each for each in before if each.name not in less), *more)
            try:
                snapshot = self.refresh(cause)
                await self.ads.acknowledged(snapshot.version, ACKNOWLEDGED_S_MAX)
            except (RefusedError, ResourceError):
                self._faults = before
                self.refresh("faults taken back")
                raise
            return snapshot

    # Certificates

    async def renew_certificates(self, cause: str) -> Snapshot:
        """New certificates for all identities; returns when every connected proxy has them.

        Raises:
            RefusedError, NotAcknowledgedError: a proxy did not take them.
        """
        async with self._changing:
            return await self._renew(cause)

    async def _renew(self, cause: str) -> Snapshot:
        self.certificates.renew(self._clock())
        self._write_clients()
        snapshot = self.refresh(cause)
        await self.ads.acknowledged(snapshot.version, ACKNOWLEDGED_S_MAX)
        return snapshot

    async def begin_root(self) -> Snapshot:
        """A new root: trusted everywhere first, then everything is signed by it.

        Raises:
            RootRotationError: the root before has not been dropped yet.
            RefusedError, NotAcknowledgedError: a proxy did not take it; the old root signs until this is called again.
        """
        async with self._changing:
            self.certificates.authority.begin(self.topology.certificates.root_lifetime_s, self._clock())
            self._write_bundle()
            snapshot = self.refresh("a new root is trusted")
            await self.ads.acknowledged(snapshot.version, ACKNOWLEDGED_S_MAX)
            self.certificates.authority.switch()
            return await self._renew("certificates come from the new root")

    async def finish_root(self) -> Snapshot:
        """Drops the old root. Connections that its certificates opened go on until they end by themselves.

        Raises:
            RootRotationError: no rotation has begun.
            RefusedError, NotAcknowledgedError: a proxy did not take it.
        """
        async with self._changing:
            self.certificates.authority.finish()
            self._write_bundle()
            return await self._renew("the old root is dropped")

    async def keep_certificates_fresh(self) -> None:
        """Renews certificates at half of their life, forever."""
        while True:
            left_s = (self.certificates.renew_time - self._clock()).total_seconds()
            await asyncio.sleep(max(1.0, left_s))
            if self._clock() < self.certificates.renew_time:
                continue
            try:
                await self.renew_certificates("certificates at half of their life")
            except Exception:
                # They are issued and offered; whoever has not answered gets them when it does.
                self._log.exception("renewed certificates are not acknowledged everywhere")
