"""The edge listener: one TLS port for gRPC, REST and gRPC-Web, hardened after Envoy's own list for edge proxies."""

from __future__ import annotations

from typing import Any

from crossrate.rpc.contract import MethodContract
from crossrate.runtime.topology import Topology
from services.control import authentication, transcoder
from services.control.access import PUBLIC, Contracts, edge_rbac, methods_of
from services.control.clusters import inbound_endpoints, inbound_name, mesh_cluster, mesh_name
from services.control.denials import access_log
from services.control.envoy_api import TYPE_PREFIX, extension
from services.control.http import (
    DEADLINE_MARGIN_S,
    NEVER_SENT,
    header_matches,
    lane,
    left_out,
    manager,
    retry,
    route_table,
    split,
    timing,
)
from services.control.outbound import route_of
from services.control.paths import edge_routes
from services.control.rate_limits import bucket, rate_limit, route_metadata
from services.control.replies import edge_replies, security_headers
from services.control.routes import Match, Rule
from services.control.secrets import (
    ADS_SOURCE,
    EDGE_SERVER,
    TRUST,
    certificate_name,
    certificate_secret,
    trust_secret,
)
from services.control.shares import caller_headers
from services.control.state import CONTROL, EDGE, Resources, State

_FILTERS = "envoy.extensions.filters.http"
_CORS_POLICY = f"{_FILTERS}.cors.v3.CorsPolicy"
_CONNECTION_LIMIT = "envoy.extensions.filters.network.connection_limit.v3.ConnectionLimit"
_CONNECTION_RATE = "envoy.extensions.filters.network.local_ratelimit.v3.LocalRateLimit"
_DOWNSTREAM_TLS = "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext"

LISTENER = "edge"
OPENAPI_PATH = "/openapi.json"
CONNECTION_WINDOW_BYTES = 1 << 20
HEADERS_KIB_MAX = 32
HEADERS_MAX = 100
OPENAPI_BYTES_MAX = 4 << 20
GRPC_HEADERS = ("grpc-status", "grpc-message", "grpc-status-details-bin")
ANSWER_HEADERS = ("x-request-id", "retry-after", "www-authenticate")
"""Headers that a page may read, beside those of gRPC."""
REQUEST_HEADERS = (
    "accept",
    "authorization",
    "content-type",
    "grpc-timeout",
    "traceparent",
    "x-grpc-web",
    "x-request-id",
    "x-user-agent",
)
"""Headers that a page may send."""
FOR_BROWSERS_AND_JSON = (
    "envoy.filters.http.cors",
    "envoy.filters.http.grpc_web",
    "envoy.filters.http.lua",
    transcoder.FILTER,
)
"""Filters that a call in plain gRPC has no use for: a quarter of what it costs the edge."""
FOR_GRPC_AND_JSON = ("envoy.filters.http.grpc_web", "envoy.filters.http.lua", transcoder.FILTER)
"""Filters that what a service answers over HTTP passes by."""
STRIPPED_PREFIXES = ("x-envoy-", "x-crossrate-", "x-forwarded-client-cert")
"""Headers by which the mesh talks to itself; a client's own are taken away before anything reads them."""


def _tls(topology: Topology) -> dict[str, Any]:
    common: dict[str, Any] = {
        "tls_params": {"tls_minimum_protocol_version": "TLSv1_2", "tls_maximum_protocol_version": "TLSv1_3"},
        "alpn_protocols": ["h2", "http/1.1"],
        "tls_certificate_sds_secret_configs": [{"name": EDGE_SERVER, "sds_config": ADS_SOURCE}],
    }
    config: dict[str, Any] = {"common_tls_context": common}
    if topology.clients:
        # A client may show a certificate: a rule on its names would make Envoy demand one, so they are looked at where
        # calls are let in. It is asked for anew on each connection.
        common["validation_context_sds_secret_config"] = {"name": TRUST, "sds_config": ADS_SOURCE}
        config["disable_stateless_session_resumption"] = config["disable_stateful_session_resumption"] = True
    return extension("envoy.transport_sockets.tls", _DOWNSTREAM_TLS, config)


def public_paths(topology: Topology, state: State) -> list[str]:
    """What the edge answers to everybody: its document, and what services answer by themselves, pages of a login above
    all."""
    paths = [path for service in topology.services.values() for path in service.http]
    return [*([OPENAPI_PATH] if state.openapi else []), *paths]


def _filters(topology: Topology, contracts: Contracts, state: State) -> list[dict[str, Any]]:
    filters = [
        extension("envoy.filters.http.cors", f"{_FILTERS}.cors.v3.Cors"),
        extension("envoy.filters.http.grpc_web", f"{_FILTERS}.grpc_web.v3.GrpcWeb"),
        # Before anything reads a body: who proves nothing has nothing kept for him.
        *authentication.filters(topology, public_paths(topology, state), state.edge_port),
    ]
    if state.json_guard:
        source = {"default_source_code": {"inline_string": state.json_guard}}
        filters.append(extension("envoy.filters.http.lua", f"{_FILTERS}.lua.v3.Lua", source))
    stats = {"stats_for_all_methods": False, "enable_upstream_stats": False}
    return [
        *filters,
        transcoder.transcoder(topology, contracts, state.limits),
        edge_rbac(topology, contracts, public_paths(topology, state)),
        rate_limit(topology),
        extension("envoy.filters.http.grpc_stats", f"{_FILTERS}.grpc_stats.v3.FilterConfig", stats),
    ]


def _listener(topology: Topology, contracts: Contracts, state: State) -> dict[str, Any]:
    edge = topology.edge
    http = manager(
        LISTENER,
        _filters(topology, contracts, state),
        access_log=[access_log(LISTENER)],
        codec_type="AUTO",
        use_remote_address=True,
        generate_request_id=True,
        preserve_external_request_id=True,
        # Nobody is internal: no client may send the headers that Envoy keeps for itself.
        internal_address_config={"cidr_ranges": [{"address_prefix": "192.0.2.255", "prefix_len": 32}]},
        skip_xff_append=False,
        early_header_mutation_extensions=[authentication.early_headers(STRIPPED_PREFIXES)],
        forward_client_cert_details="SANITIZE",
        merge_slashes=True,
        path_with_escaped_slashes_action="KEEP_UNCHANGED",
        max_request_headers_kb=HEADERS_KIB_MAX,
        common_http_protocol_options={
            "idle_timeout": "900s",
            "max_headers_count": HEADERS_MAX,
            "headers_with_underscores_action": "REJECT_REQUEST",
        },
        http_protocol_options={"accept_http_10": False},
        http2_protocol_options={
            "max_concurrent_streams": edge.streams_per_connection_max,
            # It bounds as well what is buffered of a stream's body, as the listener's buffer does over HTTP/1.1.
            "initial_stream_window_size": transcoder.rest_request_bytes_max(contracts),
            "initial_connection_window_size": CONNECTION_WINDOW_BYTES,
            # What a peer may have us keep or look at without sending anything of use: floods of CVE-2019-9511 to 9518.
            "max_outbound_frames": 5_000,
            "max_outbound_control_frames": 500,
            "max_consecutive_inbound_frames_with_empty_payload": 1,
            "max_inbound_priority_frames_per_stream": 20,
            "max_inbound_window_update_frames_per_data_frame_sent": 10,
            "connection_keepalive": {"interval": "60s", "timeout": "20s"},
        },
        stream_idle_timeout="60s",
        request_headers_timeout="10s",
        delayed_close_timeout="1s",
        local_reply_config=edge_replies(),
    )
    limit = extension(
        "envoy.filters.network.connection_limit",
        _CONNECTION_LIMIT,
        {"stat_prefix": "edge", "max_connections": edge.connections_max, "delay": "1s"},
    )
    # Before the handshake: whoever is too much is closed without one.
    rate = extension(
        "envoy.filters.network.local_ratelimit",
        _CONNECTION_RATE,
        {"stat_prefix": "edge", "token_bucket": bucket(edge.connections_per_s, 2 * edge.connections_per_s)},
    )
    return {
        "name": LISTENER,
        "address": {"socket_address": {"address": edge.address, "port_value": state.edge_port}},
        # A REST body is checked as a whole before it is transcoded, so the buffer holds the largest; the overload
        # manager bounds the sum.
        "per_connection_buffer_limit_bytes": transcoder.rest_request_bytes_max(contracts),
        "filter_chains": [
            {
                "transport_socket": _tls(topology),
                "transport_socket_connect_timeout": "10s",
                "filters": [rate, limit, http],
            }
        ],
        # Calls have their turn between two connections that are new.
        "max_connections_to_accept_per_socket_event": 1,
    }


def _takes(match: Match, method: MethodContract) -> bool:
    return match.service in (None, method.service) and match.method in (None, method.name)


def _method_routes(method: MethodContract, rules: tuple[Rule, ...], state: State) -> list[dict[str, Any]]:
    routes = []
    for rule in rules:
        action = {
            **split([(mesh_name(EDGE, b.name), b) for b in rule.backends]),
            **timing(method, 2 * DEADLINE_MARGIN_S, rule.timeout_s),
            **lane(method),
            "retry_policy": retry(NEVER_SENT, state.limits),
        }
        for match in rule.matches:
            if _takes(match, method):
                headers = header_matches(match.headers)
                # What comes as gRPC-Web is matched below; what comes as JSON has another path until it is transcoded,
                # and by then its filters are chosen.
                grpc = [{"name": "content-type", "string_match": {"exact": "application/grpc"}}, *headers]
                common = {"route": action, "request_headers_to_remove": ["authorization"], **route_metadata(method)}
                # JSON is gRPC by the time that its answer's headers are chosen, so both routes say them.
                common |= {"response_headers_to_add": security_headers()}
                plain = {"match": {"path": method.path, "headers": grpc}, **common}
                routes.append({**plain, "typed_per_filter_config": left_out(*FOR_BROWSERS_AND_JSON)})
                routes.append({"match": {"path": method.path, "headers": headers}, **common})
    return routes


def _public_route(service: str) -> dict[str, Any]:
    action = {"cluster": mesh_name(EDGE, CONTROL), "timeout": "0s", "idle_timeout": "3600s", "priority": "HIGH"}
    return {"match": {"prefix": f"/{service}/"}, "route": action}


def _openapi_route(document: str) -> dict[str, Any]:
    header = {
        "header": {"key": "content-type", "value": "application/json"},
        "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
    }
    return {
        "match": {"path": OPENAPI_PATH},
        "direct_response": {"status": 200, "body": {"inline_string": document}},
        "response_headers_to_add": [header, *security_headers()],
        "typed_per_filter_config": left_out(transcoder.FILTER),
    }


def _events_route(topology: Topology, contracts: Contracts, state: State) -> dict[str, Any]:
    """Before it is transcoded, a call that asks for events matches here and picks up its style; afterwards it has its
    gRPC path and matches its method's route above. What stays here has no method."""
    accepts = {"name": "accept", "string_match": {"contains": "text/event-stream", "ignore_case": True}}
    return {
        "match": {"prefix": "/", "headers": [accepts]},
        "direct_response": {"status": 404},
        "typed_per_filter_config": transcoder.events_config(topology, contracts, state.limits),
    }


def _page_route() -> dict[str, Any]:
    """Where a page's REST request, and its preflight, stand until they are transcoded: Envoy reads the policy of
    origins from a route to a cluster. What stays here has no method, and so no cluster."""
    asked_by_a_page = {"name": "origin", "present_match": True}
    nowhere = {"cluster": "no method", "cluster_not_found_response_code": "NOT_FOUND"}
    return {"match": {"prefix": "/", "headers": [asked_by_a_page]}, "route": nowhere}


def _cors(origins: tuple[str, ...]) -> dict[str, Any]:
    policy = {
        "@type": TYPE_PREFIX + _CORS_POLICY,
        "allow_origin_string_match": [{"exact": origin} for origin in origins],
        "allow_methods": "GET, POST, PUT, PATCH, DELETE, OPTIONS",
        "allow_headers": ", ".join(REQUEST_HEADERS),
        "expose_headers": ", ".join((*GRPC_HEADERS, *ANSWER_HEADERS)),
        "max_age": "7200",
    }
    return {"envoy.filters.http.cors": policy}


def edge(topology: Topology, contracts: Contracts, state: State) -> Resources:
    """Everything that the edge proxy needs."""
    result = Resources()
    routes: list[dict[str, Any]] = []
    for service in topology.services:
        rules = route_of(service, contracts, state).rules
        for method in methods_of(service, contracts):
            if method.roles:
                routes += _method_routes(method, rules, state)
        for backend in state.backends(service):
            result.clusters[mesh_name(EDGE, backend)] = mesh_cluster(EDGE, backend, topology, state.limits)
            result.endpoints[inbound_name(backend)] = inbound_endpoints(backend, state.inbound_ports[backend])
    if CONTROL in topology.services:
        routes += [_public_route(s) for s in PUBLIC]
    if state.openapi:
        routes.append(_openapi_route(state.openapi))
    routes += edge_routes(topology, state, FOR_GRPC_AND_JSON)
    routes += [_events_route(topology, contracts, state), _page_route()]
    table = route_table(LISTENER, routes, typed_per_filter_config=_cors(topology.edge.cors_origins))
    table["max_direct_response_body_size_bytes"] = OPENAPI_BYTES_MAX
    # It says what x-forwarded-for says, and would be carried to every service.
    table["request_headers_to_remove"] = ["x-envoy-external-address"]
    if told := caller_headers(state.splits):
        for host in table["virtual_hosts"]:
            host["request_headers_to_add"] = told
    secret, trust = certificate_name(EDGE), trust_secret(state.roots_pem)
    result.listeners[LISTENER] = _listener(topology, contracts, state)
    result.routes[LISTENER] = table
    result.secrets = {
        secret: certificate_secret(secret, state.certificates[EDGE]),
        EDGE_SERVER: certificate_secret(EDGE_SERVER, state.edge_server),
        trust["name"]: trust,
    }
    return result
