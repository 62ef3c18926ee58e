"""What the HTTP connection managers of all listeners share, and the parts of a route."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crossrate.rpc.contract import MethodContract
from services.control.envoy_api import TYPE_PREFIX, extension
from services.control.routes import Backend, HeaderMatch
from services.control.secrets import ADS_SOURCE
from services.control.state import Limits

_MANAGER = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
_ROUTER = "envoy.extensions.filters.http.router.v3.Router"
_PREVIOUS_HOSTS = "envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"

DEADLINE_MARGIN_S = 0.25
"""How much later than a server a proxy ends a call: the server, which knows more, answers first.
The edge adds it twice."""
NEVER_SENT = "connect-failure,refused-stream,reset-before-request"
"""Failures in which no server has seen the call, so that repeating it is safe for any method."""
REPEATABLE = f"{NEVER_SENT},reset,unavailable"
"""The same, and failures after which a call that may be repeated is repeated elsewhere."""


def seconds(value: float) -> str:
    """A duration in JSON form."""
    return f"{value:.9f}".rstrip("0").rstrip(".") + "s"


def router() -> dict[str, Any]:
    """The last filter."""
    return extension("envoy.filters.http.router", _ROUTER, {"suppress_envoy_headers": True})


def manager(name: str, filters: Sequence[Mapping[str, Any]], **settings: Any) -> dict[str, Any]:
    """The network filter that speaks HTTP, with the routes `name` from ADS."""
    config = {
        "stat_prefix": name.replace("|", "_"),
        "rds": {"config_source": ADS_SOURCE, "route_config_name": name},
        "http_filters": [*filters, router()],
        "server_header_transformation": "PASS_THROUGH",
        "generate_request_id": False,
        "normalize_path": True,
        "merge_slashes": False,
        "stream_error_on_invalid_http_message": True,
        **settings,
    }
    return extension("envoy.filters.network.http_connection_manager", _MANAGER, config)


def retry(retry_on: str, limits: Limits) -> dict[str, Any]:
    """A retry policy that prefers an instance that has not failed the call yet."""
    return {
        "retry_on": retry_on,
        "num_retries": limits.retries_of_a_call,
        "retry_host_predicate": [extension("envoy.retry_host_predicates.previous_hosts", _PREVIOUS_HOSTS)],
        "host_selection_retry_max_attempts": 3,
        "retry_back_off": {"base_interval": "0.01s", "max_interval": "0.1s"},
    }


def retry_on(method: MethodContract) -> str:
    """After which failures a method's calls are repeated."""
    return REPEATABLE if method.retryable and not method.streaming else NEVER_SENT


def timing(method: MethodContract, margin_s: float, timeout_s: float | None = None) -> dict[str, Any]:
    """The times of a method's route: its deadline, or less if the caller or the route asks for less, and how long a
    stream may be silent."""
    longest = seconds(min(method.deadline_s, timeout_s or method.deadline_s) + margin_s)
    idle_s = method.stream_idle_timeout_s or method.deadline_s
    return {
        "timeout": "0s",
        "idle_timeout": seconds(idle_s + margin_s),
        "max_stream_duration": {"max_stream_duration": longest, "grpc_timeout_header_max": longest},
    }


def lane(method: MethodContract) -> dict[str, Any]:
    """Calls of the reserved lane have limits and connections of their own in every cluster, which the others cannot
    fill. So have streams, which are open for long and do nothing most of it: a service bounds their number itself."""
    return {"priority": "HIGH"} if method.reserved_lane or method.streaming else {}


def untimed() -> dict[str, Any]:
    """The times of a route that keeps only the time that the caller asks for; the next proxy keeps the contract's."""
    return {"timeout": "0s", "idle_timeout": "0s", "max_stream_duration": {"grpc_timeout_header_max": "0s"}}


def left_out(*filters: str) -> dict[str, Any]:
    """The per-filter configuration of a route on which some filters are left out."""
    disabled = {"@type": TYPE_PREFIX + "envoy.config.route.v3.FilterConfig", "disabled": True, "config": {}}
    return dict.fromkeys(filters, disabled)


def header_matches(headers: Sequence[HeaderMatch]) -> list[dict[str, Any]]:
    """Headers that a route asks for."""
    return [
        {"name": h.name, "string_match": {"safe_regex": {"regex": h.value}} if h.is_regex else {"exact": h.value}}
        for h in headers
    ]


def split(clusters: Sequence[tuple[str, Backend]]) -> dict[str, Any]:
    """The target of a route: one cluster, or several by weight."""
    if len(clusters) == 1:
        return {"cluster": clusters[0][0]}
    return {"weighted_clusters": {"clusters": [{"name": name, "weight": b.weight} for name, b in clusters]}}


def route_table(name: str, routes: Sequence[Mapping[str, Any]], **settings: Any) -> dict[str, Any]:
    """A route configuration with one virtual host for every name."""
    return {"name": name, "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": list(routes), **settings}]}
