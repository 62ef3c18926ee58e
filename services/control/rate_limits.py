"""How much a client may ask of the edge: token buckets by client, class and lane, from which a call takes its cost.

A bucket belongs to a subject of a token or to a client's certificate, and is made when its first call comes; the
least used of CLIENTS_MAX are forgotten, and begin full again. Calls of the reserved lane have buckets of their own, so
that whoever has spent everything on orders still cancels. What has no contract (pages, health) is not counted here.
"""

from __future__ import annotations

from typing import Any

from crossrate.rpc.caller import CLIENT_HEADER
from crossrate.rpc.contract import MethodContract
from crossrate.runtime.topology import Topology
from services.control.authentication import FILTER as AUTHENTICATION
from services.control.authentication import TOKEN_KEY
from services.control.envoy_api import extension

FILTER = "envoy.filters.http.local_ratelimit"
METADATA = "crossrate.rate"
"""Where a route says its method's lane and cost."""
NORMAL, RESERVED = "normal", "reserved"
CLIENTS_MAX = 20_000
FILL_S = 0.05
STANDARD = "standard"

_LIMIT = "envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit"


def route_metadata(method: MethodContract) -> dict[str, Any]:
    """What a method's routes say of it to this filter."""
    said = {"lane": RESERVED if method.reserved_lane else NORMAL, "cost": method.cost}
    return {"metadata": {"filter_metadata": {METADATA: said}}}


def bucket(per_s: float, burst: int) -> dict[str, Any]:
    """A token bucket of Envoy's, filled often enough that nobody waits for long."""
    return {
        "max_tokens": burst,
        "tokens_per_fill": max(1, round(per_s * FILL_S)),
        "fill_interval": f"{FILL_S if per_s * FILL_S >= 1 else 1 / per_s:.3f}s",
    }


def _said(key: str, namespace: str, *path: str, source: str = "DYNAMIC", default: str = "") -> dict[str, Any]:
    where = {"key": namespace, "path": [{"key": name} for name in path]}
    action = {"descriptor_key": key, "metadata_key": where, "source": source}
    return {"metadata": action | ({"default_value": default} if default else {})}


def rate_limit(topology: Topology) -> dict[str, Any]:
    """The filter. It stands behind the one that decides who may call what: a refused call costs its client nothing."""
    lane = _said("lane", METADATA, "lane", source="ROUTE_ENTRY")
    cost = {"format": f"%METADATA(ROUTE:{METADATA}:cost)%"}
    by_token = [
        lane,
        _said("class", AUTHENTICATION, TOKEN_KEY, "rate_class", default=STANDARD),
        _said("client", AUTHENTICATION, TOKEN_KEY, "sub"),
    ]
    by_certificate = [
        lane,
        {"request_headers": {"header_name": CLIENT_HEADER, "descriptor_key": "certificate"}},
    ]
    descriptors = [
        {
            "entries": [_entry("lane", each), _entry("class", name), _entry("client")],
            "token_bucket": bucket(limit.per_s, limit.burst),
        }
        for each in (NORMAL, RESERVED)
        for name, limit in sorted(topology.rate_classes.items())
    ]
    descriptors += [
        {
            "entries": [_entry("lane", each), _entry("certificate", topology.client_identity(name))],
            "token_bucket": bucket(limit.per_s, limit.burst),
        }
        for each in (NORMAL, RESERVED)
        for name, client in sorted(topology.clients.items())
        for limit in (topology.rate_classes[client.rate_class],)
    ]
    always = {"default_value": {"numerator": 100, "denominator": "HUNDRED"}, "runtime_key": "crossrate.never_set"}
    config = {
        "stat_prefix": "edge",
        "filter_enabled": always,
        "filter_enforced": always,
        "rate_limited_as_resource_exhausted": True,
        "rate_limits": [
            {"actions": by_token, "hits_addend": cost},
            {"actions": by_certificate, "hits_addend": cost},
        ],
        "descriptors": descriptors,
        "max_dynamic_descriptors": CLIENTS_MAX,
    }
    return extension(FILTER, _LIMIT, config)


def _entry(key: str, value: str = "") -> dict[str, str]:
    return {"key": key, "value": value} if value else {"key": key}
