"""Ports of one start."""

import os
import socket
from pathlib import Path

import pytest

from crossrate.node import ports
from crossrate.runtime.place import Place
from crossrate.runtime.topology import load


def test_a_port_is_given_once_and_low() -> None:
    """No port is given twice, and none is in the kernel's own range."""
    giver = ports.Ports(seed=1)
    given = [giver.take("x") for _ in range(20)]
    assert len(set(given)) == 20
    assert all(ports.FIRST <= p <= ports.LAST for p in given)


def test_the_port_of_the_last_start_comes_first() -> None:
    """A free port of the start before is taken again; a busy one is not."""
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        wanted = ports.Ports(seed=2).take("nats")
        giver = ports.Ports({"nats": wanted, "inbound": {"reference": wanted}})
        assert giver.take("nats") == wanted
        assert giver.take("inbound", "reference") != wanted


def test_a_busy_port_names_its_owner() -> None:
    """Who has the wanted port is in the error, with what to do."""
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.raises(ports.PortError) as caught:
        ports.Ports().claim(server.getsockname()[1], "127.0.0.1", "the edge", "choose another")
    assert f"process {os.getpid()}" in str(caught.value)
    assert "choose another" in str(caught.value)


def test_a_start_writes_its_ports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every service has an inbound port, and the next start has the same ports."""
    monkeypatch.setenv("CROSSRATE_EDGE_PORT", "0")
    where = Place(tmp_path / "state", tmp_path / "run").make()
    topology = load()
    taken = ports.assign(where, topology)
    assert set(taken["inbound"]) == set(topology.services)
    assert ports.read(where) == taken == ports.assign(where, topology)
    monkeypatch.setenv("CROSSRATE_EDGE_PORT", "https")
    with pytest.raises(ports.PortError, match="CROSSRATE_EDGE_PORT"):
        ports.assign(where, topology)
