"""The inbound listener of a service: mutual TLS, who may call which method, the contract's deadlines, retries among
instances."""

from __future__ import annotations

from typing import Any

from crossrate.rpc.contract import MethodContract
from crossrate.runtime.topology import Topology
from services.control.access import PUBLIC, Contracts, inbound_rbac, methods_of
from services.control.access_log import HELD_S, call_log
from services.control.clusters import (
    candidate_cluster,
    candidate_endpoints,
    candidate_instances_name,
    candidate_name,
    local_cluster,
    local_endpoints,
    local_name,
)
from services.control.denials import access_log
from services.control.envoy_api import extension
from services.control.faults import fault_filter, with_faults
from services.control.http import DEADLINE_MARGIN_S, lane, manager, retry, retry_on, route_table, timing
from services.control.paths import inbound_paths
from services.control.replies import grpc_replies
from services.control.secrets import ADS_SOURCE, certificate_name, certificate_secret, trust_secret, validation
from services.control.shares import OUTLASTING, reroute_filter, split_routes
from services.control.split import candidate_backend
from services.control.state import CONTROL, Resources, State, may_have_candidate, service_of
from services.control.sticky import by_value, sticky_filters, sticky_methods

_DOWNSTREAM_TLS = "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext"
STREAMS_PER_CONNECTION_MAX = 1024
BUFFER_BYTES_MAX = 1 << 20


def inbound_listener_name(backend: str) -> str:
    """The listener, and its routes."""
    return f"in|{backend}"


def _tls(service: str, topology: Topology) -> dict[str, Any]:
    config = {
        "require_client_certificate": True,
        # A resumed session would carry an identity on after its certificate was replaced.
        "disable_stateless_session_resumption": True,
        "disable_stateful_session_resumption": True,
        "common_tls_context": {
            "tls_params": {"tls_minimum_protocol_version": "TLSv1_3", "tls_maximum_protocol_version": "TLSv1_3"},
            "alpn_protocols": ["h2"],
            "tls_certificate_sds_secret_configs": [{"name": certificate_name(service), "sds_config": ADS_SOURCE}],
            "combined_validation_context": validation({"prefix": f"spiffe://{topology.trust_domain}/"}),
        },
    }
    return extension("envoy.transport_sockets.tls", _DOWNSTREAM_TLS, config)


def _listener(backend: str, port: int, topology: Topology, contracts: Contracts) -> dict[str, Any]:
    service, name = service_of(backend), inbound_listener_name(backend)
    sticky = sticky_filters(methods_of(service, contracts))
    http = manager(
        name,
        [
            inbound_rbac(service, topology, contracts),
            fault_filter(),
            *sticky,
            *([reroute_filter()] if sticky else []),
        ],
        access_log=[access_log(name), call_log(backend)],
        access_log_options={"access_log_flush_interval": f"{HELD_S:g}s"},
        codec_type="HTTP2",
        http2_protocol_options={
            "max_concurrent_streams": STREAMS_PER_CONNECTION_MAX,
            "initial_stream_window_size": 1 << 20,
            "initial_connection_window_size": 4 << 20,
        },
        common_http_protocol_options={"idle_timeout": "3600s", "max_headers_count": 128},
        forward_client_cert_details="SANITIZE_SET",
        set_current_client_cert_details={"uri": True},
        request_headers_timeout="10s",
        local_reply_config=grpc_replies(),
    )
    return {
        "name": name,
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}},
        "per_connection_buffer_limit_bytes": BUFFER_BYTES_MAX,
        "filter_chains": [{"transport_socket": _tls(service, topology), "filters": [http]}],
    }


def _method_routes(method: MethodContract, backend: str, topology: Topology, state: State) -> list[dict[str, Any]]:
    split = state.splits.get(backend)
    action = {
        "retry_policy": retry(retry_on(method), state.limits) | (OUTLASTING if split else {}),
        **timing(method, DEADLINE_MARGIN_S),
        **lane(method),
    }
    return split_routes(method, backend, action, split, topology)


def _public_route(service: str, backend: str) -> dict[str, Any]:
    action = {"cluster": local_name(backend), "timeout": "0s", "idle_timeout": "3600s"}
    return {"match": {"prefix": f"/{service}/"}, "route": action}


def inbound(backend: str, topology: Topology, contracts: Contracts, state: State) -> Resources:
    """Everything that brings calls to one backend's instances."""
    service, name = service_of(backend), inbound_listener_name(backend)
    methods = methods_of(service, contracts)
    faults = [each for each in state.faults if each.service == service]
    routes = [
        route
        for method in methods
        for each in _method_routes(method, backend, topology, state)
        for route in with_faults(each, faults, topology)
    ]
    if service == CONTROL:
        routes += [_public_route(s, backend) for s in PUBLIC]
    over_http, http_routes = inbound_paths(service, backend, topology, state)
    chosen = by_value() if sticky_methods(methods) else {}
    secret = certificate_name(service)
    trust = trust_secret(state.roots_pem)
    result = Resources(
        clusters={local_name(backend): local_cluster(backend, state.limits) | chosen},
        endpoints={local_name(backend): local_endpoints(backend, state.endpoints.get(backend, ()))},
        listeners={name: _listener(backend, state.inbound_ports[backend], topology, contracts)},
        routes={name: route_table(name, [*routes, *http_routes])},
        secrets={secret: certificate_secret(secret, state.certificates[service]), trust["name"]: trust},
    )
    result.add(over_http)
    if may_have_candidate(backend):
        result.add(_candidate(service, chosen, state))
    return result


def _candidate(service: str, chosen: dict[str, Any], state: State) -> Resources:
    """The clusters of a candidate, there whether or not a release is under way: then a release moves routes alone."""
    instances, endpoints = candidate_backend(service), candidate_instances_name(service)
    return Resources(
        clusters={
            endpoints: local_cluster(instances, state.limits) | chosen,
            candidate_name(service): candidate_cluster(service, state.limits),
        },
        endpoints={endpoints: candidate_endpoints(service, state.endpoints.get(instances, ()))},
    )
