"""Faults for drills: what happens to which calls, until when, and the routes that make it so.

The proxy in front of a service does it, where every call has its gRPC path and its caller is proved. Envoy's fault
filter is there but left out; the route of a fault brings it in, so that calls without a fault pay nothing for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from crossrate.rpc.contract import MethodContract
from crossrate.runtime.topology import Topology
from services.control.access import called_by
from services.control.envoy_api import TYPE_PREFIX, extension
from services.control.state import EDGE, Fault

FILTER = "envoy.filters.http.fault"
_CONFIG = "envoy.extensions.filters.http.fault.v3.HTTPFault"
_ROUTE_FILTER = "envoy.config.route.v3.FilterConfig"
FAULTS_MAX = 32
PARTS = 10_000
"""Shares are told to Envoy in parts of a million: a percent has so many."""


class FaultError(ValueError):
    """A fault cannot be put in force: `field` is what is wrong with it."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"{field}: {why}")
        self.field, self.why = field, why


def methods_met(service: str, method: str, known: Iterable[MethodContract]) -> tuple[str, ...]:
    """Paths of the methods of a service that a fault's `method` means.

    Raises:
        FaultError: the service has none of that name.
    """
    known = tuple(known)
    if not known:
        raise FaultError("service", f"there is no service {service!r} with methods")
    wanted = method.strip("/")
    found = tuple(m.path for m in known if not wanted or m.path[1:] == wanted or m.path.endswith(f".{wanted}"))
    if not found:
        raise FaultError("method", f"{service} has no method {method!r}; `crossrate routes` lists them")
    return found


def check_caller(caller: str, service: str, topology: Topology) -> None:
    """That somebody of that name can call the service.

    Raises:
        FaultError: nobody can.
    """
    if caller and caller != EDGE and (caller not in topology.services or caller == service):
        others = sorted({EDGE, *topology.services} - {service})
        raise FaultError("caller", f"must be one of {', '.join(others)}")


def fault_filter() -> dict[str, Any]:
    """The filter of a listener: there, and left out of every call whose route does not ask for it."""
    return {**extension(FILTER, _CONFIG, {}), "disabled": True}


def _config(fault: Fault) -> dict[str, Any]:
    share = {"numerator": max(1, round(fault.percent * PARTS)), "denominator": "MILLION"}
    config: dict[str, Any] = {"@type": TYPE_PREFIX + _CONFIG, "disable_downstream_cluster_stats": True}
    if fault.delay_s:
        config["delay"] = {"fixed_delay": f"{fault.delay_s:.3f}s", "percentage": share}
    if fault.abort is not None:
        config["abort"] = {"grpc_status": fault.abort.value[0], "percentage": share}
    return {"@type": TYPE_PREFIX + _ROUTE_FILTER, "config": config}


def with_faults(route: Mapping[str, Any], faults: Iterable[Fault], topology: Topology) -> list[dict[str, Any]]:
    """The route of one method, and before it those of the faults that meet it, the newest first."""
    path = route["match"]["path"]
    routes: list[dict[str, Any]] = []
    for fault in sorted(faults, key=lambda f: (f.create_time, f.name), reverse=True):
        if path not in fault.methods:
            continue
        match: dict[str, Any] = dict(route["match"])
        if fault.caller:
            match["headers"] = [*match.get("headers", ()), called_by([fault.caller], topology)]
        others = route.get("typed_per_filter_config", {})
        routes.append({**route, "match": match, "typed_per_filter_config": {**others, FILTER: _config(fault)}})
    return [*routes, dict(route)]
