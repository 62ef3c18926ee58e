"""The outbound listener of a service: its Unix socket, from which every call goes to its callee with the service's own
certificate. The callee's proxy decides whether it may; this one only routes."""

from __future__ import annotations

from typing import Any

from crossrate.runtime.topology import Topology
from services.control.access import Contracts, methods_of
from services.control.clusters import inbound_endpoints, inbound_name, mesh_cluster, mesh_name
from services.control.denials import failure_log
from services.control.http import NEVER_SENT, header_matches, manager, retry, route_table, seconds, split, untimed
from services.control.routes import GrpcRoute, Match, Rule, default_route
from services.control.secrets import certificate_name, certificate_secret, trust_secret
from services.control.state import Resources, State

SOCKET_MODE = 0o600


def outbound_listener_name(service: str) -> str:
    """The listener, and its routes."""
    return f"out|{service}"


def _listener(service: str, socket: str) -> dict[str, Any]:
    http = manager(
        outbound_listener_name(service),
        [],
        access_log=[failure_log(outbound_listener_name(service))],
        codec_type="HTTP2",
        http2_protocol_options={
            "max_concurrent_streams": 1024,
            "initial_stream_window_size": 1 << 20,
            "initial_connection_window_size": 4 << 20,
        },
        stream_idle_timeout="0s",
        forward_client_cert_details="SANITIZE",
    )
    return {
        "name": outbound_listener_name(service),
        "address": {"pipe": {"path": socket, "mode": SOCKET_MODE}},
        "per_connection_buffer_limit_bytes": 1 << 20,
        "filter_chains": [{"filters": [http]}],
    }


def route_of(service: str, contracts: Contracts, state: State) -> GrpcRoute:
    """The route in force."""
    return state.routes.get(service) or default_route(service, methods_of(service, contracts))


def _paths(match: Match, services: list[str]) -> list[dict[str, Any]]:
    if match.method is not None:
        return [{"path": f"/{match.service}/{match.method}"}]
    return [{"prefix": f"/{name}/"} for name in ([match.service] if match.service else services)]


def _rule_routes(caller: str, rule: Rule, services: list[str], state: State) -> list[dict[str, Any]]:
    times = untimed()
    if rule.timeout_s is not None:
        longest = seconds(rule.timeout_s)
        times["max_stream_duration"] = {"max_stream_duration": longest, "grpc_timeout_header_max": longest}
    action = {
        **split([(mesh_name(caller, b.name), b) for b in rule.backends]),
        **times,
        "retry_policy": retry(NEVER_SENT, state.limits),
    }
    return [
        {"match": {**path, "headers": header_matches(match.headers)}, "route": action}
        for match in rule.matches
        for path in _paths(match, services)
    ]


def outbound(caller: str, topology: Topology, contracts: Contracts, state: State) -> Resources:
    """Everything that carries the calls of one service to the others."""
    name, secret = outbound_listener_name(caller), certificate_name(caller)
    result = Resources()
    routes: list[dict[str, Any]] = []
    for callee in topology.services:
        if callee == caller:
            continue
        methods = methods_of(callee, contracts)
        services = sorted({m.service for m in methods})
        for rule in route_of(callee, contracts, state).rules if methods else ():
            routes += _rule_routes(caller, rule, services, state)
        for backend in state.backends(callee):
            result.clusters[mesh_name(caller, backend)] = mesh_cluster(caller, backend, topology, state.limits)
            result.endpoints[inbound_name(backend)] = inbound_endpoints(backend, state.inbound_ports[backend])
    trust = trust_secret(state.roots_pem)
    result.listeners[name] = _listener(caller, state.outbound_sockets[caller])
    result.routes[name] = route_table(name, routes)
    result.secrets = {secret: certificate_secret(secret, state.certificates[caller]), trust["name"]: trust}
    return result
