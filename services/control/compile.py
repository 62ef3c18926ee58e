"""The mesh's configuration: topology, contracts and live state in, Envoy's resources for each proxy out. Pure."""

from __future__ import annotations

from crossrate.runtime.topology import Topology
from services.control.access import Contracts
from services.control.edge import edge
from services.control.inbound import inbound
from services.control.outbound import outbound
from services.control.state import EDGE, Resources, State

NODE = "node"


def proxy_of(service: str, topology: Topology) -> str:
    """Node id of the proxy that carries a service."""
    return f"sidecar-{service}" if topology.layout == "sidecar" else NODE


def compile(topology: Topology, contracts: Contracts, state: State) -> dict[str, Resources]:
    """The resources of every proxy, by node id.

    The layout decides only which proxy gets which resources, never what they are.

    Raises:
        KeyError: a service of the topology has no inbound port, outbound socket or certificate in the state.
    """
    result = {EDGE: edge(topology, contracts, state)}
    for service in topology.services:
        mine = result.setdefault(proxy_of(service, topology), Resources())
        mine.add(outbound(service, topology, contracts, state))
        for backend in state.backends(service):
            mine.add(inbound(backend, topology, contracts, state))
    return result
