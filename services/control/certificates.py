"""The certificates in use: one for each identity, replaced at half of its life."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from crossrate.runtime.topology import Topology
from services.control.ca import Authority, Issued
from services.control.state import EDGE, KeyPair


class Certificates:
    """Issues and holds the certificates of all services, of the edge and of its clients.

    Keys of the mesh never leave this process but by SDS; a client's leave it in the client's own file (`clients`).
    """

    def __init__(self, authority: Authority, topology: Topology, now: dt.datetime) -> None:
        self.authority = authority
        self._topology = topology
        self._workloads: dict[str, Issued] = {}
        self._clients: dict[str, Issued] = {}
        self.edge_server: Issued
        self.renew(now)

    def renew(self, now: dt.datetime) -> None:
        """Issues all of them anew."""
        lifetime_s = self._topology.certificates.workload_lifetime_s
        identities = {name: self._topology.identity(name) for name in (*self._topology.services, EDGE)}
        self._workloads = {n: self.authority.issue(uri, lifetime_s, now) for n, uri in identities.items()}
        self.edge_server = self.authority.issue_edge(lifetime_s, now)
        lifetime_s = self._topology.certificates.client_lifetime_s
        identities = {name: self._topology.client_identity(name) for name in self._topology.clients}
        self._clients = {n: self.authority.issue_client(uri, lifetime_s, now) for n, uri in identities.items()}

    @property
    def renew_time(self) -> dt.datetime:
        """When the first of them is at half of its life."""
        return min(c.half_life for c in self.issued)

    @property
    def key_pairs(self) -> Mapping[str, KeyPair]:
        """By identity's word."""
        return {name: issued.pair for name, issued in self._workloads.items()}

    @property
    def clients(self) -> Mapping[str, KeyPair]:
        """By client's name."""
        return {name: issued.pair for name, issued in self._clients.items()}

    @property
    def issued(self) -> list[Issued]:
        """All, in order of identity."""
        every = (*self._workloads.values(), *self._clients.values(), self.edge_server)
        return sorted(every, key=lambda c: c.identity)
