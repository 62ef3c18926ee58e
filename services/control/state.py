"""What the configuration of the proxies is compiled from, beside topology and contracts: values only, no I/O."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import grpc

from services.control.routes import GrpcRoute
from services.control.split import Split

EDGE = "edge"
"""The edge proxy's word: its node id, and its name as a caller."""
CONTROL = "control"


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A certificate chain and its private key, PEM."""

    chain_pem: str
    key_pem: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds that the proxies keep; the same for every service."""

    connections_max: int = 1024
    requests_max: int = 4096
    requests_pending_max: int = 1024
    retry_budget_percent: float = 20.0
    retries_min: int = 20
    retries_of_a_call: int = 2
    connect_timeout_s: float = 1.0
    health_interval_s: float = 1.0
    health_timeout_s: float = 1.0
    ejection_s: float = 5.0
    answer_bytes_max: int = 4 << 20


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of a drill: what happens to which calls, until when.

    Args:
        service: whose calls.
        methods: paths of the methods that it meets.
        caller: calls of this service alone, or of "edge"; "" for everybody's.
        percent: share of the calls, above 0 and up to 100.
        delay_s: how long a call waits; 0 for no wait.
        abort: what it is answered; None to serve it after the wait.
    """

    name: str
    service: str
    method: str
    methods: tuple[str, ...]
    caller: str
    percent: float
    delay_s: float
    abort: grpc.StatusCode | None
    comment: str
    author: str
    create_time: dt.datetime
    expire_time: dt.datetime


@dataclass(frozen=True, slots=True)
class State:
    """The live part of the mesh.

    A backend is a group of instances of one service that a route can give a weight: the service's own word, or
    "<service>-<variant>".

    Args:
        endpoints: Unix sockets of the instances that serve, by backend, in a stable order.
        inbound_ports: TCP port of the inbound listener on loopback, by backend.
        outbound_sockets: Unix socket on which the proxy takes a service's calls, by service.
        routes: by service; a service without one has the route that the topology renders.
        splits: by service; a service without one has all its calls answered by its stable instances.
        faults: of drills that are in force.
        certificates: key pair of each identity: services and "edge".
        edge_server: key pair that the edge shows to clients.
        roots_pem: the certificates that are trusted.
        openapi: the document that the edge answers under /openapi.json; empty for none.
        json_guard: Lua that refuses what the transcoder would drop silently; empty for none.
    """

    edge_port: int
    inbound_ports: Mapping[str, int]
    outbound_sockets: Mapping[str, str]
    certificates: Mapping[str, KeyPair]
    edge_server: KeyPair
    roots_pem: str
    endpoints: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    routes: Mapping[str, GrpcRoute] = field(default_factory=dict)
    splits: Mapping[str, Split] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    openapi: str = ""
    json_guard: str = ""
    limits: Limits = Limits()

    def backends(self, service: str) -> tuple[str, ...]:
        """The backends of a service."""
        return tuple(sorted(b for b in self.inbound_ports if service_of(b) == service))


def service_of(backend: str) -> str:
    """The service that a backend belongs to."""
    return backend.partition("-")[0]


def may_have_candidate(backend: str) -> bool:
    """Whether a backend is the stable one of a service that a release can replace. Control makes the releases."""
    return service_of(backend) == backend != CONTROL


@dataclass(slots=True)
class Resources:
    """What one proxy gets: Envoy's resources in JSON form, by kind and name."""

    clusters: dict[str, Any] = field(default_factory=dict)
    endpoints: dict[str, Any] = field(default_factory=dict)
    listeners: dict[str, Any] = field(default_factory=dict)
    routes: dict[str, Any] = field(default_factory=dict)
    secrets: dict[str, Any] = field(default_factory=dict)

    def add(self, other: Resources) -> None:
        """Adds another's resources; of the same name they are the same."""
        self.clusters |= other.clusters
        self.endpoints |= other.endpoints
        self.listeners |= other.listeners
        self.routes |= other.routes
        self.secrets |= other.secrets
