"""Who may call what, compiled for Envoy's RBAC: default deny, one policy for each caller."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from crossrate.rpc.contract import MethodContract
from crossrate.runtime.topology import Topology
from services.control import authentication
from services.control.envoy_api import extension
from services.control.state import CONTROL, EDGE

Contracts = Mapping[str, MethodContract]

HEALTH = "grpc.health.v1.Health"
REFLECTION = ("grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection")
PUBLIC = (HEALTH, *REFLECTION)
"""Services of gRPC itself that the edge offers to whoever proves something; control answers them for the whole mesh."""

PROOF_HEADER = "x-forwarded-client-cert"
_RBAC = "envoy.extensions.filters.http.rbac.v3.RBAC"


def methods_of(service: str, contracts: Contracts) -> list[MethodContract]:
    """The methods of a service in order of path."""
    return [m for m in contracts.values() if m.workload == service]


def callers_of(method: MethodContract, topology: Topology) -> frozenset[str]:
    """Who may call a method through the mesh: services that the contract names and the topology connects, and the edge
    for methods with roles."""
    services = {name for name, s in topology.services.items() if name in method.services and method.workload in s.calls}
    return frozenset(services | ({EDGE} if method.roles else set()))


def callers_by_service(service: str, topology: Topology, contracts: Contracts) -> dict[str, list[str]]:
    """For each caller of a service, the paths that it may call, in order."""
    allowed: dict[str, list[str]] = {}
    for method in methods_of(service, contracts):
        for caller in callers_of(method, topology):
            allowed.setdefault(caller, []).append(method.path)
    return dict(sorted(allowed.items()))


def _path_is(path: str) -> dict[str, Any]:
    return {"url_path": {"path": {"exact": path}}}


def _path_below(service: str) -> dict[str, Any]:
    return {"url_path": {"path": {"prefix": f"/{service}/"}}}


def permissions_of(paths: Iterable[str]) -> list[dict[str, Any]]:
    """Paths that a service answers over HTTP, and beginnings of paths, which end in "/"."""
    return [{"url_path": {"path": {"prefix" if path.endswith("/") else "exact": path}}} for path in paths]


def _rbac(policies: Mapping[str, Any]) -> dict[str, Any]:
    return extension("envoy.filters.http.rbac", _RBAC, {"rules": {"action": "ALLOW", "policies": dict(policies)}})


def inbound_rbac(service: str, topology: Topology, contracts: Contracts) -> dict[str, Any]:
    """The filter in front of a service: method by proved identity of the caller."""
    policies = {}
    callers = callers_by_service(service, topology, contracts)
    if topology.services[service].http:
        callers.setdefault(EDGE, [])
    for caller, paths in callers.items():
        permissions = [_path_is(p) for p in paths]
        if service == CONTROL and caller == EDGE:
            permissions += [_path_below(s) for s in PUBLIC]
        if caller == EDGE:
            permissions += permissions_of(topology.services[service].http)
        identity = {"authenticated": {"principal_name": {"exact": topology.identity(caller)}}}
        policies[caller] = {"permissions": permissions, "principals": [identity]}
    return _rbac(policies)


def paths_of_roles(roles: Iterable[str], topology: Topology, contracts: Contracts) -> list[str]:
    """Methods that whoever has some roles may call through the edge, in order."""
    roles = set(roles)
    return [m.path for m in contracts.values() if m.workload in topology.services and m.roles & roles]


def edge_rbac(topology: Topology, contracts: Contracts, public: Iterable[str] = ()) -> dict[str, Any]:
    """The filter of the edge, on methods' paths, whatever way a call came.

    Everybody may ask for the paths in `public` and call what `anonymous_roles` allows. Beyond that: a client of the
    topology, by its certificate, what its roles allow; whoever shows a token, what the roles in it allow. Health and
    reflection are open to both.
    """
    everybody = paths_of_roles(topology.edge.anonymous_roles, topology, contracts)
    permissions = [_path_is(p) for p in everybody] + permissions_of(public)
    of_grpc = [_path_below(s) for s in PUBLIC]
    if everybody:
        permissions += of_grpc
    policies = {}
    if permissions:
        policies["anonymous"] = {"permissions": permissions, "principals": [{"any": True}]}
    for name, client in sorted(topology.clients.items()):
        more = [p for p in paths_of_roles(client.roles, topology, contracts) if p not in set(everybody)]
        identity = authentication.is_client(topology.client_identity(name))
        allowed = [_path_is(p) for p in more] + of_grpc
        policies[f"client/{name}"] = {"permissions": allowed, "principals": [identity]}
    if topology.tokens is not None:
        policies["token"] = {"permissions": of_grpc, "principals": [authentication.has_token()]}
        for roles, paths in _paths_by_roles(topology, contracts).items():
            allowed = [_path_is(p) for p in paths]
            policies[f"token/{roles}"] = {
                "permissions": allowed,
                "principals": [authentication.has_role(roles.split("+"))],
            }
    return _rbac(policies)


def _paths_by_roles(topology: Topology, contracts: Contracts) -> dict[str, list[str]]:
    """Methods by the roles that may call them, written "admin+operator"."""
    found: dict[str, list[str]] = {}
    for method in contracts.values():
        if method.workload in topology.services and method.roles:
            found.setdefault("+".join(sorted(method.roles)), []).append(method.path)
    return dict(sorted(found.items()))


def called_by(services: Iterable[str], topology: Topology) -> dict[str, Any]:
    """The header that calls of some services have: their certificate, as the listener that let them in writes it."""
    identities = "|".join(topology.identity(service).replace(".", "[.]") for service in services)
    return {"name": PROOF_HEADER, "string_match": {"safe_regex": {"regex": f"(.*;)?URI=({identities})(;.*)?"}}}
