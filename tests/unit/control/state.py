"""A small live state for the tests of the compiler."""

from __future__ import annotations

from collections.abc import Mapping

from crossrate.runtime.topology import Topology
from services.control.routes import GrpcRoute
from services.control.state import EDGE, KeyPair, State


def small_state(topology: Topology, routes: Mapping[str, GrpcRoute] | None = None, **more) -> State:
    """Every service with one port, a socket and a certificate; reference has two instances."""
    services = list(topology.services)
    ports = {name: 20_001 + i for i, name in enumerate(services)} | more.pop("ports", {})
    return State(
        edge_port=20_000,
        inbound_ports=ports,
        outbound_sockets={name: f"/run/o/{name}.sock" for name in services},
        certificates={name: KeyPair(f"chain of {name}", f"key of {name}") for name in (*services, EDGE)},
        edge_server=KeyPair("chain of the edge's server", "key of the edge's server"),
        roots_pem="roots",
        endpoints={"reference": ("/run/s/reference-1.sock", "/run/s/reference-2.sock")},
        routes=routes or {},
        **more,
    )
