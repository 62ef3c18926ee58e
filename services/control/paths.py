"""Paths of the edge that a service answers itself, over HTTP: pages of a login, an API that others have defined.

```
client ─▶ edge ─ mTLS ─▶ inbound listener ─ HTTP/1.1 ─▶ <instance>.http.sock
          │ topology: services.<word>.http       │ only the edge, only these paths
          └ neither transcoded nor checked by a contract: the service does all of it
```

The way is that of a call until the last step, so that certificates, endpoints and drain are the same. A service learns
from headers what the edge saw: `x-forwarded-for`, `x-request-id`, and of a client's certificate its name
(CLIENT_HEADER) and its SHA-256 (FINGERPRINT_HEADER). The edge removes what a client sends under names of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from crossrate.runtime.topology import Topology
from services.control.clusters import http_cluster, http_endpoints, http_name, mesh_name
from services.control.http import NEVER_SENT, left_out, retry
from services.control.state import EDGE, Limits, Resources, State

LIFE_S_MAX = 3600
"""How long a streamed answer may go on."""
SILENCE_S_MAX = 60


def _match(path: str) -> dict[str, Any]:
    return {"prefix": path} if path.endswith("/") else {"path": path}


def _action(cluster: str, limits: Limits) -> dict[str, Any]:
    return {
        "cluster": cluster,
        "timeout": "0s",
        "idle_timeout": f"{SILENCE_S_MAX}s",
        "max_stream_duration": {"max_stream_duration": f"{LIFE_S_MAX}s"},
        "retry_policy": retry(NEVER_SENT, limits),
    }


def edge_routes(topology: Topology, state: State, not_for: Iterable[str]) -> list[dict[str, Any]]:
    """The edge's routes; `not_for` names the filters that such requests pass by."""
    return [
        {
            "match": _match(path),
            "route": _action(mesh_name(EDGE, name), state.limits),
            "typed_per_filter_config": left_out(*not_for),
        }
        for name, service in topology.services.items()
        for path in service.http
    ]


def inbound_paths(service: str, backend: str, topology: Topology, state: State) -> tuple[Resources, list[Any]]:
    """Cluster and endpoints of a backend's HTTP sockets, and the routes to them; nothing if it has no such path."""
    paths, result = topology.services[service].http, Resources()
    if not paths:
        return result, []
    result.clusters[http_name(backend)] = http_cluster(backend, state.limits)
    result.endpoints[http_name(backend)] = http_endpoints(backend, state.endpoints.get(backend, ()))
    return result, [{"match": _match(p), "route": _action(http_name(backend), state.limits)} for p in paths]
