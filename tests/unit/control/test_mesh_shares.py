"""Shares put in force: which proxies hear of them, and in how many snapshots."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import structlog

from crossrate.rpc.contract import contracts
from crossrate.rpc.release_mark import MARK_HEADER
from crossrate.runtime.place import Place
from crossrate.runtime.topology import DEFAULT_PATH, load
from services.control.mesh import Mesh
from services.control.shares import ROLES_HEADER
from services.control.split import DESK_HEADER, Pin, Split


@pytest.fixture
def mesh(tmp_path: Path) -> Mesh:
    """The mesh of the checkout, without proxies."""
    topology = load(DEFAULT_PATH)
    ports = {"edge": 8443, "inbound": {b: 10_000 + i for i, b in enumerate(topology.backends())}}
    place = Place(tmp_path / "state", tmp_path / "run").make()
    (place.state / "control").mkdir(exist_ok=True)
    made = Mesh(topology, contracts(), place, ports, structlog.get_logger())
    made.refresh("start")
    return made


def table(mesh: Mesh, node: str, name: str) -> Any:
    """A table of routes as a proxy gets it, as bytes."""
    return mesh.snapshots.current.table(node)["routes"][name].data


async def test_the_edge_hears_at_once_of_a_share_that_asks_who_calls(mesh: Mesh) -> None:
    """And when it ends; otherwise a share changes the callee's own routes alone."""
    edge = table(mesh, "edge", "edge")
    await mesh.set_splits({"reference": Split("id", 500)}, "no role")
    assert table(mesh, "edge", "edge") == edge
    await mesh.set_splits({"reference": Split("id", 500, pins=(Pin(True, "trader", by_role=True),))}, "a role")
    assert ROLES_HEADER.encode() in table(mesh, "edge", "edge")
    await mesh.set_splits({"reference": Split("id", 500, DESK_HEADER)}, "desks")
    assert DESK_HEADER.encode() in table(mesh, "edge", "edge")
    assert ROLES_HEADER.encode() not in table(mesh, "edge", "edge")
    await mesh.set_splits({"reference": None}, "over")
    assert table(mesh, "edge", "edge") == edge


async def test_shares_of_two_services_come_and_go_together(mesh: Mesh) -> None:
    """Each in one snapshot; the share of a third stays as it is."""
    await mesh.set_splits({"ledger": Split("another", 100)}, "another")
    version = mesh.snapshots.current.version
    share = Split("id", 500, marked=True)
    snapshot = await mesh.set_splits({"pricing": share, "marketdata": share}, "both")
    assert (snapshot.version, snapshot.changed_count) == (version + 1, 2)
    assert MARK_HEADER.encode() in table(mesh, "node", "in|pricing")
    snapshot = await mesh.set_splits({"pricing": None, "marketdata": None}, "over")
    assert (snapshot.version, snapshot.changed_count) == (version + 2, 2)
    assert mesh.splits == {"ledger": Split("another", 100)}
