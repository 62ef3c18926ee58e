"""Clusters: where calls go, with which identity, and what is done when a place does not answer."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from crossrate.runtime.place import http_twin
from crossrate.runtime.topology import Topology
from services.control.envoy_api import TYPE_PREFIX, extension
from services.control.secrets import ADS_SOURCE, certificate_name, validation
from services.control.split import candidate_backend
from services.control.state import EDGE, Limits, service_of

_HTTP = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
_UPSTREAM_TLS = "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"
_AGGREGATE = "envoy.extensions.clusters.aggregate.v3.ClusterConfig"
# Ejections reach the workers at once: with the default of 1 s a restart loses hundreds of calls.
_LB_CONFIG = {"update_merge_window": "0s", "healthy_panic_threshold": {"value": 0}}
_NO_SPILL = 100_000
"""Percent: one instance in a thousand is enough for all calls."""
STREAM_WINDOW_BYTES = 1 << 20
CONNECTION_WINDOW_BYTES = 4 << 20
BUFFER_BYTES_MAX = 1 << 20
HTTP_IDLE_S = 60


def local_name(backend: str) -> str:
    """The cluster of a backend's own instances."""
    return f"local|{backend}"


def candidate_instances_name(service: str) -> str:
    """The cluster of a service's candidate instances."""
    return local_name(candidate_backend(service))


def candidate_name(service: str) -> str:
    """The cluster that a release's share goes to: the candidate's instances, and while none of them serves the stable
    ones, so that a candidate that dies takes no call with it that can still be answered."""
    return f"candidate|{service}"


def mesh_name(caller: str, backend: str) -> str:
    """The cluster by which a caller reaches a backend's inbound listener."""
    return f"mesh|{caller}|{backend}"


def inbound_name(backend: str) -> str:
    """The endpoints of a backend's inbound listeners, shared by all callers."""
    return f"inbound|{backend}"


def connection_life_s(caller: str, backend: str, topology: Topology) -> float:
    """How long a connection between proxies lives, in seconds: a fifth to three tenths of a certificate's life.

    A certificate is replaced at half of its life, so no connection outlives the certificate that opened it. The life
    differs from pair to pair, so that not all connections are opened anew at once.
    """
    spread = int.from_bytes(hashlib.sha256(mesh_name(caller, backend).encode()).digest()[:2]) / 0xFFFF
    return round(topology.certificates.workload_lifetime_s * (0.2 + 0.1 * spread), 1)


def http_name(backend: str) -> str:
    """The cluster of a backend's own instances for the paths that they answer over HTTP."""
    return f"http|{backend}"


def _protocol(connection_life_s: float | None, streams_max: int | None = None) -> dict[str, Any]:
    common: dict[str, Any] = {"idle_timeout": "3600s"}
    if connection_life_s is not None:
        common["max_connection_duration"] = f"{connection_life_s}s"
    http2 = {
        "initial_stream_window_size": STREAM_WINDOW_BYTES,
        "initial_connection_window_size": CONNECTION_WINDOW_BYTES,
        "connection_keepalive": {"interval": "30s", "timeout": "10s"},
    }
    if streams_max is not None:
        http2["max_concurrent_streams"] = streams_max
    return {
        _HTTP: {
            "@type": TYPE_PREFIX + _HTTP,
            "common_http_protocol_options": common,
            "explicit_http_config": {"http2_protocol_options": http2},
        }
    }


def _threshold(priority: str, limits: Limits, requests_max: int | None = None) -> dict[str, Any]:
    return {
        "priority": priority,
        "max_connections": limits.connections_max,
        "max_pending_requests": limits.requests_pending_max,
        "max_requests": min(limits.requests_max, requests_max or limits.requests_max),
        # Without a budget three retries at once are all there is.
        "retry_budget": {
            "budget_percent": {"value": limits.retry_budget_percent},
            "min_retry_concurrency": limits.retries_min,
        },
    }


def _circuit_breakers(limits: Limits) -> dict[str, Any]:
    return {"thresholds": [_threshold("DEFAULT", limits), _threshold("HIGH", limits)]}


def _base(name: str, endpoints: str, limits: Limits, connection_life_s: float | None) -> dict[str, Any]:
    return {
        "name": name,
        "type": "EDS",
        "eds_cluster_config": {"eds_config": ADS_SOURCE, "service_name": endpoints},
        "connect_timeout": f"{limits.connect_timeout_s}s",
        "per_connection_buffer_limit_bytes": BUFFER_BYTES_MAX,
        "typed_extension_protocol_options": _protocol(connection_life_s),
        "common_lb_config": _LB_CONFIG,
        # What instances agree on (no price, say) must not take all of them out: at most half are.
        "outlier_detection": {
            "consecutive_5xx": 10,
            "consecutive_gateway_failure": 10,
            "enforcing_consecutive_gateway_failure": 100,
            "split_external_local_origin_errors": True,
            "consecutive_local_origin_failure": 3,
            "enforcing_success_rate": 0,
            "enforcing_local_origin_success_rate": 0,
            "interval": "1s",
            "base_ejection_time": f"{limits.ejection_s}s",
            "max_ejection_percent": 50,
        },
        "circuit_breakers": _circuit_breakers(limits),
    }


def local_cluster(backend: str, limits: Limits) -> dict[str, Any]:
    """The instances of a backend on their Unix sockets, asked for their health."""
    cluster = _base(local_name(backend), local_name(backend), limits, None)
    # Control withdraws an instance that ends before it stops; these checks are for instances that hang, and for a mesh
    # whose control is gone.
    cluster["health_checks"] = [
        {
            "timeout": f"{limits.health_timeout_s}s",
            "interval": f"{limits.health_interval_s}s",
            "no_traffic_interval": f"{limits.health_interval_s}s",
            "unhealthy_interval": "0.25s",
            "unhealthy_threshold": 2,
            "healthy_threshold": 1,
            "grpc_health_check": {"authority": service_of(backend)},
        }
    ]
    cluster["ignore_health_on_host_removal"] = True
    return cluster


def candidate_cluster(service: str, limits: Limits) -> dict[str, Any]:
    """The candidate's instances first, the stable ones while there are none."""
    clusters = {"clusters": [candidate_instances_name(service), local_name(service)]}
    return {
        "name": candidate_name(service),
        "connect_timeout": f"{limits.connect_timeout_s}s",
        "lb_policy": "CLUSTER_PROVIDED",
        "common_lb_config": _LB_CONFIG,
        "circuit_breakers": _circuit_breakers(limits),
        "cluster_type": extension("envoy.clusters.aggregate", _AGGREGATE, clusters),
    }


def http_cluster(backend: str, limits: Limits) -> dict[str, Any]:
    """The same instances where they answer paths of their own. A service listens there before it registers."""
    cluster = _base(http_name(backend), http_name(backend), limits, None)
    options = {
        "@type": TYPE_PREFIX + _HTTP,
        # Sooner than the server closes an idle connection, so that no request meets a closing one.
        "common_http_protocol_options": {"idle_timeout": f"{HTTP_IDLE_S}s"},
        "explicit_http_config": {"http_protocol_options": {}},
    }
    cluster["typed_extension_protocol_options"] = {_HTTP: options}
    cluster["ignore_health_on_host_removal"] = True
    return cluster


def mesh_cluster(caller: str, backend: str, topology: Topology, limits: Limits) -> dict[str, Any]:
    """A backend's inbound listener, reached with the caller's certificate; it has to prove the service's identity."""
    life_s = connection_life_s(caller, backend, topology)
    cluster = _base(mesh_name(caller, backend), inbound_name(backend), limits, life_s)
    service = service_of(backend)
    if caller == EDGE and (known := topology.services.get(service)) is not None:
        # What the instances would refuse anyway is refused here, for a third of what it costs to ask them. What has a
        # lane of its own is not counted.
        room = known.concurrency_max * known.instances
        if known.waiting_max:
            room = max(1, room // 2)
        default = _threshold("DEFAULT", limits, room)
        if known.waiting_max:
            # Envoy lets calls wait where all connections that there may be have all streams that they may have. There
            # are two, so that a slow call on one that is to be closed holds up half of the others at most. Calls of the
            # other lane open more connections, which are counted apart.
            connections = min(2, room)
            default |= {"max_connections": connections, "max_pending_requests": known.waiting_max}
            cluster["typed_extension_protocol_options"] = _protocol(life_s, room // connections)
        cluster["circuit_breakers"] = {"thresholds": [default, _threshold("HIGH", limits)]}
    tls = {
        "sni": f"{service}.{topology.trust_domain}",
        "common_tls_context": {
            "tls_params": {"tls_minimum_protocol_version": "TLSv1_3", "tls_maximum_protocol_version": "TLSv1_3"},
            "alpn_protocols": ["h2"],
            "tls_certificate_sds_secret_configs": [{"name": certificate_name(caller), "sds_config": ADS_SOURCE}],
            "combined_validation_context": validation({"exact": topology.identity(service)}),
        },
    }
    cluster["transport_socket"] = extension("envoy.transport_sockets.tls", _UPSTREAM_TLS, tls)
    return cluster


def _assignment(name: str, addresses: Iterable[dict[str, Any]]) -> dict[str, Any]:
    endpoints = [{"endpoint": {"address": a}} for a in addresses]
    return {"cluster_name": name, "endpoints": [{"lb_endpoints": endpoints}] if endpoints else []}


def local_endpoints(backend: str, sockets: Iterable[str]) -> dict[str, Any]:
    """The instances that serve."""
    return _assignment(local_name(backend), ({"pipe": {"path": s}} for s in sockets))


def candidate_endpoints(service: str, sockets: Iterable[str]) -> dict[str, Any]:
    """The candidate's instances that serve. As long as one is well they have all of the candidate's calls: with Envoy's
    own factor of 140 % the stable ones would have a part of them while a new instance waits for its first check, and
    callers would go back and forth."""
    return local_endpoints(candidate_backend(service), sockets) | {"policy": {"overprovisioning_factor": _NO_SPILL}}


def http_endpoints(backend: str, sockets: Iterable[str]) -> dict[str, Any]:
    """The instances that serve, where they answer over HTTP."""
    return _assignment(http_name(backend), ({"pipe": {"path": http_twin(s)}} for s in sockets))


def inbound_endpoints(backend: str, port: int) -> dict[str, Any]:
    """The inbound listener of a backend."""
    address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    return _assignment(inbound_name(backend), [address])
