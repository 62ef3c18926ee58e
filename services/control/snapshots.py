"""Versions of the proxies' configuration: what is served now, and what was before."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from services.control.envoy_api import TYPE_PREFIX, parse
from services.control.state import Resources

HISTORY_MAX = 100

TYPES: Mapping[str, str] = {
    "clusters": "envoy.config.cluster.v3.Cluster",
    "endpoints": "envoy.config.endpoint.v3.ClusterLoadAssignment",
    "listeners": "envoy.config.listener.v3.Listener",
    "routes": "envoy.config.route.v3.RouteConfiguration",
    "secrets": "envoy.extensions.transport_sockets.tls.v3.Secret",
}
"""Kinds of resources and their messages, in the order in which a change is made before the old is broken."""
TYPE_URLS: Mapping[str, str] = {kind: TYPE_PREFIX + name for kind, name in TYPES.items()}
KINDS: Mapping[str, str] = {url: kind for kind, url in TYPE_URLS.items()}


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource as it crosses the wire; two with the same digest are the same."""

    name: str
    data: bytes = field(repr=False)
    digest: bytes = field(repr=False)


Table = Mapping[str, Mapping[str, Resource]]
"""Resources of one proxy by kind and name."""
_EMPTY: Table = {kind: {} for kind in TYPES}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One version of all proxies' configuration."""

    version: int
    create_time: dt.datetime
    cause: str
    changed_count: int
    nodes: Mapping[str, Table] = field(repr=False)

    def table(self, node_id: str) -> Table:
        """The resources of a proxy; none for one that the mesh does not know."""
        return self.nodes.get(node_id, _EMPTY)


@dataclass(frozen=True, slots=True)
class SnapshotSummary:
    """What is remembered of a snapshot."""

    version: int
    create_time: dt.datetime
    cause: str
    changed_count: int


def _changed_count(old: Mapping[str, Table], new: Mapping[str, Table]) -> int:
    count = 0
    for node in old.keys() | new.keys():
        before, after = old.get(node, _EMPTY), new.get(node, _EMPTY)
        for kind in TYPES:
            names = before[kind].keys() | after[kind].keys()
            count += sum(before[kind].get(n) != after[kind].get(n) for n in names)
    return count


class Snapshots:
    """The current snapshot and a short history.

    Args:
        last_version: the newest version of an earlier run, so that versions only grow.
        on_version: is told each new version before anything is served under it.
    """

    def __init__(self, last_version: int, now: dt.datetime, on_version: Callable[[int], None]) -> None:
        self._encoded: dict[tuple[str, str], tuple[bytes, Resource]] = {}
        self._on_version = on_version
        self.current = Snapshot(last_version, now, "start", 0, {})
        self._history: deque[SnapshotSummary] = deque(maxlen=HISTORY_MAX)

    @property
    def history(self) -> list[SnapshotSummary]:
        """Newest first."""
        return list(reversed(self._history))

    def _encode(self, kind: str, name: str, document: Mapping[str, Any]) -> Resource:
        # Most resources are the same as in the version before; reading them as JSON is an order of magnitude cheaper
        # than making messages of them.
        source = hashlib.sha256(json.dumps(document, sort_keys=True).encode()).digest()
        known = self._encoded.get((kind, name))
        if known is not None and known[0] == source:
            return known[1]
        data = parse(TYPES[kind], document).SerializeToString(deterministic=True)
        resource = Resource(name, data, hashlib.sha256(data).digest())
        self._encoded[kind, name] = (source, resource)
        return resource

    def encode(self, nodes: Mapping[str, Resources]) -> dict[str, Table]:
        """The resources as messages.

        Raises:
            ResourceError: one is not what Envoy's API says; nothing has changed.
        """
        return {
            node: {
                kind: {name: self._encode(kind, name, d) for name, d in getattr(resources, kind).items()}
                for kind in TYPES
            }
            for node, resources in nodes.items()
        }

    def publish_parts(self, parts: Mapping[str, Resources], cause: str, now: dt.datetime) -> Snapshot:
        """Puts some resources of some proxies in the place of those with the same names, and leaves all others as they
        are; much cheaper than to go through all of them. Returns the snapshot before if nothing differs.

        Raises:
            ResourceError: one is not what Envoy's API says; the snapshot before stays.
        """
        changed_count, tables = 0, dict(self.current.nodes)
        for node, new in self.encode(parts).items():
            before = self.current.table(node)
            changed = {kind: {n: r for n, r in new[kind].items() if before[kind].get(n) != r} for kind in TYPES}
            changed_count += sum(map(len, changed.values()))
            tables[node] = {kind: {**before[kind], **changed[kind]} for kind in TYPES}
        return self._become(tables, changed_count, cause, now) if changed_count else self.current

    def publish(self, nodes: Mapping[str, Resources], cause: str, now: dt.datetime) -> Snapshot:
        """Makes these resources the current snapshot and returns it; the one before if nothing differs.

        Raises:
            ResourceError: one is not what Envoy's API says; the snapshot before stays.
        """
        tables = self.encode(nodes)
        changed_count = _changed_count(self.current.nodes, tables)
        if changed_count == 0:
            return self.current
        present = {(kind, name) for table in tables.values() for kind in TYPES for name in table[kind]}
        self._encoded = {key: value for key, value in self._encoded.items() if key in present}
        return self._become(tables, changed_count, cause, now)

    def _become(self, tables: Mapping[str, Table], changed_count: int, cause: str, now: dt.datetime) -> Snapshot:
        version = self.current.version + 1
        self._on_version(version)
        self.current = Snapshot(version, now, cause, changed_count, tables)
        self._history.append(SnapshotSummary(version, now, cause, changed_count))
        return self.current
