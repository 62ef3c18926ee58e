"""The certificates in use: one for each identity, replaced at half of its life."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from crossrate.runtime.topology import Topology
from services.control.ca import Authority, Issued
from services.control.state import EDGE, KeyPair


class Certificates:
    """Issues and holds the certificates of all services and of the edge. Keys never leave this process but by SDS."""

    def __init__(self, authority: Authority, topology: Topology, now: dt.datetime) -> None:
        self.authority = authority
        self._topology = topology
        self._workloads: dict[str, Issued] = {}
        self.edge_server: Issued
        self.renew(now)

    def renew(self, now: dt.datetime) -> None:
        """Issues all of them anew."""
        lifetime_s = self._topology.certificates.workload_lifetime_s
        identities = {name: self._topology.identity(name) for name in (*self._topology.services, EDGE)}
        self._workloads = {n: self.authority.issue(uri, lifetime_s, now) for n, uri in identities.items()}
        self.edge_server = self.authority.issue_edge(lifetime_s, now)

    @property
    def renew_time(self) -> dt.datetime:
        """When the first of them is at half of its life."""
        return min(c.half_life for c in (*self._workloads.values(), self.edge_server))

    @property
    def key_pairs(self) -> Mapping[str, KeyPair]:
        """By identity's word."""
        return {name: issued.pair for name, issued in self._workloads.items()}

    @property
    def issued(self) -> list[Issued]:
        """All, in order of identity."""
        return sorted((*self._workloads.values(), self.edge_server), key=lambda c: c.identity)
